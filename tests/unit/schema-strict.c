/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/buf.h"
#include "schema-strict.h"

#define DEFS_MAX 1024U

static bool is_one_of(JsonView v, const char *const *names, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (json_view_equals(v, names[i]))
                        return true;
        return false;
}

static bool is_equal(JsonView a, JsonView b) {
        _cleanup_buf_ Buf x = BUF_INIT(1U << 24), y = BUF_INIT(1U << 24);

        return json_view_append(a, &x) == 0 && json_view_append(b, &y) == 0 && x.n == y.n &&
               (x.n == 0 || memcmp(buf_data(&x), buf_data(&y), x.n) == 0);
}

static JsonView get_by(JsonView object, JsonView name) {
        JsonCursor c = json_enter(object);
        JsonView n, v, found = {};

        while (c.is_object && json_next(&c, &n, &v))
                if (is_equal(n, name))
                        found = v;
        return found;
}

static size_t count(JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView one;
        size_t n = 0;

        while (json_next(&c, NULL, &one))
                n++;
        return n;
}

static bool is_number(JsonView v) {
        return v.p && strchr("-0123456789", *v.p);
}

/* --- the rules for one node --- */

static const char *check_type(JsonView type) {
        static const char *const names[] = {
                "string", "number", "integer", "boolean", "object", "array", "null",
        };
        JsonCursor c = json_enter_array(type);
        JsonView first, second, more;

        if (!json_view_is(type, '['))
                return is_one_of(type, names, ELEMENTSOF(names)) ? NULL : "type";
        if (!json_next(&c, NULL, &first) || !json_next(&c, NULL, &second) || json_next(&c, NULL, &more))
                return "type of more than one and null";
        if (!is_one_of(first, names, ELEMENTSOF(names) - 1) || !json_view_equals(second, "null"))
                return "type of more than one and null";
        return NULL;
}

static const char *check_enum(JsonView list, JsonView type) {
        JsonCursor c = json_enter_array(list);
        bool strings = json_view_equals(type, "string");
        JsonView v;

        if (!strings && !json_view_equals(type, "number") && !json_view_equals(type, "integer"))
                return "enum of no type";
        if (count(list) == 0)
                return "empty enum";
        while (json_next(&c, NULL, &v))
                if (strings ? !json_view_is(v, '"') || json_view_is_empty(v) : !is_number(v))
                        return "enum of another type";
        return NULL;
}

static const char *check_names(JsonView names, JsonView properties) {
        JsonCursor c = json_enter_array(names);
        JsonView name, earlier;

        if (count(names) == 0)
                return "empty list of names";
        while (json_next(&c, NULL, &name)) {
                JsonCursor all = json_enter_array(names);

                if (!json_view_is(name, '"') || !get_by(properties, name).p)
                        return "a name that is no property";
                while (json_next(&all, NULL, &earlier) && earlier.p != name.p)
                        if (is_equal(earlier, name))
                                return "a name twice";
        }
        return NULL;
}

static const char *check_node(JsonView schema, JsonView defs, bool is_root);

static const char *check_list(JsonView list, JsonView defs) {
        JsonCursor c = json_enter(list);
        const char *fault = NULL;
        JsonView v;

        while (!fault && json_next(&c, NULL, &v))
                fault = check_node(v, defs, false);
        return fault;
}

static JsonView find_def(JsonView ref, JsonView defs) {
        static const char prefix[] = "#/$defs/";
        char text[128];

        json_view_copy(ref, text, sizeof(text));
        if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
                return (JsonView){};
        return json_view_get(defs, text + sizeof(prefix) - 1);
}

static const char *check_ref(JsonView schema, JsonView ref, JsonView defs) {
        JsonCursor c = json_enter(schema);
        JsonView name, v;

        if (!json_view_is(ref, '"') || !find_def(ref, defs).p)
                return "$ref to nothing";
        while (json_next(&c, &name, &v))
                if (name.p[1] != '$')
                        return "something beside $ref";
        return NULL;
}

static const char *check_keywords(JsonView schema, bool is_root) {
        static const char *const names[] = {
                "type",     "title",    "description", "format",      "enum",       "minimum",
                "maximum",  "minItems", "maxItems",    "prefixItems", "items",      "anyOf",
                "required", "$ref",     "properties",  "$defs",       "propertyOrdering",
                "additionalProperties",
        };
        JsonCursor c = json_enter(schema);
        JsonView name, v;

        while (json_next(&c, &name, &v)) {
                JsonCursor all = json_enter(schema);
                JsonView earlier, unused;

                if (!is_one_of(name, names, ELEMENTSOF(names)))
                        return "a keyword that Gemini does not know";
                if (!is_root && json_view_equals(name, "$defs"))
                        return "$defs within";
                while (json_next(&all, &earlier, &unused) && earlier.p != name.p)
                        if (is_equal(earlier, name))
                                return "a keyword twice";
        }
        return NULL;
}

