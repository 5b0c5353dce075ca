/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>

#include "tls-world.h"

#define DAY (24L * 3600)

/* --- certificates --- */

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value) {
        X509_EXTENSION *e;
        X509V3_CTX c;

        X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
        e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
        assert_non_null(e);
        assert_int_equal(X509_add_ext(x, e, -1), 1);
        X509_EXTENSION_free(e);
}

Pair pair_new(const PairParams *p) {
        static long serial;
        Pair pair = { X509_new(), EVP_EC_gen("P-256") };
        X509 *issuer = p->issuer ? p->issuer->x : pair.x;
        X509_NAME *name;

        assert_non_null(pair.x);
        assert_non_null(pair.key);
        (void) X509_set_version(pair.x, 2);
        (void) ASN1_INTEGER_set(X509_get_serialNumber(pair.x), ++serial);
        (void) X509_gmtime_adj(X509_getm_notBefore(pair.x), p->from || p->to ? p->from * DAY : -DAY);
        (void) X509_gmtime_adj(X509_getm_notAfter(pair.x), p->from || p->to ? p->to * DAY : 30 * DAY);
        name = X509_get_subject_name(pair.x);
        (void) X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
                                          (unsigned char *) (uintptr_t) p->name, -1, -1, 0);
        (void) X509_set_issuer_name(pair.x, X509_get_subject_name(issuer));
        (void) X509_set_pubkey(pair.x, pair.key);
        if (p->is_ca)
                add_extension(pair.x, issuer, NID_basic_constraints, "critical,CA:TRUE");
        if (p->alt)
                add_extension(pair.x, issuer, NID_subject_alt_name, p->alt);
        assert_true(X509_sign(pair.x, p->issuer ? p->issuer->key : pair.key, EVP_sha256()) > 0);
        return pair;
}

void pair_done(Pair *p) {
        X509_free(p->x);
        EVP_PKEY_free(p->key);
        *p = (Pair){};
}

void pairs_write(const char *path, const Pair *const *pairs) {
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        for (; *pairs; pairs++)
                assert_int_equal(PEM_write_X509(f, (*pairs)->x), 1);
        assert_int_equal(fclose(f), 0);
}

/* --- the server --- */

static int on_name(SSL *ssl, int *alert _unused_, void *userdata) {
        const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        TlsServer *s = userdata;

        (void) snprintf(s->name, sizeof(s->name), "%s", name ?: "");
        return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl _unused_, const unsigned char **ret, unsigned char *ret_n,
                   const unsigned char *p, unsigned n, void *userdata) {
        const TlsServer *s = userdata;
        size_t k = strlen(s->p.alpn);

        for (unsigned i = 0; i < n; i += 1U + p[i])
                if (p[i] == k && memcmp(p + i + 1, s->p.alpn, k) == 0) {
                        *ret = p + i + 1;
                        *ret_n = p[i];
                        return SSL_TLSEXT_ERR_OK;
                }
        return SSL_TLSEXT_ERR_NOACK;
}

static void echo(SSL *ssl) {
        char buf[16384];
        int n;

        while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0)
                if (SSL_write(ssl, buf, n) != n)
                        break;
}

static void serve_tls(TlsServer *s, int fd) {
        SSL *ssl = SSL_new(s->ctx);

        assert_non_null(ssl);
        (void) SSL_set_fd(ssl, fd);
        s->name[0] = 0;
        if (SSL_accept(ssl) == 1) {
                if (SSL_session_reused(ssl))
                        s->n_resumed++;
                s->n_secured++;
                if (s->p.behaviour == TLS_GREETS)
                        (void) SSL_write(ssl, "hello", 5);
                if (s->p.behaviour != TLS_CUTS) {
                        echo(ssl);
                        (void) SSL_shutdown(ssl);
                }
        }
        SSL_free(ssl);
}

/* Until the client hangs up. */
static void wait_for_end(int fd) {
        char buf[4096];

        while (recv(fd, buf, sizeof(buf), 0) > 0)
                ;
}

static void serve(TlsServer *s, int fd) {
        static const char plain[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
        const struct linger at_once = { 1, 0 };
        char buf[4096];

        switch (s->p.behaviour) {
        case TLS_SILENT:
                wait_for_end(fd);
                break;
        case TLS_RESETS:
                (void) recv(fd, buf, 1, 0);
                (void) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
                break;
        case TLS_CLOSES:
                (void) recv(fd, buf, sizeof(buf), 0);
                break;
        case TLS_IS_NONE:
                (void) recv(fd, buf, sizeof(buf), 0);
                (void) send(fd, plain, strlen(plain), MSG_NOSIGNAL);
                (void) shutdown(fd, SHUT_WR);
                wait_for_end(fd);
                break;
        default:
                serve_tls(s, fd);
                break;
        }
}

/* OpenSSL's own writes raise SIGPIPE, which is blocked here alone: the client's must not. */
static void *run(void *userdata) {
        TlsServer *s = userdata;
        sigset_t pipe;
        int fd;

        (void) sigemptyset(&pipe);
        (void) sigaddset(&pipe, SIGPIPE);
        (void) pthread_sigmask(SIG_BLOCK, &pipe, NULL);
        while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                s->n_accepted++;
                (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
                serve(s, fd);
                (void) close(fd);
        }
        return NULL;
}

void tls_server_start(TlsServer *s, const TlsServerParams *p) {
        struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
        socklen_t n = sizeof(a);

        *s = (TlsServer){ .p = *p };
        if (p->pair) {
                s->ctx = SSL_CTX_new(TLS_server_method());
                assert_non_null(s->ctx);
                assert_int_equal(SSL_CTX_use_certificate(s->ctx, p->pair->x), 1);
                assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, p->pair->key), 1);
                if (p->chain)
                        assert_int_equal(SSL_CTX_add1_chain_cert(s->ctx, p->chain->x), 1);
                if (p->max_version)
                        (void) SSL_CTX_set_max_proto_version(s->ctx, p->max_version);
                (void) SSL_CTX_set_session_id_context(s->ctx, (const unsigned char *) "test", 4);
                (void) SSL_CTX_set_tlsext_servername_callback(s->ctx, on_name);
                (void) SSL_CTX_set_tlsext_servername_arg(s->ctx, s);
                if (p->alpn)
                        SSL_CTX_set_alpn_select_cb(s->ctx, on_alpn, s);
        }
        s->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(s->fd >= 0);
        assert_int_equal(setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 0 }, sizeof(int)), 0);
        assert_int_equal(bind(s->fd, (const struct sockaddr *) &a, sizeof(a)), 0);
        assert_int_equal(listen(s->fd, 64), 0);
        assert_int_equal(getsockname(s->fd, (struct sockaddr *) &a, &n), 0);
        s->port = ntohs(a.sin6_port);
        assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
}

void tls_server_stop(TlsServer *s) {
        (void) shutdown(s->fd, SHUT_RDWR);
        (void) pthread_join(s->thread, NULL);
        (void) close(s->fd);
        SSL_CTX_free(s->ctx);
}
