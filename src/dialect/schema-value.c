/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "dialect/schema-value.h"

#define NUMBER_MAX 63U /* characters of a number; a longer one is dropped */

/* --- types --- */

/* JSON Schema's names, and others that are seen. The first one of a type is written. */
static const struct {
        const char *name;
        SchemaType type;
} type_names[] = {
        { "string", TYPE_STRING },   { "number", TYPE_NUMBER }, { "integer", TYPE_INTEGER },
        { "boolean", TYPE_BOOLEAN }, { "object", TYPE_OBJECT }, { "array", TYPE_ARRAY },
        { "null", TYPE_NULL },       { "any", 0 },              { "str", TYPE_STRING },
        { "int", TYPE_INTEGER },     { "float", TYPE_NUMBER },  { "double", TYPE_NUMBER },
        { "bool", TYPE_BOOLEAN },    { "dict", TYPE_OBJECT },   { "list", TYPE_ARRAY },
        { "none", TYPE_NULL },
};

/* False: there is no such type. Gemini's API has them in upper case. */
bool schema_type_parse(JsonView v, SchemaType *ret) {
        char name[16];

        json_view_copy(v, name, sizeof(name));
        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (strcaseeq(name, type_names[i].name)) {
                        *ret |= type_names[i].type;
                        return true;
                }
        return false;
}

SchemaType schema_types_read(Schema *s, const SchemaNode *node) {
        JsonView v = node->keywords[KEYWORD_TYPE], one;
        JsonCursor c = json_enter_array(v);
        SchemaType types = 0;

        if (json_view_is(v, '"') && !schema_type_parse(v, &types))
                schema_note(s, "type ", v, "");
        while (json_next(&c, NULL, &one))
                if (json_view_is(one, '"') && !schema_type_parse(one, &types))
                        schema_note(s, "type ", one, "");
        if (json_view_is(node->keywords[KEYWORD_NULLABLE], 't'))
                types |= TYPE_NULL;
        if (types & TYPE_NUMBER)
                types &= ~TYPE_INTEGER;
        if ((types & TYPE_ANY) == TYPE_ANY)
                types = 0;
        return types;
}

static const char *type_to_string(SchemaType type) {
        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (type_names[i].type == type)
                        return type_names[i].name;
        return NULL;
}

void schema_write_type(Schema *s, SchemaType type, bool nullable) {
        if (!nullable) {
                jwrite_string(s->w, "type", type_to_string(type));
                return;
        }
        jwrite_array(s->w, "type");
        jwrite_string(s->w, NULL, type_to_string(type));
        jwrite_string(s->w, NULL, "null");
        jwrite_end(s->w);
}

void schema_write_null(Schema *s) {
        if (!schema_begin(s, NULL))
                return;
        jwrite_string(s->w, "type", "null");
        jwrite_end(s->w);
}

/* --- numbers --- */

static bool read_number(JsonView v, double *ret) {
        char text[NUMBER_MAX + 1];
        size_t n = (size_t) (v.end - v.p);

        if (!v.p || n > NUMBER_MAX || !(*v.p == '-' || (*v.p >= '0' && *v.p <= '9')))
                return false;
        memcpy(text, v.p, n);
        text[n] = 0;
        *ret = strtod(text, NULL);
        return isfinite(*ret);
}

static bool is_integral(JsonView v) {
        for (const char *p = v.p; p < v.end; p++)
                if (!strchr("-0123456789", *p))
                        return false;
        return true;
}

/* A bound, and the exclusive one. That of integers is the next number; of others, it becomes a note, and so
 * does draft 4's boolean. */
static void write_bound(Schema *s, const SchemaNode *node, SchemaType types, bool is_minimum) {
        JsonView bound = node->keywords[is_minimum ? KEYWORD_MINIMUM : KEYWORD_MAXIMUM];
        JsonView exclusive = node->keywords[is_minimum ? KEYWORD_EXCLUSIVE_MINIMUM
                                                       : KEYWORD_EXCLUSIVE_MAXIMUM];
        const char *key = is_minimum ? "minimum" : "maximum";
        double d = 0, e = 0;
        bool has_bound = read_number(bound, &d);

        if (read_number(exclusive, &e)) {
                if (types == TYPE_INTEGER && e > -0x1p52 && e < 0x1p52) {
                        e = is_minimum ? floor(e) + 1 : ceil(e) - 1;
                        if (!has_bound || (is_minimum ? e > d : e < d)) {
                                jwrite_int(s->w, key, (int64_t) e);
                                return;
                        }
                } else if (!has_bound) {
                        bound = exclusive;
                        has_bound = true;
                }
        }
        if (has_bound)
                jwrite_raw_n(s->w, key, bound.p, (size_t) (bound.end - bound.p));
}

void schema_note_bounds(Schema *s, const SchemaNode *node, SchemaType types) {
        static const struct {
                Keyword exclusive, bound;
                const char *note;
        } rows[] = {
                { KEYWORD_EXCLUSIVE_MINIMUM, KEYWORD_MINIMUM, "greater than " },
                { KEYWORD_EXCLUSIVE_MAXIMUM, KEYWORD_MAXIMUM, "less than " },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                JsonView v = node->keywords[rows[i].exclusive];
                double d;

                if (json_view_is(v, 't'))
                        v = node->keywords[rows[i].bound];
                else if (types == TYPE_INTEGER && read_number(v, &d) && d > -0x1p52 && d < 0x1p52)
                        continue;
                if (read_number(v, &d))
                        schema_note(s, rows[i].note, v, "");
        }
}

