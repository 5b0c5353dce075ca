/* SPDX-License-Identifier: MIT */

/*
 * OpenSSL reads and writes by a BIO of ours: its own writes without MSG_NOSIGNAL. It keeps the errno of the
 * last failure, which OpenSSL's queue of errors may not have. Everything but tls_check_ca_file() runs in the
 * loop's thread.
 *
 * A session is kept for each origin, the last one that the server has sent. A connection takes it, because a
 * ticket of TLS 1.3 must be used once, and gets another one from the server. A session is resumed only with
 * the CAs that it was verified with: other CAs are another Tls.
 */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits-dial.h"
#include "base/text.h"
#include "io/tls-internal.h"
#include "io/tunnel.h"

#define ALPN_HTTP1 "\x08http/1.1"
#define ALPN_HTTP2 "\x02h2" ALPN_HTTP1

/* Of a host and port, and the proxy before it. The table has a reference, and each connection. */
struct TlsOrigin {
        List link; /* in the table */
        unsigned n_refs;
        SSL_SESSION *session; /* NULL: none */
        Proxy *proxy; /* NULL: none */
        uint16_t port;
        char host[];
};

static int origin_index = -1; /* of an SSL's TlsOrigin */
static BIO_METHOD *of_socket, *of_tunnel;
static int socket_error; /* of the last recv() or send(); 0: the end */
static char is_tunnel; /* its address is the app data of an SSL through a wrapped tunnel */

/* --- origins and their sessions --- */

static void origin_unref(TlsOrigin *o) {
        if (!o || --o->n_refs > 0)
                return;
        SSL_SESSION_free(o->session);
        proxy_unref(o->proxy);
        free(o);
}

static void on_ssl_free(void *ssl _unused_, void *origin, CRYPTO_EX_DATA *data _unused_, int index _unused_,
                        long l _unused_, void *p _unused_) {
        origin_unref(origin);
}

/* Returning 1 takes the session. */
static int on_session(SSL *s, SSL_SESSION *session) {
        TlsOrigin *o = SSL_get_ex_data(s, origin_index);

        if (!o)
                return 0;
        SSL_SESSION_free(o->session);
        o->session = session;
        return 1;
}

/* NULL: its sessions are not kept. */
static TlsOrigin *find_origin(Tls *t, const TlsParams *p) {
        size_t size = strlen(p->host) + 1;
        TlsOrigin *o;

        LIST_FOREACH(i, &t->origins) {
                o = list_entry(i, TlsOrigin, link);
                if (o->port == p->port && strcaseeq(o->host, p->host) &&
                    proxy_compare(o->proxy, p->proxy) == 0)
                        return o;
        }
        if (t->n_origins >= TLS_ORIGINS_MAX)
                return NULL;
        o = calloc(1, sizeof(TlsOrigin) + size);
        if (!o)
                return NULL;
        o->n_refs = 1;
        o->proxy = proxy_ref(p->proxy);
        o->port = p->port;
        memcpy(o->host, p->host, size);
        list_append(&t->origins, &o->link);
        t->n_origins++;
        return o;
}

static void set_origin(SSL *s, TlsOrigin *o) {
        if (!o || SSL_set_ex_data(s, origin_index, o) != 1)
                return;
        o->n_refs++;
        if (o->session)
                (void) SSL_set_session(s, o->session);
        SSL_SESSION_free(o->session);
        o->session = NULL;
}

/* Of TLS 1.2, a server need not send another one. */
static void keep_session(SSL *s) {
        TlsOrigin *o = SSL_get_ex_data(s, origin_index);

        if (o && !o->session && SSL_version(s) < TLS1_3_VERSION && SSL_session_reused(s))
                o->session = SSL_get1_session(s);
}

/* --- the BIO --- */

static int bio_result(BIO *b, ssize_t k, int direction) {
        socket_error = k < 0 ? errno : 0;
        BIO_clear_retry_flags(b);
        if (socket_error == EAGAIN)
                BIO_set_flags(b, direction | BIO_FLAGS_SHOULD_RETRY);
        return k < 0 ? -1 : (int) k;
}

static int on_bio_read(BIO *b, char *p, int n) {
        ssize_t k;

        do
                k = recv((int) (intptr_t) BIO_get_data(b), p, (size_t) n, 0);
        while (k < 0 && errno == EINTR);
        return bio_result(b, k, BIO_FLAGS_READ);
}

static int on_bio_write(BIO *b, const char *p, int n) {
        ssize_t k;

        do
                k = send((int) (intptr_t) BIO_get_data(b), p, (size_t) n, MSG_NOSIGNAL);
        while (k < 0 && errno == EINTR);
        return bio_result(b, k, BIO_FLAGS_WRITE);
}

