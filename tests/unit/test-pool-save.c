/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include "base/limits.h"

/* What is noted, when it is taken, and what is deleted again: days, forgotten models, removed keys. */

static void test_urgent(void **state) {
        static const struct {
                VerdictClass class;
                PoolTable table; /* changes whose rows are written at once */
        } rows[] = {
                { VERDICT_OK, _POOL_TABLE_MAX },           { VERDICT_OVERLOAD, _POOL_TABLE_MAX },
                { VERDICT_REQUEST, _POOL_TABLE_MAX },      { VERDICT_DAY, POOL_QUOTAS },
                { VERDICT_RATE_UNKNOWN, POOL_KEY_MODELS }, { VERDICT_KEY_REFUSED, POOL_KEY_MODELS },
                { VERDICT_KEY_DEAD, POOL_KEYS },           { VERDICT_BILLING, POOL_PROJECTS },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                bool urgent = rows[i].table != _POOL_TABLE_MAX;
                bool explained = urgent; /* a row of POOL_ERRORS, too */
                World w = { .now = NOON };
                size_t written;

                world_begin(&w, four, 4);
                (void) world_save(&w, true);
                w.n_noted = w.n_urgent = 0;
                world_ask(&w, "m", rows[i].class, 0);
                assert_int_equal(w.n_urgent, urgent);
                assert_int_equal(w.n_noted, 1U + urgent); /* once, and once more for what is urgent */

                written = w.shelf.n_written;
                (void) world_save(&w, false);
                assert_int_equal(w.shelf.n_written - written, urgent + explained);
                assert_int_equal(shelf_count(&w.shelf, POOL_ERRORS), explained);
                if (urgent)
                        assert_int_equal(shelf_count(&w.shelf, rows[i].table), 1);

                /* Each thing once, however often it was noted. */
                world_ask(&w, "n", VERDICT_OK, 0);
                world_ask(&w, "n", VERDICT_OK, 0);
                (void) world_save(&w, true);
                written = w.shelf.n_written;
                (void) world_save(&w, true);
                assert_int_equal(w.shelf.n_written, written);
                world_done(&w);
        }
}

/* What is urgent does not hide that there is more. */
static void test_rest_is_told_of(void **state) {
        World w = { .now = NOON };

        world_begin(&w, four, 4);
        assert_int_equal(w.n_noted, 1); /* the secret */
        assert_int_equal(w.n_urgent, 1);
        world_ask(&w, "m", VERDICT_OK, 0);
        assert_int_equal(w.n_noted, 2);
        assert_int_equal(w.n_urgent, 1);
        world_done(&w);
}

static size_t n_gone(const Pool *p) {
        size_t n = 0;

        LIST_FOREACH(i, &p->gone)
                n++;
        return n;
}

/* Removed keys without rows are freed some at a time, and all of them. */
static void test_sweep(void **state) {
        World w = { .now = NOON };
        Rows rows = ROWS_INIT(STATE_BATCH_MAX);
        size_t n_turns = 0, before;

        world_begin(&w, four, 4);
        assert_int_equal(pool_add_many(w.pool, "AIzaSyKeyToSweep", 5000), 0);
        (void) world_save(&w, true);
        (void) world_set_keys(&w, four, 4);
        for (int more = 1; more > 0; n_turns++) {
                before = n_gone(w.pool);
                rows_clear(&rows);
                more = pool_save(w.pool, true, &rows);
                assert_in_range(before - n_gone(w.pool), 0, 1024);
        }
        assert_true(n_turns > 4);
        assert_true(list_is_empty(&w.pool->gone));
        rows_done(&rows);
        world_done(&w);
}

