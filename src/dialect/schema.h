/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes a client's JSON Schema as one that Gemini takes as parametersJsonSchema or responseJsonSchema.
 *
 * Only schemas are changed, never the names of properties: one that is called "const" or "$ref" stays. What
 * Gemini does not know is written in what it knows (const as enum, oneOf as anyOf, allOf merged), or added
 * to the description ("must match ^a+$"), or dropped. The result is bounded by SCHEMA_GROWTH_MAX, and
 * cleaning it again changes nothing. A table in schema-node.c has what becomes of each keyword.
 */

#include "base/json/cursor.h"
#include "base/json/write.h"

typedef enum SchemaUse {
        SCHEMA_PARAMETERS, /* the root is an object */
        SCHEMA_RESPONSE,
} SchemaUse;

typedef enum SchemaRoot {
        SCHEMA_ABSENT, /* no schema, or one without any rule: a function without parameters */
        SCHEMA_OBJECT, /* an object, or what can be one */
        SCHEMA_OTHER,  /* something that is no object: as parameters it is written as the property `value` of
                        * one, so a dialect should refuse it before */
        SCHEMA_BROKEN, /* no JSON Schema: neither an object nor a boolean */
} SchemaRoot;

/* Reads the schema's root alone. */
SchemaRoot schema_root(JsonView schema);

static inline bool schema_is_empty(JsonView schema) {
        return schema_root(schema) == SCHEMA_ABSENT;
}

/* The view must have an index (json_view_indexed()): without one a deep schema takes long. */
void schema_write(JsonView schema, SchemaUse use, JWriter *w, const char *key);
