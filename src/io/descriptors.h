/* SPDX-License-Identifier: MIT */
#pragma once

/* The descriptors of the process, counted as they are used. Each loop has a count. See descriptors.c. */

#include "io/loop.h"

typedef enum DescriptorUse {
        DESCRIPTOR_CLIENT,
        DESCRIPTOR_UPSTREAM, /* a connection, or one that is being made */
        DESCRIPTOR_OTHER,    /* their number grows with that of the clients */
        _DESCRIPTOR_USE_MAX,
} DescriptorUse;

/* The most clients that a process with this limit has room for, with HTTP/2 upstream; at least one. */
size_t descriptors_most_clients(uint64_t limit);

Descriptors *descriptors_new(Loop *loop); /* there is no limit yet; NULL: no memory */
Descriptors *descriptors_free(Descriptors *d);

void descriptors_set_limit(Descriptors *d, uint64_t limit); /* of the process: RLIMIT_NOFILE */
void descriptors_set_shared(Descriptors *d, bool is_shared); /* upstream: HTTP/2, one for many streams */

void descriptors_take(Descriptors *d, DescriptorUse use);
void descriptors_give(Descriptors *d, DescriptorUse use);
size_t descriptors_used(const Descriptors *d, DescriptorUse use);
void descriptors_park(Descriptors *d, bool parks); /* one client more, or less, is between two requests */

/* Whether one more may be taken. */
bool descriptors_admit(const Descriptors *d, DescriptorUse use);

/* --- until one more may be taken; embedded in its owner --- */
typedef struct DescriptorsWait {
        List link;
        void (*fn)(void *userdata); /* once, at the end of a turn; it may wait again */
        void *userdata;
} DescriptorsWait;

#define DESCRIPTORS_WAIT_INIT(w, f, u) \
        ((DescriptorsWait){ .link = LIST_INIT((w).link), .fn = (f), .userdata = (u) })

void descriptors_wait(Descriptors *d, DescriptorUse use, DescriptorsWait *w); /* harmless if it waits */
void descriptors_stop(DescriptorsWait *w);

/* --- who keeps connections upstream that no call uses; embedded in its owner --- */
typedef struct DescriptorsKeeper {
        List link;
        bool (*close_idle)(void *userdata); /* the oldest one; false: there is none */
        void *userdata;
} DescriptorsKeeper;

void descriptors_keep(Descriptors *d, DescriptorsKeeper *k, bool (*close_idle)(void *userdata),
                      void *userdata);
void descriptors_kept(Descriptors *d); /* one more became idle */
void descriptors_keep_no_more(DescriptorsKeeper *k);