static const char *check_node(JsonView schema, JsonView defs, bool is_root) {
        JsonView type, values, properties, required, ordering, additional, items, prefix, any, ref, text[3],
                number[4];
        const JsonMember members[] = {
                JSON_MEMBER("type", &type),
                JSON_MEMBER("enum", &values),
                JSON_MEMBER("properties", &properties),
                JSON_MEMBER("required", &required),
                JSON_MEMBER("propertyOrdering", &ordering),
                JSON_MEMBER("additionalProperties", &additional),
                JSON_MEMBER("items", &items),
                JSON_MEMBER("prefixItems", &prefix),
                JSON_MEMBER("anyOf", &any),
                JSON_MEMBER("$ref", &ref),
                JSON_MEMBER("title", &text[0]),
                JSON_MEMBER("description", &text[1]),
                JSON_MEMBER("format", &text[2]),
                JSON_MEMBER("minimum", &number[0]),
                JSON_MEMBER("maximum", &number[1]),
                JSON_MEMBER("minItems", &number[2]),
                JSON_MEMBER("maxItems", &number[3]),
        };
        const char *fault;

        if (!json_view_is(schema, '{'))
                return "no object";
        fault = check_keywords(schema, is_root);
        if (fault)
                return fault;
        json_view_members(schema, members, ELEMENTSOF(members));
        for (size_t i = 0; i < ELEMENTSOF(text); i++)
                if (text[i].p && !json_view_is(text[i], '"'))
                        return "a text that is none";
        for (size_t i = 0; i < ELEMENTSOF(number); i++)
                if (number[i].p && !is_number(number[i]))
                        return "a number that is none";
        fault = type.p ? check_type(type) : NULL;
        if (!fault && values.p)
                fault = check_enum(values, type);
        if (!fault && properties.p && (!json_view_is(properties, '{') || count(properties) == 0))
                fault = "empty properties";
        if (!fault && required.p)
                fault = check_names(required, properties);
        if (!fault && ordering.p)
                fault = check_names(ordering, properties);
        if (!fault && json_view_equals(type, "array") && !items.p)
                fault = "array without items";
        if (!fault && any.p && (!json_view_is(any, '[') || count(any) == 0))
                fault = "empty anyOf";
        if (!fault && ref.p)
                fault = check_ref(schema, ref, defs);
        if (!fault && additional.p && !json_view_is(additional, 't') && !json_view_is(additional, 'f'))
                fault = check_node(additional, defs, false);
        if (!fault && items.p)
                fault = check_node(items, defs, false);
        if (!fault && properties.p)
                fault = check_list(properties, defs);
        if (!fault && prefix.p)
                fault = check_list(prefix, defs);
        return fault ?: any.p ? check_list(any, defs) : NULL;
}

/* --- circles: none may be closed without a property that is not required --- */

typedef struct Walk {
        JsonView defs;
        const char *open[DEFS_MAX], *closed[DEFS_MAX]; /* entries of $defs */
        size_t n_open, n_closed;
} Walk;

static bool is_required(JsonView required, JsonView name) {
        JsonCursor c = json_enter_array(required);
        JsonView one;

        while (json_next(&c, NULL, &one))
                if (is_equal(one, name))
                        return true;
        return false;
}

static bool has_circle(Walk *w, JsonView schema);

static bool enter_def(Walk *w, JsonView def) {
        bool found;

        for (size_t i = 0; i < w->n_closed; i++)
                if (w->closed[i] == def.p)
                        return false;
        for (size_t i = 0; i < w->n_open; i++)
                if (w->open[i] == def.p)
                        return true;
        w->open[w->n_open++] = def.p;
        found = has_circle(w, def);
        w->n_open--;
        w->closed[w->n_closed++] = def.p;
        return found;
}

static bool has_circle(Walk *w, JsonView schema) {
        static const char *const lists[] = { "anyOf", "prefixItems" };
        static const char *const schemas[] = { "items", "additionalProperties" };
        JsonView ref = json_view_get(schema, "$ref"), required = json_view_get(schema, "required"), name, v;
        JsonCursor c;

        if (!json_view_is(schema, '{'))
                return false;
        if (ref.p)
                return enter_def(w, find_def(ref, w->defs));
        for (size_t i = 0; i < ELEMENTSOF(schemas); i++)
                if (has_circle(w, json_view_get(schema, schemas[i])))
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (c = json_enter_array(json_view_get(schema, lists[i])); json_next(&c, NULL, &v);)
                        if (has_circle(w, v))
                                return true;
        for (c = json_enter(json_view_get(schema, "properties")); json_next(&c, &name, &v);)
                if (is_required(required, name) && has_circle(w, v))
                        return true;
        return false;
}

