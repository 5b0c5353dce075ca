/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include "base/text.h"
#include "core/judgement.h"

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

/* The ladder goes on where it was: the third refusal of a spent quota waits as the third. */
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

/* Money and quota are refused in turns: the breaker that was let through meanwhile is closed, and knows how
 * far it had come; an answer makes it forget, over a restart as without one. */
static void test_closed_ladder_survives(void **state) {
        static const struct {
                VerdictClass class;
                unsigned minutes; /* until the next */
        } steps[] = {
                { VERDICT_BILLING, 2 },   { VERDICT_BILLING, 6 },  { VERDICT_BILLING, 16 },
                { VERDICT_TOO_LARGE, 1 }, { VERDICT_BILLING, 65 }, { VERDICT_DAY, 125 },
                { VERDICT_BILLING, 245 }, { VERDICT_OK, 1 },       { VERDICT_BILLING, 2 },
        };
        usec_t until[2][ELEMENTSOF(steps)];

        for (unsigned restarting = 0; restarting < 2; restarting++) {
                World w = { .now = MIDNIGHT + USEC_PER_MINUTE };

                world_begin(&w, four, 1);
                for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                        const PoolKey *k;

                        world_ask(&w, "m", steps[i].class, 0);
                        if (restarting)
                                world_restart(&w, four, 1);
                        k = pool_key(w.pool, 0);
                        until[restarting][i] = k->project->breaker.until;
                        LIST_FOREACH(j, &k->project->buckets)
                                until[restarting][i] +=
                                        list_entry(j, PoolBucket, by_project)->quota->breaker.until;
                        w.now += steps[i].minutes * USEC_PER_MINUTE;
                }
                world_done(&w);
        }
        assert_memory_equal(until[0], until[1], sizeof(until[0]));
        assert_int_equal(until[0][4],
                         MIDNIGHT + 41 * USEC_PER_MINUTE); /* the third rung, though it was closed */
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

                /* The configuration changed and changed back: the administrator's choice stays void. */
                if (rows[i].configured_then != rows[i].configured) {
                        world_restart(&w, &before, 1);
                        assert_int_equal(is_disabled(&w, 0), rows[i].configured);
                }
                world_done(&w);
        }
}

typedef struct Saying {
        const char *consumer, *model;
        CeilingKind kind;
        uint64_t ceiling;
} Saying;

static bool ask_told(World *w, const char *model, VerdictClass class, Saying say) {
        Lease lease;
        Verdict v;

        if (pool_pick(w->pool, model, NULL, 0, w->now, &lease, NULL) != 0)
                return false;
        verdict_init(&v, class, 429, NULL);
        (void) snprintf(v.consumer, sizeof(v.consumer), "%s", strempty(say.consumer));
        (void) snprintf(v.model, sizeof(v.model), "%s", strempty(say.model));
        v.ceilings[say.kind] = say.ceiling;
        pool_report(w->pool, &lease, &v, NULL, w->now);
        return true;
}

static const PoolBucket *bucket_of(World *w, size_t key, const char *model) {
        const PoolKey *k = pool_key(w->pool, key);

        LIST_FOREACH(i, &k->project->buckets) {
                const PoolBucket *b = list_entry(i, PoolBucket, by_project);

                if (streq(b->model->name, model))
                        return b;
        }
        return NULL;
}

/* Projects of keys: their quota is found after the restart, and the configuration wins. */
static void test_learned_projects(void **state) {
        KeyRow rows[] = {
                { "AIzaSyKeyNumberOne-0001", "one" },
                { "AIzaSyKeyNumberTwo-0002", "two" },
                { "AIzaSyKeyNumberThree-03", "three", "p" },
        };
        World w = { .now = NOON };

        world_begin(&w, rows, 3);
        for (unsigned i = 0; i < 3; i++)
                assert_true(ask_told(&w, "m", VERDICT_DAY, (Saying){ .consumer = "projects/1" }));
        (void) world_save(&w, false); /* it is urgent */
        assert_int_equal(shelf_count(&w.shelf, POOL_KEY_PROJECTS), 3);
        world_assert_survives(&w, rows, 3);
        assert_ptr_equal(pool_key(w.pool, 0)->project, pool_key(w.pool, 1)->project);
        assert_string_equal(pool_key(w.pool, 0)->project->name, "projects/1");
        assert_int_not_equal(bucket_of(&w, 0, "m")->quota->breaker.until, 0);
        assert_string_equal(pool_key(w.pool, 2)->project->name, "p");

        /* A key that is removed and added again is in its project again, and so is one without a configured
         * project. */
        (void) world_save(&w, true);
        (void) world_set_keys(&w, rows, 1);
        (void) world_save(&w, true);
        rows[2].project = NULL;
        (void) world_set_keys(&w, rows, 3);
        assert_int_equal(world_restore(&w), 0);
        assert_int_equal(pool_key(w.pool, 0)->project->n_keys, 3);
        world_assert_survives(&w, rows, 3);

        rows[0].project = "mine";
        world_restart(&w, rows, 3);
        assert_string_equal(pool_key(w.pool, 0)->project->name, "mine");
        world_done(&w);
}

