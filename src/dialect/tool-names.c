/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "dialect/tool-names.h"

#define LETTERS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGEST    9U /* `_` and eight hexadecimal digits */
#define SLOTS_MIN 64U
#define FEW       8U /* so many names are compared faster than one is hashed */

/* --- one name --- */

static bool is_taken_by_gemini(const char *s, size_t n) {
        return n <= TOOL_NAME_MAPPED_MAX && text_in_charset(s, n, LETTERS TEXT_DIGITS "_.:-") &&
               strchr(LETTERS "_", *s);
}

/* The characters that Gemini takes, one `_` for each run of others, and a digest of the whole name.
 * `attempt`: another digest. */
static void make_name(const char *s, size_t n, unsigned attempt, char ret[static TOOL_NAME_MAPPED_MAX + 1]) {
        const size_t max = TOOL_NAME_MAPPED_MAX - DIGEST;
        uint64_t digest = hash_mix(hash_stable(s, n) + attempt);
        size_t k = 0;

        if (n == 0 || !strchr(LETTERS "_", *s))
                ret[k++] = '_';
        for (size_t i = 0; i < n && k < max; i++)
                if (s[i] && strchr(LETTERS TEXT_DIGITS "_.:-", s[i]))
                        ret[k++] = s[i];
                else if (k == 0 || ret[k - 1] != '_')
                        ret[k++] = '_';
        (void) snprintf(ret + k, DIGEST + 1, "_%08x", (unsigned) (digest & UINT32_MAX));
}

/* --- the table: open addressing, an entry is found by its original and by its mapped name --- */

/* Of an entry: whether it has this name. */
static bool has_name(const ToolName *e, const char *s, size_t n, bool mapped) {
        return mapped ? e->n_mapped == n && memcmp(e->mapped, s, n) == 0
                      : e->n_original == n && memcmp(e->original, s, n) == 0;
}

static bool find_slot(const ToolNames *t, const char *s, size_t n, bool mapped, size_t *ret) {
        size_t i;

        for (i = hash_mix(hash_stable(s, n) + mapped) & (t->n_slots - 1); t->slots[i] != 0;
             i = (i + 1) & (t->n_slots - 1)) {
                uint32_t slot = t->slots[i] - 1;
                const ToolName *e = t->names[slot / 2];

                if (slot % 2 != mapped)
                        continue;
                if (has_name(e, s, n, mapped)) {
                        *ret = i;
                        return true;
                }
        }
        *ret = i;
        return false;
}

static ToolName *find(const ToolNames *t, const char *s, size_t n, bool mapped) {
        size_t i;

        if (t->n <= FEW) {
                for (i = 0; i < t->n; i++)
                        if (has_name(t->names[i], s, n, mapped))
                                return t->names[i];
                return NULL;
        }
        if (!find_slot(t, s, n, mapped, &i))
                return NULL;
        return t->names[(t->slots[i] - 1) / 2];
}

static void put(ToolNames *t, size_t index) {
        const ToolName *e = t->names[index];
        size_t i;

        (void) find_slot(t, e->original, e->n_original, false, &i);
        t->slots[i] = (uint32_t) (2 * index) + 1;
        (void) find_slot(t, e->mapped, e->n_mapped, true, &i);
        t->slots[i] = (uint32_t) (2 * index + 1) + 1;
}

/* Room for one more: at most half of the slots are used. */
static int grow(ToolNames *t) {
        size_t n_slots = MAX((size_t) SLOTS_MIN, 2 * t->n_slots), n = n_slots / 4;
        ToolName **names;
        uint32_t *slots;

        if (t->n < t->n_allocated)
                return 0;
        names = realloc(t->names, n * sizeof(ToolName *));
        if (!names)
                return -ENOMEM;
        t->names = names;
        slots = calloc(n_slots, sizeof(uint32_t));
        if (!slots)
                return -ENOMEM;
        free(t->slots);
        t->slots = slots;
        t->n_slots = n_slots;
        t->n_allocated = n;
        for (size_t i = 0; i < t->n; i++)
                put(t, i);
        return 0;
}

