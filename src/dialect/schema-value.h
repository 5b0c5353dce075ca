/* SPDX-License-Identifier: MIT */
#pragma once

/* What a schema has for values that are neither objects nor arrays: types, enum, bounds, format. Part of
 * schema*.c. */

#include "dialect/schema-internal.h"

typedef enum SchemaType {
        TYPE_STRING = 1 << 0,
        TYPE_NUMBER = 1 << 1,
        TYPE_INTEGER = 1 << 2,
        TYPE_BOOLEAN = 1 << 3,
        TYPE_OBJECT = 1 << 4,
        TYPE_ARRAY = 1 << 5,
        TYPE_NULL = 1 << 6,
} SchemaType;

#define TYPE_ANY (TYPE_STRING | TYPE_NUMBER | TYPE_BOOLEAN | TYPE_OBJECT | TYPE_ARRAY)

/* What an enum or a const has. */
typedef struct SchemaValues {
        JsonView list; /* of enum; or */
        JsonView one;  /* of const */
        size_t strings, numbers;
        bool has_fraction, has_true, has_false, has_null, has_empty, has_other;
} SchemaValues;

bool schema_type_parse(JsonView v, SchemaType *ret); /* adds to *ret; false: there is no such type */
SchemaType schema_types_read(Schema *s, const SchemaNode *node);
void schema_write_type(Schema *s, SchemaType type, bool nullable);
void schema_write_null(Schema *s);
void schema_write_count(Schema *s, const char *key, JsonView v);

void schema_note_bounds(Schema *s, const SchemaNode *node, SchemaType types);
void schema_note_format(Schema *s, JsonView format, SchemaType types);
void schema_write_scalar(Schema *s, const SchemaNode *node, SchemaType types);

bool schema_values_read(const SchemaNode *node, SchemaValues *ret); /* false: there is neither */
void schema_note_values(Schema *s, const SchemaValues *v);
void schema_write_values(Schema *s, const SchemaValues *values, SchemaType types, bool nullable);
