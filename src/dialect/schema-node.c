/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dialect/schema-internal.h"

#define ROW(name) { name, sizeof(name) - 1 }

static const struct {
        const char *name;
        size_t n;
} keywords[_KEYWORD_MAX] = {
        [KEYWORD_TYPE] = ROW("type"),
        [KEYWORD_NULLABLE] = ROW("nullable"),
        [KEYWORD_TITLE] = ROW("title"),
        [KEYWORD_DESCRIPTION] = ROW("description"),
        [KEYWORD_FORMAT] = ROW("format"),
        [KEYWORD_ENUM] = ROW("enum"),
        [KEYWORD_CONST] = ROW("const"),
        [KEYWORD_MINIMUM] = ROW("minimum"),
        [KEYWORD_MAXIMUM] = ROW("maximum"),
        [KEYWORD_EXCLUSIVE_MINIMUM] = ROW("exclusiveMinimum"),
        [KEYWORD_EXCLUSIVE_MAXIMUM] = ROW("exclusiveMaximum"),
        [KEYWORD_MIN_ITEMS] = ROW("minItems"),
        [KEYWORD_MAX_ITEMS] = ROW("maxItems"),
        [KEYWORD_ITEMS] = ROW("items"),
        [KEYWORD_ADDITIONAL_ITEMS] = ROW("additionalItems"),
        [KEYWORD_PREFIX_ITEMS] = ROW("prefixItems"),
        [KEYWORD_PROPERTY_ORDERING] = ROW("propertyOrdering"),
        [KEYWORD_ADDITIONAL_PROPERTIES] = ROW("additionalProperties"),
        [KEYWORD_PATTERN_PROPERTIES] = ROW("patternProperties"),
        [KEYWORD_REF] = ROW("$ref"),
        [KEYWORD_ALL_OF] = ROW("allOf"),
        [KEYWORD_PROPERTIES] = ROW("properties"),
        [KEYWORD_REQUIRED] = ROW("required"),
        [KEYWORD_ANY_OF] = ROW("anyOf"),
        [KEYWORD_ONE_OF] = ROW("oneOf"),
        [KEYWORD_PATTERN] = ROW("pattern"),
        [KEYWORD_MIN_LENGTH] = ROW("minLength"),
        [KEYWORD_MAX_LENGTH] = ROW("maxLength"),
        [KEYWORD_MULTIPLE_OF] = ROW("multipleOf"),
        [KEYWORD_MIN_PROPERTIES] = ROW("minProperties"),
        [KEYWORD_MAX_PROPERTIES] = ROW("maxProperties"),
        [KEYWORD_UNIQUE_ITEMS] = ROW("uniqueItems"),
        [KEYWORD_CONTAINS] = ROW("contains"),
        [KEYWORD_PROPERTY_NAMES] = ROW("propertyNames"),
        [KEYWORD_NOT] = ROW("not"),
        [KEYWORD_IF] = ROW("if"),
        [KEYWORD_THEN] = ROW("then"),
        [KEYWORD_ELSE] = ROW("else"),
        [KEYWORD_DEPENDENT_REQUIRED] = ROW("dependentRequired"),
        [KEYWORD_DEPENDENT_SCHEMAS] = ROW("dependentSchemas"),
        [KEYWORD_DEPENDENCIES] = ROW("dependencies"),
        [KEYWORD_CONTENT_ENCODING] = ROW("contentEncoding"),
        [KEYWORD_CONTENT_MEDIA_TYPE] = ROW("contentMediaType"),
        [KEYWORD_DEPRECATED] = ROW("deprecated"),
        [KEYWORD_READ_ONLY] = ROW("readOnly"),
        [KEYWORD_DEFAULT] = ROW("default"),
        [KEYWORD_EXAMPLE] = ROW("example"),
        [KEYWORD_EXAMPLES] = ROW("examples"),
};

Keyword schema_keyword(JsonView name) {
        size_t n = (size_t) (name.end - name.p) - 2;
        bool has_escape = memchr(name.p, '\\', n + 2);

        for (Keyword k = 0; k < _KEYWORD_MAX; k++)
                if (has_escape ? json_view_equals(name, keywords[k].name)
                               : n == keywords[k].n && memcmp(name.p + 1, keywords[k].name, n) == 0)
                        return k;
        return _KEYWORD_MAX;
}

/* --- the schemas of a node --- */

static bool is_open(const Schema *s, JsonView schema) {
        for (unsigned i = 0; i < s->n_open; i++)
                if (s->open[i] == schema.p)
                        return true;
        return s->n_open == SCHEMA_OPEN_MAX;
}