static ToolName *name_free(ToolName *e) {
        if (e)
                free(e->original);
        free(e);
        return NULL;
}

void tool_names_done(ToolNames *t) {
        for (size_t i = 0; i < t->n; i++)
                (void) name_free(t->names[i]);
        free(t->names);
        free(t->slots);
        *t = (ToolNames){};
}

static ToolName *name_new(const char *original, size_t n) {
        ToolName *e = calloc(1, sizeof(ToolName));

        if (!e)
                return NULL;
        e->original = malloc(n + 1);
        if (!e->original)
                return name_free(e);
        if (n > 0)
                memcpy(e->original, original, n);
        e->original[n] = 0;
        e->n_original = n;
        return e;
}

/* `wanted`: the name for Gemini, if it takes it. */
static int map(ToolNames *t, const char *original, size_t n, const char *wanted, size_t n_wanted,
               ToolName **ret) {
        ToolName *e = find(t, original, n, false);
        int r;

        if (e) {
                *ret = e;
                return 0;
        }
        if (n > TOOL_NAME_MAX || t->n == TOOL_NAMES_MAX)
                return -E2BIG;
        r = grow(t);
        if (r < 0)
                return r;
        e = name_new(original, n);
        if (!e)
                return -ENOMEM;
        if (is_taken_by_gemini(wanted, n_wanted)) {
                memcpy(e->mapped, wanted, n_wanted);
                e->mapped[n_wanted] = 0;
        } else
                make_name(wanted, n_wanted, 0, e->mapped);
        e->n_mapped = strlen(e->mapped);
        for (unsigned attempt = 1; find(t, e->mapped, e->n_mapped, true); attempt++) {
                make_name(wanted, n_wanted, attempt, e->mapped);
                e->n_mapped = strlen(e->mapped);
        }
        t->names[t->n] = e;
        put(t, t->n++);
        *ret = e;
        return 0;
}

int tool_names_map(ToolNames *t, const char *original, size_t n, ToolName **ret) {
        return map(t, original, n, original, n, ret);
}

int tool_names_map_in(ToolNames *t, JsonView space, JsonView name, ToolName **ret) {
        _cleanup_buf_ Buf original = BUF_INIT(2 * TOOL_NAME_MAX + 1),
                          wanted = BUF_INIT(2 * TOOL_NAME_MAX + 2);
        size_t n_space;
        int r;

        (void) json_view_append(space, &original);
        n_space = original.n + 1;
        (void) json_view_append(space, &wanted);
        if (wanted.n > 0)
                (void) buf_puts(&wanted, "__");
        (void) buf_putc(&original, 0);
        (void) json_view_append(name, &original);
        (void) json_view_append(name, &wanted);
        if (original.error < 0 || wanted.error < 0)
                return original.error < 0 ? original.error : wanted.error;
        r = map(t, buf_data(&original), original.n, buf_data(&wanted), wanted.n, ret);
        if (r == 0)
                (*ret)->n_space = n_space;
        return r;
}

int tool_names_map_view(ToolNames *t, JsonView name, ToolName **ret) {
        _cleanup_buf_ Buf text = BUF_INIT(TOOL_NAME_MAX + 1);
        int r;

        r = json_view_append(name, &text);
        if (r < 0)
                return r;
        return tool_names_map(t, strempty(buf_cstr(&text)), text.n, ret);
}

const ToolName *tool_names_find(const ToolNames *t, const char *mapped, size_t n) {
        static const char prefix[] = "default_api";
        const size_t n_prefix = sizeof(prefix) - 1;
        const ToolName *e = find(t, mapped, n, true);

        if (!e && n > n_prefix && memcmp(mapped, prefix, n_prefix) == 0 && strchr(".:", mapped[n_prefix]))
                e = find(t, mapped + n_prefix + 1, n - n_prefix - 1, true);
        return e;
}
