/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The names of functions, as the client has them and as Gemini takes them.
 *
 * Gemini takes letters, digits, `_`, `.`, `:` and `-`, the first a letter or `_`. Google's page has had two
 * lengths: 64 for the models before Gemini 3, and 128 now. What is longer than 64 is shortened for all
 * models: the client never sees the shorter name, so the safe form costs nothing.
 *
 * A name that Gemini takes stays. Another one becomes the characters that Gemini takes, and a digest of the
 * whole name: it depends on nothing but the name, so it is the same in each turn of a conversation. If that
 * name is taken, or a name that Gemini takes is the mapped one of another, it gets a different digest. Then
 * it also depends on what was mapped before, so a caller maps the declarations first, in their order, and
 * then the names in the history.
 */

#include "base/json/cursor.h"
#include "base/limits.h"

/* What the client's dialect must know about the function when Gemini calls it. */
typedef enum ToolNameFlags {
        TOOL_NAME_DECLARED = 1 << 0, /* Gemini has its declaration: tools_write() */
        TOOL_NAME_CUSTOM = 1 << 1,   /* a custom tool: its only argument is the text `input` */
        TOOL_NAME_SEARCH = 1 << 2,   /* tools of the Responses API that its clients run: tool_search, */
        TOOL_NAME_LOCAL_SHELL = 1 << 3, /* local_shell, */
        TOOL_NAME_SHELL = 1 << 4,       /* shell */
        TOOL_NAME_PATCH = 1 << 5,       /* and apply_patch */
} ToolNameFlags;

typedef struct ToolName {
        char *original;
        size_t n_original; /* it may hold a NUL */
        size_t n_space;    /* bytes of it before the name: a namespace and a NUL; 0: the name has none */
        char mapped[TOOL_NAME_MAPPED_MAX + 1];
        size_t n_mapped;
        ToolNameFlags flags;
} ToolName;

/* Zeroed: empty, and nothing is allocated. */
typedef struct ToolNames {
        ToolName **names;
        size_t n, n_allocated;
        uint32_t *slots; /* by the original, then by the mapped name: index + 1 */
        size_t n_slots;
} ToolNames;

void tool_names_done(ToolNames *t);

/* The entry of this name, which is added if it is new. It stays valid as long as the table. -E2BIG: the name
 * has more than TOOL_NAME_MAX bytes, or there are more than TOOL_NAMES_MAX; -ENOMEM. */
int tool_names_map(ToolNames *t, const char *original, size_t n, ToolName **ret);
int tool_names_map_view(ToolNames *t, JsonView name, ToolName **ret);

/* The same for a name within a namespace, a string. Gemini gets SPACE__NAME. The namespace "" is for tools
 * that have a name of their protocol: they differ from a function of that name. */
int tool_names_map_in(ToolNames *t, JsonView space, JsonView name, ToolName **ret);

/* The parts of the original. */
static inline const char *tool_name_bare(const ToolName *e, size_t *ret_n) {
        *ret_n = e->n_original - e->n_space;
        return e->original + e->n_space;
}

static inline size_t tool_name_space(const ToolName *e) {
        return e->n_space > 0 ? e->n_space - 1 : 0;
}

/* The entry of a name that Gemini has called, or NULL: it is no name of the request, and goes to the client
 * as it is. Gemini sometimes puts its own `default_api.` before a name. */
const ToolName *tool_names_find(const ToolNames *t, const char *mapped, size_t n);
