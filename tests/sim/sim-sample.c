/* SPDX-License-Identifier: MIT */
#include <json-c/json_pointer.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "sim-json.h"
#include "sim-sample.h"

#define DEPTH_MAX 24U  /* of a schema that refers to itself */
#define ITEMS_MAX 100
#define TEXT      "simulated"
#define TEXT_MAX  10000

static json_object *sample(json_object *root, json_object *schema, unsigned depth);

static int64_t number_of(json_object *schema, const char *camel, const char *snake, int64_t otherwise) {
        json_object *v = json_member(schema, camel, snake);

        return v ? json_object_get_int64(v) : otherwise;
}

/* The type's name; of several the first that is not null. */
static const char *type_of(json_object *schema) {
        json_object *type = json_member(schema, "type", "type");

        for (size_t i = 0; i < json_length(type); i++) {
                const char *s = json_object_get_string(json_object_array_get_idx(type, i));

                if (s && !strcaseeq(s, "null"))
                        return s;
        }
        if (json_object_is_type(type, json_type_string))
                return json_object_get_string(type);
        if (json_member(schema, "properties", "properties"))
                return "object";
        return json_member(schema, "items", "items") ? "array" : "string";
}

static json_object *sample_object(json_object *root, json_object *schema, unsigned depth) {
        json_object *properties = json_member(schema, "properties", "properties"),
                    *required = json_member(schema, "required", "required"), *o = json_object_new_object();

        for (size_t i = 0; i < json_length(required); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(required, i));
                json_object *property = NULL;

                if (name && json_object_object_get_ex(properties, name, &property))
                        json_object_object_add(o, name, sample(root, property, depth + 1));
        }
        return o;
}

static json_object *sample_array(json_object *root, json_object *schema, unsigned depth) {
        json_object *first = json_member(schema, "prefixItems", "prefix_items"),
                    *items = json_member(schema, "items", "items"), *a = json_object_new_array();
        int64_t n = MAX(number_of(schema, "minItems", "min_items", 0), (int64_t) json_length(first));

        for (int64_t i = 0; i < MIN(n, ITEMS_MAX); i++) {
                json_object *item = (size_t) i < json_length(first)
                                            ? json_object_array_get_idx(first, (size_t) i)
                                            : items;

                json_object_array_add(a, sample(root, item, depth + 1));
        }
        return a;
}

static json_object *sample_string(json_object *schema) {
        static const struct {
                const char *format, *text;
        } formats[] = {
                { "date-time", "2026-01-01T00:00:00Z" }, { "date", "2026-01-01" }, { "time", "00:00:00Z" },
                { "duration", "P1D" }, { "email", "a@example.com" }, { "hostname", "example.com" },
                { "ipv4", "192.0.2.1" }, { "ipv6", "2001:db8::1" }, { "uri", "https://example.com/" },
                { "uuid", "00000000-0000-4000-8000-000000000000" },
        };
        json_object *format = json_member(schema, "format", "format");
        int64_t least = MIN(number_of(schema, "minLength", "min_length", 0), TEXT_MAX),
                most = number_of(schema, "maxLength", "max_length", INT64_MAX);
        _cleanup_buf_ Buf b = BUF_INIT(TEXT_MAX + sizeof(TEXT));

        for (size_t i = 0; format && i < ELEMENTSOF(formats); i++)
                if (streq(json_object_get_string(format), formats[i].format))
                        return json_object_new_string(formats[i].text);
        (void) buf_puts(&b, TEXT);
        while ((int64_t) b.n < least)
                (void) buf_putc(&b, 'x');
        return json_object_new_string_len(buf_data(&b), (int) MIN((int64_t) b.n, MAX(most, 0)));
}

static json_object *sample_number(json_object *schema, bool whole) {
        json_object *least = json_member(schema, "minimum", "minimum"),
                    *above = json_member(schema, "exclusiveMinimum", "exclusive_minimum"),
                    *most = json_member(schema, "maximum", "maximum");
        double n = 0;

        if (most && json_object_get_double(most) < n)
                n = json_object_get_double(most);
        if (least && json_object_get_double(least) > n)
                n = json_object_get_double(least);
        if (above && json_object_get_double(above) >= n)
                n = json_object_get_double(above) + 1;
        if (whole)
                return json_object_new_int64((int64_t) n + ((double) (int64_t) n < n));
        return n == 0 ? json_object_new_int64(0) : json_object_new_double(n);
}

/* All members of each: what fits all schemas, if they describe one object. */
static json_object *sample_all(json_object *root, json_object *all, json_object *schema, unsigned depth) {
        json_object *o = sample_object(root, schema, depth);

        for (size_t i = 0; i < json_length(all); i++) {
                json_object *part = sample(root, json_object_array_get_idx(all, i), depth + 1);

                if (!json_object_is_type(part, json_type_object)) {
                        json_object_put(o);
                        return part;
                }
                json_object_object_foreach(part, name, value)
                        json_object_object_add(o, name, json_object_get(value));
                json_object_put(part);
        }
        return o;
}

static json_object *sample(json_object *root, json_object *schema, unsigned depth) {
        json_object *v, *target = NULL;
        const char *type;

        if (depth > DEPTH_MAX)
                return NULL;
        if ((v = json_member(schema, "$ref", "ref"))) {
                const char *ref = json_object_get_string(v);

                if (streq(ref, "#"))
                        return sample(root, root, depth + 1);
                if (startswith(ref, "#/") && json_pointer_get(root, ref + 1, &target) == 0)
                        return sample(root, target, depth + 1);
                return NULL;
        }
        if ((v = json_member(schema, "const", "const")))
                return json_object_get(v);
        v = json_member(schema, "enum", "enum");
        if (json_length(v) > 0)
                return json_object_get(json_object_array_get_idx(v, 0));
        v = json_member(schema, "anyOf", "any_of") ?: json_member(schema, "oneOf", "one_of");
        if (json_length(v) > 0)
                return sample(root, json_object_array_get_idx(v, 0), depth + 1);
        v = json_member(schema, "allOf", "all_of");
        if (json_length(v) > 0)
                return sample_all(root, v, schema, depth);

        type = type_of(schema);
        if (strcaseeq(type, "object"))
                return sample_object(root, schema, depth);
        if (strcaseeq(type, "array"))
                return sample_array(root, schema, depth);
        if (strcaseeq(type, "integer") || strcaseeq(type, "number"))
                return sample_number(schema, strcaseeq(type, "integer"));
        if (strcaseeq(type, "boolean"))
                return json_object_new_boolean(false);
        return strcaseeq(type, "null") ? NULL : sample_string(schema);
}

json_object *sample_of(json_object *schema) {
        return sample(schema, schema, 0);
}
