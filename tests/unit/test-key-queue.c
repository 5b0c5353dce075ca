/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <systemd/sd-event.h>

#include "server/exchange/key-queue.h"

/* Each row is a story: +a joins the line of model m, -a leaves, ! has one key free, and what is written at
 * the end is who went, in order. Capitals wait for another model. */
static const struct {
        const char *story, *gone;
} rows[] = {
        { "+a!", "a" },
        { "+a+b!!", "ab" },
        { "+a+b+c!", "a" },
        { "+a+b+c-a!", "b" },
        { "+a+b+c-b!!!", "ac" },
        { "+a+B+c!", "aB" }, /* a key of each model */
        { "+a+b-a-b!", "" },
        { "+a!+b!", "ab" },
        { "+a+b-a+a!!", "ab" }, /* a waiter whose retry failed regains its position */
        { "+a+b+c-a-b+b+a!!!", "abc" },
        { "+A+B+a+b!-b!", "AaB" },
};

typedef struct Fixture {
        Loop *loop;
        KeyQueue *line;
        KeyQueuePlace places[128];
        unsigned n_free[2];
        char gone[32];
        size_t n_gone;
} Fixture;

static Fixture *fixture;

static bool is_other(char c) {
        return c >= 'A' && c <= 'Z';
}

static void on_turn(KeyQueuePlace *p) {
        Fixture *f = fixture;
        char c = (char) (p - f->places);

        if (f->n_free[is_other(c)] == 0)
                return;
        f->n_free[is_other(c)]--;
        f->gone[f->n_gone++] = c;
        key_queue_leave(f->line, p);
}

static void on_over(KeyQueuePlace *p) {
        fixture->gone[fixture->n_gone++] = (char) (p - fixture->places);
}

static int setup(void **state _unused_) {
        static const KeyQueueOps ops = { .turn = on_turn, .over = on_over };
        Fixture *f = fixture = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        for (size_t i = 0; i < ELEMENTSOF(f->places); i++)
                f->places[i] = KEY_QUEUE_PLACE_INIT(f->places[i]);
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(key_queue_new(f->loop, &ops, &f->line), 0);
        return 0;
}

static int teardown(void **state _unused_) {
        Fixture *f = fixture;

        for (size_t i = 0; i < ELEMENTSOF(f->places); i++)
                key_queue_leave(f->line, &f->places[i]);
        key_queue_free(f->line);
        loop_free(f->loop);
        free(f);
        return 0;
}

static void turn(Fixture *f) {
        while (sd_event_run(loop_event(f->loop), 0) > 0)
                ;
}

static bool join(Fixture *f, char c, size_t bytes, usec_t frees_in, usec_t patience) {
        return key_queue_join(f->line, is_other(c) ? "other" : "model", bytes, frees_in, patience,
                         &f->places[(size_t) c]);
}

static void tell(const char *story, const char *gone) {
        Fixture *f = fixture;

        for (const char *s = story; *s; s++)
                switch (*s) {
                case '+':
                        assert_true(join(f, *++s, 1, USEC_PER_HOUR, USEC_PER_HOUR));
                        break;
                case '-':
                        s++;
                        key_queue_leave(f->line, &f->places[(size_t) *s]);
                        break;
                default:
                        f->n_free[0] = f->n_free[1] = 1;
                        key_queue_kick(f->line);
                        turn(f);
                }
        assert_string_equal(f->gone, gone);
}

static void test_order(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                tell(rows[i].story, rows[i].gone);
                teardown(state);
                setup(state);
        }
}

/* Both times are timers of the loop; the test waits for them as the daemon does. */
static void test_times(void **state _unused_) {
        Fixture *f = fixture;

        assert_true(join(f, 'a', 1, USEC_PER_MSEC, USEC_PER_HOUR));
        f->n_free[0] = 1;
        while (f->n_gone < 1)
                assert_true(sd_event_run(loop_event(f->loop), UINT64_MAX) >= 0);
        assert_string_equal(f->gone, "a");

        assert_true(join(f, 'b', 1, USEC_PER_HOUR, USEC_PER_HOUR));
        assert_true(join(f, 'c', 1, USEC_INFINITY, USEC_PER_MSEC)); /* gives up, from the middle */
        while (f->n_gone < 2)
                assert_true(sd_event_run(loop_event(f->loop), UINT64_MAX) >= 0);
        assert_string_equal(f->gone, "ac");
        assert_false(key_queue_place_is_taken(&f->places['c']));
        assert_true(key_queue_place_is_taken(&f->places['b']));
}

