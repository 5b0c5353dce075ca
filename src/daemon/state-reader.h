/* SPDX-License-Identifier: MIT */
#pragma once

/* Restores the sources from the store. Part of the state writer; see state-reader.c. */

#include "base/clock.h"
#include "base/state-source.h"
#include "io/store.h"

#define STATE_SOURCES_MAX 8U

typedef struct ReaderSource {
        const StateSource *ops;
        void *source; /* borrowed */
        unsigned first_table;
        void *restore; /* while rows are read; NULL for a source that has its rows */
} ReaderSource;

typedef struct StateReader {
        Store *store;
        ReaderSource sources[STATE_SOURCES_MAX];
        size_t n_sources;
        Rows query, answer;
        bool finding;            /* the store's job is store_find() */
        size_t n_given, n_skip;  /* the query's rows that were restored; how many of them come again */
        char trouble[STORE_TEXT_MAX]; /* why the last call has failed; or "" */
        usec_t began;       /* the first part of what is read; 0: none */
        size_t n_senseless; /* since then */
        bool was_read;      /* at the start, or as soon as it could be */
        bool has_secret;
} StateReader;

void state_reader_init(StateReader *r);
void state_reader_done(StateReader *r);

bool state_reader_is_restored(const StateReader *r); /* all sources have all their rows */

/* Each begins to read if something is not restored. 1: all is restored; 0: a job of the store has begun.
 * Otherwise -errno: what is not restored stays so, and the next state_reader_find() goes on with it.
 * state_reader_read() waits for the rows, and is for the start; after state_reader_find(),
 * state_reader_found() must be called when the job has ended. */
int state_reader_read(StateReader *r);
int state_reader_find(StateReader *r);
int state_reader_found(StateReader *r, const StoreReport *report);