/* A project that was learned while the daemon ran is read from the store once, when it is new. */
static void test_learned_is_not_read_twice(void **state) {
        World w = { .now = NOON };

        world_begin(&w, four, 2);
        world_ask(&w, "m", VERDICT_OK, 0);
        world_ask(&w, "m", VERDICT_OK, 0);
        for (unsigned i = 0; i < 2; i++)
                assert_true(ask_told(&w, "m", VERDICT_TIMEOUT, (Saying){ .consumer = "projects/1" }));
        assert_false(pool_is_restored(w.pool));
        (void) world_save(&w, true);
        assert_true(pool_is_restored(w.pool));
        (void) world_set_keys(&w, four, 4);
        assert_int_equal(world_restore(&w), 0);
        assert_int_equal(bucket_of(&w, 0, "m")->quota->ceiling.kept.today, 4);
        world_assert_survives(&w, four, 4);
        world_done(&w);
}

/* Ceilings, their use, and an alias, whose two buckets have one quota: nothing is restored twice. */
static void test_learned_ceilings(void **state) {
        World w = { .now = NOON };
        const PoolBucket *b;
        CeilingSource source;

        world_begin(&w, four, 1);
        world_ask(&w, "n", VERDICT_OK, 0);
        world_ask(&w, "m", VERDICT_OK, 0);
        assert_true(ask_told(&w, "m", VERDICT_MINUTE, (Saying){ NULL, "n", CEILING_RPM, 10 }));
        (void) world_save(&w, false);
        assert_int_equal(shelf_count(&w.shelf, POOL_ALIASES), 1);
        world_assert_survives(&w, four, 1);
        world_assert_survives(&w, four, 1);
        b = bucket_of(&w, 0, "m");
        assert_ptr_equal(b->quota, bucket_of(&w, 0, "n")->quota);
        assert_int_equal(b->quota->ceiling.kept.today, 2);
        assert_int_equal(ceiling_limit(&b->quota->ceiling, CEILING_RPM, w.now, &source), 10);
        assert_int_equal(source, CEILING_LEARNED);
        assert_int_not_equal(b->quota->breaker.until, 0);

        /* It is found free by the alias: of both no more is known. */
        w.now += 2 * USEC_PER_MINUTE;
        world_ask(&w, "n", VERDICT_OK, 0);
        world_assert_survives(&w, four, 1);
        assert_int_equal(bucket_of(&w, 0, "m")->quota->breaker.until, 0);

        /* Of a day that is over only what was learned. */
        (void) world_save(&w, true);
        world_end(&w);
        w.now = NOON + USEC_PER_DAY - USEC_PER_HOUR;
        world_begin(&w, four, 1);
        b = bucket_of(&w, 0, "m");
        assert_int_equal(b->quota->ceiling.kept.today, 0);
        assert_int_equal(ceiling_limit(&b->quota->ceiling, CEILING_RPM, w.now, &source), 10);
        (void) pool_reset(w.pool, NULL, NULL, w.now);
        world_assert_survives(&w, four, 1);
        world_done(&w);
}

