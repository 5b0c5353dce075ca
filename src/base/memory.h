/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Giving memory back. An allocator keeps what is freed, for the next request: mimalloc without limit, glibc
 * up to the first block that is still in use. After a large request that would be hundreds of MiB that
 * nothing uses. So code that takes much memory for a short time notes it, and when a request has ended the
 * server lets the allocator give back what is free (server/http.c).
 */

#include "base/macros.h"

#define MEMORY_LARGE (1U << 20) /* a smaller block is not worth a note */

extern bool memory_noted; /* by any thread */

static inline void memory_note(size_t size) {
        if (size >= MEMORY_LARGE)
                __atomic_store_n(&memory_noted, true, __ATOMIC_RELAXED);
}

static inline bool memory_is_noted(void) {
        return __atomic_load_n(&memory_noted, __ATOMIC_RELAXED);
}

static inline void memory_forget_note(void) {
        __atomic_store_n(&memory_noted, false, __ATOMIC_RELAXED);
}

/* Takes milliseconds for each 100 MiB that are free. */
void memory_give_back(void);
void memory_give_back_thread(void); /* what only the calling thread can: mimalloc has a heap for each */
