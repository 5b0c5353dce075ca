/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "dialect/schema-value.h"

#define NODE_DEPTH 6U /* levels that a node needs besides its children's */
#define REF_CHAIN_MAX 8U /* references from the root to the schema that it is */

/* --- the keywords of one type, and of all types of a node --- */

static void write_items(Schema *s, const SchemaNode *node) {
        JsonView items = node->keywords[KEYWORD_ITEMS], prefix = node->keywords[KEYWORD_PREFIX_ITEMS], v;
        JsonView most = node->keywords[KEYWORD_MAX_ITEMS];
        JsonCursor c;
        size_t n = 0;

        if (json_view_is(items, '[')) { /* before draft 2020-12 */
                prefix = items;
                items = node->keywords[KEYWORD_ADDITIONAL_ITEMS];
        }
        for (c = json_enter_array(prefix); json_next(&c, NULL, &v);)
                n++;
        schema_write_count(s, "minItems", node->keywords[KEYWORD_MIN_ITEMS]);
        if (json_view_is(items, 'f') && !most.p)
                jwrite_uint(s->w, "maxItems", n);
        else
                schema_write_count(s, "maxItems", most);
        if (n > 0) {
                jwrite_array(s->w, "prefixItems");
                for (c = json_enter_array(prefix); !schema_is_full(s) && json_next(&c, NULL, &v);)
                        schema_write_node(s, v, NULL);
                jwrite_end(s->w);
        }
        schema_write_node(s, json_view_is(items, '{') ? items : (JsonView){}, "items");
}

static void write_keywords(Schema *s, const SchemaNode *node, SchemaType types) {
        schema_write_scalar(s, node, types);
        if (types & TYPE_OBJECT)
                schema_write_object(s, node);
        if (types & TYPE_ARRAY)
                write_items(s, node);
}

/* --- alternatives --- */

typedef enum Describes {
        DESCRIBES_VALUES = 1 << 0,     /* it describes a value */
        DESCRIBES_CONDITIONS = 1 << 1, /* it only has rules, none of which Gemini knows */
} Describes;

static Describes look_at(JsonView schema) {
        static const Keyword structural[] = {
                KEYWORD_TYPE,         KEYWORD_ENUM,       KEYWORD_CONST,  KEYWORD_ITEMS,
                KEYWORD_PREFIX_ITEMS, KEYWORD_ALL_OF,     KEYWORD_ANY_OF, KEYWORD_ONE_OF,
                KEYWORD_REF,          KEYWORD_PROPERTIES, KEYWORD_ADDITIONAL_PROPERTIES,
                KEYWORD_PATTERN_PROPERTIES,
        };
        JsonCursor c = json_enter(schema);
        Describes found = 0;
        JsonView name, v;

        while (c.is_object && json_next(&c, &name, &v)) {
                Keyword k = schema_keyword(name);

                for (size_t i = 0; i < ELEMENTSOF(structural); i++)
                        if (structural[i] == k)
                                found |= DESCRIBES_VALUES;
                if (k == KEYWORD_REQUIRED || k == KEYWORD_FORMAT || (k > KEYWORD_ONE_OF && k < _KEYWORD_MAX))
                        found |= DESCRIBES_CONDITIONS;
        }
        return found;
}

/* Alternatives that only have conditions: anyOf: [{required: [a]}, {required: [b]}]. */
static bool has_conditions_only(JsonView list) {
        JsonCursor c = json_enter_array(list);
        Describes found = 0;
        JsonView v;

        while (json_next(&c, NULL, &v))
                found |= look_at(v);
        return found == DESCRIBES_CONDITIONS;
}

static bool has_members(JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView first;

        return json_next(&c, NULL, &first);
}

/* The lists that are written; conditions alone become a note. */
static unsigned list_alternatives(Schema *s, const SchemaNode *node,
                                  JsonView ret[static 2 * SCHEMA_SOURCES_MAX]) {
        unsigned n = 0;

        for (unsigned i = 0; i < node->n_sources; i++)
                for (Keyword k = KEYWORD_ANY_OF; k <= KEYWORD_ONE_OF; k++) {
                        JsonView list = schema_node_merged(node, k, i);

                        if (!json_view_is(list, '[') || !has_members(list))
                                continue;
                        if (!has_conditions_only(list))
                                ret[n++] = list;
                        else
                                schema_note(s, k == KEYWORD_ANY_OF ? "any of " : "one of ", list, "");
                }
        return n;
}

