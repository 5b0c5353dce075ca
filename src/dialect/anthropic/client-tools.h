/* SPDX-License-Identifier: MIT */
#pragma once

/* Tools that the client runs, and whose schema only Anthropic's models know: a request has their type alone.
 * To Gemini they are functions. */

typedef struct AnthropicClientTool {
        const char *kind; /* the type, without its date */
        const char *name, *description, *schema; /* JSON */
} AnthropicClientTool;

/* NULL behind the last. */
const AnthropicClientTool *anthropic_client_tool(unsigned long i);