static void test_batches(void **state) {
        World w = { .now = NOON };
        Rows rows = ROWS_INIT(STATE_BATCH_MAX);

        /* More than one batch holds: each is bounded, and nothing is left out. */
        world_begin(&w, four, 4);
        assert_int_equal(pool_add_many(w.pool, "AIzaSyKeyOfMany", STATE_BATCH_ROWS), 0);
        (void) world_restore(&w);
        for (unsigned i = 0; i < STATE_BATCH_ROWS; i++)
                world_ask(&w, "m", VERDICT_OK, 0);
        assert_int_equal(pool_save(w.pool, true, &rows), 1);
        assert_in_range(rows.n, STATE_BATCH_ROWS, STATE_BATCH_ROWS + 8);
        for (unsigned i = 0; i < 2; i++) {
                rows_clear(&rows);
                assert_int_equal(pool_save(w.pool, true, &rows), 1);
        }
        rows_clear(&rows);
        assert_int_equal(pool_save(w.pool, true, &rows), 0);
        assert_in_range(rows.n, 1, 16);

        /* A batch that finds no room has lost nothing. */
        rows_done(&rows);
        world_ask(&w, "m", VERDICT_OK, 0);
        rows = ROWS_INIT(64);
        assert_true(pool_save(w.pool, true, &rows) < 0);
        assert_int_equal(rows.n, 0);
        rows_done(&rows);
        rows = ROWS_INIT(STATE_BATCH_MAX);
        assert_int_equal(pool_save(w.pool, true, &rows), 1);
        rows_done(&rows);
        world_done(&w);
}

/* A new day: what was counted today was counted yesterday. With the night of each kind. */
static void test_days(void **state) {
        static const struct {
                usec_t midnight; /* the day's first instant */
                unsigned hours;  /* that it lasts */
                uint32_t date, next;
        } nights[] = {
                { MIDNIGHT, 24, 20261122, 20261123 },
                { 1793516400 * USEC_PER_SEC, 25, 20261101, 20261102 }, /* the clocks go back */
                { 1805011200 * USEC_PER_SEC, 23, 20270314, 20270315 }, /* and forth */
        };

        for (size_t i = 0; i < ELEMENTSOF(nights); i++) {
                usec_t next = nights[i].midnight + nights[i].hours * USEC_PER_HOUR;
                World w = { .now = nights[i].midnight };
                char expected[256];
                _cleanup_free_ char *shown = NULL;
                PoolCounters c;

                world_begin(&w, four, 4);
                for (; w.now < next; w.now += 30 * USEC_PER_MINUTE)
                        world_ask(&w, "m", VERDICT_OK, 0);
                w.now = next - 1;
                world_ask(&w, "m", VERDICT_OVERLOAD, 0);
                world_assert_survives(&w, four, 4);

                /* The restart comes before the first request of the new day, or behind it. */
                w.now = next;
                if (i % 2)
                        world_ask(&w, "m", VERDICT_OK, 0);
                world_assert_survives(&w, four, 4);
                if (i % 2 == 0)
                        world_ask(&w, "m", VERDICT_OK, 0);
                world_assert_survives(&w, four, 4);
                pool_counters(w.pool, w.now, &c);
                assert_int_equal(c.today, 1);
                assert_int_equal(c.total, 2 * nights[i].hours + 2);

                shown = world_show(&w);
                (void) snprintf(
                        expected, sizeof(expected),
                        "day %u : %u 1 %u %u\nday %u m: %u 1 %u %u\nday %u : 1 0 10 5\nday %u m: 1 0 10 5\n",
                        nights[i].date, 2 * nights[i].hours + 1, 10 * (2 * nights[i].hours + 1),
                        5 * (2 * nights[i].hours + 1), nights[i].date, 2 * nights[i].hours + 1,
                        10 * (2 * nights[i].hours + 1), 5 * (2 * nights[i].hours + 1), nights[i].next,
                        nights[i].next);
                assert_non_null(strstr(shown, expected));
                world_done(&w);
        }
}

typedef struct ClientDays {
        char text[256];
        size_t n;
} ClientDays;

