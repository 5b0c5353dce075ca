/* SPDX-License-Identifier: MIT */
#pragma once

/* A store in memory, for tests: a job ends at the end of the loop's turn, and fails if the test demands it.
 * What was written outlives the store, as a file does. */

#include "io/loop.h"
#include "io/store.h"
#include "shelf.h"

typedef struct MemoryMedium {
        Shelf shelf;
        int error;      /* what the next jobs fail with; 0: they succeed */
        int read_error; /* what reading ends with, behind the last row */
        bool hangs, finds_hang; /* its jobs, or those that find rows, do not end */
        bool has_rows;  /* something was written: the next store is not new */
        unsigned n_writes, n_finds, n_replaced;
        size_t n_rows; /* of the last batch */
} MemoryMedium;

int store_memory_new(Loop *l, MemoryMedium *medium, Store **ret);
