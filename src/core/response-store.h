/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Stored responses of OpenAI's Responses API: a client names an earlier response, or an item of it, instead
 * of sending it again. A response is kept with its own input; the responses before it are found by the id
 * in it, so a conversation does not grow by its square.
 *
 * Each belongs to the client that asked for it, and no other client finds it. The store is bounded in
 * number, in bytes and in time since the last use, for each client and in all: what was not used for the
 * longest time goes first. response_store_get() and response_store_bytes() may be called in any thread, the
 * others on the loop's alone.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/state-source.h"

typedef struct ResponseStore ResponseStore;

#define RESPONSE_ID_BYTES 16U
#define RESPONSE_ID_DIGITS (2U * RESPONSE_ID_BYTES)

typedef struct ResponseStoreLimits {
        size_t n, bytes;               /* of all */
        size_t client_n, client_bytes; /* of one client */
        usec_t age;
} ResponseStoreLimits;

/* Whose response, and which. */
typedef struct ResponseName {
        uint64_t client;
        uint8_t id[RESPONSE_ID_BYTES];
} ResponseName;

/* Of an id of a response or of one of its items: the digits behind `_`. False: it has none. */
bool response_name_parse(uint64_t client, const char *id, ResponseName *ret);

int response_store_new(const ResponseStoreLimits *limits, bool is_saved, ResponseStore **ret); /* -ENOMEM */
ResponseStore *response_store_free(ResponseStore *s);
DEFINE_CLEANUP(ResponseStore *, response_store_free);

/* Keeps a response, unless it is too large or there is no memory. `input`: a JSON array; `response`: an
 * object. `now`: CLOCK_REALTIME. */
void response_store_put(ResponseStore *s, const ResponseName *name, const Buf *input, const Buf *response,
                        usec_t now);

/* Appends both; either may be NULL. -ENOENT, -ENOMEM. It counts as used. */
int response_store_get(ResponseStore *s, const ResponseName *name, usec_t now, Buf *input, Buf *response);
bool response_store_drop(ResponseStore *s, const ResponseName *name); /* false: it is not there */
size_t response_store_bytes(ResponseStore *s, uint64_t client);

/* The store as a source of rows (response-source.c); on the loop's thread alone. Its table is `responses`.
 * If it is not to be saved, the rows of a former start are deleted. */
extern const StateSource response_state_source;
