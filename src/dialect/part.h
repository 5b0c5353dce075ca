/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of Gemini's answer, each read once. A part has one kind. It may also have a thought signature,
 * which the client must send back with the part in the next turn. All views are of the event's bytes; a
 * missing member has no bytes.
 */

#include "base/buf.h"
#include "base/json/cursor.h"

typedef enum GeminiPartKind {
        GEMINI_PART_NONE,  /* not an object */
        GEMINI_PART_OTHER, /* of an unknown kind */
        GEMINI_PART_TEXT,
        GEMINI_PART_CALL,        /* functionCall */
        GEMINI_PART_RESULT,      /* functionResponse */
        GEMINI_PART_DATA,        /* inlineData */
        GEMINI_PART_FILE,        /* fileData */
        GEMINI_PART_CODE,        /* executableCode: Gemini runs it */
        GEMINI_PART_CODE_RESULT, /* codeExecutionResult */
        GEMINI_PART_TOOL_CALL,   /* toolCall: of a tool that Google runs */
        GEMINI_PART_TOOL_RESULT, /* toolResponse */
        _GEMINI_PART_KIND_MAX,
} GeminiPartKind;

typedef struct GeminiPart {
        GeminiPartKind kind;
        bool is_thought;
        JsonView signature; /* thoughtSignature: a string, base64 */

        JsonView text;      /* a string. TEXT; CODE: the code; CODE_RESULT: its output */
        JsonView id, name;  /* strings. CALL, RESULT; TOOL_CALL, TOOL_RESULT, where `name` is the type */
        JsonView value;     /* raw. CALL, TOOL_CALL: `args`; RESULT, TOOL_RESULT: `response` */
        JsonView type;      /* a string. DATA, FILE: mimeType; CODE: language; CODE_RESULT: outcome */
        JsonView data;      /* a string. DATA: base64; FILE: its URI */
} GeminiPart;

/* The next of a candidate's parts; false after the last. */
bool gemini_part_next(JsonCursor *parts, GeminiPart *ret);

/* True if the part is a text for the reader, not a thought, and not empty. */
bool gemini_part_has_text(const GeminiPart *p);

/* True for anything but an empty text. */
bool gemini_part_has_content(const GeminiPart *p);

/* Appends what a part shows to the reader: its text; code that Gemini ran, and its output, in
 * fences. Thoughts and kinds without text add nothing. */
int gemini_part_append(const GeminiPart *p, Buf *out);
