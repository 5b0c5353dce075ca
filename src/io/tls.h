/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * TLS of connections to a server, by OpenSSL: version 1.2 at least, the certificate verified for the host's
 * name or address, the session of the last connection to the same origin, through the same proxy, resumed.
 *
 * The CAs are those of a file, or else the system's: the directory and the file of OpenSSL's variables
 * SSL_CERT_DIR and SSL_CERT_FILE, or their defaults. A file is read in slices of the loop, because reading
 * 150 certificates takes up to 80 ms; of a directory only what is needed is read.
 */

#include "base/list.h"
#include "base/proxy.h"
#include "io/forward.h"
#include "io/loop.h"

typedef struct ssl_st SSL;

#define TLS_WORDS_MAX 160U

/* A member of the one that waits for the CAs. */
typedef struct TlsWait TlsWait;

struct TlsWait {
        List link;
        void (*fn)(TlsWait *w);
};

#define TLS_WAIT_INIT(w) ((TlsWait){ .link = LIST_INIT((w).link) })

/* `ca_file`: copied; NULL: the system's. A fault of the file is a fault of each handshake. */
int tls_new(Loop *l, const char *ca_file, Tls **ret);
Tls *tls_ref(Tls *t); /* NULL is passed on */
Tls *tls_unref(Tls *t);
DEFINE_CLEANUP(Tls *, tls_unref);

/* 1: the CAs are read. 0: `fn` is called when they are. */
int tls_wait(Tls *t, TlsWait *w, void (*fn)(TlsWait *w));
void tls_stop(TlsWait *w); /* harmless if it does not wait */

typedef struct TlsParams {
        const char *host;
        uint16_t port;
        bool http2; /* offer h2 by ALPN, beside http/1.1 */
        int fd; /* connected; it stays the caller's and must outlive the SSL */
        Proxy *proxy; /* that it leads through: a session is resumed only through the same one; or NULL */
        Tunnel *tunnel; /* passes the bytes, and not `fd`; taken, but not by a failure; or NULL */
} TlsParams;

/* The CAs are read. -EINVAL: no certificate can be for such a host. -ENOMEM. */
int tls_open(Tls *t, const TlsParams *p, SSL **ret);
SSL *tls_close(SSL *s); /* NULL is nothing; sends nothing */

/* 0: done. -EAGAIN: to be called again after an event of *ret. Else `words` are the reason. */
int tls_handshake(Tls *t, SSL *s, uint32_t *ret_events, char words[static TLS_WORDS_MAX]);

/* -errno of open() and read(); -ENOTSUP: not a regular file; -EFBIG: TLS_CA_FILE_MAX; -EBADMSG: no
 * certificate in PEM, or a bad one. From any thread. */
int tls_check_ca_file(const char *path);

/* Reading and writing for io/transport: 0 or more bytes, -EAGAIN, -errno; -EPROTO: of TLS. Then *ret_words,
 * which is static, is the reason. */
ssize_t tls_read(SSL *s, void *p, size_t n, const char **ret_words);
ssize_t tls_write(SSL *s, const void *p, size_t n, const char **ret_words);
bool tls_has_rest(const SSL *s); /* bytes that were received and are not read yet; of a tunnel: perhaps */
bool tls_is_http2(const SSL *s);
void tls_send_end(SSL *s); /* close_notify, if it can be sent at once */
