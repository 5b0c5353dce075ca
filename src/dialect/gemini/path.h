/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The paths of Google's API, as a table: nothing that is not in it goes upstream. Each is there under
 * /v1beta, /v1 and /v1alpha; upstream all of them are sent under /v1beta.
 */

#include "base/macros.h"
#include "pool/binding.h"

typedef enum GeminiWay {
        GEMINI_WAY_EXCHANGE, /* an exchange: another key, the queue, another model */
        GEMINI_WAY_MODELS,   /* gemgate's own list of models */
        GEMINI_WAY_QUERY,    /* one upstream query, its answer in one piece */
        GEMINI_WAY_LIST,     /* gemgate's own list: of what this client has made */
        GEMINI_WAY_UPLOAD,   /* a body of any size */
        GEMINI_WAY_DOWNLOAD, /* an answer of any size */
        GEMINI_WAY_REFUSED,  /* what it gives out opens Google's API past gemgate */
} GeminiWay;

typedef struct GeminiPath {
        const char *method; /* GET also serves HEAD */
        const char *path;   /* under /v1beta: `{x}` is one id, `{x*}` the rest of the path */
        GeminiWay way;
        /* What its ids belong to: the name in the path is this and the id, BINDING_BATCHES for one. NULL: to
         * nothing of a client's. */
        const char *kind;
        const char *makes; /* the kind of what the answer is about, which becomes the client's; or NULL */
        const char *arguments; /* that pass, with a blank between them; NULL: none */
        const char *headers;   /* the same */
        bool counts;           /* on its model's quota */
} GeminiPath;

#define GEMINI_PATHS_MAX 192U

const GeminiPath *gemini_paths(size_t *ret_n);

const char *gemini_path_pattern(const GeminiPath *row); /* what is behind the version */

/* What of a path is behind the version: NULL if it has none of Google's. */
const char *gemini_path_rest(const GeminiPath *row, const char *path);

/* Whether the path has this form, whatever the method is. It is decoded. */
bool gemini_path_fits(const GeminiPath *row, const char *path);

/* The row; NULL: there is none. */
const GeminiPath *gemini_path_find(const char *method, const char *path);

/* The name that a path of the row has: "batches/x". False: its ids are none. */
bool gemini_path_name(const GeminiPath *row, const char *path, char ret[static BINDING_NAME_MAX + 1]);

/* Whether a list of `arguments` or `headers` has the word. */
bool gemini_path_lists(const char *list, const char *word);