/* A schema that only names another one and describes it. */
static bool is_reference(const SchemaNode *n) {
        static const Keyword rules[] = {
                KEYWORD_ENUM,  KEYWORD_CONST,        KEYWORD_ITEMS,
                KEYWORD_PREFIX_ITEMS, KEYWORD_ADDITIONAL_PROPERTIES, KEYWORD_PATTERN_PROPERTIES,
                KEYWORD_PROPERTIES,   KEYWORD_REQUIRED,      KEYWORD_ANY_OF,
                KEYWORD_ONE_OF,
        };

        for (size_t i = 0; i < ELEMENTSOF(rules); i++)
                if (n->keywords[rules[i]].p)
                        return false;
        return true;
}

/* Of an allOf that is nothing but one reference. */
static JsonView only_reference(JsonView all_of) {
        JsonCursor c = json_enter_array(all_of);
        JsonView member = {}, name, ref = {}, more;

        if (!json_next(&c, NULL, &member) || json_next(&c, NULL, &more))
                return (JsonView){};
        c = json_enter(member);
        if (!c.is_object || !json_next(&c, &name, &ref) || json_next(&c, NULL, &more))
                return (JsonView){};
        return json_view_is(ref, '"') && schema_keyword(name) == KEYWORD_REF ? ref : (JsonView){};
}

static void add_schema(Schema *s, JsonView schema, SchemaNode *n);

/* The schema that `ref` refers to becomes part of the node, unless that has no end. */
static void add_reference(Schema *s, JsonView ref, SchemaNode *n) {
        int target = schema_ref_find(s, ref);

        if (target < 0 || is_open(s, s->targets[target].schema)) {
                if (!n->ref.p)
                        n->ref = ref;
                return;
        }
        s->open[s->n_open++] = s->targets[target].schema.p;
        n->n_opened++;
        add_schema(s, s->targets[target].schema, n);
}

static void read_keywords(JsonView schema, SchemaNode *n, JsonView *ret_ref, JsonView *ret_all_of) {
        JsonCursor c = json_enter(schema);
        unsigned source = n->n_sources - 1;
        JsonView name, v;

        while (json_next(&c, &name, &v)) {
                Keyword k = schema_keyword(name);

                if (k == _KEYWORD_MAX)
                        continue;
                if (k == KEYWORD_REF)
                        *ret_ref = v;
                else if (k == KEYWORD_ALL_OF)
                        *ret_all_of = v;
                else if (source == 0 || !n->keywords[k].p)
                        n->keywords[k] = v;
                else if (k > KEYWORD_ONE_OF && n->n_more < SCHEMA_MORE_MAX) {
                        n->more[n->n_more].keyword = k;
                        n->more[n->n_more++].value = v;
                }
                if (k >= _KEYWORD_MERGED && k <= KEYWORD_ONE_OF)
                        n->merged[k - _KEYWORD_MERGED][source] = v;
        }
}

static void add_schema(Schema *s, JsonView schema, SchemaNode *n) {
        JsonView ref = {}, all_of = {}, one;
        bool is_first = n->n_sources == 0;
        JsonCursor c;

        n->never = n->never || json_view_is(schema, 'f');
        if (!json_view_is(schema, '{') || n->n_sources == SCHEMA_SOURCES_MAX)
                return;
        for (unsigned i = 0; i < n->n_sources; i++)
                if (n->sources[i] == schema.p)
                        return;
        n->sources[n->n_sources++] = schema.p;
        read_keywords(schema, n, &ref, &all_of);

        if (is_first && !ref.p && is_reference(n) && schema.p != s->root.p) {
                n->ref = only_reference(all_of);
                n->is_reference = n->ref.p;
                if (n->is_reference)
                        return;
        }
        if (json_view_is(ref, '"')) {
                n->is_reference = is_first && !all_of.p && is_reference(n) && schema.p != s->root.p;
                if (n->is_reference)
                        n->ref = ref;
                else
                        add_reference(s, ref, n);
        }
        for (c = json_enter_array(all_of); json_next(&c, NULL, &one);)
                add_schema(s, one, n);
}

void schema_node_open(Schema *s, JsonView schema, SchemaNode *ret) {
        *ret = (SchemaNode){};
        add_schema(s, schema, ret);
}

void schema_node_close(Schema *s, const SchemaNode *node) {
        s->n_open -= node->n_opened;
}
