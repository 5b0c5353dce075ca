/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Requests that wait until a key frees: one queue for each model, first come, first served. A queue is
 * served when its first key frees (the exchange passes the time), and whenever keys may have become usable
 * (key_queue_kick()): its first request is retried, then the next, until one gets no key. That one keeps
 * its place. All queues together have two timers, for any number of requests. The places are shared out by
 * client and by model.
 */

#include "base/limits.h"
#include "base/list.h"
#include "base/log.h"
#include "base/secret.h"
#include "io/timeout.h"
#include "server/forward.h"

typedef struct KeyQueueModel KeyQueueModel;
typedef struct KeyQueueShare KeyQueueShare;

typedef struct KeyQueuePlace {
        List link;        /* in the model's queue; linked: it waits */
        const LogIds *ids; /* of the request that waits */
        KeyQueueModel *model; /* the owner of that queue */
        Secret *client;       /* the token of the request that waits; NULL: none */
        KeyQueueShare *share; /* of the client, in this model's queue */
        size_t n_bytes;   /* of memory that it holds while it waits */
        uint64_t number;  /* in order of arrival; a waiter that joins again keeps it */
        Timeout over;
        bool is_counted, is_turned_away; /* each request counts once */
} KeyQueuePlace;

#define KEY_QUEUE_PLACE_INIT(p)                       \
        ((KeyQueuePlace){                             \
                .ids = &log_no_request,               \
                .link = LIST_INIT((p).link),          \
                .over = TIMEOUT_INIT((p).over),       \
        })

struct KeyQueueOps {
        /* It is retried: it leaves, or joins again with the time of the next retry (key_queue_join()). */
        void (*turn)(KeyQueuePlace *p);
        /* Its wait is over, and it has left. */
        void (*over)(KeyQueuePlace *p);
};

typedef struct KeyQueueCounters {
        uint64_t joined, given_up, turned_away; /* requests; turned_away: there was no place */
        size_t n_waiting, n_bytes;
} KeyQueueCounters;

int key_queue_new(Loop *loop, const KeyQueueOps *ops, KeyQueue **ret);
KeyQueue *key_queue_free(KeyQueue *q);
DEFINE_CLEANUP(KeyQueue *, key_queue_free);

/* The queue of this model; NULL if no request waits for it. */
const KeyQueueModel *key_queue_find(const KeyQueue *q, const char *model);
/* The time until its first key frees, as far as is known. */
usec_t key_queue_span(const KeyQueueModel *m);

/* Appends the waiter for `patience` at most, or restores its former position. `frees_in`: when the first key
 * frees, or USEC_INFINITY to keep the known time. False: the queue is full, or the client has its share. */
bool key_queue_join(KeyQueue *q, const char *model, size_t n_bytes, usec_t frees_in, usec_t patience,
                    KeyQueuePlace *p);
void key_queue_leave(KeyQueue *q, KeyQueuePlace *p); /* may be in none */

static inline bool key_queue_place_is_taken(const KeyQueuePlace *p) {
        return list_is_linked(&p->link);
}

/* Keys may have become usable: the queues are served at the end of this turn of the loop. */
void key_queue_kick(KeyQueue *q);

void key_queue_counters(const KeyQueue *q, KeyQueueCounters *ret);
void key_queue_each_model(const KeyQueue *q, void (*f)(const char *model, size_t n, void *userdata),
                          void *userdata);
