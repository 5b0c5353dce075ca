/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A file on its way: up, while the client's body arrives (upload.c), or down (download.c). It has no
 * REQUEST_DEADLINE. See transfer.c for what ends it.
 */

#include "io/timeout.h"
#include "server/request.h"

typedef struct Resource Resource;

typedef struct Transfer {
        Timeout due;
        uint64_t moved, carried; /* bytes in the present window, and of earlier ones */
        uint64_t left;           /* bytes that are still to come; UINT64_MAX: not known */
        bool is_down, begun;     /* begun: bytes have moved, or the client has the answer's head */
} Transfer;

void transfer_up(Resource *r, uint64_t size);   /* before the call upstream starts */
void transfer_down(Resource *r, uint64_t size); /* the answer has begun */
void transfer_moved(Resource *r, size_t n);
void transfer_all_moved(Resource *r); /* it was the end of an upload of an unknown size */
bool transfer_is_delivered(const Resource *r); /* a download, all of whose bytes have moved */
void transfer_end(Resource *r);               /* may be called twice */

void transfer_on_due(Timeout *t); /* of Http.transfer_due */
