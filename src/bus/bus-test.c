/* SPDX-License-Identifier: MIT */

/*
 * TestKeys, and Test of a key. The server makes the tests; here they are queued, and the call waits for its
 * reply until the last of them has ended:
 *
 *     call → (the keys, as they are now) → up to BUS_TESTS_MAX tests at one time → the reply
 *
 * A key that a reload has removed before its turn is left out. TestKeys replies after RUN_TIME in any case,
 * with the keys that it has tested until then, so that the caller does not give up first.
 */

#include <errno.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "bus/bus-key.h"
#include "bus/bus-test.h"
#include "io/timer.h"

#define RUN_TIME (100 * USEC_PER_SEC) /* gemgatectl waits for two minutes */

typedef struct TestRow {
        struct BusTest *run;
        KeyTest *test;    /* NULL: its turn has not come, or it has ended */
        char *id, *path, *name, *mask;
        KeyTestOutcome outcome; /* these, once there is a text */
        char *text, *road;
        uint32_t spent; /* in milliseconds */
} TestRow;

typedef struct BusTest {
        List tests; /* in bus->tests */
        Bus *bus;
        sd_bus_message *call;
        bool all; /* a call of TestKeys */
        Timer *timer;
        size_t total; /* keys of the pool */
        size_t n, next, n_under_way;
        TestRow rows[];
} BusTest;

static void run_free(BusTest *t) {
        for (size_t i = 0; i < t->n; i++) {
                TestRow *row = &t->rows[i];

                if (row->test)
                        t->bus->p.test_free(row->test);
                free(row->id);
                free(row->path);
                free(row->name);
                free(row->mask);
                free(row->text);
                free(row->road);
        }
        timer_free(t->timer);
        list_unlink(&t->tests);
        sd_bus_message_unref(t->call);
        free(t);
}

void bus_tests_free(Bus *b) {
        LIST_FOREACH(i, &b->tests)
                run_free(list_entry(i, BusTest, tests));
}

/* --- the reply --- */

static int append_rows(const BusTest *t, sd_bus_message *reply) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "(ossssus)");
        for (size_t i = 0; r >= 0 && i < t->n; i++) {
                const TestRow *row = &t->rows[i];

                if (row->text)
                        r = sd_bus_message_append(reply, "(ossssus)", row->path, row->name, row->mask,
                                                  key_test_to_string(row->outcome), row->text, row->spent,
                                                  row->road);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_append(reply, "u", (uint32_t) t->total);
}

static int append_row(const TestRow *row, sd_bus_message *reply) {
        if (!row->text)
                return -ENOMEM;
        return sd_bus_message_append(reply, "ssus", key_test_to_string(row->outcome), row->text, row->spent,
                                     row->road);
}

static int reply(const BusTest *t) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(t->call, &reply);
        if (r >= 0)
                r = t->all ? append_rows(t, reply) : append_row(&t->rows[0], reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void finish(BusTest *t) {
        int r;

        r = reply(t);
        if (r < 0)
                (void) sd_bus_reply_method_errno(t->call, r, NULL);
        run_free(t);
}

/* --- the tests --- */

static void go_on(BusTest *t);

static void on_tested(const KeyTestView *v, void *userdata) {
        TestRow *row = userdata;
        BusTest *t = row->run;

        row->outcome = v->outcome;
        row->spent = (uint32_t) (v->spent / USEC_PER_MSEC);
        row->road = strdup(v->road);
        row->text = row->road ? strdup(v->text) : NULL;
        row->test = t->bus->p.test_free(row->test);
        t->n_under_way--;
        go_on(t);
}

/* By its id, which a reload may have given to no key. */
static int test_start(TestRow *row) {
        Bus *b = row->run->bus;
        PoolKey *k;

        if (pool_find_key(b->p.pool, row->id, &k) < 0 || !streq(pool_key_id(k), row->id))
                return -ENXIO;
        return b->p.test(k, on_tested, row, &row->test, b->p.userdata);
}

static void go_on(BusTest *t) {
        while (t->next < t->n && t->n_under_way < BUS_TESTS_MAX)
                if (test_start(&t->rows[t->next++]) >= 0)
                        t->n_under_way++;
        if (t->n_under_way == 0)
                finish(t);
}

static void on_due(void *userdata) {
        finish(userdata);
}

static int row_fill(TestRow *row, BusTest *t, const PoolKey *k) {
        PoolKeyView v;
        int r;

        pool_key_view(t->bus->p.pool, k, day_clock_now(), &v);
        *row = (TestRow){
                .run = t,
                .id = strdup(pool_key_id(k)),
                .name = strdup(strempty(v.name)),
                .mask = strdup(v.mask),
        };
        t->n++;
        r = bus_key_path(k, &row->path);
        return r < 0 || !row->id || !row->name || !row->mask ? -ENOMEM : 0;
}

/* Calls under way; with `all`, of TestKeys. */
static size_t n_calls(Bus *b, bool all) {
        size_t n = 0;

        LIST_FOREACH(i, &b->tests)
                n += list_entry(i, BusTest, tests)->all == all;
        return n;
}

static int test(Bus *b, sd_bus_message *m, const PoolKey *k) {
        size_t total = pool_n_keys(b->p.pool), n = k ? 1 : MIN(total, (size_t) BUS_TESTED_MAX);
        BusTest *t;
        int r = 0;

        t = calloc(1, sizeof(BusTest) + n * sizeof(TestRow));
        if (!t)
                return -ENOMEM;
        *t = (BusTest){ .bus = b, .call = sd_bus_message_ref(m), .all = !k, .total = total };
        list_init(&t->tests);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = row_fill(&t->rows[i], t, k ?: pool_key(b->p.pool, i));
        if (r >= 0 && !k)
                r = timer_new(b->p.loop, RUN_TIME, on_due, t, &t->timer);
        if (r < 0) {
                run_free(t);
                return r;
        }
        list_append(&b->tests, &t->tests);
        go_on(t);
        return 1;
}

int bus_test_keys(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        Bus *b = userdata;

        if (n_calls(b, true) > 0)
                return sd_bus_error_set(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "The keys are being tested already: wait for the end of that test.");
        return test(b, m, NULL);
}

int bus_test_key(Bus *b, sd_bus_message *m, const PoolKey *k, sd_bus_error *e) {
        if (n_calls(b, false) >= BUS_TESTS_MAX)
                return sd_bus_error_set(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Too many keys are being tested: try again.");
        return test(b, m, k);
}
