/* SPDX-License-Identifier: MIT */

/*
 * References. Gemini takes `#/$defs/NAME`, and clients refer to any place of the schema, to an $anchor, to
 * `definitions` of older drafts, and to the whole. So what a reference refers to becomes an entry of $defs,
 * under its name if it has one, and only what is referred to becomes one.
 *
 * A circle of references must pass through a property that is not required: Gemini refuses others. Whether
 * a reference is part of a circle is known when all of them have been written, so a schema with a circle is
 * written twice.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "dialect/schema-internal.h"

#define REF_MAX   512U /* bytes of a reference */
#define REFS_MAX  2048U /* a power of two; at most half of them are used */

/* Members that are looked at to resolve all references. In a request that is read in the loop they take some
 * 30 ms together. They are enough for 300 references to as many small definitions. */
#define STEPS_BASE 16384U
#define STEPS_PER_BYTE 2U
#define ANCHOR_STEPS   4U /* for an entry of $defs that may have the anchor */

/* --- what a reference refers to --- */

uint64_t schema_ref_steps(JsonView root) {
        return STEPS_BASE + STEPS_PER_BYTE * (uint64_t) (root.end - root.p);
}

static JsonView get_member(JsonView object, const char *name, uint64_t *steps) {
        JsonCursor c = json_enter(object);
        JsonView member, v, found = {};

        for (size_t i = 0; json_next(&c, &member, &v); i++) {
                if (*steps == 0)
                        return (JsonView){};
                (*steps)--;
                if (c.is_object ? json_view_equals(member, name) : strtoul(name, NULL, 10) == i)
                        found = v;
        }
        return found;
}

/* `~1` is a slash, `~0` a tilde. */
static void unescape_pointer(char *s) {
        char *to = s;

        for (; *s; s++) {
                if (s[0] == '~' && (s[1] == '0' || s[1] == '1'))
                        *to++ = *++s == '0' ? '~' : '/';
                else
                        *to++ = *s;
        }
        *to = 0;
}

static JsonView follow_pointer(JsonView root, char *pointer, uint64_t *steps) {
        char *rest = pointer + 1, *part;
        JsonView v = root;

        while (v.p && (part = strsep(&rest, "/"))) {
                unescape_pointer(part);
                if (json_view_is(v, '[') && !text_in_charset(part, strlen(part), TEXT_DIGITS))
                        return (JsonView){};
                v = get_member(v, part, steps);
        }
        return v;
}

/* `#name` is the entry of $defs with that $anchor, or of definitions with that $id. */
static JsonView find_anchor(JsonView root, const char *fragment, uint64_t *steps) {
        static const char *const places[] = { "$defs", "definitions" };
        char id[REF_MAX + 1];

        (void) snprintf(id, sizeof(id), "#%s", fragment);
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                JsonCursor c = json_enter(get_member(root, places[i], steps));
                JsonView v;

                while (*steps >= ANCHOR_STEPS && json_next(&c, NULL, &v)) {
                        *steps -= ANCHOR_STEPS;
                        if (json_view_equals(get_member(v, "$anchor", steps), fragment) ||
                            json_view_equals(get_member(v, "$id", steps), id) ||
                            json_view_equals(get_member(v, "id", steps), id))
                                return v;
                }
        }
        return (JsonView){};
}

/* The part behind the `#` of a reference within this schema, or NULL. */
static char *fragment_of(JsonView root, char *text, uint64_t *steps) {
        char id[REF_MAX + 1], *hash = strchr(text, '#');
        size_t n;

        if (!hash)
                return NULL;
        if (hash > text) {
                json_view_copy(get_member(root, "$id", steps), id, sizeof(id));
                n = strcspn(id, "#");
                if (n == 0 || n != (size_t) (hash - text) || strncmp(id, text, n) != 0)
                        return NULL;
        }
        return text_percent_decode(hash + 1) < 0 ? NULL : hash + 1;
}

static bool copy_text(JsonView ref, char ret[static REF_MAX + 1]) {
        json_view_copy(ref, ret, REF_MAX + 1);
        return *ret && strlen(ret) < REF_MAX;
}

JsonView schema_ref_resolve(JsonView root, JsonView ref, uint64_t *steps) {
        char text[REF_MAX + 1], *fragment;
        JsonView v;

        fragment = copy_text(ref, text) ? fragment_of(root, text, steps) : NULL;
        if (!fragment)
                return (JsonView){};
        if (!*fragment || streq(fragment, "/"))
                v = root;
        else if (*fragment == '/')
                v = follow_pointer(root, fragment, steps);
        else
                v = find_anchor(root, fragment, steps);
        return json_view_is(v, '{') || json_view_is(v, 't') || json_view_is(v, 'f') ? v : (JsonView){};
}

/* --- targets --- */

static bool is_name_used(const Schema *s, const char *name) {
        for (int i = 0; i < s->n_targets; i++)
                if (streq(s->targets[i].name, name))
                        return true;
        return false;
}

