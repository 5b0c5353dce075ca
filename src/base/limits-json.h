/* SPDX-License-Identifier: MIT */
#pragma once

/* --- a conversation that is translated: dialect/turns --- */
#define TURN_STEPS_MAX 65536U /* texts, media, calls and results of all messages, 0.2 KiB each */
#define TURN_DEPTH_MAX 48U    /* nesting of a call's arguments and of a result: with Gemini's levels around
                               * them they are below JSON_DEPTH_MAX */

/* --- json-c's tree of JSON from outside, and what it is counted with: base/json/tree --- */

#define JSON_TREE_FACTOR 4U              /* bytes for each byte of the text: with the text, json-c's buffer
                                          * and the translation it is at most 8 */
#define JSON_TREE_BASE   (16U << 20)     /* and so many more: 16,384 short messages fit */
#define JSON_TREE_MAX    (64U << 20)     /* without the text of strings: so much is built in 70 ms, in which
                                          * nothing else is served */
/* Bytes that a value takes, with its place in an array; a member takes its name and its value. Measured as
 * the growth of the resident memory by arrays of 300,000 such values, with json-c 0.16 and the larger of
 * glibc 2.36 and mimalloc 2.0.9 (792, 153, 88, 105, 16; a member 32; one of a crowded object 182 while its
 * table grows), and rounded up. */
#define JSON_TREE_OBJECT  816U
#define JSON_TREE_ARRAY   176U
#define JSON_TREE_STRING  104U /* and the text, a quarter more by the allocator's sizes */
#define JSON_TREE_OTHER   120U
#define JSON_TREE_NULL    24U
#define JSON_TREE_MEMBER  32U
#define JSON_TREE_CROWDED 216U

/* Cleaning a JSON Schema for Gemini: dialect/schema. */
#define SCHEMA_GROWTH_MAX  4U    /* bytes for each of the client's: an enum with null grows thrice */
#define SCHEMA_GROWTH_BASE 4096U /* and so many more; from there on the rest is {} */

/* A translated conversation, to the client's body. A JSON value's bytes become at most six (a control
 * character); parts, missing results, signatures and schemas add further names, a multiple of the client's
 * shortest form of them. */
#define TURNS_GROWTH_MAX 16U
#define TURNS_FRAME_MAX  ((64U << 10) + (TOOLS_MAX + 1) * SCHEMA_GROWTH_BASE)
#define SCHEMA_TARGETS_MAX 512U  /* entries of $defs; a square of it is walked to find circles */
#define SCHEMA_NAME_MAX    64U   /* bytes of an entry's name */
#define SCHEMA_NOTES_MAX   4096U /* bytes of the notes in one description */

/* --- names in a large request --- */
#define PIN_NAMES_MAX 16384U /* of files and cached contents: as BINDINGS_MAX; they are looked up in 2 ms */
