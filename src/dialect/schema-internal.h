/* SPDX-License-Identifier: MIT */
#pragma once

/* The state of writing one schema, and what schema*.c share. */

#include "base/json/copy.h"
#include "base/limits.h"
#include "dialect/schema-node.h"
#include "dialect/schema.h"

#define SCHEMA_OPEN_MAX    (2U * JWRITE_DEPTH_MAX)

typedef struct SchemaTarget {
        JsonView schema;
        char name[SCHEMA_NAME_MAX + 1]; /* in $defs */
        bool queued;
} SchemaTarget;

/* References that were resolved, by their text. */
typedef struct SchemaRef {
        uint64_t hash; /* 0: free */
        int target;
} SchemaRef;

typedef struct SchemaEdge {
        int from, to; /* targets; from -1: the root */
} SchemaEdge;

/* A property of a node that is being written: for required, and for names that are there twice. */
typedef struct SchemaName {
        uint64_t hash;
        uint32_t rank; /* the smallest one of a name counts */
        bool required;
} SchemaName;

typedef struct Schema {
        JsonView root;
        JWriter *w;
        size_t limit; /* of the buffer: from there on the rest becomes {} */
        Buf notes, scratch;
        int error;

        /* references */
        SchemaRef *refs; /* SCHEMA_REFS_MAX, or NULL before the first one */
        size_t n_refs;
        SchemaTarget *targets; /* SCHEMA_TARGETS_MAX */
        int n_targets;
        SchemaEdge *edges;
        size_t n_edges, n_edges_allocated;
        uint64_t *reach; /* a row of bits a target; NULL: not known yet, or there is no circle */
        uint64_t steps;  /* left to find what references refer to */
        int *queue;      /* targets in the order of $defs */
        int n_queue;

        int current;      /* the target that is being written; -1: the root */
        bool in_property; /* …and a property of it */
        bool has_circle;  /* …which has a reference that closes a circle */
        const char *open[SCHEMA_OPEN_MAX]; /* the schemas of references that are being written */
        unsigned n_open;

        SchemaName *names; /* of all nodes that are being written, the innermost last */
        size_t n_names, n_names_allocated;
} Schema;

static inline bool schema_is_full(const Schema *s) {
        return s->error < 0 || s->w->buf->error < 0 || s->w->buf->n >= s->limit;
}

/* schema.c: schema_begin() begins a node; false: it had to be {}, and is written. */
bool schema_begin(Schema *s, const char *key);
void schema_write_node(Schema *s, JsonView schema, const char *key);

/* schema-node.c: reads a schema; what has been opened by it is closed when it is written. */
void schema_node_open(Schema *s, JsonView schema, SchemaNode *ret);
void schema_node_close(Schema *s, const SchemaNode *node);

/* schema-note.c: s->notes are collected for one node, and written with its description. */
void schema_note(Schema *s, const char *before, JsonView value, const char *after);
void schema_note_keywords(Schema *s, const SchemaNode *node);
void schema_write_description(Schema *s, const SchemaNode *node);

/* schema-object.c */
bool schema_has_properties(const SchemaNode *node);
void schema_write_object(Schema *s, const SchemaNode *node);

/* schema-ref.c: the target of a reference, or -1. */
int schema_ref_find(Schema *s, JsonView ref);
uint64_t schema_ref_steps(JsonView root); /* allowed for all references of a schema */
JsonView schema_ref_resolve(JsonView root, JsonView ref, uint64_t *steps); /* no view: nothing local */
void schema_ref_use(Schema *s, int target);              /* it is referred to from where the writer is */
bool schema_ref_find_circles(Schema *s);                 /* false: there are none */
bool schema_ref_is_circular(const Schema *s, int target); /* seen from where the writer is */
void schema_ref_done(Schema *s);
