/* SPDX-License-Identifier: MIT */
#pragma once

/* What the simulator saw, in the order of arrival: one JSON object a request. Bounded: the oldest go. */

#include "base/buf.h"
#include "base/list.h"
#include "sim-request.h"

typedef struct SimLog SimLog;
typedef struct SimLogEntry SimLogEntry;
typedef struct SimLogFacts SimLogFacts;

#define SIM_LOG_ENTRIES_MAX 20000U
#define SIM_LOG_BYTES_MAX   (128U << 20)
#define SIM_LOG_MESSAGES_MAX (1U << 20) /* of one Live session: later ones are only counted */
#define SIM_LOG_BODY_MAX    (8U << 20) /* of one request; a longer one is cut, and the entry is marked */

struct SimLogFacts {
        const char *model;
        const char *verb;
        const char *key;
};

/* The outcome of the request; filled in as it proceeds. */
struct SimLogEntry {
        unsigned n_ref;
        List entries;
        char *arrived; /* JSON, without the closing brace */
        size_t n_arrived;
        char *rule;      /* the behaviour in the script's words, or why there is none */
        unsigned line;   /* of the script, 0: none */
        unsigned status; /* 0: nothing was answered (yet) */
        uint64_t events;
        uint64_t bytes;
        char *model;     /* of a Live session */
        Buf messages;    /* the same: what the client sent, as elements of an array */
        uint64_t n_messages;
        unsigned closed; /* the code of the client's close frame; 0: none came */
        bool done;
        bool hung_up;
};

/* file: every entry is also appended there when it is done; NULL for none. */
int sim_log_new(const char *file, SimLog **ret);
SimLog *sim_log_free(SimLog *l);
DEFINE_CLEANUP(SimLog *, sim_log_free);

int sim_log_add(SimLog *l, uint64_t seq, const Request *q, const SimLogFacts *facts, SimLogEntry **ret);
void sim_log_done(SimLog *l, SimLogEntry *e); /* writes it to the file */
SimLogEntry *sim_log_entry_ref(SimLogEntry *e);
SimLogEntry *sim_log_entry_unref(SimLogEntry *e);

void sim_log_write(const SimLog *l, Buf *out);
void sim_log_clear(SimLog *l);
