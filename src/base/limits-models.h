/* SPDX-License-Identifier: MIT */
#pragma once

/* Names of models, aliases, and Gemini's list of models; see base/limits.h. */

#define MODEL_NAME_MAX 128U  /* the contract's grammar */
#define ALIASES_MAX    1024U /* without patterns; with the names of lists */
#define ALIAS_PATTERNS_MAX 256U /* a name that is no alias is compared with all of them: at most 0.3 ms */

#define MODEL_LIST_MAX        4096U /* entries of Gemini's model list */
#define MODEL_LIST_PAGES_MAX  16U   /* of a thousand each; a list without an end stops here */
#define MODEL_LIST_TOKEN_MAX  4096U /* bytes of a nextPageToken: Google's have some dozen */
#define MODEL_TEXT_MAX        4096U /* bytes of Google's description of one model: usually 700 */
#define MODEL_LIST_ANSWER_MAX (32U << 20) /* as sent to clients: MODEL_TEXT_MAX for models and aliases */