static int on_tunnel_read(BIO *b, char *p, int n) {
        ssize_t k = tunnel_read(BIO_get_data(b), p, (size_t) n);

        errno = k < 0 ? (int) -k : 0;
        return bio_result(b, k, BIO_FLAGS_READ);
}

static int on_tunnel_write(BIO *b, const char *p, int n) {
        ssize_t k = tunnel_write(BIO_get_data(b), p, (size_t) n);

        errno = k < 0 ? (int) -k : 0;
        return bio_result(b, k, BIO_FLAGS_WRITE);
}

static int on_tunnel_free(BIO *b) {
        tunnel_free(BIO_get_data(b));
        return 1;
}

static long on_bio_control(BIO *b _unused_, int what, long n _unused_, void *p _unused_) {
        return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *make_method(const char *name, int (*on_read)(BIO *b, char *p, int n),
                               int (*on_write)(BIO *b, const char *p, int n), int (*on_free)(BIO *b)) {
        BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), name);

        if (!m)
                return NULL;
        (void) BIO_meth_set_read(m, on_read);
        (void) BIO_meth_set_write(m, on_write);
        (void) BIO_meth_set_ctrl(m, on_bio_control);
        (void) BIO_meth_set_destroy(m, on_free);
        return m;
}

static int prepare(void) {
        if (origin_index < 0)
                origin_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
        if (!of_socket)
                of_socket = make_method("gemgate socket", on_bio_read, on_bio_write, NULL);
        if (!of_tunnel)
                of_tunnel = make_method("gemgate tunnel", on_tunnel_read, on_tunnel_write, on_tunnel_free);
        return origin_index < 0 || !of_socket || !of_tunnel ? -ENOMEM : 0;
}

/* --- the context --- */

static int context_new(SSL_CTX **ret) {
        SSL_CTX *c = SSL_CTX_new(TLS_client_method());

        if (!c)
                return -ENOMEM;
        (void) SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
        (void) SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        /* PARTIAL_WRITE: a write returns after one record. MOVING: it may be repeated from another place. */
        (void) SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                           SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
        /* As libcurl: a CA that is not the root is trusted, too, if it is among the CAs. */
        (void) X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c), X509_V_FLAG_PARTIAL_CHAIN);
        (void) SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(c, on_session);
        *ret = c;
        return 0;
}

int tls_new(Loop *l, const char *ca_file, Tls **ret) {
        _cleanup_(tls_unrefp) Tls *t = NULL;
        int r;

        r = prepare();
        if (r < 0)
                return r;
        t = calloc(1, sizeof(Tls));
        if (!t)
                return -ENOMEM;
        t->n_refs = 1;
        t->loop = l;
        list_init(&t->origins);
        list_init(&t->waits);
        r = context_new(&t->ctx);
        if (r >= 0)
                r = tls_cas_start(t, ca_file);
        ERR_clear_error();
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t);
        return 0;
}

Tls *tls_ref(Tls *t) {
        if (t)
                t->n_refs++;
        return t;
}

Tls *tls_unref(Tls *t) {
        if (!t || --t->n_refs > 0)
                return NULL;
        tls_cas_stop(t);
        LIST_FOREACH(i, &t->origins) {
                list_unlink(i);
                origin_unref(list_entry(i, TlsOrigin, link));
        }
        SSL_CTX_free(t->ctx);
        free(t);
        return NULL;
}

/* --- a connection --- */

/* An address has no name that could be sent (RFC 6066), and a zone is no part of it for the server. */
static int set_host(SSL *s, const char *host) {
        char name[RESOLVER_NAME_MAX + 1];
        size_t n;

        text_copy(name, sizeof(name), host);
        name[strcspn(name, "%")] = 0;
        if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(s), name) == 1)
                return 0;
        n = strlen(name);
        if (n > 0 && name[n - 1] == '.')
                name[n - 1] = 0;
        if (name[0] == 0 || name[0] == '.') /* OpenSSL would take any host, or any in that domain */
                return -EINVAL;
        SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        return SSL_set1_host(s, name) == 1 && SSL_set_tlsext_host_name(s, name) == 1 ? 0 : -ENOMEM;
}

static int set_bio(SSL *s, const TlsParams *p) {
        BIO *b = BIO_new(p->tunnel ? of_tunnel : of_socket);

        if (!b)
                return -ENOMEM;
        BIO_set_data(b, p->tunnel ?: (void *) (intptr_t) p->fd);
        BIO_set_init(b, 1);
        SSL_set_bio(s, b, b); /* taken */
        if (p->tunnel)
                (void) SSL_set_app_data(s, &is_tunnel);
        return 0;
}

