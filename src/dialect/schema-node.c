/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "dialect/schema-internal.h"

static const char *const keywords[_KEYWORD_MAX] = {
        [KEYWORD_TYPE] = "type",
        [KEYWORD_NULLABLE] = "nullable",
        [KEYWORD_TITLE] = "title",
        [KEYWORD_DESCRIPTION] = "description",
        [KEYWORD_FORMAT] = "format",
        [KEYWORD_ENUM] = "enum",
        [KEYWORD_CONST] = "const",
        [KEYWORD_MINIMUM] = "minimum",
        [KEYWORD_MAXIMUM] = "maximum",
        [KEYWORD_EXCLUSIVE_MINIMUM] = "exclusiveMinimum",
        [KEYWORD_EXCLUSIVE_MAXIMUM] = "exclusiveMaximum",
        [KEYWORD_MIN_ITEMS] = "minItems",
        [KEYWORD_MAX_ITEMS] = "maxItems",
        [KEYWORD_ITEMS] = "items",
        [KEYWORD_ADDITIONAL_ITEMS] = "additionalItems",
        [KEYWORD_PREFIX_ITEMS] = "prefixItems",
        [KEYWORD_PROPERTY_ORDERING] = "propertyOrdering",
        [KEYWORD_ADDITIONAL_PROPERTIES] = "additionalProperties",
        [KEYWORD_PATTERN_PROPERTIES] = "patternProperties",
        [KEYWORD_REF] = "$ref",
        [KEYWORD_ALL_OF] = "allOf",
        [KEYWORD_PROPERTIES] = "properties",
        [KEYWORD_REQUIRED] = "required",
        [KEYWORD_ANY_OF] = "anyOf",
        [KEYWORD_ONE_OF] = "oneOf",
        [KEYWORD_PATTERN] = "pattern",
        [KEYWORD_MIN_LENGTH] = "minLength",
        [KEYWORD_MAX_LENGTH] = "maxLength",
        [KEYWORD_MULTIPLE_OF] = "multipleOf",
        [KEYWORD_MIN_PROPERTIES] = "minProperties",
        [KEYWORD_MAX_PROPERTIES] = "maxProperties",
        [KEYWORD_UNIQUE_ITEMS] = "uniqueItems",
        [KEYWORD_CONTAINS] = "contains",
        [KEYWORD_PROPERTY_NAMES] = "propertyNames",
        [KEYWORD_NOT] = "not",
        [KEYWORD_IF] = "if",
        [KEYWORD_THEN] = "then",
        [KEYWORD_ELSE] = "else",
        [KEYWORD_DEPENDENT_REQUIRED] = "dependentRequired",
        [KEYWORD_DEPENDENT_SCHEMAS] = "dependentSchemas",
        [KEYWORD_DEPENDENCIES] = "dependencies",
        [KEYWORD_CONTENT_ENCODING] = "contentEncoding",
        [KEYWORD_CONTENT_MEDIA_TYPE] = "contentMediaType",
        [KEYWORD_DEPRECATED] = "deprecated",
        [KEYWORD_READ_ONLY] = "readOnly",
        [KEYWORD_DEFAULT] = "default",
        [KEYWORD_EXAMPLE] = "example",
        [KEYWORD_EXAMPLES] = "examples",
};

Keyword schema_keyword(JsonView name) {
        for (Keyword k = 0; k < _KEYWORD_MAX; k++)
                if (json_view_equals(name, keywords[k]))
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