static void on_client_day(const DayRow *row, void *userdata) {
        ClientDays *d = userdata;

        if (!*row->model)
                d->n += (size_t) snprintf(d->text + d->n, sizeof(d->text) - d->n, "%u: %llu of %llu; ",
                                          row->date, (unsigned long long) row->counters.requests,
                                          (unsigned long long) row->counters.client_requests);
}

static void assert_clients(World *w, uint64_t today, uint64_t total, const char *days) {
        ClientDays d = {};
        PoolCounters c;

        pool_client_counters(w->pool, w->now, &c);
        assert_int_equal(c.today, today);
        assert_int_equal(c.total, total);
        assert_int_equal(c.errors, 0);
        pool_each_day(w->pool, 400, w->now, on_client_day, &d);
        assert_string_equal(d.text, days);
}

/* Requests of clients and attempts are counted apart: a request may be no attempt, or several. Neither count
 * falls when keys go, when a day ends, after a restart, or when the store is found later. */
static void test_clients(void **state) {
        World w = { .now = MIDNIGHT + 23 * USEC_PER_HOUR };
        unsigned before;
        Lease lease;

        world_begin(&w, four, 4);
        assert_clients(&w, 0, 0, "");
        pool_count_client(w.pool, w.now); /* no key was usable */
        assert_clients(&w, 1, 1, "20261122: 0 of 1; ");
        world_assert_survives(&w, four, 4);
        world_ask(&w, "m", VERDICT_OK, 0);
        lease = world_pick(&w, "m"); /* a second attempt */
        pool_report(w.pool, &lease, &(const Verdict){ .class = VERDICT_OVERLOAD }, NULL, w.now);
        assert_clients(&w, 2, 2, "20261122: 2 of 2; ");
        (void) world_set_keys(&w, four, 0);
        world_assert_survives(&w, four, 0);
        assert_clients(&w, 2, 2, "20261122: 2 of 2; ");

        /* A new day, first with nothing but a request without a key. */
        w.now = MIDNIGHT + USEC_PER_DAY;
        assert_clients(&w, 0, 2, "20261122: 2 of 2; ");
        world_restart(&w, four, 4);
        assert_clients(&w, 0, 2, "20261122: 2 of 2; ");
        before = w.n_noted;
        pool_count_client(w.pool, w.now);
        assert_true(w.n_noted > before); /* the state writer takes it without another reason */
        world_assert_survives(&w, four, 4);
        assert_clients(&w, 1, 3, "20261122: 2 of 2; 20261123: 0 of 1; ");
        assert_int_equal(shelf_count(&w.shelf, POOL_CLIENT_TOTAL), 1);
        assert_int_equal(shelf_count(&w.shelf, POOL_CLIENT_DAYS), 2);

        /* The store cannot be read at first: what was counted meanwhile is added. */
        world_end(&w);
        world_begin_unread(&w, four, 4);
        world_ask(&w, "m", VERDICT_OK, 0);
        assert_clients(&w, 1, 1, "20261123: 1 of 1; ");
        assert_int_equal(world_restore(&w), 0);
        assert_clients(&w, 2, 4, "20261122: 2 of 2; 20261123: 1 of 2; ");
        world_assert_survives(&w, four, 4);

        /* The days that are dropped go from both tables. */
        pool_keep_days(w.pool, 1);
        (void) world_save(&w, true);
        assert_int_equal(shelf_count(&w.shelf, POOL_CLIENT_DAYS), 1);
        assert_clients(&w, 2, 4, "20261123: 1 of 2; ");
        world_assert_survives(&w, four, 4);
        world_done(&w);
}

static void ask_missing(World *w, const char *model) {
        Lease lease = world_pick(w, model);
        Verdict v;

        verdict_init(&v, VERDICT_REQUEST, 404, "models/x is not found for API version v1beta.");
        pool_report(w->pool, &lease, &v, NULL, w->now);
}

