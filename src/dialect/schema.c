/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "dialect/schema.h"

static bool is_object_type(JsonView type) {
        JsonCursor c = json_enter_array(type);
        JsonView one;

        if (json_view_equals(type, "object") || json_view_equals(type, "OBJECT"))
                return true;
        while (json_next(&c, NULL, &one))
                if (json_view_equals(one, "object"))
                        return true;
        return false;
}

static bool has_members(JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView first;

        return json_next(&c, NULL, &first);
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

        if (json_view_is_null(schema) || json_view_is(schema, 't') || json_view_is(schema, 'f'))
                return SCHEMA_ABSENT;
        if (!json_view_is(schema, '{'))
                return SCHEMA_BROKEN;
        json_view_members(schema, members, ELEMENTSOF(members));
        if (type.p ? !is_object_type(type) : values.p || value.p || items.p || prefix.p)
                return SCHEMA_OTHER;
        if (has_members(properties) || has_members(patterns) || json_view_is(additional, 't') ||
            json_view_is(additional, '{') || ref.p || has_members(any) || has_members(one) ||
            has_members(all))
                return SCHEMA_OBJECT;
        return SCHEMA_ABSENT;
}

void schema_write(JsonView schema, SchemaUse use, JWriter *w, const char *key) {
        jwrite_raw_n(w, key, schema.p, (size_t) (schema.end - schema.p));
}
