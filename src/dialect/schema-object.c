/* SPDX-License-Identifier: MIT */

/*
 * The keywords of objects. A node can have several `properties`: its own and those of its allOf. Each name
 * is written once, the first schema's, and `required` has only names that are written. A property that leads
 * into a circle of references without passing through another property is not required.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "dialect/schema-internal.h"

/* --- names --- */

static uint64_t hash_name(Schema *s, JsonView name) {
        if (!memchr(name.p, '\\', (size_t) (name.end - name.p)))
                return hash_stable(name.p + 1, (size_t) (name.end - name.p) - 2);
        buf_clear(&s->scratch);
        if (json_view_append(name, &s->scratch) < 0)
                s->error = s->scratch.error;
        return hash_stable(buf_data(&s->scratch), s->scratch.n);
}

static int push_name(Schema *s, uint64_t hash, uint32_t rank) {
        if (s->n_names == s->n_names_allocated) {
                size_t n = MAX((size_t) 64, 2 * s->n_names);
                SchemaName *names = realloc(s->names, n * sizeof(SchemaName));

                if (!names)
                        return s->error = -ENOMEM;
                s->names = names;
                s->n_names_allocated = n;
        }
        s->names[s->n_names++] = (SchemaName){ .hash = hash, .rank = rank };
        return 0;
}

static int compare_names(const void *a, const void *b) {
        const SchemaName *x = a, *y = b;

        if (x->hash != y->hash)
                return x->hash < y->hash ? -1 : 1;
        return x->rank < y->rank ? -1 : x->rank > y->rank;
}

/* The first entry of the name among those from `base` on, or NULL. */
static SchemaName *find_name(Schema *s, size_t base, uint64_t hash) {
        size_t low = base, high = s->n_names;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (s->names[middle].hash < hash)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low < s->n_names && s->names[low].hash == hash ? &s->names[low] : NULL;
}

static SchemaName *find_view(Schema *s, size_t base, JsonView name) {
        return json_view_is(name, '"') ? find_name(s, base, hash_name(s, name)) : NULL;
}

/* Of a name that one schema has twice, the last one counts, as in JSON; of two schemas, the first one. */
static uint32_t rank_of(unsigned source, uint32_t position) {
        return (source << 28) | (0x0FFFFFFF - MIN(position, 0x0FFFFFFEU));
}

static void collect_names(Schema *s, const SchemaNode *node, size_t base) {
        for (unsigned i = 0; i < node->n_sources; i++) {
                JsonCursor c = json_enter(schema_node_merged(node, KEYWORD_PROPERTIES, i));
                JsonView name, v;

                for (uint32_t n = 0; c.is_object && json_next(&c, &name, &v); n++)
                        if (push_name(s, hash_name(s, name), rank_of(i, n)) < 0)
                                return;
        }
        if (s->n_names > base)
                qsort(s->names + base, s->n_names - base, sizeof(SchemaName), compare_names);
        for (unsigned i = 0; i < node->n_sources; i++) {
                JsonCursor c = json_enter_array(schema_node_merged(node, KEYWORD_REQUIRED, i));
                JsonView name;

                while (json_next(&c, NULL, &name)) {
                        SchemaName *e = find_view(s, base, name);

                        if (e)
                                e->required = true;
                }
        }
}

/* --- writing --- */

static void write_properties(Schema *s, const SchemaNode *node, size_t base) {
        bool in_property = s->in_property, has_circle = s->has_circle;

        jwrite_object(s->w, "properties");
        s->in_property = true;
        for (unsigned i = 0; i < node->n_sources; i++) {
                JsonCursor c = json_enter(schema_node_merged(node, KEYWORD_PROPERTIES, i));
                JsonView name, v;

                for (uint32_t n = 0; c.is_object && !schema_is_full(s) && json_next(&c, &name, &v); n++) {
                        uint64_t hash = hash_name(s, name);
                        SchemaName *e = find_name(s, base, hash);

                        if (!e || e->rank != rank_of(i, n))
                                continue;
                        s->has_circle = false;
                        json_copy_name(s->w, name);
                        schema_write_node(s, v, NULL);
                        if (s->has_circle) {
                                e = find_name(s, base, hash); /* the names may have moved */
                                e->required = false;
                        }
                }
        }
        s->in_property = in_property;
        s->has_circle = has_circle;
        jwrite_end(s->w);
}

static void begin_array(Schema *s, const char *key, bool *any) {
        if (!*any)
                jwrite_array(s->w, key);
        *any = true;
}

static void write_required(Schema *s, const SchemaNode *node, size_t base) {
        bool any = false;

        for (unsigned i = 0; i < node->n_sources; i++) {
                JsonCursor c = json_enter_array(schema_node_merged(node, KEYWORD_REQUIRED, i));
                JsonView name;

                while (json_next(&c, NULL, &name)) {
                        SchemaName *e = find_view(s, base, name);

                        if (!e || !e->required)
                                continue;
                        e->required = false; /* once */
                        begin_array(s, "required", &any);
                        json_copy_string(s->w, NULL, name);
                }
        }
        if (any)
                jwrite_end(s->w);
}

static void write_ordering(Schema *s, JsonView names, size_t base) {
        JsonCursor c = json_enter_array(names);
        bool any = false;
        JsonView name;

        while (json_next(&c, NULL, &name))
                if (find_view(s, base, name)) {
                        begin_array(s, "propertyOrdering", &any);
                        json_copy_string(s->w, NULL, name);
                }
        if (any)
                jwrite_end(s->w);
}

/* Properties by their pattern are properties of any name, and the pattern is a note. */
static void write_additional(Schema *s, const SchemaNode *node) {
        JsonView additional = node->keywords[KEYWORD_ADDITIONAL_PROPERTIES], v, one = additional;
        JsonView patterns = node->keywords[KEYWORD_PATTERN_PROPERTIES];
        JsonCursor c = json_enter(patterns);
        size_t n = json_view_is(additional, '{');

        while (c.is_object && json_next(&c, NULL, &v)) {
                one = n == 0 ? v : one;
                n++;
        }
        if (n == 0 && (json_view_is(additional, 'f') || json_view_is(additional, 't')))
                jwrite_bool(s->w, "additionalProperties", json_view_is(additional, 't'));
        else if (n == 1)
                schema_write_node(s, one, "additionalProperties");
        else if (n > 1 && schema_begin(s, "additionalProperties")) {
                jwrite_array(s->w, "anyOf");
                if (json_view_is(additional, '{'))
                        schema_write_node(s, additional, NULL);
                for (c = json_enter(patterns); !schema_is_full(s) && json_next(&c, NULL, &v);)
                        schema_write_node(s, v, NULL);
                jwrite_end(s->w);
                jwrite_end(s->w);
        }
}

bool schema_has_properties(const SchemaNode *node) {
        for (unsigned i = 0; i < node->n_sources; i++) {
                JsonCursor c = json_enter(schema_node_merged(node, KEYWORD_PROPERTIES, i));
                JsonView first;

                if (c.is_object && json_next(&c, NULL, &first))
                        return true;
        }
        return false;
}

void schema_write_object(Schema *s, const SchemaNode *node) {
        size_t base = s->n_names;

        if (schema_has_properties(node)) {
                collect_names(s, node, base);
                write_properties(s, node, base);
                if (!schema_is_full(s)) {
                        write_required(s, node, base);
                        write_ordering(s, node->keywords[KEYWORD_PROPERTY_ORDERING], base);
                }
                s->n_names = base;
        }
        write_additional(s, node);
}