static void on_missing(const PoolModelView *v, void *userdata) {
        char *text = userdata;

        (void) snprintf(text + strlen(text), 64 - strlen(text), "%s %zu%s; ", v->name, v->usable_keys,
                        v->missing ? " missing" : "");
}

static void assert_missing(World *w, const char *expected) {
        char text[64] = "";

        pool_each_model(w->pool, w->now, on_missing, text);
        assert_string_equal(text, expected);
        world_assert_survives(w, four, 4);
        text[0] = 0;
        pool_each_model(w->pool, w->now, on_missing, text);
        assert_string_equal(text, expected);
}

/* A model that Google does not know has no usable key until it answers. For one that has answered it takes
 * three refusals. No key is blamed. */
static void test_missing_models(void **state) {
        World w = { .now = NOON };
        PoolKeyView v;

        world_begin(&w, four, 4);
        world_ask(&w, "b", VERDICT_OVERLOAD, 0);
        assert_missing(&w, "b 4; ");
        ask_missing(&w, "a");
        assert_missing(&w, "b 4; a 0 missing; ");
        pool_key_view(w.pool, pool_key(w.pool, 0), w.now, &v);
        assert_int_equal(v.state, POOL_USABLE);
        world_ask(&w, "a", VERDICT_OVERLOAD, 0); /* proves nothing */
        assert_missing(&w, "b 4; a 0 missing; ");
        world_ask(&w, "a", VERDICT_OK, 0);
        assert_missing(&w, "b 4; a 4; ");
        for (unsigned i = 0; i < 2; i++)
                ask_missing(&w, "a");
        assert_missing(&w, "b 4; a 4; ");
        ask_missing(&w, "a");
        assert_missing(&w, "b 4; a 0 missing; ");
        world_done(&w);
}

static void test_retention(void **state) {
        World w = { .now = NOON };

        world_begin(&w, four, 4);
        pool_keep_days(w.pool, 30);
        for (unsigned day = 0; day < 50; day++, w.now += USEC_PER_DAY)
                world_ask(&w, "m", VERDICT_OK, 0);
        w.now -= USEC_PER_DAY;
        assert_int_equal(world_days(&w, 4000), 60); /* the day as a whole, and the model */
        assert_int_equal(world_days(&w, 1), 2);
        assert_int_equal(world_days(&w, 7), 14);
        (void) world_save(&w, true);
        assert_int_equal(shelf_count(&w.shelf, POOL_DAYS), 60);

        pool_keep_days(w.pool, 10);
        (void) world_save(&w, true);
        assert_int_equal(shelf_count(&w.shelf, POOL_DAYS), 20);
        world_assert_survives(&w, four, 4);
        world_done(&w);
}

/* A clock that is years ahead for one request, and for one start, deletes no day and hides its own. */
static void test_wrong_clock(void **state) {
        World w = { .now = NOON };
        _cleanup_free_ char *before = NULL, *after = NULL, *restarted = NULL;

        w.keep_days = 30;
        world_begin(&w, four, 4);
        for (unsigned day = 0; day < 4; day++, w.now += USEC_PER_DAY)
                world_ask(&w, "m", VERDICT_OK, 0);
        w.now -= USEC_PER_DAY;
        (void) world_save(&w, true);
        assert_int_equal(world_days(&w, 4000), 8);

        w.now += 1461 * USEC_PER_DAY;
        world_ask(&w, "m", VERDICT_OK, 0);
        (void) world_save(&w, true);
        world_restart(&w, four, 1);
        (void) world_save(&w, true);
        w.now -= 1461 * USEC_PER_DAY;
        assert_int_equal(world_days(&w, 4000), 8);
        (void) world_save(&w, true);
        world_restart(&w, four, 4);
        assert_int_equal(world_days(&w, 4000), 8);
        before = world_show(&w);
        assert_null(strstr(before, "2030"));

        /* Today's count goes on. */
        world_ask(&w, "m", VERDICT_OK, 0);
        after = world_show(&w);
        assert_non_null(strstr(after, "day 20261125 m: 2 0 20 10"));
        (void) world_save(&w, true);
        world_restart(&w, four, 4);
        restarted = world_show(&w);
        assert_non_null(strstr(restarted, "day 20261125 m: 2 0 20 10"));
        world_done(&w);
}

