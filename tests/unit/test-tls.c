/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "dial-world.h"
#include "fake-names.h"
#include "io/tls.h"
#include "tls-world.h"

#define SECOND (1 * USEC_PER_SEC)

static char directory[] = "/tmp/test-tls-XXXXXX";
static char roots[64], other_root[64], middle_only[64], self_file[64], no_file[64], odd[64], many[64];

/* --- certificates --- */

static Pair root, other, middle, good, below, wrong, expired, early, self_signed, address, cn_only;

static void make_path(char ret[static 64], const char *name) {
        (void) snprintf(ret, 64, "%s/%s", directory, name);
}

static void write_text(const char *path, const char *text) {
        FILE *f = fopen(path, "we");

        assert_non_null(f);
        (void) fputs(text, f);
        assert_int_equal(fclose(f), 0);
}

static int make_certificates(void **state _unused_) {
        static const FakeName names[] = { { "localhost", "127.0.0.1" }, { "LocalHost", "::1 127.0.0.1" },
                                          { "localhost.", "127.0.0.1" }, { "x.wild.test", "127.0.0.1" },
                                          { "x.y.wild.test", "127.0.0.1" } };
        const Pair *list[151] = {};

        fake_names_set(names, ELEMENTSOF(names));

        assert_non_null(mkdtemp(directory));
        root = pair_new(&(PairParams){ "Root", .is_ca = true });
        other = pair_new(&(PairParams){ "Other root", .is_ca = true });
        middle = pair_new(&(PairParams){ "Middle", .issuer = &root, .is_ca = true });
        good = pair_new(&(PairParams){ "a.test", "DNS:localhost,DNS:*.wild.test,IP:127.0.0.1,IP:::1",
                                        &root });
        below = pair_new(&(PairParams){ "localhost", "DNS:localhost", &middle });
        wrong = pair_new(&(PairParams){ "localhost", "DNS:b.test,IP:127.0.0.2", &root });
        expired = pair_new(&(PairParams){ "localhost", "DNS:localhost", &root, .from = -20, .to = -10 });
        early = pair_new(&(PairParams){ "localhost", "DNS:localhost", &root, .from = 10, .to = 20 });
        self_signed = pair_new(&(PairParams){ "localhost", "DNS:localhost,IP:127.0.0.1" });
        address = pair_new(&(PairParams){ "127.0.0.1", "DNS:127.0.0.1", &root });
        cn_only = pair_new(&(PairParams){ "localhost", .issuer = &root });

        make_path(roots, "roots.pem");
        make_path(other_root, "other.pem");
        make_path(middle_only, "middle.pem");
        make_path(self_file, "self.pem");
        make_path(many, "many.pem");
        make_path(odd, "odd.pem");
        make_path(no_file, "none.pem");
        pairs_write(roots, (const Pair *const[]){ &other, &root, NULL });
        pairs_write(other_root, (const Pair *const[]){ &other, NULL });
        pairs_write(middle_only, (const Pair *const[]){ &middle, NULL });
        pairs_write(self_file, (const Pair *const[]){ &self_signed, NULL });
        for (size_t i = 0; i + 1 < ELEMENTSOF(list); i++)
                list[i] = i == 140 ? &root : &other;
        pairs_write(many, list);
        write_text(odd, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        return 0;
}

static int drop_certificates(void **state _unused_) {
        Pair *const all[] = { &root, &other, &middle, &good, &below, &wrong, &expired, &early, &self_signed,
                              &address, &cn_only };
        const char *const files[] = { roots, other_root, middle_only, self_file, odd, many };

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                pair_done(all[i]);
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlink(files[i]);
        return rmdir(directory);
}

/* --- who is trusted --- */

static void test_certificates(void **state _unused_) {
        static const struct {
                const char *name, *host;
                const Pair *pair, *chain;
                const char *ca_file, *cause; /* NULL: it connects */
        } rows[] = {
                { "name", "localhost", &good, NULL, roots, NULL },
                { "name in other letters", "LocalHost", &good, NULL, roots, NULL },
                { "name with a dot", "localhost.", &good, NULL, roots, NULL },
                { "wildcard", "x.wild.test", &good, NULL, roots, NULL },
                { "below the wildcard", "x.y.wild.test", &good, NULL, roots,
                  "SSL certificate problem: hostname mismatch (x.y.wild.test port %u)" },
                { "IPv4", "127.0.0.1", &good, NULL, roots, NULL },
                { "IPv6", "::1", &good, NULL, roots, NULL },
                { "IPv6 in brackets", "[::1]", &good, NULL, roots, NULL },
                { "chain", "localhost", &below, &middle, roots, NULL },
                { "the middle is trusted", "localhost", &below, NULL, middle_only, NULL },
                { "the certificate itself is trusted", "localhost", &self_signed, NULL, self_file, NULL },
                { "one of many", "localhost", &good, NULL, many, NULL },
                { "chain without the middle", "localhost", &below, NULL, roots,
                  "SSL certificate problem: unable to get local issuer certificate (localhost port %u)" },
                { "wrong name", "localhost", &wrong, NULL, roots,
                  "SSL certificate problem: hostname mismatch (localhost port %u)" },
                { "wrong address", "127.0.0.1", &wrong, NULL, roots,
                  "SSL certificate problem: IP address mismatch (127.0.0.1 port %u)" },
                { "an address as a name", "127.0.0.1", &address, NULL, roots,
                  "SSL certificate problem: IP address mismatch (127.0.0.1 port %u)" },
                { "expired", "localhost", &expired, NULL, roots,
                  "SSL certificate problem: certificate has expired (localhost port %u)" },
                { "not yet valid", "localhost", &early, NULL, roots,
                  "SSL certificate problem: certificate is not yet valid (localhost port %u)" },
                { "self-signed", "localhost", &self_signed, NULL, roots,
                  "SSL certificate problem: self-signed certificate (localhost port %u)" },
                { "unknown CA", "localhost", &good, NULL, other_root,
                  "SSL certificate problem: unable to get local issuer certificate (localhost port %u)" },
                { "the system's CAs", "localhost", &good, NULL, NULL,
                  "SSL certificate problem: unable to get local issuer certificate (localhost port %u)" },
                { "no file", "localhost", &good, NULL, no_file,
                  "UPSTREAM_CA_FILE: %s: No such file or directory" },
                { "no certificate", "localhost", &good, NULL, odd,
                  "UPSTREAM_CA_FILE: %s: must be certificates in PEM" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const TlsServerParams p = { .pair = rows[i].pair, .chain = rows[i].chain };
                char cause[512] = "";
                TlsServer server;
                World w;
                Caller c;

                print_message("           %s\n", rows[i].name);
                tls_server_start(&server, &p);
                world_begin(&w, rows[i].ca_file);
                dial(&w, &c, &(DialParams){ rows[i].host, server.port, true, true, 10 * SECOND });
                wait_for_end(&w, &c);
                if (rows[i].cause && strstr(rows[i].cause, "%s"))
                        (void) snprintf(cause, sizeof(cause), "UPSTREAM_CA_FILE: %s: ", rows[i].ca_file);
                else if (rows[i].cause)
                        (void) snprintf(cause, sizeof(cause), "%.*s%u)", (int) (strlen(rows[i].cause) - 3),
                                        rows[i].cause, server.port);
                if (!rows[i].cause)
                        assert_string_equal(c.cause, "");
                else if (!startswith(c.cause, cause))
                        assert_string_equal(c.cause, cause);
                if (c.transport)
                        exchange_hello(&w, c.transport);
                hang_up(&c);
                world_done(&w);
                tls_server_stop(&server);
                if (!rows[i].cause && (strchr(rows[i].host, ':') || rows[i].host[0] == '1'))
                        assert_string_equal(server.name, ""); /* an address has no SNI */
                else if (!rows[i].cause)
                        assert_string_equal(server.name, streq(rows[i].host, "localhost.") ? "localhost" :
                                                                                             rows[i].host);
        }
}

static void test_variables(void **state _unused_) {
        static const char *const files[] = { roots, other_root, no_file };
        TlsServer server;

        tls_server_start(&server, &(TlsServerParams){ .pair = &good });
        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                World w;
                Caller c;

                assert_int_equal(setenv("SSL_CERT_FILE", files[i], 1), 0);
                world_begin(&w, NULL);
                dial(&w, &c, &(DialParams){ "localhost", server.port, true, true, 10 * SECOND });
                wait_for_end(&w, &c);
                assert_int_equal(!!c.transport, i == 0);
                hang_up(&c);
                world_done(&w);
        }
        assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
        tls_server_stop(&server);
}

static void on_loaded(TlsWait *w _unused_) {
}

/* Hosts that OpenSSL would take for any name. They have no address, either, so this asks TLS alone. */
static void test_no_host(void **state _unused_) {
        static const char *const hosts[] = { "", ".", ".test", "%lo" };
        SSL *ssl = NULL;
        TlsWait wait;
        Loop *loop;
        Tls *t;

        assert_int_equal(loop_new(&loop), 0);
        assert_int_equal(tls_new(loop, NULL, &t), 0);
        wait = TLS_WAIT_INIT(wait);
        if (tls_wait(t, &wait, on_loaded) == 0)
                while (list_is_linked(&wait.link))
                        assert_true(sd_event_run(loop_event(loop), 10 * SECOND) > 0);
        for (size_t i = 0; i < ELEMENTSOF(hosts); i++)
                assert_int_equal(tls_open(t, &(TlsParams){ .host = hosts[i], .port = 443 }, &ssl), -EINVAL);
        tls_unref(t);
        loop_free(loop);
}

static void test_check(void **state _unused_) {
        char fifo[64], empty[64];

        make_path(fifo, "fifo");
        make_path(empty, "empty");
        assert_int_equal(mkfifo(fifo, 0600), 0);
        write_text(empty, "nothing\n");
        assert_int_equal(tls_check_ca_file(roots), 0);
        assert_int_equal(tls_check_ca_file(many), 0);
        assert_int_equal(tls_check_ca_file(no_file), -ENOENT);
        assert_int_equal(tls_check_ca_file(odd), -EBADMSG);
        assert_int_equal(tls_check_ca_file(empty), -EBADMSG);
        assert_int_equal(tls_check_ca_file(fifo), -ENOTSUP);
        assert_int_equal(tls_check_ca_file(directory), -ENOTSUP);
        (void) unlink(fifo);
        (void) unlink(empty);
}

/* --- ALPN, sessions --- */

static void test_alpn(void **state _unused_) {
        static const struct {
                const char *server;
                bool offers, is_http2;
        } rows[] = {
                { "h2", true, true },       { "h2", false, false }, { "http/1.1", true, false },
                { "http/1.1", false, false }, { NULL, true, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                TlsServer server;
                World w;
                Caller c;

                tls_server_start(&server, &(TlsServerParams){ .pair = &good, .alpn = rows[i].server });
                world_begin(&w, roots);
                dial(&w, &c, &(DialParams){ "localhost", server.port, true, rows[i].offers, 10 * SECOND });
                wait_for_end(&w, &c);
                assert_non_null(c.transport);
                assert_int_equal(transport_is_http2(c.transport), rows[i].is_http2);
                hang_up(&c);
                world_done(&w);
                tls_server_stop(&server);
        }
}

static void connect_once(World *w, const char *host, uint16_t port) {
        Caller c;

        dial(w, &c, &(DialParams){ host, port, true, true, 10 * SECOND });
        wait_for_end(w, &c);
        assert_string_equal(c.cause, "");
        assert_true(c.times.resolved > 0 && c.times.connected >= c.times.resolved &&
                    c.times.secured >= c.times.connected);
        exchange_hello(w, c.transport); /* TLS 1.3 sends its tickets behind the handshake */
        hang_up(&c);
}

static void test_resumption(void **state _unused_) {
        static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

        for (size_t i = 0; i < ELEMENTSOF(versions); i++) {
                TlsServer server;
                World w;

                tls_server_start(&server, &(TlsServerParams){ .pair = &good, .max_version = versions[i] });
                world_begin(&w, roots);
                for (unsigned k = 0; k < 4; k++)
                        connect_once(&w, "localhost", server.port);
                connect_once(&w, "127.0.0.1", server.port); /* another origin */
                assert_int_equal(dialer_configure(w.dialer, &(DialerParams){ .ca_file = roots }), 0);
                connect_once(&w, "localhost", server.port); /* the CAs may be others */
                world_done(&w);
                tls_server_stop(&server);
                assert_int_equal(server.n_secured, 6);
                assert_int_equal(server.n_resumed, 3);
        }
}

static void test_old_version(void **state _unused_) {
        TlsServer server;
        World w;
        Caller c;

        tls_server_start(&server, &(TlsServerParams){ .pair = &good, .max_version = TLS1_1_VERSION });
        world_begin(&w, roots);
        dial(&w, &c, &(DialParams){ "localhost", server.port, true, true, 10 * SECOND });
        wait_for_end(&w, &c);
        assert_non_null(startswith(c.cause, "TLS handshake failed: "));
        hang_up(&c);
        world_done(&w);
        tls_server_stop(&server);
}

/* The connections that there are outlive the dialer and its sessions. */
static void test_outlives(void **state _unused_) {
        TlsServer server;
        Loop *loop;
        World w;
        Caller c;

        tls_server_start(&server, &(TlsServerParams){ .pair = &good });
        world_begin(&w, roots);
        dial(&w, &c, &(DialParams){ "localhost", server.port, true, true, 10 * SECOND });
        wait_for_end(&w, &c);
        c.dial = dial_free(c.dial);
        w.dialer = dialer_free(w.dialer);
        loop = w.loop;
        exchange_hello(&w, c.transport);
        hang_up(&c);
        loop_free(loop);
        tls_server_stop(&server);
}

/* --- servers that misbehave --- */

static void test_servers(void **state _unused_) {
        static const struct {
                TlsBehaviour behaviour;
                const char *cause;
        } rows[] = {
                { TLS_SILENT, "no TLS within CONNECT_TIMEOUT (localhost port " },
                { TLS_RESETS, "TLS handshake failed: Connection reset by peer (localhost port " },
                { TLS_CLOSES, "TLS handshake failed: the connection was closed (localhost port " },
                { TLS_IS_NONE, "TLS handshake failed: wrong version number (localhost port " },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const TlsServerParams p = { .pair = &good, .behaviour = rows[i].behaviour };
                usec_t begin = clock_monotonic();
                TlsServer server;
                World w;
                Caller c;

                tls_server_start(&server, &p);
                world_begin(&w, roots);
                dial(&w, &c, &(DialParams){ "localhost", server.port, true, true,
                                            rows[i].behaviour == TLS_SILENT ? SECOND / 10 : 10 * SECOND });
                wait_for_end(&w, &c);
                assert_null(c.transport);
                if (!startswith(c.cause, rows[i].cause))
                        assert_string_equal(c.cause, rows[i].cause);
                assert_true(rows[i].behaviour != TLS_SILENT || clock_monotonic() >= begin + SECOND / 10);
                assert_true(c.times.connected > 0 && c.times.secured == 0);
                hang_up(&c);
                world_done(&w);
                tls_server_stop(&server);
        }
}

/* --- data --- */

/* What the server sends with its handshake is in the socket, so epoll shows it. */
static void test_greeting(void **state _unused_) {
        TlsServer server;
        char buf[16];
        World w;
        Caller c;

        tls_server_start(&server, &(TlsServerParams){ .pair = &good, .behaviour = TLS_GREETS });
        world_begin(&w, roots);
        dial(&w, &c, &(DialParams){ "localhost", server.port, true, true, 10 * SECOND });
        wait_for_end(&w, &c);
        assert_false(transport_has_pending(c.transport));
        assert_int_equal(read_some(&w, c.transport, buf, 2), 2);
        assert_true(transport_has_pending(c.transport));
        assert_int_equal(read_some(&w, c.transport, buf + 2, 3), 3);
        assert_memory_equal(buf, "hello", 5);
        assert_int_equal(transport_read(c.transport, buf, 1), -EAGAIN);
        assert_false(transport_has_pending(c.transport));
        hang_up(&c);
        world_done(&w);
        tls_server_stop(&server);
}

static void test_cut(void **state _unused_) {
        TlsServer server;
        char buf[16];
        World w;
        Caller c;

        tls_server_start(&server, &(TlsServerParams){ .pair = &good, .behaviour = TLS_CUTS });
        world_begin(&w, roots);
        dial(&w, &c, &(DialParams){ "localhost", server.port, true, true, 10 * SECOND });
        wait_for_end(&w, &c);
        assert_int_equal(read_some(&w, c.transport, buf, sizeof(buf)), -EPROTO);
        assert_string_equal(transport_error(c.transport), "the connection was closed");
        hang_up(&c);
        world_done(&w);
        tls_server_stop(&server);
}

#define LOTS (16U << 20) /* more than both sockets and the server hold */

/* Pieces of all sizes, from what is left. */
static ssize_t write_pieces(Transport *t, char *p, size_t n) {
        size_t a = MIN((n % 7) * 1000, n), b = MIN((n % 5) * 4000 + 1, n - a);
        const struct iovec v[] = { { p, a }, { NULL, 0 }, { p + a, b }, { p + a + b, n - a - b } };

        return transport_write(t, v, ELEMENTSOF(v));
}

/* More than the sockets take: nothing is read before they are full. Then each turn writes and reads. */
static void test_lots(void **state _unused_) {
        _cleanup_free_ char *out = malloc(LOTS), *in = malloc(LOTS);
        size_t n_out = 0, n_in = 0, n_full = 0;
        TlsServer server;
        World w;
        Caller c;

        for (size_t i = 0; i < LOTS; i++)
                out[i] = (char) (i * 7 + i / 251);
        tls_server_start(&server, &(TlsServerParams){ .pair = &good });
        world_begin(&w, roots);
        dial(&w, &c, &(DialParams){ "localhost", server.port, true, true, 10 * SECOND });
        wait_for_end(&w, &c);
        (void) setsockopt(transport_fd(c.transport), SOL_SOCKET, SO_SNDBUF, &(int){ 1 }, sizeof(int));
        while (n_in < LOTS) {
                ssize_t k = n_out < LOTS ? write_pieces(c.transport, out + n_out, LOTS - n_out) : -EAGAIN, m;

                assert_true(k == -EAGAIN || (k > 0 && k <= 16384));
                n_full += k < 0 && n_out < LOTS;
                n_out += k > 0 ? (size_t) k : 0;
                assert_true(n_full > 0 || n_out < LOTS);
                m = n_full > 0 ? transport_read(c.transport, in + n_in, MIN(LOTS - n_in, (size_t) 20000))
                               : -EAGAIN;
                assert_true(m == -EAGAIN || m > 0);
                n_in += m > 0 ? (size_t) m : 0;
                if (k < 0 && m < 0)
                        wait_for_events(&w, c.transport, EPOLLIN | (n_out < LOTS ? EPOLLOUT : 0U));
        }
        assert_memory_equal(in, out, LOTS);
        assert_true(n_full > 0);
        hang_up(&c);
        world_done(&w);
        tls_server_stop(&server);
}

static void test_plain(void **state _unused_) {
        const struct iovec v[] = { { (char[]){ "ab" }, 2 }, { (char[]){ "c" }, 1 } };
        int fds[2];
        Transport *t, *other_end;
        char buf[16];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(transport_new(fds[0], NULL, &t), 0);
        assert_int_equal(transport_new(fds[1], NULL, &other_end), 0);
        assert_int_equal(transport_read(t, buf, sizeof(buf)), -EAGAIN);
        assert_false(transport_has_pending(t) || transport_is_http2(t));
        assert_int_equal(transport_write(t, v, 2), 3);
        assert_int_equal(transport_read(other_end, buf, sizeof(buf)), 3);
        assert_memory_equal(buf, "abc", 3);
        transport_free(t);
        assert_int_equal(transport_read(other_end, buf, sizeof(buf)), 0);
        assert_int_equal(transport_write(other_end, v, 2), -EPIPE); /* and no SIGPIPE */
        assert_string_equal(transport_error(other_end), strerrordesc_np(EPIPE));
        transport_free(other_end);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_certificates), cmocka_unit_test(test_variables),
                cmocka_unit_test(test_no_host),      cmocka_unit_test(test_check),
                cmocka_unit_test(test_alpn),         cmocka_unit_test(test_resumption),
                cmocka_unit_test(test_old_version),  cmocka_unit_test(test_outlives),
                cmocka_unit_test(test_servers),      cmocka_unit_test(test_greeting),
                cmocka_unit_test(test_cut),          cmocka_unit_test(test_lots),
                cmocka_unit_test(test_plain),
        };

        return cmocka_run_group_tests(tests, make_certificates, drop_certificates);
}