static Secret *secret_of(const char *text) {
        Secret *s;

        assert_int_equal(secret_new(text, strlen(text), &s), 0);
        return s;
}

static void test_ceilings(void **state _unused_) {
        static KeyQueuePlace many[KEY_QUEUE_PLACES_MAX / 3];
        Fixture *f = fixture;
        KeyQueueCounters c;

        assert_true(join(f, 'a', KEY_QUEUE_BYTES_MAX - 1, USEC_PER_HOUR, USEC_PER_HOUR));
        f->places['b'].client = secret_of("sk-another");
        assert_false(join(f, 'b', 2, USEC_PER_HOUR, USEC_PER_HOUR));
        assert_true(join(f, 'b', 1, USEC_PER_HOUR, USEC_PER_HOUR));
        key_queue_leave(f->line, &f->places['a']);
        key_queue_leave(f->line, &f->places['b']);
        assert_null(key_queue_find(f->line, "model"));

        for (size_t i = 0; i < ELEMENTSOF(many); i++) {
                many[i] = KEY_QUEUE_PLACE_INIT(many[i]);
                assert_true(key_queue_join(f->line, "model", 0, USEC_PER_HOUR, USEC_PER_HOUR, &many[i]));
        }
        /* Each counts once, however often it tries. */
        for (unsigned i = 0; i < 3; i++)
                assert_false(join(f, 'a', 0, USEC_PER_HOUR, USEC_PER_HOUR));
        key_queue_leave(f->line, &many[0]);
        assert_true(key_queue_join(f->line, "model", 0, USEC_PER_HOUR, USEC_PER_HOUR, &many[0]));
        key_queue_counters(f->line, &c);
        assert_int_equal(c.n_waiting, ELEMENTSOF(many));
        assert_int_equal(c.turned_away, 2);
        assert_int_equal(c.joined, 2 + ELEMENTSOF(many));
        for (size_t i = 0; i < ELEMENTSOF(many); i++)
                key_queue_leave(f->line, &many[i]);
        key_queue_counters(f->line, &c);
        assert_int_equal(c.n_waiting, 0);
        assert_int_equal(c.n_bytes, 0);
        secret_unref(f->places['b'].client);
}

/* Places that clients and models take, one after the other, until they get no more. */
static void test_shares(void **state _unused_) {
        static const struct {
                unsigned client;
                const char *model;
                unsigned n; /* how many it gets */
        } shares[] = {
                { 0, "one", 1024 }, /* a third of all */
                { 0, "two", 342 },
                { 0, "two", 0 },
                { 1, "one", 569 }, /* a third of what is left */
                { 1, "three", 190 },
                { 0, "three", 0 },
                { 2, "one", 316 },
        };
        static KeyQueuePlace many[KEY_QUEUE_PLACES_MAX];
        Secret *clients[] = { NULL, secret_of("sk-first"), secret_of("sk-second") };
        Fixture *f = fixture;
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(shares); i++)
                for (unsigned k = 0; k <= shares[i].n; k++) {
                        KeyQueuePlace *p = &many[n];
                        bool joined;

                        *p = KEY_QUEUE_PLACE_INIT(*p);
                        p->client = clients[shares[i].client];
                        joined = key_queue_join(f->line, shares[i].model, 0, USEC_PER_HOUR, USEC_PER_HOUR,
                                                p);
                        if (joined != (k < shares[i].n))
                                fail_msg("row %zu: %u places", i, k);
                        n += joined;
                }
        while (n > 0)
                key_queue_leave(f->line, &many[--n]);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                secret_unref(clients[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_times, setup, teardown),
                cmocka_unit_test_setup_teardown(test_ceilings, setup, teardown),
                cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