static bool is_null_schema(JsonView schema) {
        return json_view_equals(json_view_get(schema, "type"), "null");
}

bool schema_begin(Schema *s, const char *key) {
        if (schema_is_full(s) || s->w->depth + NODE_DEPTH > JWRITE_DEPTH_MAX) {
                jwrite_raw(s->w, key, "{}");
                return false;
        }
        jwrite_object(s->w, key);
        return true;
}

static void write_reference(Schema *s, int target) {
        schema_ref_use(s, target);
        jwrite_raw_n(s->w, "$ref", "\"#/$defs/", 9);
        (void) buf_puts(s->w->buf, s->targets[target].name);
        (void) buf_putc(s->w->buf, '"');
}

/* --- a node --- */

/* Of several types, each is an alternative with its own keywords. */
static void write_types(Schema *s, const SchemaNode *node, SchemaType types) {
        for (SchemaType t = TYPE_STRING; t < TYPE_NULL; t <<= 1)
                if (types & t && schema_begin(s, NULL)) {
                        schema_write_type(s, t, false);
                        write_keywords(s, node, t);
                        jwrite_end(s->w);
                }
}

typedef struct Alternatives {
        int target;       /* of a reference; -1: none */
        SchemaType types; /* if there are several */
        JsonView lists[2 * SCHEMA_SOURCES_MAX];
        unsigned n_lists;
        bool nullable;
} Alternatives;

static void write_alternatives(Schema *s, const SchemaNode *node, const Alternatives *a) {
        bool nullable = a->nullable;

        jwrite_array(s->w, "anyOf");
        if (a->target >= 0 && schema_begin(s, NULL)) {
                write_reference(s, a->target);
                jwrite_end(s->w);
        }
        write_types(s, node, a->types);
        for (unsigned i = 0; i < a->n_lists; i++) {
                JsonCursor c = json_enter_array(a->lists[i]);
                JsonView v;

                while (!schema_is_full(s) && json_next(&c, NULL, &v)) {
                        nullable = nullable && !is_null_schema(v);
                        schema_write_node(s, v, NULL);
                }
        }
        if (nullable)
                schema_write_null(s);
        jwrite_end(s->w);
}

/* The types of a node without any, and what its keywords add. */
static SchemaType imply_types(const SchemaNode *node, SchemaType types, bool is_alone) {
        const JsonView *k = node->keywords;
        bool has_items = json_view_is(k[KEYWORD_ITEMS], '{') || json_view_is(k[KEYWORD_ITEMS], '[') ||
                         json_view_is(k[KEYWORD_PREFIX_ITEMS], '[');
        SchemaType more = 0;

        if (schema_has_properties(node) || json_view_is(k[KEYWORD_ADDITIONAL_PROPERTIES], '{') ||
            json_view_is(k[KEYWORD_PATTERN_PROPERTIES], '{'))
                more |= TYPE_OBJECT;
        if (has_items)
                more |= TYPE_ARRAY;
        if ((types | more) == 0 && is_alone && !k[KEYWORD_TYPE].p &&
            (k[KEYWORD_MINIMUM].p || k[KEYWORD_MAXIMUM].p || k[KEYWORD_EXCLUSIVE_MINIMUM].p ||
             k[KEYWORD_EXCLUSIVE_MAXIMUM].p))
                more = TYPE_NUMBER;
        return types | more;
}

/* The target of the node's reference, or -1: there is none, or it would close a circle that no property
 * opens. A note has its name then. */
