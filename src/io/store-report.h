/* SPDX-License-Identifier: MIT */
#pragma once

/* What a store reports: see store.h. */

#include "base/rows.h"

#define STORE_TEXT_MAX 512U
#define STORE_END_WAIT (2 * USEC_PER_SEC) /* at the end, beyond DRAIN_TIMEOUT: systemd waits 5 s longer */

typedef struct StoreReport {
        int error;           /* 0, or why the job has failed */
        bool is_new;         /* the store has nothing but this batch: it needs all rows */
        bool more;           /* of store_find(): the query has more rows */
        const char *aside;   /* "was corrupt and is now NAME": a file that was set aside; or "" */
        const char *trouble; /* the error in words; or "" */
} StoreReport;

typedef void (*StoreDoneFn)(const StoreReport *r, void *userdata);

/* A failure (-errno) ends the reading and is its result. */
typedef int (*StoreRowFn)(unsigned table, const RowValue *values, unsigned n, void *userdata);