const char *schema_strict(JsonView schema, bool is_parameters) {
        JsonView defs = json_view_get(schema, "$defs"), v;
        Walk w = { .defs = defs };
        const char *fault;
        JsonCursor c;

        if (is_parameters && !json_view_equals(json_view_get(schema, "type"), "object"))
                return "parameters that are no object";
        if (defs.p && (count(defs) == 0 || count(defs) > DEFS_MAX))
                return "$defs";
        fault = check_node(schema, defs, true);
        for (c = json_enter(defs); !fault && json_next(&c, NULL, &v);)
                fault = check_node(v, defs, false);
        if (fault)
                return fault;
        if (has_circle(&w, schema))
                return "a circle of references without an optional property";
        for (c = json_enter(defs); json_next(&c, NULL, &v);)
                if (enter_def(&w, v))
                        return "a circle of references without an optional property";
        return NULL;
}

/* --- names of properties --- */

static bool has_name(JsonView schema, JsonView name) {
        JsonCursor c = json_enter(schema), inner;
        JsonView key, v, found, n;

        while (json_next(&c, &key, &v)) {
                if (c.is_object && json_view_equals(key, "properties")) {
                        for (inner = json_enter(v); json_next(&inner, &n, &found);)
                                if (is_equal(n, name) || has_name(found, name))
                                        return true;
                } else if (has_name(v, name))
                        return true;
        }
        return false;
}

static JsonView lost_name(JsonView schema, bool is_object, JsonView cleaned);

static JsonView lost_in(JsonView list, JsonView cleaned) {
        JsonCursor c = json_enter(list);
        JsonView v, lost = {};

        while (!lost.p && json_next(&c, NULL, &v))
                lost = lost_name(v, false, cleaned);
        return lost;
}

/* Of allOf, only the names of its properties: of what two of its schemas have, one goes. */
static JsonView lost_in_all_of(JsonView list, JsonView cleaned) {
        JsonCursor c = json_enter_array(list), inner;
        JsonView v, name, unused;

        if (count(list) > 8)
                return (JsonView){};
        while (json_next(&c, NULL, &v)) {
                if (json_view_get(v, "$ref").p || json_view_get(v, "allOf").p)
                        return (JsonView){};
                for (inner = json_enter(json_view_get(v, "properties")); json_next(&inner, &name, &unused);)
                        if (inner.is_object && !has_name(cleaned, name))
                                return name;
        }
        return (JsonView){};
}

/* `is_object`: what only an array has is left out. */
static JsonView lost_name(JsonView schema, bool is_object, JsonView cleaned) {
        JsonView properties, items, more, prefix, any, one, all, additional, patterns, name, v, lost = {};
        const JsonMember members[] = {
                JSON_MEMBER("properties", &properties),
                JSON_MEMBER("items", &items),
                JSON_MEMBER("additionalItems", &more),
                JSON_MEMBER("prefixItems", &prefix),
                JSON_MEMBER("anyOf", &any),
                JSON_MEMBER("oneOf", &one),
                JSON_MEMBER("allOf", &all),
                JSON_MEMBER("additionalProperties", &additional),
                JSON_MEMBER("patternProperties", &patterns),
        };
        bool is_tuple;
        JsonCursor c;

        if (!json_view_is(schema, '{'))
                return lost;
        json_view_members(schema, members, ELEMENTSOF(members));
        for (c = json_enter(properties); c.is_object && !lost.p && json_next(&c, &name, &v);) {
                if (!has_name(cleaned, name))
                        return name;
                if (get_by(properties, name).p == v.p) /* otherwise there is a later one of that name */
                        lost = lost_name(v, false, cleaned);
        }
        is_tuple = json_view_is(items, '[');
        if (count(all) > 0)
                items = more = prefix = additional = patterns = (JsonView){};
        if (!lost.p && !is_object)
                lost = is_tuple ? lost_in(items, cleaned) : lost_name(items, false, cleaned);
        if (!lost.p && !is_object)
                lost = is_tuple ? lost_name(more, false, cleaned)
                                : lost_in(json_view_is(prefix, '[') ? prefix : (JsonView){}, cleaned);
        if (!lost.p && json_view_is(any, '['))
                lost = lost_in(any, cleaned);
        if (!lost.p && json_view_is(one, '['))
                lost = lost_in(one, cleaned);
        if (!lost.p)
                lost = lost_name(additional, false, cleaned);
        if (!lost.p && json_view_is(patterns, '{'))
                lost = lost_in(patterns, cleaned);
        return lost.p ? lost : lost_in_all_of(all, cleaned);
}

JsonView schema_lost_name(JsonView schema, bool is_object, JsonView cleaned) {
        return lost_name(schema, is_object, cleaned);
}
