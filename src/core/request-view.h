/* SPDX-License-Identifier: MIT */
#pragma once

/* A request that is under way, as an operator sees it. The server fills it (server/request-list.c); HTTP,
 * D-Bus and gemgatectl show it. */

#include "base/clock.h"

typedef struct RequestView {
        const char *id;       /* as in the log and in x-request-id */
        const char *client;   /* its token's name, or else its mask; NULL: none, as on an open route */
        const char *route;    /* the path in the table of routes; NULL: none was found */
        const char *model;    /* as the client named it; NULL: none, or the body is still arriving */
        const char *state;    /* see docs/HTTP.md, GET /admin/requests */
        const char *key;      /* mask of the key in use, or of the last one; NULL: none yet */
        const char *key_name; /* NULL: it has none */
        usec_t age;           /* since its headers arrived */
        unsigned attempts;
        uint64_t bytes; /* of the answer's body that were sent to the client; the whole size if it is sent
                         * in one piece */
} RequestView;

typedef void (*RequestViewFn)(const RequestView *v, void *userdata);