static int find_target(Schema *s, const SchemaNode *node) {
        bool is_own_root = false;
        int target;

        if (!node->ref.p)
                return -1;
        target = schema_ref_find(s, node->ref);
        if (target >= 0)
                is_own_root = node->sources[0] == s->root.p && s->targets[target].schema.p == s->root.p;
        if (target >= 0 && !is_own_root && !schema_ref_is_circular(s, target))
                return target;
        if (target >= 0 && !is_own_root && s->in_property) {
                s->has_circle = true;
                return target;
        }
        if (target >= 0)
                schema_note(s, "as ", (JsonView){}, s->targets[target].name);
        else if (json_view_is(node->ref, '"'))
                schema_note(s, "as defined by ", node->ref, "");
        return -1;
}

static void note_missing(Schema *s, const SchemaNode *node) {
        JsonView required = node->keywords[KEYWORD_REQUIRED];

        if (json_view_is(required, '[') && has_members(required) && !schema_has_properties(node))
                schema_note(s, "must have ", required, "");
}

static bool is_one_type(SchemaType types) {
        return types != 0 && (types & (types - 1)) == 0;
}

static bool has_text(JsonView v) {
        return json_view_is(v, '"') && !json_view_is_empty(v);
}

static void write_node(Schema *s, const SchemaNode *node, bool is_object) {
        SchemaType types = schema_types_read(s, node);
        bool nullable = types & TYPE_NULL && !is_object, has_structure = imply_types(node, 0, false) != 0;
        Alternatives a = { .target = find_target(s, node) };
        bool is_alone, has_values;
        SchemaValues values;

        a.n_lists = list_alternatives(s, node, a.lists);
        is_alone = a.n_lists == 0 && a.target < 0;
        types &= ~TYPE_NULL;
        types = node->is_reference ? 0 : is_object ? TYPE_OBJECT : imply_types(node, types, is_alone);

        has_values = schema_values_read(node, &values);
        if (has_values && (is_object || !is_alone || has_structure)) {
                schema_note(s, "one of ", values.one.p ? values.one : values.list, "");
                has_values = false;
        } else if (has_values) {
                schema_note_values(s, &values);
                nullable = nullable || values.has_null;
                has_values = !values.has_other || values.strings > 0 || values.numbers > 0;
        }
        if (!has_values) {
                schema_note_bounds(s, node, types & (TYPE_NUMBER | TYPE_INTEGER));
                schema_note_format(s, node->keywords[KEYWORD_FORMAT], types);
        }
        note_missing(s, node);
        schema_note_keywords(s, node);

        if (a.target >= 0 && a.n_lists == 0 && types == 0 && !nullable && s->notes.n == 0 &&
            !has_text(node->keywords[KEYWORD_DESCRIPTION])) {
                write_reference(s, a.target); /* Gemini takes nothing beside it */
                return;
        }
        if (json_view_is(node->keywords[KEYWORD_TITLE], '"'))
                json_copy_string(s->w, "title", node->keywords[KEYWORD_TITLE]);
        schema_write_description(s, node);
        if (has_values) {
                schema_write_values(s, &values, types, nullable);
                return;
        }
        if (is_one_type(types)) {
                schema_write_type(s, types, nullable);
                write_keywords(s, node, types);
        } else if (types == 0 && nullable && is_alone)
                jwrite_string(s->w, "type", "null");
        else {
                a.types = types;
                a.nullable = nullable;
        }
        if (!is_alone || a.types != 0)
                write_alternatives(s, node, &a);
}

void schema_write_node(Schema *s, JsonView schema, const char *key) {
        SchemaNode node;

        if (!schema_begin(s, key))
                return;
        schema_node_open(s, schema, &node);
        write_node(s, &node, false);
        jwrite_end(s->w);
        schema_node_close(s, &node);
}

/* --- the root --- */

static bool is_object_type(JsonView type) {
        JsonCursor c = json_enter_array(type);
        SchemaType types = 0;
        JsonView one;

        if (json_view_is(type, '"') && !schema_type_parse(type, &types))
                return true;
        while (json_next(&c, NULL, &one))
                (void) schema_type_parse(one, &types);
        return types == 0 || types & TYPE_OBJECT;
}