/* A request that was cancelled before it was sent is not counted, not even in a day's total. */
static void test_unsent(void **state) {
        World w = { .now = NOON };
        _cleanup_free_ char *after = NULL;
        PoolCounters c;
        Verdict v;

        world_begin(&w, four, 4);
        world_ask(&w, "m", VERDICT_OK, 0);
        verdict_init(&v, VERDICT_CLIENT_GONE, 0, NULL);
        for (unsigned sent = 0; sent < 2; sent++) {
                Lease lease = world_pick(&w, "m");

                lease.unsent = !sent;
                pool_report(w.pool, &lease, &v, NULL, w.now);
                pool_counters(w.pool, w.now, &c);
                assert_int_equal(c.total, 1 + sent);
                assert_int_equal(c.today, 1 + sent);
        }

        /* One of yesterday stays counted there. */
        {
                Lease lease = world_pick(&w, "m");

                w.now += USEC_PER_DAY;
                lease.unsent = true;
                pool_report(w.pool, &lease, &v, NULL, w.now);
                pool_counters(w.pool, w.now, &c);
                assert_int_equal(c.total, 3);
                assert_int_equal(c.today, 0);
        }
        after = world_show(&w);
        assert_non_null(strstr(after, "day 20261122 m: 3 "));
        world_done(&w);
}

/* Names that clients invent come and go, and so do their rows. */
static void test_forgotten_models(void **state) {
        World w = { .now = NOON };
        char name[32];

        world_begin(&w, four, 4);
        world_ask(&w, "real", VERDICT_OK, 0);
        for (unsigned i = 0; i < 2 * MODELS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "invented-%u", i);
                world_ask(&w, name, VERDICT_REQUEST, 0);
                if (i % 7 == 0)
                        (void) world_save(&w, true);
        }
        (void) world_save(&w, true);
        assert_int_equal(shelf_count(&w.shelf, POOL_MODELS), MODELS_MAX);
        assert_int_equal(shelf_count(&w.shelf, POOL_KEY_MODELS), MODELS_MAX);
        assert_int_equal(shelf_count(&w.shelf, POOL_DAYS), 2); /* "" and "real" */
        world_assert_survives(&w, four, 4);

        /* A forgotten model that is used again before the store has deleted it stays. */
        world_ask(&w, "invented-0", VERDICT_REQUEST, 0);
        (void) world_save(&w, true);
        for (unsigned i = 1; i <= MODELS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "again-%u", i);
                world_ask(&w, name, VERDICT_REQUEST, 0);
        }
        world_ask(&w, "invented-0", VERDICT_REQUEST, 0);
        world_assert_survives(&w, four, 4);
        world_done(&w);
}

/* Removed keys: their rows stay, the results of their last requests are written, and they come back with
 * both. */
