/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by tls.c and tls-cas.c. */

#include "io/tls.h"

typedef struct TlsOrigin TlsOrigin;
typedef struct ssl_ctx_st SSL_CTX;
typedef struct bio_st BIO;

struct Tls {
        unsigned n_refs;
        Loop *loop;
        SSL_CTX *ctx;
        List origins;
        size_t n_origins;

        /* the reading of the CAs' file */
        LoopSlice slice;
        char *name; /* of the file, behind that of the setting; NULL: its faults do not matter */
        char *text;
        BIO *bio; /* of the text */
        size_t n_read;
        List waits;
        bool is_ready;
        char fault[TLS_WORDS_MAX]; /* ""; else no connection can be verified */
};

int tls_cas_start(Tls *t, const char *ca_file);
void tls_cas_stop(Tls *t);