/* All of it in turns, with a restart after each step. */
static void test_learned_walk(void **state) {
        static const VerdictClass classes[] = { VERDICT_OK,      VERDICT_DAY,          VERDICT_MINUTE,
                                                VERDICT_BILLING, VERDICT_PROJECT_DEAD, VERDICT_TIMEOUT };
        static const char *const models[] = { "m", "n", "o" };
        static const char *const projects[] = { "projects/1", "projects/2" };
        World w = { .now = NOON };
        unsigned n_asked = 0;
        uint32_t n = 1;

        world_begin(&w, four, 4);
        for (unsigned i = 0; i < 400; i++) {
                Saying say = { .kind = (CeilingKind) (i % _CEILING_MAX) };
                const char *model;

                n = n * 1664525U + 1013904223U;
                model = models[n >> 8 & 1];
                w.now += 65 * USEC_PER_SEC + (n >> 10) % (400 * USEC_PER_SEC); /* no minute is kept */
                if (n >> 28 < 3)
                        say.consumer = projects[n >> 12 & 1];
                if ((n >> 24 & 15) < 2)
                        say.model = models[(n >> 13) % 3];
                if ((n >> 20 & 15) < 5)
                        say.ceiling = 5 + (n >> 14) % 50;
                n_asked += ask_told(&w, model, classes[(n >> 16) % ELEMENTSOF(classes)], say);
                world_assert_survives(&w, four, 4);
        }
        assert_in_range(n_asked, 50, 400);
        world_done(&w);
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

/* A wait that was written by a clock years ahead is as long as it was, not as far ahead as that clock. */
static void test_clock_was_ahead(void **state) {
        static const VerdictClass verdicts[] = { VERDICT_MINUTE, VERDICT_DAY, VERDICT_BILLING,
                                                 VERDICT_KEY_DEAD };

        for (size_t i = 0; i < ELEMENTSOF(verdicts); i++) {
                World w = { .now = NOON + 1461 * USEC_PER_DAY };
                usec_t waits[2];

                world_begin(&w, four, 1);
                for (unsigned round = 0; round < 2; round++) {
                        const PoolKey *k;

                        if (round == 0)
                                world_ask(&w, "m", verdicts[i], 0);
                        else {
                                (void) world_save(&w, true);
                                world_end(&w);
                                w.now = NOON;
                                world_begin(&w, four, 1);
                        }
                        k = pool_key(w.pool, 0);
                        waits[round] = MAX(MAX(k->breaker.until, k->project->breaker.until),
                                           bucket_of(&w, 0, "m")->quota->breaker.until);
                        assert_true(waits[round] > w.now);
                        waits[round] -= w.now;
                }
                assert_int_equal(waits[1], waits[0]);
                world_done(&w);
        }
}

/* A row in which only the end was moved: a first refusal of a minute never waits for two days. */
static void test_end_is_far_ahead(void **state) {
        World w = { .now = NOON };

        world_begin(&w, four, 1);
        world_ask(&w, "m", VERDICT_MINUTE, 0);
        (void) world_save(&w, true);
        world_end(&w);
        for (size_t i = 0; i < w.shelf.n; i++) {
                Row row = shelf_row(&w.shelf, i);
                Rows changed = ROWS_INIT(65536);

                if (row.table != POOL_QUOTAS)
                        continue;
                assert_true(row.values[2].integer > (int64_t) NOON);
                row.values[2].integer += (int64_t) (1461 * USEC_PER_DAY);
                rows_put(&changed, row.table, row.values, row.n);
                rows_done(&w.shelf.kept[i].row);
                w.shelf.kept[i].row = changed;
        }
        world_begin(&w, four, 1);
        assert_int_equal(bucket_of(&w, 0, "m")->quota->breaker.until, NOON + USEC_PER_HOUR);
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
        assert_int_equal(k->breaker.until, NOON + JUDGEMENT_DEATH_WAIT);
        assert_int_equal(k->breaker.since, NOON);
        assert_true(k->tally.counters.last_used <= NOON);
        assert_int_equal(k->tally.counters.today, 0);

        assert_int_equal(pool_restore_begin(w.pool, w.now, &r), 0);
        for (unsigned i = 0; i < ROW_COLUMNS_MAX; i++)
                v[i] = row_int(1);
        for (PoolTable t = 0; t < _POOL_TABLE_MAX; t++)
                for (unsigned n = 0; n <= ROW_COLUMNS_MAX; n++)
                        assert_int_equal(pool_restore_row(r, t, v, n), 0);
        /* But two numbers are a row of client_days. */
        assert_int_equal(pool_restore_end(r), _POOL_TABLE_MAX * (ROW_COLUMNS_MAX + 1) - 1);
        world_done(&w);
}

/* The digest is the first half of HMAC-SHA256, as openssl computes it. */
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

/* --- the merge kinds of the schema --- */

static void use_for_a_while(World *w, usec_t from, uint64_t random) {
        static const char *const names[] = { "m", "n", "o" };

        w->now = from;
        for (unsigned i = 0; i < 60; i++) {
                random = random * 6364136223846793005ULL + 1442695040888963407ULL;
                w->now += (random >> 40) % USEC_PER_MINUTE;
                world_ask(w, names[(random >> 33) % 3], VERDICT_OK, 0);
        }
}

static bool find_row(const Shelf *s, const Row *wanted, Row *ret) {
        const RowTable *t = pool_schema.tables + wanted->table;

        for (size_t i = 0; i < s->n; i++) {
                bool same;

                *ret = shelf_row(s, i);
                same = ret->table == wanted->table;
                for (unsigned j = 0; same && j < row_n_key(t); j++)
                        same = shelf_same_value(ret->values + j, wanted->values + j);
                if (same)
                        return true;
        }
        return false;
}

/* Counts and times; of what is the latest a breaker that is open has precedence, so it is not compared. */
static void assert_merged(const Shelf *before, const Shelf *after, const Shelf *both) {
        unsigned n_merged = 0;

        for (size_t i = 0; i < both->n; i++) {
                Row row = shelf_row(both, i), a, b;
                const RowTable *t = pool_schema.tables + row.table;

                if (!find_row(before, &row, &a) || !find_row(after, &row, &b))
                        continue;
                n_merged++;
                row_merge(t->columns, t->n_columns, a.values, b.values);
                for (unsigned j = 0; j < t->n_columns; j++)
                        if (t->columns[j].merge != ROW_LATEST && row.values[j].type == ROW_INT &&
                            row.values[j].integer != a.values[j].integer)
                                fail_msg("%s.%s: %lld, must be %lld", t->name, t->columns[j].name,
                                         (long long) row.values[j].integer, (long long) a.values[j].integer);
        }
        assert_in_range(n_merged, 20, ROWS_MAX);
}

/* What two runs have counted is added by the restore as row_merge() adds their rows; on one day, and on
 * two. */
static void test_merge_kinds(void **state) {
        static const usec_t apart[] = { 2 * USEC_PER_HOUR, 20 * USEC_PER_HOUR };

        for (size_t i = 0; i < ELEMENTSOF(apart); i++) {
                World before = { .now = NOON }, after = { .now = NOON + apart[i] }, both = { .now = NOON };

                world_begin(&before, four, 4);
                use_for_a_while(&before, NOON, 1);
                (void) world_save(&before, true);

                world_begin(&after, four, 4);
                use_for_a_while(&after, NOON + apart[i], 2);
                (void) world_save(&after, true);

                /* The first run again, and its rows come when the second one has counted already. */
                world_begin(&both, four, 4);
                use_for_a_while(&both, NOON, 1);
                (void) world_save(&both, true);
                world_end(&both);
                both.now = NOON + apart[i];
                world_begin_unread(&both, four, 4);
                use_for_a_while(&both, NOON + apart[i], 2);
                assert_int_equal(world_restore(&both), 0);
                pool_note_all(both.pool);
                (void) world_save(&both, true);

                assert_merged(&before.shelf, &after.shelf, &both.shelf);
                world_done(&before);
                world_done(&after);
                world_done(&both);
        }
}

static void test_tables_are_sound(void **state) {
        assert_int_equal(pool_schema.n_tables, _POOL_TABLE_MAX);
        for (unsigned i = 0; i < pool_schema.n_tables; i++)
                assert_true(row_table_is_sound(pool_schema.tables + i));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_everything_survives),
                cmocka_unit_test(test_strikes_survive),
                cmocka_unit_test(test_probe_is_forgotten),
                cmocka_unit_test(test_closed_ladder_survives),
                cmocka_unit_test(test_disabled),
                cmocka_unit_test(test_late),
                cmocka_unit_test(test_clock_was_ahead),
                cmocka_unit_test(test_end_is_far_ahead),
                cmocka_unit_test(test_senseless),
                cmocka_unit_test(test_digest),
                cmocka_unit_test(test_learned_projects),
                cmocka_unit_test(test_learned_is_not_read_twice),
                cmocka_unit_test(test_learned_ceilings),
                cmocka_unit_test(test_learned_walk),
                cmocka_unit_test(test_merge_kinds),
                cmocka_unit_test(test_tables_are_sound),
        };

        return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
