/* SPDX-License-Identifier: MIT */
#pragma once

/* Declaring tools, and choosing among them: what tools.c has for both of OpenAI's protocols. */

#include "dialect/openai/request.h"

/* A tool's place, for the refusal: `list`[i].`member`name. */
typedef struct ToolPlace {
        const char *list;
        size_t i;
        const char *member; /* "function." or "" */
        JsonView space;     /* its namespace, a string; or none */
} ToolPlace;

/* A tool that a client runs, and without a declaration. The texts are JSON. */
typedef struct ClientTool {
        const char *name, *description, *schema;
        ToolNameFlags flag;
} ClientTool;

/* Each adds one declaration. 0, DIALECT_E_REFUSED, -errno. */
int chat_declare_function(ChatRequest *q, JsonView v, const ToolPlace *at);
int chat_declare_custom(ChatRequest *q, JsonView v, const ToolPlace *at);
int chat_declare_google(ChatRequest *q, const char *name, JsonView config); /* once */
int chat_declare_search(ChatRequest *q);
int chat_declare_client(ChatRequest *q, const ClientTool *tool, ToolDecl **ret);

/* An entry whose members are Google's tools: {"googleSearch": {}}. *ret_any: it has one. */
int chat_declare_entry(ChatRequest *q, JsonView v, const ToolPlace *at, bool *ret_any);

bool chat_is_search(JsonView type); /* of a tool: a search of the web */

bool chat_read_mode(JsonView v, ToolMode *ret); /* "auto", "none", "required" */
