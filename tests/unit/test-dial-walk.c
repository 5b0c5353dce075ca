/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "dial-world.h"
#include "fake-names.h"
#include "folder.h"
#include "holes.h"
#include "tls-world.h"
#include "walk.h"

/*
 * Dials of all kinds are begun, cancelled and left alone at random, in every state. Each has one end, or
 * none if it was cancelled before, and the end is one that its kind can have. At last nothing is left.
 */

static const char ca_file[] = "test-dial-walk.pem";

#define N_SLOTS 16U
#define N_STEPS 6000U

typedef enum Kind {
        KIND_GOOD,
        KIND_REFUSED,
        KIND_UNKNOWN,
        KIND_HELD,
        KIND_HOLE,
        KIND_BEHIND_HOLE,
        KIND_TLS,
        KIND_TLS_WRONG,
        KIND_TLS_SILENT,
        _KIND_MAX,
} Kind;

typedef struct Slot {
        Caller caller;
        Kind kind;
        bool is_begun, is_ended;
} Slot;

typedef struct Walk {
        World w;
        Slot slots[N_SLOTS];
        TlsServer good, wrong, silent;
        uint16_t port, closed;
        unsigned n_ends[_KIND_MAX], n_good[_KIND_MAX], n_cancelled;
        uint64_t seed;
} Walk;

static const char *const causes[_KIND_MAX] = {
        [KIND_REFUSED] = "Connection refused",
        [KIND_UNKNOWN] = "Could not resolve host: unknown.test (Name or service not known)",
        [KIND_TLS_WRONG] = "SSL certificate problem: hostname mismatch",
};

static unsigned draw(Walk *h, unsigned n) {
        h->seed = h->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned) (h->seed >> 33) % n;
}

static void begin(Walk *h, Slot *s) {
        static const usec_t timeouts[] = { 1000, 5000, 50000, 5000000 };
        const struct {
                const char *host;
                uint16_t port;
                bool tls;
        } rows[_KIND_MAX] = {
                [KIND_GOOD] = { "127.0.0.1", h->port },
                [KIND_REFUSED] = { "127.0.0.1", h->closed },
                [KIND_UNKNOWN] = { "unknown.test", 1 },
                [KIND_HELD] = { "held.test", h->port },
                [KIND_HOLE] = { "hole.test", h->port },
                [KIND_BEHIND_HOLE] = { "behind.test", h->port },
                [KIND_TLS] = { "near.test", h->good.port, true },
                [KIND_TLS_WRONG] = { "near.test", h->wrong.port, true },
                [KIND_TLS_SILENT] = { "near.test", h->silent.port, true },
        };

        *s = (Slot){ .kind = (Kind) draw(h, _KIND_MAX), .is_begun = true };
        dial(&h->w, &s->caller,
             &(DialParams){ rows[s->kind].host, rows[s->kind].port, rows[s->kind].tls, draw(h, 2) == 0,
                            timeouts[draw(h, ELEMENTSOF(timeouts))] });
}

static void check(Walk *h, Slot *s) {
        const Caller *c = &s->caller;

        assert_true(c->n_ends <= 1);
        if (c->n_ends == 0 || s->is_ended)
                return;
        s->is_ended = true;
        h->n_ends[s->kind]++;
        h->n_good[s->kind] += !!c->transport;
        if (c->transport)
                assert_true(s->kind != KIND_HOLE && s->kind != KIND_TLS_SILENT && !causes[s->kind]);
        else if (!strstr(c->cause, "within CONNECT_TIMEOUT") &&
                 !(causes[s->kind] && startswith(c->cause, causes[s->kind])))
                fail_msg("kind %d: %s", (int) s->kind, c->cause);
}

static void step(Walk *h) {
        Slot *s = &h->slots[draw(h, N_SLOTS)];

        switch (draw(h, 8)) {
        case 0:
                if (draw(h, 20) == 0)
                        fake_names_release();
                if (draw(h, 20) == 0)
                        assert_int_equal(dialer_configure(h->w.dialer, &(DialerParams){ ca_file }),
                                         0);
                break;
        case 1:
        case 2:
        case 3:
                if (!s->is_begun)
                        begin(h, s);
                break;
        case 4:
                if (s->is_begun && (s->is_ended || draw(h, 4) == 0)) {
                        h->n_cancelled += !s->is_ended;
                        hang_up(&s->caller);
                        *s = (Slot){};
                }
                break;
        default:
                turn(&h->w, draw(h, 2000));
                break;
        }
        for (size_t i = 0; i < N_SLOTS; i++)
                check(h, &h->slots[i]);
}

static void test_walk(void **state _unused_) {
        static const FakeName names[] = {
                { "held.test", "127.0.0.1", .held = true },
                { "hole.test", "127.0.0.7" },
                { "behind.test", "127.0.0.7 127.0.0.1" },
                { "near.test", "127.0.0.1" },
        };
        Pair root = pair_new(&(PairParams){ "Root", .is_ca = true });
        Pair good = pair_new(&(PairParams){ "near.test", "DNS:near.test", &root });
        Pair wrong = pair_new(&(PairParams){ "a.test", "DNS:a.test", &root });
        size_t n_fds = folder_count("/proc/self/fd");
        Walk *h = calloc(1, sizeof(Walk));
        Hole hole;
        int fd;

        assert_non_null(h);
        h->seed = walk_seed(1);
        pairs_write(ca_file, (const Pair *const[]){ &root, NULL });
        tls_server_start(&h->good, &(TlsServerParams){ .pair = &good, .alpn = "h2" });
        tls_server_start(&h->wrong, &(TlsServerParams){ .pair = &wrong });
        tls_server_start(&h->silent, &(TlsServerParams){ .behaviour = TLS_SILENT });
        fd = listen_on("::ffff:127.0.0.1", 4096, &h->port);
        hole = hole_on("::ffff:127.0.0.7", &h->port);
        h->closed = closed_port();
        fake_names_set(names, ELEMENTSOF(names));
        world_begin(&h->w, ca_file);

        for (unsigned i = 0; i < walk_steps(N_STEPS); i++) {
                int accepted;

                step(h);
                while ((accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
                        (void) close(accepted);
        }
        for (size_t i = 0; i < N_SLOTS; i++)
                hang_up(&h->slots[i].caller);
        world_done(&h->w);
        fake_names_end(3);
        tls_server_stop(&h->good);
        tls_server_stop(&h->wrong);
        tls_server_stop(&h->silent);
        hole_done(&hole);
        (void) close(fd);
        assert_int_equal(folder_count("/proc/self/fd"), n_fds);
        for (unsigned i = 0; i < _KIND_MAX; i++)
                print_message("           kind %u: %u ends, %u good\n", i, h->n_ends[i], h->n_good[i]);
        assert_true(h->n_good[KIND_GOOD] > 0 && h->n_good[KIND_TLS] > 0 && h->n_cancelled > 0);
        pair_done(&root);
        pair_done(&good);
        pair_done(&wrong);
        (void) unlink(ca_file);
        free(h);
}

int main(void) {
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
