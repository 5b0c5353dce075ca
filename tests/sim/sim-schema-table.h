/* SPDX-License-Identifier: MIT */
#pragma once

/* The form of the generated table. */

#include "base/macros.h"

typedef struct SchemaField SchemaField;
typedef struct SchemaMessage SchemaMessage;

typedef enum SchemaKind {
        SCHEMA_ANY, /* any JSON */
        SCHEMA_BOOL,
        SCHEMA_STRING,
        SCHEMA_BYTES, /* base64 */
        SCHEMA_NUMBER,
        SCHEMA_INT,
        SCHEMA_INT64, /* a number, or one in quotes */
        SCHEMA_ENUM,
        SCHEMA_MESSAGE,
        SCHEMA_MAP,        /* names to messages */
        SCHEMA_STRING_MAP, /* names to strings */
        SCHEMA_STRUCT,     /* any JSON object */
} SchemaKind;

struct SchemaField {
        const char *name;
        const char *snake;
        SchemaKind kind;
        bool repeated;
        bool in_union;             /* a member of the message's oneof */
        unsigned message;          /* of MESSAGE and MAP: index in schema_messages */
        const char *const *values; /* of ENUM: NULL at the end */
};

struct SchemaMessage {
        const char *name;
        const SchemaField *fields;
        size_t n_fields;
};

extern const SchemaMessage schema_messages[];
extern const size_t n_schema_messages;