SchemaRoot schema_root(JsonView schema) {
        JsonView type, properties, patterns, additional, ref, any, one, all, values, value, items, prefix;
        const JsonMember members[] = {
                JSON_MEMBER("type", &type),
                JSON_MEMBER("properties", &properties),
                JSON_MEMBER("patternProperties", &patterns),
                JSON_MEMBER("additionalProperties", &additional),
                JSON_MEMBER("$ref", &ref),
                JSON_MEMBER("anyOf", &any),
                JSON_MEMBER("oneOf", &one),
                JSON_MEMBER("allOf", &all),
                JSON_MEMBER("enum", &values),
                JSON_MEMBER("const", &value),
                JSON_MEMBER("items", &items),
                JSON_MEMBER("prefixItems", &prefix),
        };
        JsonView root = schema;
        uint64_t steps = schema_ref_steps(root);

        if (json_view_is_null(schema) || json_view_is(schema, 't') || json_view_is(schema, 'f'))
                return SCHEMA_ABSENT;
        if (!json_view_is(schema, '{'))
                return SCHEMA_BROKEN;
        for (unsigned i = 0; i < REF_CHAIN_MAX; i++) {
                json_view_members(schema, members, ELEMENTSOF(members));
                if (type.p ? !is_object_type(type) : values.p || value.p || items.p || prefix.p)
                        return SCHEMA_OTHER;
                if (has_members(properties) || has_members(patterns) || json_view_is(additional, 't') ||
                    json_view_is(additional, '{') || has_members(any) || has_members(one) ||
                    has_members(all))
                        return SCHEMA_OBJECT;
                if (!ref.p)
                        return SCHEMA_ABSENT;
                schema = schema_ref_resolve(root, ref, &steps);
                if (!json_view_is(schema, '{'))
                        return SCHEMA_ABSENT;
        }
        return SCHEMA_OBJECT;
}

/* The queue grows while it is written. What is left when the result is full becomes {}. */
static void write_defs(Schema *s) {
        if (s->n_queue == 0)
                return;
        jwrite_object(s->w, "$defs");
        for (int i = 0; i < s->n_queue; i++) {
                s->current = s->queue[i];
                s->open[0] = s->targets[s->current].schema.p;
                schema_write_node(s, s->targets[s->current].schema, s->targets[s->current].name);
        }
        jwrite_end(s->w);
}

static void write_root(Schema *s, SchemaUse use, const char *key) {
        SchemaRoot kind = schema_root(s->root);
        SchemaNode node;

        s->current = -1;
        s->in_property = false;
        s->open[0] = s->root.p;
        s->n_open = 1;
        s->n_queue = 0;
        for (int i = 0; i < s->n_targets; i++)
                s->targets[i].queued = false;

        jwrite_object(s->w, key);
        if (use == SCHEMA_PARAMETERS && (kind == SCHEMA_OTHER || kind == SCHEMA_BROKEN)) {
                jwrite_string(s->w, "type", "object");
                jwrite_object(s->w, "properties");
                schema_write_node(s, s->root, "value");
                jwrite_end(s->w);
                jwrite_array(s->w, "required");
                jwrite_string(s->w, NULL, "value");
                jwrite_end(s->w);
        } else {
                schema_node_open(s, s->root, &node);
                write_node(s, &node, use == SCHEMA_PARAMETERS);
                schema_node_close(s, &node);
        }
        write_defs(s);
        jwrite_end(s->w);
}

void schema_write(JsonView schema, SchemaUse use, JWriter *w, const char *key) {
        size_t n = (size_t) (schema.end - schema.p), start = w->buf->n;
        JWriter before = *w;
        Schema s = {
                .root = schema,
                .steps = schema_ref_steps(schema),
                .w = w,
                .limit = start + SCHEMA_GROWTH_MAX * n + SCHEMA_GROWTH_BASE,
                .notes = BUF_INIT(2U * SCHEMA_NOTES_MAX),
                .scratch = BUF_INIT(n + 16),
        };

        write_root(&s, use, key);
        if (schema_ref_find_circles(&s) && w->buf->error == 0) {
                w->buf->n = start;
                *w = before;
                write_root(&s, use, key);
        }
        if (s.error < 0 && w->buf->error == 0)
                w->buf->error = s.error;
        schema_ref_done(&s);
        free(s.names);
        buf_done(&s.notes);
        buf_done(&s.scratch);
}
