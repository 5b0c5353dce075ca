/* SPDX-License-Identifier: MIT */
#pragma once

/* One node of a schema: the keywords of all schemas that hold for one value. Part of schema*.c. */

#include "base/json/cursor.h"

typedef enum Keyword {
        KEYWORD_TYPE,
        KEYWORD_NULLABLE,
        KEYWORD_TITLE,
        KEYWORD_DESCRIPTION,
        KEYWORD_FORMAT,
        KEYWORD_ENUM,
        KEYWORD_CONST,
        KEYWORD_MINIMUM,
        KEYWORD_MAXIMUM,
        KEYWORD_EXCLUSIVE_MINIMUM,
        KEYWORD_EXCLUSIVE_MAXIMUM,
        KEYWORD_MIN_ITEMS,
        KEYWORD_MAX_ITEMS,
        KEYWORD_ITEMS,
        KEYWORD_ADDITIONAL_ITEMS,
        KEYWORD_PREFIX_ITEMS,
        KEYWORD_PROPERTY_ORDERING,
        KEYWORD_ADDITIONAL_PROPERTIES,
        KEYWORD_PATTERN_PROPERTIES,
        KEYWORD_REF,
        KEYWORD_ALL_OF,

        /* these are merged when several schemas become one node */
        KEYWORD_PROPERTIES,
        KEYWORD_REQUIRED,
        KEYWORD_ANY_OF,
        KEYWORD_ONE_OF,

        /* these become notes: a table in schema-note.c */
        KEYWORD_PATTERN,
        KEYWORD_MIN_LENGTH,
        KEYWORD_MAX_LENGTH,
        KEYWORD_MULTIPLE_OF,
        KEYWORD_MIN_PROPERTIES,
        KEYWORD_MAX_PROPERTIES,
        KEYWORD_UNIQUE_ITEMS,
        KEYWORD_CONTAINS,
        KEYWORD_PROPERTY_NAMES,
        KEYWORD_NOT,
        KEYWORD_IF,
        KEYWORD_THEN,
        KEYWORD_ELSE,
        KEYWORD_DEPENDENT_REQUIRED,
        KEYWORD_DEPENDENT_SCHEMAS,
        KEYWORD_DEPENDENCIES,
        KEYWORD_CONTENT_ENCODING,
        KEYWORD_CONTENT_MEDIA_TYPE,
        KEYWORD_DEPRECATED,
        KEYWORD_READ_ONLY,
        KEYWORD_DEFAULT,
        KEYWORD_EXAMPLE,
        KEYWORD_EXAMPLES,
        _KEYWORD_MAX,
} Keyword;

#define _KEYWORD_MERGED KEYWORD_PROPERTIES

#define SCHEMA_SOURCES_MAX 16U /* of one node: the schema, and those in allOf */
#define SCHEMA_MORE_MAX    16U /* rules that several of them have */

/* All schemas that hold for one value: a schema, and what its allOf and, sometimes, its $ref add. */
typedef struct SchemaNode {
        JsonView keywords[_KEYWORD_MAX]; /* of the first schema that has it */
        JsonView merged[KEYWORD_ONE_OF - _KEYWORD_MERGED + 1][SCHEMA_SOURCES_MAX];
        struct {
                Keyword keyword;
                JsonView value;
        } more[SCHEMA_MORE_MAX]; /* of the other schemas: what becomes a note */
        const char *sources[SCHEMA_SOURCES_MAX];
        unsigned n_sources, n_opened, n_more;
        JsonView ref;      /* what stays a reference; none: no view */
        bool is_reference; /* …and the node is nothing else */
        bool never;   /* the schema `false` */
} SchemaNode;

Keyword schema_keyword(JsonView name); /* _KEYWORD_MAX: not a keyword */

static inline JsonView schema_node_merged(const SchemaNode *n, Keyword k, unsigned source) {
        return n->merged[k - _KEYWORD_MERGED][source];
}