void schema_write_count(Schema *s, const char *key, JsonView v) {
        uint64_t n;

        if (v.p && json_view_is_count(v, &n) && n <= INT64_MAX)
                jwrite_uint(s->w, key, n);
}

/* --- format: the values that Gemini knows; the others become notes --- */

static const struct {
        const char *name;
        SchemaType types;
} formats[] = {
        { "date-time", TYPE_STRING },
        { "date", TYPE_STRING },
        { "time", TYPE_STRING },
        { "float", TYPE_NUMBER },
        { "double", TYPE_NUMBER },
        { "int32", TYPE_INTEGER },
        { "int64", TYPE_INTEGER },
};

static bool has_format(JsonView format, SchemaType types) {
        for (size_t i = 0; i < ELEMENTSOF(formats); i++)
                if (formats[i].types & types && json_view_equals(format, formats[i].name))
                        return true;
        return false;
}

void schema_note_format(Schema *s, JsonView format, SchemaType types) {
        if (json_view_is(format, '"') && !has_format(format, types) && !json_view_equals(format, "enum"))
                schema_note(s, "format ", format, "");
}

/* --- enum and const --- */

static void count_value(JsonView v, SchemaValues *ret) {
        double d;

        if (json_view_is(v, '"')) {
                ret->has_empty = ret->has_empty || json_view_is_empty(v);
                ret->strings += !json_view_is_empty(v);
        } else if (json_view_is(v, 't'))
                ret->has_true = true;
        else if (json_view_is(v, 'f'))
                ret->has_false = true;
        else if (json_view_is(v, 'n'))
                ret->has_null = true;
        else if (read_number(v, &d)) {
                ret->numbers++;
                ret->has_fraction = ret->has_fraction || !is_integral(v);
        } else
                ret->has_other = true;
}

bool schema_values_read(const SchemaNode *node, SchemaValues *ret) {
        JsonView v;
        JsonCursor c;

        *ret = (SchemaValues){ .one = node->keywords[KEYWORD_CONST] };
        if (ret->one.p) {
                count_value(ret->one, ret);
                return true;
        }
        ret->list = node->keywords[KEYWORD_ENUM];
        for (c = json_enter_array(ret->list); json_next(&c, NULL, &v);)
                count_value(v, ret);
        return ret->strings > 0 || ret->numbers > 0 || ret->has_true || ret->has_false || ret->has_null ||
               ret->has_empty || ret->has_other;
}

/* What an enum of Gemini's cannot have: the empty string, objects, arrays, one boolean alone. */
void schema_note_values(Schema *s, const SchemaValues *v) {
        if (v->has_other)
                schema_note(s, v->one.p ? "must be " : "one of ", v->one.p ? v->one : v->list, "");
        else if (v->has_empty)
                schema_note(s, v->strings > 0 ? "or an empty string" : "an empty string", (JsonView){}, "");
        if (v->has_true != v->has_false)
                schema_note(s, v->has_true ? "only true" : "only false", (JsonView){}, "");
}

static void write_value(Schema *s, JsonView v, bool strings) {
        double d;

        if (strings && json_view_is(v, '"') && !json_view_is_empty(v))
                json_copy_string(s->w, NULL, v);
        else if (!strings && read_number(v, &d))
                jwrite_raw_n(s->w, NULL, v.p, (size_t) (v.end - v.p));
}

static void write_enum(Schema *s, const SchemaValues *values, bool strings) {
        JsonCursor c = json_enter_array(values->list);
        JsonView v;

        jwrite_array(s->w, "enum");
        if (values->one.p)
                write_value(s, values->one, strings);
        while (json_next(&c, NULL, &v))
                write_value(s, v, strings);
        jwrite_end(s->w);
}

static void write_part(Schema *s, SchemaType type, const SchemaValues *values) {
        schema_write_type(s, type, false);
        if (type == TYPE_STRING ? values->strings > 0 : type != TYPE_BOOLEAN)
                write_enum(s, values, type == TYPE_STRING);
}

/* An enum of Gemini's has values of one type. */
void schema_write_values(Schema *s, const SchemaValues *values, SchemaType types, bool nullable) {
        SchemaType parts[3];
        unsigned n = 0;

        if (values->strings > 0 || values->has_empty)
                parts[n++] = TYPE_STRING;
        if (values->numbers > 0)
                parts[n++] = types & TYPE_NUMBER || values->has_fraction ? TYPE_NUMBER : TYPE_INTEGER;
        if (values->has_true || values->has_false)
                parts[n++] = TYPE_BOOLEAN;
        if (n + nullable == 1) {
                n == 1 ? write_part(s, parts[0], values) : jwrite_string(s->w, "type", "null");
                return;
        }
        jwrite_array(s->w, "anyOf");
        for (unsigned i = 0; i < n; i++)
                if (schema_begin(s, NULL)) {
                        write_part(s, parts[i], values);
                        jwrite_end(s->w);
                }
        if (nullable)
                schema_write_null(s);
        jwrite_end(s->w);
}

/* The keywords of values that are neither objects nor arrays. */
void schema_write_scalar(Schema *s, const SchemaNode *node, SchemaType types) {
        JsonView format = node->keywords[KEYWORD_FORMAT];

        if (has_format(format, types))
                json_copy_string(s->w, "format", format);
        types &= TYPE_NUMBER | TYPE_INTEGER;
        if (types != 0) {
                write_bound(s, node, types, true);
                write_bound(s, node, types, false);
        }
}