int tls_open(Tls *t, const TlsParams *p, SSL **ret) {
        const char *alpn = p->http2 ? ALPN_HTTP2 : ALPN_HTTP1;
        SSL *s = SSL_new(t->ctx);
        int r;

        assert(t->is_ready);
        if (!s)
                return -ENOMEM;
        r = set_host(s, p->host);
        if (r >= 0 && SSL_set_alpn_protos(s, (const unsigned char *) alpn, (unsigned) strlen(alpn)) != 0)
                r = -ENOMEM;
        if (r >= 0)
                r = set_bio(s, p); /* the last: a failure takes no tunnel */
        ERR_clear_error(); /* of a name that is no address */
        if (r < 0) {
                SSL_free(s);
                return r;
        }
        set_origin(s, find_origin(t, p));
        SSL_set_read_ahead(s, 0); /* what follows the handshake stays in the socket, where epoll shows it */
        SSL_set_connect_state(s);
        *ret = s;
        return 0;
}

SSL *tls_close(SSL *s) {
        SSL_free(s);
        return NULL;
}

/* --- failures --- */

/* The reason is static. -EAGAIN: *ret_events. */
static int failure_of(SSL *s, int k, uint32_t *ret_events, const char **ret_words) {
        unsigned long code;

        switch (SSL_get_error(s, k)) {
        case SSL_ERROR_WANT_READ:
                *ret_events = EPOLLIN;
                return -EAGAIN;
        case SSL_ERROR_WANT_WRITE:
                *ret_events = EPOLLOUT;
                return -EAGAIN;
        case SSL_ERROR_SYSCALL:
                if (socket_error == 0) {
                        *ret_words = "the connection was closed";
                        return -EPROTO;
                }
                *ret_words = strerrordesc_np(socket_error) ?: "unknown error";
                return -socket_error;
        default:
                code = ERR_peek_error();
                *ret_words = ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? "out of memory" :
                             code ? ERR_reason_error_string(code) : NULL;
                if (!*ret_words)
                        *ret_words = "unknown error";
                return -EPROTO;
        }
}

static void words_of_handshake(SSL *s, const char *reason, char words[static TLS_WORDS_MAX]) {
        long result = SSL_get_verify_result(s);

        if (result != X509_V_OK)
                (void) snprintf(words, TLS_WORDS_MAX, "SSL certificate problem: %s",
                                X509_verify_cert_error_string(result));
        else
                (void) snprintf(words, TLS_WORDS_MAX, "TLS handshake failed: %s", reason);
}

int tls_handshake(Tls *t, SSL *s, uint32_t *ret_events, char words[static TLS_WORDS_MAX]) {
        const char *reason = NULL;
        int k, r;

        if (t->fault[0]) {
                text_copy(words, TLS_WORDS_MAX, t->fault);
                return -EIO;
        }
        ERR_clear_error();
        k = SSL_do_handshake(s);
        if (k != 1) {
                r = failure_of(s, k, ret_events, &reason);
                if (r != -EAGAIN)
                        words_of_handshake(s, reason, words);
                ERR_clear_error();
                return r;
        }
        keep_session(s);
        SSL_set_read_ahead(s, 1); /* else each record costs two recv() */
        return 0;
}

/* --- data --- */

ssize_t tls_read(SSL *s, void *p, size_t n, const char **ret_words) {
        uint32_t events;
        int k, r;

        ERR_clear_error();
        k = SSL_read(s, p, (int) MIN(n, (size_t) INT32_MAX));
        if (k > 0)
                return k;
        if (SSL_get_error(s, k) == SSL_ERROR_ZERO_RETURN)
                return 0;
        r = failure_of(s, k, &events, ret_words);
        ERR_clear_error();
        return r;
}

ssize_t tls_write(SSL *s, const void *p, size_t n, const char **ret_words) {
        uint32_t events;
        int k, r;

        ERR_clear_error();
        k = SSL_write(s, p, (int) n);
        if (k > 0)
                return k;
        r = failure_of(s, k, &events, ret_words);
        ERR_clear_error();
        return r;
}

/* What a tunnel holds behind its own TLS, nothing shows but a read. */
bool tls_has_rest(const SSL *s) {
        return SSL_has_pending(s) == 1 || SSL_get_app_data(s) == &is_tunnel;
}

bool tls_is_http2(const SSL *s) {
        const unsigned char *alpn;
        unsigned n;

        SSL_get0_alpn_selected(s, &alpn, &n);
        return n == 2 && memcmp(alpn, "h2", 2) == 0;
}

void tls_send_end(SSL *s) {
        if (!SSL_is_init_finished(s))
                return;
        ERR_clear_error();
        (void) SSL_shutdown(s);
        ERR_clear_error();
}
