/* SPDX-License-Identifier: MIT */
#pragma once

/* Certificates, and a server that has them and behaves as a test wants, in a thread. */

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/ssl.h>

#include "base/macros.h"

typedef struct Pair {
        X509 *x;
        EVP_PKEY *key;
} Pair;

typedef struct PairParams {
        const char *name;
        const char *alt;    /* `DNS:a.test,IP:127.0.0.1`; NULL: none */
        const Pair *issuer; /* NULL: its own */
        bool is_ca;
        long from, to; /* days from now; both 0: a month */
} PairParams;

Pair pair_new(const PairParams *p);
void pair_done(Pair *p);
void pairs_write(const char *path, const Pair *const *pairs); /* until NULL */

typedef enum TlsBehaviour {
        TLS_ECHOES,  /* sends back what it reads, up to the end */
        TLS_SILENT,  /* accepts, and does nothing */
        TLS_RESETS,  /* reads the first bytes, and resets the connection */
        TLS_CLOSES,  /* the same, and closes it */
        TLS_IS_NONE, /* answers in HTTP */
        TLS_CUTS,    /* closes behind the handshake, without close_notify */
        TLS_GREETS,  /* sends `hello` behind the handshake, then echoes */
} TlsBehaviour;

typedef struct TlsServerParams {
        const Pair *pair, *chain; /* chain: sent behind pair; NULL: none */
        const char *alpn; /* `h2`, that it chooses; NULL: it does not know ALPN */
        int max_version;  /* 0: the latest */
        TlsBehaviour behaviour;
} TlsServerParams;

typedef struct TlsServer {
        TlsServerParams p;
        uint16_t port;
        int fd;
        SSL_CTX *ctx;
        pthread_t thread;
        atomic_uint n_accepted, n_secured, n_resumed;
        char name[256]; /* of the last SNI; "": none */
} TlsServer;

/* On 127.0.0.1 and ::1, one connection at a time. */
void tls_server_start(TlsServer *s, const TlsServerParams *p);
void tls_server_stop(TlsServer *s);
