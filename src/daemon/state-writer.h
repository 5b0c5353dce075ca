/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes what has changed in its sources (base/state-source) to a store (io/store), and restores the
 * sources from it at the start. It decides when rows are saved, and what happens when they cannot be
 * written. Nothing that is wrong with the store keeps the daemon from serving; it is reported in the log.
 * See state-writer.c.
 */

#include "base/state-source.h"
#include "io/loop.h"
#include "io/store.h"

typedef struct StateWriter StateWriter;

typedef struct StateWriterSource {
        const StateSource *ops;
        void *source; /* borrowed; it must outlive the state writer */
} StateWriterSource;

/* Opens the store and restores the sources: to be called before the first request. If it succeeds the
 * store is the state writer's. An error means a lack of memory or descriptors, never a fault of the
 * store. */
int state_writer_new(Loop *l, Store *store, const StateWriterSource *sources, size_t n_sources,
                     StateWriter **ret);

/* After the last request: writes everything that is left, and tries again while another process holds the
 * file's lock. Returns at once; `ended` is called when nothing is left, or when it cannot be written for
 * another reason. To be called once. */
void state_writer_end(StateWriter *k, void (*ended)(void *userdata), void *userdata);

/* Writes what is left, waits for it, STORE_END_WAIT at most, and tells what is lost. */
StateWriter *state_writer_free(StateWriter *k);
DEFINE_CLEANUP(StateWriter *, state_writer_free);

/* To be called before and after a change of the sources' members, such as the pool's keys. The first saves
 * what was noted, and calls `saved` when that is in a batch, or STATE_CHANGE_WAIT later; often before it
 * returns. The second has the rows of the new members restored as soon as the store is free. Neither waits
 * for the store. What is counted for a member between `saved` and its leaving is lost. The writer may be
 * NULL. */
void state_writer_before_change(StateWriter *k, void (*saved)(void *userdata), void *userdata);
void state_writer_after_change(StateWriter *k);
