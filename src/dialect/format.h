/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request for an answer in JSON. Gemini has a JSON mode, which some models do not have beside functions.
 * There a schema becomes the parameters of a further function, and one of the functions must be called: a
 * call of this one is the answer. Where that cannot be, the instructions ask for JSON.
 */

#include "base/json/write.h"
#include "dialect/tool-list.h"
#include "dialect/turns.h"

typedef enum FormatKind {
        FORMAT_TEXT,
        FORMAT_JSON,        /* Gemini's JSON mode, with or without a schema */
        FORMAT_INSTRUCTION, /* the instructions ask for JSON */
        FORMAT_FUNCTION,    /* the answer is the call of a function that has the schema */
} FormatKind;

typedef struct Format {
        FormatKind kind; /* before format_settle(): FORMAT_TEXT or FORMAT_JSON */
        JsonView schema; /* or none */
        const ToolName *function; /* FORMAT_FUNCTION: a call of it is the answer */
} Format;

/* Reads a JSON Schema; null is none. -EINVAL: it is no schema. */
int format_read_schema(Format *f, JsonView schema);

/* When tools and messages are read. -E2BIG: there are too many tools or names; -ENOMEM. */
int format_settle(Format *f, ToolList *tools, Turns *turns);

/* Members of "generationConfig", or nothing. */
void format_write(const Format *f, JWriter *w);
