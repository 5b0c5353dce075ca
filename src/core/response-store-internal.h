/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by response-store.c and response-source.c. */

#include <pthread.h>

#include "base/list.h"
#include "core/response-store.h"

typedef struct ResponseEntry ResponseEntry;

/* Of one client. */
typedef struct ResponseShare {
        uint64_t client;
        size_t n, bytes;
        List shares, by_use; /* by_use: the one that was used last is last */
} ResponseShare;

struct ResponseEntry {
        ResponseEntry *next; /* in its chain */
        List by_use, of_client, by_dirt;
        ResponseName name;
        ResponseShare *share;
        usec_t used, saved; /* saved: `used` as it was saved; 0: it was not */
        size_t n_input, n_response;
        char text[]; /* the input, then the response */
};

/* A row that is to be deleted. */
typedef struct ResponseGone {
        List gone;
        ResponseName name;
} ResponseGone;

struct ResponseStore {
        pthread_mutex_t lock;
        ResponseStoreLimits limits;
        uint64_t secret; /* of the chains */
        ResponseEntry **chains;
        size_t n_chains, n, bytes;
        List by_use, shares;

        bool is_saved;
        List by_dirt, gone;
        StateNotedFn noted;
        void *userdata;
        bool is_noted, is_restored;
        bool forgets_all;     /* the rows of a former start */
        usec_t forget_before; /* rows that were last used before are too old; 0: done */
};

/* With the lock held. */
ResponseEntry *response_store_find(const ResponseStore *s, const ResponseName *name);
/* Behind all others. NULL: there is no memory, or it is too large. */
ResponseEntry *response_store_add(ResponseStore *s, const ResponseName *name, const char *input,
                                  size_t n_input, const char *response, size_t n_response, usec_t used);
