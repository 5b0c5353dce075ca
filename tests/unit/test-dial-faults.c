/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <openssl/crypto.h>

#include "dial-world.h"
#include "fake-names.h"
#include "tls-world.h"

/*
 * One allocation after the other fails, of ours and of OpenSSL's, from the dialer's making to the end of a
 * connection. What began then fails with a reason, or does without; it never hangs, and loses nothing.
 */

static const char ca_file[] = "test-dial-faults.pem";

/* Only the test's own thread counts. */
static _Thread_local bool counts;
static unsigned n_allocations, fails_at;

static bool fails(void) {
        return counts && ++n_allocations == fails_at;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);

void *__wrap_malloc(size_t size) {
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
        return fails() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s) {
        return fails() ? NULL : __real_strdup(s);
}

static bool openssl_counts;

static void *on_malloc(size_t size, const char *file _unused_, int line _unused_) {
        return openssl_counts && fails() ? NULL : __real_malloc(size);
}

static void *on_realloc(void *p, size_t size, const char *file _unused_, int line _unused_) {
        return openssl_counts && fails() ? NULL : realloc(p, size);
}

static void on_free(void *p, const char *file _unused_, int line _unused_) {
        free(p);
}

static void once(Loop *loop, const TlsServer *server) {
        const DialParams p = { "near.test", server->port, true, true, 20 * USEC_PER_SEC };
        World w = { .loop = loop };
        Caller c = {};
        char buf[16];

        if (dialer_new(loop, &(DialerParams){ ca_file }, &w.dialer) < 0)
                return;
        if (dial_start(w.dialer, &p, on_end, &c, &c.dial) >= 0) {
                wait_for_end(&w, &c);
                assert_null(strstr(c.cause, "CONNECT_TIMEOUT"));
        }
        if (c.transport) {
                ssize_t k = transport_write(c.transport, &(struct iovec){ (char[]){ "ping" }, 4 }, 1);

                if (k > 0)
                        k = read_some(&w, c.transport, buf, sizeof(buf));
                assert_true(k == 4 || transport_error(c.transport)[0]);
        }
        hang_up(&c);
        dialer_free(w.dialer);
}

/* The loop's own allocations are in no dial. */
static unsigned each(const TlsServer *server, unsigned step) {
        unsigned n = 0;
        Loop *loop;

        assert_int_equal(loop_new(&loop), 0);
        for (fails_at = 1;; fails_at += step) {
                n_allocations = 0;
                counts = true;
                once(loop, server);
                counts = false;
                n++;
                if (n_allocations < fails_at)
                        break;
        }
        print_message("           %u of %u allocations failed\n", n - 1, n_allocations);
        loop_free(loop);
        return n_allocations;
}

static void test_faults(void **state _unused_) {
        static const FakeName names[] = { { "near.test", "127.0.0.1" } };
        Pair root = pair_new(&(PairParams){ "Root", .is_ca = true });
        Pair good = pair_new(&(PairParams){ "near.test", "DNS:near.test", &root });
        TlsServer server;

        pairs_write(ca_file, (const Pair *const[]){ &root, NULL });
        fake_names_set(names, ELEMENTSOF(names));
        tls_server_start(&server, &(TlsServerParams){ .pair = &good, .alpn = "h2" });
        assert_true(each(&server, 1) > 8);
        openssl_counts = true;
        (void) each(&server, 11);
        openssl_counts = false;
        tls_server_stop(&server);
        fake_names_end(0);
        pair_done(&root);
        pair_done(&good);
        (void) unlink(ca_file);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_faults) };

        if (CRYPTO_set_mem_functions(on_malloc, on_realloc, on_free) != 1)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
