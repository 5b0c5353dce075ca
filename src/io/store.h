/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The interface of a store of rows; store-sqlite implements it.
 *
 * Threads: all calls are made on the loop's thread, and so is `done`. A store may have its own
 * thread; the loop waits for it only in store_wait(), store_read() and store_free().
 *
 * Jobs: store_write(), store_find() and store_replace() start a job and return at once. One job is under way
 * at a time. Its end calls `done`, from the loop or within store_wait(), and `done` may start the next job.
 *
 * Errors: a job that fails reports a -errno and its cause in words. Its rows are still to be written, and
 * writing them again does no harm even if some of it arrived: a row replaces the row with the same key. So
 * after any failure the same batch can be given to the next job.
 */

#include "io/store-report.h"

typedef struct Store Store;

typedef struct StoreOps {
        int (*start)(Store *s);
        void (*write)(Store *s, Rows *rows);
        void (*replace)(Store *s);
        void (*find)(Store *s, const Rows *query, Rows *answer);
        bool (*wait)(Store *s, usec_t until); /* false: the job had not ended by then */
        int (*read)(Store *s, StoreRowFn fn, void *userdata, char ret_trouble[static STORE_TEXT_MAX]);
        Store *(*free)(Store *s);
} StoreOps;

/* The part of a store that all have; an implementation begins with it. */
struct Store {
        const StoreOps *ops;
        const char *name; /* for messages, such as the file's path */
        const RowSchema *schema;
        StoreDoneFn done;
        void *userdata;
        bool busy; /* a job is under way */
};

/* To be called once, before the first job. The schema must outlive the store. */
static inline int store_start(Store *s, const RowSchema *schema, StoreDoneFn done, void *userdata) {
        s->schema = schema;
        s->done = done;
        s->userdata = userdata;
        return s->ops->start(s);
}

static inline bool store_is_busy(const Store *s) {
        return s->busy;
}

/* Opens the store if it is not open, and writes the rows, all or none. They are the store's until the
 * job's end, and are left as they are; NULL: only opens it. A failure closes the store, and the next job
 * opens it again. */
static inline void store_write(Store *s, Rows *rows) {
        assert(!s->busy);
        s->busy = true;
        s->ops->write(s, rows);
}

/* Sets aside what is there, as corrupt, and begins with an empty store: a job like store_write(). */
static inline void store_replace(Store *s) {
        assert(!s->busy);
        s->busy = true;
        s->ops->replace(s);
}

/* Finds the rows that the query asks for, in its order: a job like store_write(), but it does not open the
 * store (-ENOTCONN). If there are `more`, the next job is this one with NULL for the query, which must stay
 * until the last; any other job gives up the rest. A failure may come behind some rows. After -EUCLEAN,
 * which means that it is corrupt, the store stays open for store_replace(). As long as nothing is written,
 * the same query finds the same rows in the same order. */
static inline void store_find(Store *s, const Rows *query, Rows *answer) {
        assert(!s->busy);
        s->busy = true;
        s->ops->find(s, query, answer);
}

/* Waits for the job under way, and for those that its end starts, up to `until` (CLOCK_MONOTONIC). False if
 * one has not ended by then: its rows are still the store's. */
static inline bool store_wait_until(Store *s, usec_t until) {
        while (s->busy)
                if (!s->ops->wait(s, until))
                        return false;
        return true;
}

static inline void store_wait(Store *s) {
        (void) store_wait_until(s, USEC_INFINITY);
}

/* Reads every row, in the order of the schema's tables, and waits for it: for the start. The store
 * must be open and not busy. -ENOTCONN if it is not open, -EUCLEAN if it is corrupt; other failures may
 * pass. */
static inline int store_read(Store *s, StoreRowFn fn, void *userdata,
                             char ret_trouble[static STORE_TEXT_MAX]) {
        assert(!s->busy);
        return s->ops->read(s, fn, userdata, ret_trouble);
}

/* For implementations: the job has ended. */
static inline void store_finish(Store *s, const StoreReport *r) {
        assert(s->busy);
        s->busy = false;
        s->done(r, s->userdata);
}

/* Closes the store. A job that is under way has STORE_END_WAIT to end, and `done` is not called. After that
 * the store is left to its disk: the process is about to end, and must not wait for a disk that hangs. */
static inline Store *store_free(Store *s) {
        return s ? s->ops->free(s) : NULL;
}
DEFINE_CLEANUP(Store *, store_free);