/* The last part of the reference if it names an entry of $defs, otherwise all of it. */
static void make_name(const Schema *s, JsonView ref, char ret[static SCHEMA_NAME_MAX + 1]) {
        static const char *const places[] = { "/$defs/", "/definitions/" };
        char text[REF_MAX + 1], *name;
        size_t n;

        (void) copy_text(ref, text);
        name = strchr(text, '#');
        name = name ? name + 1 : text;
        (void) text_percent_decode(name);
        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (startswith(name, places[i]) && !strchr(name + strlen(places[i]), '/'))
                        name += strlen(places[i]);
        name += *name == '/';
        unescape_pointer(name);
        text_copy(ret, SCHEMA_NAME_MAX + 1, *name ? name : "root");
        for (char *p = ret; *p; p++)
                if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-", *p))
                        *p = '_';
        /* Counted from the number of names, so that many equal ones are not compared again and again. */
        n = MIN(strlen(ret), (size_t) SCHEMA_NAME_MAX - 4);
        for (unsigned i = (unsigned) s->n_targets + 1; is_name_used(s, ret); i++)
                (void) snprintf(ret + n, SCHEMA_NAME_MAX + 1 - n, "_%u", i % 1000);
}

static int add_target(Schema *s, JsonView schema, JsonView ref) {
        for (int i = 0; i < s->n_targets; i++)
                if (s->targets[i].schema.p == schema.p)
                        return i;
        if (s->n_targets == SCHEMA_TARGETS_MAX)
                return -1;
        make_name(s, ref, s->targets[s->n_targets].name);
        s->targets[s->n_targets].schema = schema;
        return s->n_targets++;
}

static bool allocate(Schema *s) {
        if (s->refs)
                return true;
        s->refs = calloc(REFS_MAX, sizeof(SchemaRef));
        s->targets = calloc(SCHEMA_TARGETS_MAX, sizeof(SchemaTarget));
        s->queue = calloc(SCHEMA_TARGETS_MAX, sizeof(int));
        if (!s->refs || !s->targets || !s->queue)
                s->error = -ENOMEM;
        return s->error == 0;
}

int schema_ref_find(Schema *s, JsonView ref) {
        uint64_t hash;
        JsonView found;
        size_t i;

        if (!json_view_is(ref, '"') || !allocate(s) || s->error < 0)
                return -1;
        hash = hash_stable(ref.p, (size_t) (ref.end - ref.p));
        for (i = hash % REFS_MAX; s->refs[i].hash != 0; i = (i + 1) % REFS_MAX)
                if (s->refs[i].hash == hash)
                        return s->refs[i].target;
        if (s->n_refs == REFS_MAX / 2)
                return -1;
        s->n_refs++;
        found = schema_ref_resolve(s->root, ref, &s->steps);
        s->refs[i] = (SchemaRef){ .hash = hash, .target = found.p ? add_target(s, found, ref) : -1 };
        return s->refs[i].target;
}

/* --- circles --- */

void schema_ref_use(Schema *s, int target) {
        if (!s->targets[target].queued) {
                s->targets[target].queued = true;
                s->queue[s->n_queue++] = target;
        }
        if (s->reach)
                return;
        if (s->n_edges == s->n_edges_allocated) {
                size_t n = MAX((size_t) 16, 2 * s->n_edges);
                SchemaEdge *edges = realloc(s->edges, n * sizeof(SchemaEdge));

                if (!edges) {
                        s->error = -ENOMEM;
                        return;
                }
                s->edges = edges;
                s->n_edges_allocated = n;
        }
        s->edges[s->n_edges++] = (SchemaEdge){ .from = s->current, .to = target };
}

static size_t row_of(const Schema *s) {
        return ((size_t) s->n_targets + 63) / 64;
}

static bool reaches(const Schema *s, int from, int to) {
        return s->reach[(size_t) from * row_of(s) + (size_t) to / 64] >> (to % 64) & 1;
}

bool schema_ref_find_circles(Schema *s) {
        size_t n = row_of(s);
        bool any = false;

        if (s->n_edges == 0)
                return false;
        s->reach = calloc((size_t) s->n_targets * n, sizeof(uint64_t));
        if (!s->reach) {
                s->error = -ENOMEM;
                return false;
        }
        for (size_t i = 0; i < s->n_edges; i++)
                if (s->edges[i].from >= 0)
                        s->reach[(size_t) s->edges[i].from * n + (size_t) s->edges[i].to / 64] |=
                                UINT64_C(1) << (s->edges[i].to % 64);
        for (int via = 0; via < s->n_targets; via++)
                for (int from = 0; from < s->n_targets; from++)
                        if (reaches(s, from, via))
                                for (size_t k = 0; k < n; k++)
                                        s->reach[(size_t) from * n + k] |= s->reach[(size_t) via * n + k];
        for (int i = 0; i < s->n_targets; i++)
                any = any || reaches(s, i, i);
        return any;
}

bool schema_ref_is_circular(const Schema *s, int target) {
        return s->reach && s->current >= 0 && (target == s->current || reaches(s, target, s->current));
}

void schema_ref_done(Schema *s) {
        free(s->refs);
        free(s->targets);
        free(s->queue);
        free(s->edges);
        free(s->reach);
}