static void test_keys_come_and_go(void **state) {
        World w = { .now = NOON };
        PoolCounters c;
        PoolKeyView v;
        Lease lease;
        Verdict ok;

        world_begin(&w, four, 4);
        for (unsigned i = 0; i < 8; i++)
                world_ask(&w, "m", VERDICT_OK, 0);
        lease = world_pick(&w, "m"); /* the first's */
        (void) world_save(&w, true);
        (void) world_set_keys(&w, four + 1, 3);
        (void) world_save(&w, true);
        verdict_init(&ok, VERDICT_OK, 200, NULL);
        pool_report(w.pool, &lease, &ok, &(const Usage){ .prompt = 1000 }, w.now);
        assert_false(list_is_empty(&w.pool->gone));
        (void) world_save(&w, true);
        assert_true(list_is_empty(&w.pool->gone));

        /* A restart without it: it counts in all that was ever served. */
        world_restart(&w, four + 1, 3);
        pool_counters(w.pool, w.now, &c);
        assert_int_equal(c.total, 9);
        assert_true(pool_is_restored(w.pool));

        /* And by a reload it is there again. */
        (void) world_set_keys(&w, four, 4);
        assert_false(pool_is_restored(w.pool));
        assert_int_equal(world_restore(&w), 0);
        assert_true(pool_is_restored(w.pool));
        pool_key_view(w.pool, pool_key(w.pool, 0), w.now, &v);
        assert_int_equal(v.counters.total, 3);
        assert_int_equal(v.counters.tokens_in, 1020);
        assert_int_equal(v.state, POOL_USABLE);
        pool_counters(w.pool, w.now, &c);
        assert_int_equal(c.total, 9); /* not twice */
        world_assert_survives(&w, four, 4);

        /* Removed and added again before the rows of the removed one were taken: the new one's rows win. */
        lease = world_pick(&w, "m");
        (void) world_save(&w, true);
        (void) world_set_keys(&w, four, 0);
        (void) world_set_keys(&w, four, 4);
        assert_int_equal(world_restore(&w), 0);
        for (unsigned i = 0; i < 8; i++)
                world_ask(&w, "m", VERDICT_OK, 0);
        pool_report(w.pool, &lease, &ok, NULL, w.now);
        world_assert_survives(&w, four, 4);
        world_done(&w);
}

static const PoolTable of_somebody[] = {
        POOL_KEYS, POOL_KEY_PROJECTS, POOL_KEY_MODELS, POOL_PROJECTS, POOL_QUOTAS, POOL_CEILINGS,
};

static size_t rows_of_somebody(const World *w) {
        size_t n = 0;

        for (size_t i = 0; i < ELEMENTSOF(of_somebody); i++)
                n += shelf_count(&w->shelf, of_somebody[i]);
        return n;
}

/* Each day a request; the last day is the present one. */
static void pass_days(World *w, unsigned n) {
        for (unsigned i = 0; i < n; i++) {
                w->now += USEC_PER_DAY;
                world_ask(w, "m", VERDICT_OK, 0);
        }
        (void) world_save(w, true);
}

/* Keys and projects that are not configured keep their rows for as many counted days as are kept; what is
 * configured keeps them for good, used or not; and the days and sums have nothing to do with it. */
