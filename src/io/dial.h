/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Makes connections: the name becomes addresses (io/resolver), IPv6 and IPv4 are tried in turn, a new one
 * every 250 ms or as soon as one fails, and the first that connects is taken. Through a proxy, libcurl
 * connects (io/tunnel). Then comes TLS (io/tls). One deadline is for all of it.
 */

#include "base/proxy.h"
#include "io/forward.h"
#include "io/loop.h"

typedef struct Dialer Dialer;
typedef struct Dial Dial;

typedef struct DialerParams {
        const char *ca_file; /* copied; NULL: the system's CAs, by SSL_CERT_FILE and SSL_CERT_DIR, too */
} DialerParams;

int dialer_new(Loop *loop, const DialerParams *p, Dialer **ret);
Dialer *dialer_free(Dialer *d); /* every dial has been freed before */
DEFINE_CLEANUP(Dialer *, dialer_free);

/* For the dials from now on: the CAs are read again, and no session is resumed. -ENOMEM: nothing changes. */
int dialer_configure(Dialer *d, const DialerParams *p);

typedef struct DialParams {
        const char *host; /* copied; a name or an address; an IPv6 address with brackets or without */
        uint16_t port;
        bool tls;
        bool http2; /* offer h2 by ALPN, beside http/1.1 */
        usec_t timeout;
        Proxy *proxy; /* to go through; NULL: none; never `none`, and https only with TLS */
} DialParams;

typedef struct DialTimes { /* CLOCK_MONOTONIC; 0: not reached */
        usec_t resolved, connected, secured;
} DialTimes;

/* Called once, in a hook of the loop, and never from within dial_start(). `t`: taken; NULL: it failed, and
 * `cause` is the reason on one line. The dial is freed by its owner in any case, in here or later. */
typedef void (*DialFn)(Transport *t, const DialTimes *times, const char *cause, void *userdata);

int dial_start(Dialer *d, const DialParams *p, DialFn f, void *userdata, Dial **ret);
Dial *dial_free(Dial *d); /* cancels; waits for nothing */
DEFINE_CLEANUP(Dial *, dial_free);
