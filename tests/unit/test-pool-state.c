/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include "core/health.h"

/* That a restart changes nothing, and what comes of rows that are not as they should be. */

static void test_empty(void **state) {
        World w = { .now = NOON };

        world_begin(&w, four, 4);
        world_assert_survives(&w, four, 4);
        assert_int_equal(shelf_count(&w.shelf, POOL_META), 1);
        assert_int_equal(w.shelf.n, 1); /* of keys that were never used nothing is written */
        world_done(&w);
}

static void test_everything_survives(void **state) {
        static const VerdictClass classes[] = {
                VERDICT_OK,
                VERDICT_DAY,
                VERDICT_MINUTE,
                VERDICT_RATE_UNKNOWN,
                VERDICT_LIMIT_ZERO,
                VERDICT_KEY_DEAD,
                VERDICT_BILLING,
                VERDICT_PROJECT_DEAD,
                VERDICT_KEY_REFUSED,
                VERDICT_OVERLOAD,
                VERDICT_MODEL_FOR_PROJECT,
        };

        /* Each alone, and after it some time in which waits pass and probes go. */
        for (size_t i = 0; i < ELEMENTSOF(classes); i++) {
                World w = { .now = NOON };

                world_begin(&w, four, 4);
                world_ask(&w, "m", classes[i], 0);
                world_assert_survives(&w, four, 4);
                for (unsigned j = 0; j < 40; j++) {
                        PoolRefusal refusal;
                        Lease lease;

                        w.now += 47 * USEC_PER_SEC;
                        if (pool_pick(w.pool, j % 3 ? "m" : "n", NULL, 0, w.now, &lease, &refusal) == 0) {
                                Verdict v;

                                verdict_init(&v, j % 2 ? classes[i] : VERDICT_OK, 429, NULL);
                                pool_report(w.pool, &lease, &v, NULL, w.now);
                        }
                        world_assert_survives(&w, four, 4);
                }
                world_done(&w);
        }
}

/* The ladder goes on where it was: the third finding of a spent quota waits as the third. */
static void test_strikes_survive(void **state) {
        World w = { .now = NOON };
        PoolRefusal refusal = {};
        Lease lease;

        world_begin(&w, four, 1);
        for (unsigned i = 0; i < 3; i++) {
                world_ask(&w, "m", VERDICT_DAY, 0);
                assert_int_equal(pool_pick(w.pool, "m", NULL, 0, w.now, &lease, &refusal), POOL_E_EXHAUSTED);
                world_restart(&w, four, 1);
                if (i < 2)
                        w.now = refusal.available_at;
        }
        assert_int_equal(refusal.available_at, w.now + 5 * USEC_PER_MINUTE);
        world_done(&w);
}

/* A probe that was out when the end came is out no more. */
static void test_probe_is_forgotten(void **state) {
        World w = { .now = NOON };
        Lease lease;

        world_begin(&w, four, 1);
        world_ask(&w, "m", VERDICT_MINUTE, 0);
        w.now += 2 * USEC_PER_MINUTE;
        lease = world_pick(&w, "m");
        assert_int_not_equal(lease.slot->bucket->quota->breaker.probe, 0);
        world_restart(&w, four, 1);
        world_ask(&w, "m", VERDICT_OK, 0);
        world_done(&w);
}

static bool is_disabled(World *w, size_t i) {
        PoolKeyView v;

        pool_key_view(w->pool, pool_key(w->pool, i), w->now, &v);
        return v.state == POOL_DISABLED;
}

/* What an administrator wanted holds until the configuration changes its mind, over a restart or a reload.
 */