static void test_absent(void **state) {
        static const KeyRow of_a_project[] = {
                { "AIzaSyKeyOfAProject-0001", "a", "gone", false },
                { "AIzaSyKeyOfItsOwn-000002", "b", NULL, false },
                { "AIzaSyKeyNeverUsed-00003", "c", NULL, false },
                { "AIzaSyKeyThatStays-00004", "d", NULL, false },
        };
        const KeyRow b_and_d[] = { of_a_project[1], of_a_project[3] };
        World w = { .now = NOON };
        PoolCounters c;
        PoolKeyView v;
        size_t all;

        w.keep_days = 30;
        world_begin(&w, of_a_project, 4);
        world_ask(&w, "m", VERDICT_OK, 0);
        world_ask(&w, "m", VERDICT_OK, 0);
        world_ask(&w, "n", VERDICT_DAY, 0);
        (void) pool_set_disabled(w.pool, (PoolKey *) pool_key(w.pool, 2), true, w.now);
        world_restart(&w, of_a_project, 4);

        /* One of them stays. The others wait… */
        (void) world_set_keys(&w, of_a_project + 3, 1);
        pass_days(&w, 1);
        all = rows_of_somebody(&w);
        assert_in_range(all, 8, 40);
        pass_days(&w, 28);
        world_restart(&w, of_a_project + 3, 1);
        (void) world_save(&w, true);
        assert_int_equal(rows_of_somebody(&w), all);
        w.now += 1000 * USEC_PER_DAY; /* the clock alone deletes nothing */
        world_restart(&w, of_a_project + 3, 1);
        (void) world_save(&w, true);
        assert_int_equal(rows_of_somebody(&w), all);
        w.now -= 1000 * USEC_PER_DAY;
        world_restart(&w, of_a_project + 3, 1);

        /* …one comes back, and the others are forgotten. */
        (void) world_set_keys(&w, of_a_project + 1, 3);
        assert_int_equal(world_restore(&w), 0);
        pool_key_view(w.pool, pool_key(w.pool, 0), w.now, &v);
        assert_int_equal(v.counters.total, 1);
        world_restart(&w, b_and_d, 2);
        pass_days(&w, 2);
        world_restart(&w, b_and_d, 2);
        (void) world_save(&w, true);
        for (size_t i = 0; i < w.shelf.n; i++) {
                Row row = shelf_row(&w.shelf, i);

                for (size_t j = 0; j < ELEMENTSOF(of_somebody); j++)
                        if (row.table == of_somebody[j])
                                assert_false(row.values[0].type == ROW_TEXT); /* the project is gone */
        }
        assert_int_equal(shelf_count(&w.shelf, POOL_KEYS), 2);
        (void) world_set_keys(&w, of_a_project + 1, 1);
        pass_days(&w, 31);
        world_restart(&w, of_a_project + 1, 1);
        (void) world_save(&w, true);
        assert_int_equal(shelf_count(&w.shelf, POOL_KEYS), 1);
        pool_counters(w.pool, w.now, &c);
        assert_int_equal(c.total, 3 + 29 + 2 + 31);
        world_done(&w);
}

/* However many they are, each batch has some of them. */
static void test_many_absent(void **state) {
        World w = { .now = NOON };
        PoolRestore *r;
        size_t n = 0;

        w.keep_days = 1;
        world_begin(&w, four, 1);
        world_ask(&w, "m", VERDICT_OK, 0);
        (void) world_save(&w, true);
        assert_int_equal(pool_restore_begin(w.pool, w.now, &r), 0);
        for (unsigned i = 0; i < 1000; i++) {
                uint8_t digest[DIGEST_KEYED_SIZE] = { (uint8_t) i, (uint8_t) (i >> 8), 1 };
                RowValue v[] = { row_blob(digest, sizeof(digest)), row_text("projects/7") };

                assert_int_equal(pool_restore_row(r, POOL_KEY_PROJECTS, v, ELEMENTSOF(v)), 0);
        }
        assert_int_equal(pool_restore_end(r), 0);
        for (int more = 1; more;) {
                Rows rows = ROWS_INIT(STATE_BATCH_MAX);
                size_t at = 0, m = 0;
                Row row;

                more = pool_save(w.pool, true, &rows);
                assert_in_range(more, 0, 1);
                while (rows_next(&rows, &at, &row))
                        m += row.verb == ROW_FORGET_EQUAL && row.table == POOL_KEYS;
                assert_in_range(m, 0, 256);
                n += m;
                rows_done(&rows);
        }
        assert_int_equal(n, 1000);
        world_done(&w);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_urgent),           cmocka_unit_test(test_rest_is_told_of),
                cmocka_unit_test(test_batches),
                cmocka_unit_test(test_sweep),          cmocka_unit_test(test_days),
                cmocka_unit_test(test_clients),        cmocka_unit_test(test_missing_models),
                cmocka_unit_test(test_retention),        cmocka_unit_test(test_forgotten_models),
                cmocka_unit_test(test_unsent),
                cmocka_unit_test(test_wrong_clock),
                cmocka_unit_test(test_keys_come_and_go), cmocka_unit_test(test_absent),
                cmocka_unit_test(test_many_absent),
        };

        return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
