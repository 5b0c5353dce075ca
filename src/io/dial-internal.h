/* SPDX-License-Identifier: MIT */
#pragma once

/* What the files of a dial share: dial.c (its states, its end, TLS), dial-address.c (the way to the server's
 * own addresses), dial-proxy.c (the way through a proxy). */

#include "base/limits-dial.h"
#include "base/text.h"
#include "io/curl-glue.h"
#include "io/descriptors.h"
#include "io/dial.h"
#include "io/resolver.h"
#include "io/timeout.h"
#include "io/tls.h"
#include "io/transport.h"
#include "io/tunnel.h"

#define DIAL_CAUSE_MAX (PROXY_SHOWN_MAX + RESOLVER_NAME_MAX + 2U * TLS_WORDS_MAX)

typedef enum DialState {
        DIAL_RESOLVING,
        DIAL_CONNECTING,
        DIAL_TUNNELLING, /* through a proxy, in the place of the two before it */
        DIAL_LOADING,    /* connected; waits for the CAs */
        DIAL_SECURING,
        DIAL_ENDED, /* has been reported, or will be */
} DialState;

/* A connection to one address. */
typedef struct DialAttempt {
        Dial *dial;
        LoopFd watch;
        int fd; /* -1: has failed */
} DialAttempt;

struct Dialer {
        Loop *loop;
        char *ca_file;
        Resolver *resolver;
        Tls *tls;       /* NULL: not used yet */
        CurlGlue *glue; /* likewise */
        TimeoutQueue *next, *deadline;
        LoopHook hook;
        List ended; /* dials to report */
        size_t n_dials;
};

struct Dial {
        Dialer *dialer;
        List ended;
        DialFn fn;
        void *userdata;
        DialState state;
        DialTimes times;
        Timeout next, deadline;
        ResolverWait resolving;
        ResolverAnswer *answer;
        DialAttempt *attempts; /* of each address; those that have begun have a dial */
        size_t n_begun, n_open;
        size_t n_counted; /* descriptors: dial_count() */
        int error; /* of an attempt; 0: none yet */
        Proxy *proxy;   /* NULL: none */
        Tunnel *tunnel; /* until it is open; a wrapped one is then the SSL's */
        Tls *tls;
        TlsWait loading;
        SSL *ssl;
        LoopFd watch; /* of the handshake */
        int fd;       /* connected; -1: not yet, or taken by the transport */
        Transport *transport;
        uint16_t port;
        bool http2;
        char cause[DIAL_CAUSE_MAX];
        char host[];
};

/* --- dial.c --- */
void dial_enter(Dial *d, DialState state);
void dial_count(Dial *d, size_t n); /* it counts as n descriptors from now on */
void dial_fail(Dial *d, const char *fmt, ...) _printf_(2, 3); /* behind the proxy, if there is one */
void dial_fail_at_proxy(Dial *d, const char *cause);          /* the whole of it */
void dial_connected(Dial *d); /* `fd` is; TLS is next, if it is wanted */

/* --- dial-address.c --- */
int dial_addresses_start(Dial *d); /* -ENOMEM */
void dial_addresses_stop(Dial *d);
void dial_addresses_late(Dial *d); /* the deadline has come */
void dial_on_next(Timeout *t);     /* it is time for the next address */

/* --- dial-proxy.c --- */
int dial_proxy_start(Dial *d, usec_t timeout);
void dial_proxy_late(Dial *d);