static void test_disabled(void **state) {
        static const struct {
                bool configured, wanted, configured_then, expected;
        } rows[] = {
                { false, false, false, false }, { false, true, false, true }, { true, false, true, false },
                { true, true, true, true },     { false, true, true, true },  { true, false, false, false },
                { false, false, true, true },   { true, true, false, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                KeyRow before = { "AIzaSyKeyNumberOne-0001", "one", NULL, rows[i].configured },
                       after = before;
                World w = { .now = NOON };
                PoolKey *k;

                after.disabled = rows[i].configured_then;
                world_begin(&w, &before, 1);
                assert_int_equal(pool_find_key(w.pool, "one", &k), 0);
                (void) pool_set_disabled(w.pool, k, rows[i].wanted, w.now);
                (void) world_save(&w, false); /* it is urgent */
                world_end(&w);
                world_begin(&w, &after, 1);
                assert_int_equal(is_disabled(&w, 0), rows[i].expected);

                /* It has changed its mind twice: what he wanted is over, although it says what it said then.
                 */
                if (rows[i].configured_then != rows[i].configured) {
                        world_restart(&w, &before, 1);
                        assert_int_equal(is_disabled(&w, 0), rows[i].configured);
                }
                world_done(&w);
        }
}

/* A store that is there late: what was counted meanwhile is added. */
static void test_late(void **state) {
        World w = { .now = NOON };
        PoolCounters c;

        world_begin(&w, four, 4);
        for (unsigned i = 0; i < 5; i++)
                world_ask(&w, "m", VERDICT_OK, 0);
        (void) world_save(&w, true);
        world_end(&w);

        world_begin_unread(&w, four, 4);
        for (unsigned i = 0; i < 3; i++)
                world_ask(&w, "m", VERDICT_OK, 0);
        assert_int_equal(world_restore(&w), 0);
        pool_counters(w.pool, w.now, &c);
        assert_int_equal(c.total, 8);
        assert_int_equal(c.today, 8);
        assert_int_equal(world_days(&w, 1), 2);
        {
                _cleanup_free_ char *shown = world_show(&w);

                assert_non_null(strstr(shown, "day 20261122 : 8 0 80 40\n"));
                assert_non_null(strstr(shown, "day 20261122 m: 8 0 80 40\n"));
                assert_non_null(strstr(shown, "model m: 4 4 4, 8/8 "));
        }
        world_assert_survives(&w, four, 4);
        world_done(&w);
}

/* Rows of anything: passed over, and never more than the pool itself would do. */
static void test_senseless(void **state) {
        World w = { .now = NOON };
        PoolRestore *r;
        PoolKey *k;
        RowValue v[ROW_COLUMNS_MAX];

        world_begin(&w, four, 1);
        world_ask(&w, "m", VERDICT_KEY_DEAD, 0);
        (void) world_save(&w, true);
        world_end(&w);

        for (size_t i = 0; i < w.shelf.n; i++) {
                Row row = shelf_row(&w.shelf, i);
                Rows changed = ROWS_INIT(65536);

                if (row.table == POOL_META)
                        continue;
                /* All numbers as large as they can be. */
                for (unsigned j = 0; j < row.n; j++)
                        if (row.values[j].type == ROW_INT)
                                row.values[j].integer = INT64_MAX;
                rows_put(&changed, row.table, row.values, row.n);
                rows_done(&w.shelf.kept[i].row);
                w.shelf.kept[i].row = changed;
        }
        world_begin(&w, four, 1);
        k = w.pool->keys[0];
        assert_int_equal(k->breaker.until, NOON + HEALTH_DEATH_WAIT);
        assert_int_equal(k->breaker.since, NOON);
        assert_true(k->tally.counters.last_used <= NOON);
        assert_int_equal(k->tally.counters.today, 0);

        assert_int_equal(pool_restore_begin(w.pool, w.now, &r), 0);
        for (unsigned i = 0; i < ROW_COLUMNS_MAX; i++)
                v[i] = row_int(1);
        for (PoolTable t = 0; t < _POOL_TABLE_MAX; t++)
                for (unsigned n = 0; n <= ROW_COLUMNS_MAX; n++)
                        assert_int_equal(pool_restore_row(r, t, v, n), 0);
        assert_int_equal(pool_restore_end(r), _POOL_TABLE_MAX * (ROW_COLUMNS_MAX + 1));
        world_done(&w);
}

/* The digest is the first half of HMAC-SHA256, as openssl says it. */
static void test_digest(void **state) {
        static const uint8_t expected[DIGEST_KEYED_SIZE] = {
                0x57, 0xc0, 0x86, 0xad, 0xbb, 0xcc, 0x8b, 0xa5,
                0x4b, 0x93, 0x3c, 0x83, 0x34, 0x53, 0x73, 0x90,
        };
        static const uint8_t other[DIGEST_KEY_SIZE] = { 1 };
        _cleanup_(digester_freep) Digester *a = NULL, *b = NULL;
        _cleanup_(secret_unrefp) Secret *s = NULL;
        uint8_t key[DIGEST_KEY_SIZE], x[DIGEST_KEYED_SIZE], y[DIGEST_KEYED_SIZE];

        memset(key, 0x0b, sizeof(key));
        assert_int_equal(digester_new(key, &a), 0);
        assert_int_equal(digester_new(other, &b), 0);
        assert_int_equal(secret_new("HiThere", 7, &s), 0);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(digester_secret(a, s, x), 0);
                assert_memory_equal(x, expected, sizeof(x));
        }
        assert_int_equal(digester_secret(b, s, y), 0);
        assert_memory_not_equal(x, y, sizeof(x));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),           cmocka_unit_test(test_everything_survives),
                cmocka_unit_test(test_strikes_survive), cmocka_unit_test(test_probe_is_forgotten),
                cmocka_unit_test(test_disabled),        cmocka_unit_test(test_late),
                cmocka_unit_test(test_senseless),       cmocka_unit_test(test_digest),
        };

        return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
