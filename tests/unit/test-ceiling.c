/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "pool-keys.h"
#include "noon.h"

/* Ceilings: the rolling minute by itself, then pools before a Google that counts for itself. */

#define KEYS 7U

/* --- one ceiling --- */

static Ceiling told(uint64_t rpm, uint64_t tpm, uint64_t rpd) {
        Ceiling c = { .told = { [CEILING_RPM] = rpm, [CEILING_TPM] = tpm, [CEILING_RPD] = rpd } };

        ceiling_roll(&c, NOON, NOON);
        return c;
}

static usec_t free_in(Ceiling *c, usec_t now, uint64_t tokens, CeilingKind *kind) {
        ceiling_roll(c, now, c->kept.day);
        return usec_sub(ceiling_free_at(c, tokens, false, now, NOON + 12 * USEC_PER_HOUR, kind), now);
}

static void test_minute_rolls(void **state) {
        Ceiling c = told(3, 0, 0);
        CeilingKind kind;

        /* At 0 s, 7 s and 12 s; the first slot counts to the end of the 65th second. */
        assert_int_equal(free_in(&c, NOON, 0, &kind), 0);
        assert_int_equal(kind, _CEILING_MAX);
        ceiling_take(&c, 0);
        assert_int_equal(free_in(&c, NOON + 7 * USEC_PER_SEC, 0, &kind), 0);
        ceiling_take(&c, 0);
        assert_int_equal(free_in(&c, NOON + 12 * USEC_PER_SEC, 0, &kind), 0);
        ceiling_take(&c, 0);
        assert_int_equal(free_in(&c, NOON + 12 * USEC_PER_SEC, 0, &kind), 53 * USEC_PER_SEC);
        assert_int_equal(kind, CEILING_RPM);
        assert_int_equal(free_in(&c, NOON + 64999999, 0, &kind), 1);
        assert_int_equal(free_in(&c, NOON + 65 * USEC_PER_SEC, 0, &kind), 0);
        assert_int_equal(c.requests, 2);
        ceiling_take(&c, 0);
        assert_int_equal(free_in(&c, NOON + 65 * USEC_PER_SEC, 0, &kind), 5 * USEC_PER_SEC);
        assert_int_equal(free_in(&c, NOON + USEC_PER_HOUR, 0, &kind), 0);
        assert_int_equal(c.requests, 0);
}

static void test_tokens(void **state) {
        CeilingTaken taken = { NOON, NOON, 600 };
        Ceiling c = told(0, 1000, 0);
        CeilingKind kind;

        /* A request that is larger than a whole minute is sent if the minute is empty. */
        assert_int_equal(free_in(&c, NOON, 5000, &kind), 0);
        ceiling_take(&c, 600);
        assert_int_equal(free_in(&c, NOON, 400, &kind), 0);
        assert_int_equal(free_in(&c, NOON, 401, &kind), 65 * USEC_PER_SEC);
        assert_int_equal(kind, CEILING_TPM);
        assert_int_equal(free_in(&c, NOON, UINT64_MAX, &kind), 65 * USEC_PER_SEC);

        /* It was smaller, then larger than thought. */
        assert_true(ceiling_settle(&c, &taken, 100, false));
        assert_int_equal(c.tokens, 100);
        assert_int_equal(free_in(&c, NOON, 900, &kind), 0);
        assert_false(ceiling_settle(&c, &taken, 1500, false));
        assert_int_equal(c.tokens, 1000);
        assert_int_equal(free_in(&c, NOON, 0, &kind), 65 * USEC_PER_SEC);

        /* What is past is past, and no count becomes negative. */
        assert_int_equal(free_in(&c, NOON + 65 * USEC_PER_SEC, 1000, &kind), 0);
        assert_false(ceiling_settle(&c, &taken, 0, false));
        assert_int_equal(c.tokens, 0);
        assert_int_equal(c.kept.today, 1);
        ceiling_take(&c, UINT64_MAX);
        ceiling_take(&c, UINT64_MAX);
        assert_int_equal(c.tokens, UINT32_MAX);
}

static void test_day(void **state) {
        Ceiling c = told(0, 0, 2);
        CeilingTaken taken = { NOON, NOON, 0 };
        CeilingKind kind;

        ceiling_take(&c, 0);
        ceiling_take(&c, 0);
        assert_int_equal(free_in(&c, NOON, 0, &kind), 12 * USEC_PER_HOUR);
        assert_int_equal(kind, CEILING_RPD);
        /* A refused request is none of the day's; one of yesterday's is none of today's. */
        assert_true(ceiling_settle(&c, &taken, 0, true));
        assert_int_equal(free_in(&c, NOON, 0, &kind), 0);
        ceiling_take(&c, 0);
        ceiling_roll(&c, NOON + USEC_PER_DAY, NOON + USEC_PER_DAY);
        assert_int_equal(c.kept.today, 0);
        ceiling_take(&c, 0);
        assert_false(ceiling_settle(&c, &taken, 0, true));
        assert_int_equal(c.kept.today, 1);
}

static void test_sources(void **state) {
        const uint64_t values[_CEILING_MAX] = { [CEILING_RPD] = 2 };
        Ceiling c = told(0, 0, 0);
        CeilingSource source;
        CeilingKind kind;

        assert_int_equal(ceiling_limit(&c, CEILING_RPD, NOON, &source), 0);
        assert_int_equal(source, CEILING_UNKNOWN);
        for (unsigned i = 0; i < 5; i++)
                ceiling_take(&c, 0);
        ceiling_guess(&c, CEILING_RPD);
        assert_int_equal(ceiling_limit(&c, CEILING_RPD, NOON, &source), 4);
        assert_int_equal(source, CEILING_GUESSED);
        assert_false(ceiling_is_known(&c));
        assert_int_equal(free_in(&c, NOON, 0, &kind), 0);

        ceiling_learn(&c, values, NOON);
        assert_int_equal(ceiling_limit(&c, CEILING_RPD, NOON, &source), 2);
        assert_int_equal(source, CEILING_LEARNED);
        assert_int_equal(free_in(&c, NOON, 0, &kind), 12 * USEC_PER_HOUR);
        /* A probe may pass the learned ceiling; after a day the ceiling is dropped. */
        assert_int_equal(ceiling_free_at(&c, 0, true, NOON, NOON + USEC_PER_HOUR, &kind), 0);
        assert_int_equal(ceiling_limit(&c, CEILING_RPD, NOON + USEC_PER_DAY - 1, &source), 2);
        assert_int_equal(ceiling_limit(&c, CEILING_RPD, NOON + USEC_PER_DAY, &source), 0);

        c.told[CEILING_RPD] = 5;
        assert_int_equal(ceiling_limit(&c, CEILING_RPD, NOON, &source), 5);
        assert_int_equal(source, CEILING_TOLD);
        assert_int_equal(ceiling_free_at(&c, 0, true, NOON, NOON + USEC_PER_HOUR, &kind),
                         NOON + USEC_PER_HOUR);

        /* More was had than there should be: it was wrong. */
        c.told[CEILING_RPD] = 0;
        ceiling_answered(&c, NOON - 1);
        assert_int_equal(ceiling_limit(&c, CEILING_RPD, NOON, &source), 0);
        assert_string_equal(ceiling_source_to_string(CEILING_LEARNED), "learned");
}

static void test_merge(void **state) {
        const uint64_t values[_CEILING_MAX] = { [CEILING_RPM] = 9 };
        Ceiling a = told(0, 0, 0), b = told(0, 0, 0);

        ceiling_take(&a, 5);
        ceiling_roll(&b, NOON + 6 * USEC_PER_SEC, NOON);
        ceiling_take(&b, 7);
        ceiling_learn(&b, values, NOON);
        ceiling_roll(&a, NOON + 6 * USEC_PER_SEC, NOON);
        ceiling_merge(&a, &b);
        assert_int_equal(a.requests, 2);
        assert_int_equal(a.tokens, 12);
        assert_int_equal(a.kept.today, 2);
        assert_int_equal(a.kept.learned[CEILING_RPM], 9);
        ceiling_roll(&a, NOON + 65 * USEC_PER_SEC, NOON);
        assert_int_equal(a.requests, 1);
        ceiling_forget(&a);
        assert_int_equal(a.requests + a.tokens + a.kept.today + a.kept.learned[CEILING_RPM], 0);
}

/* --- a Google that counts --- */

typedef enum Minute {
        MINUTE_ROLLING,
        MINUTE_ALIGNED, /* begins at :00 */
        _MINUTE_MAX,
} Minute;

typedef struct Google {
        Minute minute;
        uint64_t rpm, tpm, rpd;
        struct {
                struct {
                        usec_t at;
                        uint64_t tokens;
                } seen[20000];
                size_t n, first;
                usec_t day;
                uint64_t today;
        } keys[KEYS];
        unsigned n_refused, n_served;
} Google;

/* The ceiling's answer to a request of so many tokens at that moment. */
static VerdictClass google_answer(Google *g, size_t k, uint64_t tokens, usec_t now) {
        usec_t since = g->minute == MINUTE_ROLLING ? now - USEC_PER_MINUTE + 1 : now - now % USEC_PER_MINUTE;
        usec_t day = zone_day_start(zone, now);
        uint64_t requests = 0, sum = 0;

        if (g->keys[k].day != day) {
                g->keys[k].day = day;
                g->keys[k].today = 0;
        }
        while (g->keys[k].first < g->keys[k].n && g->keys[k].seen[g->keys[k].first].at < since)
                g->keys[k].first++;
        for (size_t i = g->keys[k].first; i < g->keys[k].n; i++) {
                requests++;
                sum += g->keys[k].seen[i].tokens;
        }
        if (requests + 1 > g->rpm || sum + tokens > g->tpm || g->keys[k].today + 1 > g->rpd) {
                g->n_refused++;
                return g->keys[k].today + 1 > g->rpd ? VERDICT_DAY : VERDICT_MINUTE;
        }
        g->keys[k].seen[g->keys[k].n].at = now;
        g->keys[k].seen[g->keys[k].n++].tokens = tokens;
        g->keys[k].today++;
        g->n_served++;
        return VERDICT_OK;
}

static Pool *pool_of(unsigned n, const CeilingRow *rows, size_t n_rows) {
        Pool *p;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        pool_set_limits(p, rows, n_rows, NOON);
        assert_int_equal(pool_add_many(p, "AIzaSyCeiling", n), 0);
        return p;
}

typedef struct Out {
        Lease lease;
        usec_t ends;
        uint64_t tokens;
        VerdictClass class;
} Out;

/* 10,000 requests of many sizes in bursts, some of them under way for long, over keys with known ceilings:
 * Google never has to refuse one, whatever kind of minute it counts. And the ceilings are used to the
 * full. */
static void test_no_refusal_below_known_ceilings(void **state) {
        static char model[] = "m";
        static const CeilingRow rows[] = {
                { model, NULL, { [CEILING_RPM] = 15, [CEILING_TPM] = 250000, [CEILING_RPD] = 1500 } },
        };

        for (Minute minute = 0; minute < _MINUTE_MAX; minute++) {
                _cleanup_(pool_freep) Pool *p = pool_of(KEYS, rows, 1);
                _cleanup_free_ Google *g = calloc(1, sizeof(Google));
                static Out out[4096];
                unsigned n_out = 0, n_picked = 0, n_waited = 0, random = 1;
                usec_t now = NOON + 3;
                uint64_t capacity;

                g->minute = minute;
                g->rpm = rows[0].value[CEILING_RPM];
                g->tpm = rows[0].value[CEILING_TPM];
                g->rpd = rows[0].value[CEILING_RPD];
                while (n_picked < 10000) {
                        PoolRefusal refusal;
                        uint64_t actual, guess;
                        usec_t before = now;
                        Lease lease;

                        random = random * 1664525 + 1013904223;
                        actual = 1 + (random >> 8) % 9000 * ((random >> 28) == 0 ? 10 : 1);
                        /* The guess by bytes is above the truth. */
                        guess = actual + (random >> 4) % (actual + 1);
                        for (unsigned i = 0; i < n_out;)
                                if (out[i].ends <= now) {
                                        Usage usage = { .prompt = out[i].tokens };
                                        Verdict v;

                                        verdict_init(&v, out[i].class, 0, NULL);
                                        pool_report(p, &out[i].lease, &v, &usage, now);
                                        out[i] = out[--n_out];
                                } else
                                        i++;
                        if (pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = guess }, now, &lease,
                                          &refusal) != 0) {
                                assert_true(refusal.is_quota);
                                assert_true(refusal.available_at > now);
                                now = MIN(refusal.available_at, now + 5 * USEC_PER_SEC);
                                n_waited++;
                                continue;
                        }
                        out[n_out++] = (Out){
                                lease,
                                now + (random >> 12) % (30 * USEC_PER_SEC),
                                actual,
                                google_answer(g, lease.key->index, actual, now),
                        };
                        n_picked++;
                        now += (random >> 20) % 3 == 0 ? 200 * USEC_PER_MSEC : 0;
                        assert_true(now >= before);
                }
                capacity = (now - NOON) / USEC_PER_MINUTE * KEYS * g->rpm;
                print_message(
                        "           10,000 requests in %u minutes, %u waits, %u refused, %u %% of what "
                        "the minutes hold\n",
                        (unsigned) ((now - NOON) / USEC_PER_MINUTE), n_waited, g->n_refused,
                        (unsigned) (100ULL * g->n_served / capacity));
                assert_int_equal(g->n_refused, 0);
                assert_true(n_waited > 0);
                assert_true(g->n_served * 100ULL / capacity >= 75);
                for (unsigned i = 0; i < n_out; i++) {
                        Verdict v;

                        verdict_init(&v, VERDICT_OK, 0, NULL);
                        pool_report(p, &out[i].lease, &v, NULL, now);
                }
        }
}

/* A large request passes by those that have no room for it, a small one still finds them. */
static void test_large_and_small(void **state) {
        static char model[] = "m";
        static const CeilingRow rows[] = { { model, NULL, { [CEILING_TPM] = 1000 } } };
        _cleanup_(pool_freep) Pool *p = pool_of(3, rows, 1);
        PoolRefusal refusal;
        Lease lease[8];

        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 700 }, NOON,
                                               lease + i, NULL),
                                 0);
                assert_int_equal(lease[i].key->index, i);
        }
        assert_int_equal(
                pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 700 }, NOON, lease + 3, &refusal),
                POOL_E_EXHAUSTED);
        assert_int_equal(refusal.n_keys[POOL_COOLING], 3);
        assert_true(refusal.is_quota);
        assert_false(refusal.is_daily);
        assert_int_equal(refusal.available_at, NOON + 65 * USEC_PER_SEC);
        assert_false(pool_model_find(p, "m")->exhausted);
        for (unsigned i = 3; i < 6; i++)
                assert_int_equal(pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 300 }, NOON,
                                               lease + i, NULL),
                                 0);
        assert_int_equal(
                pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 1 }, NOON, lease + 6, NULL),
                POOL_E_EXHAUSTED);
        /* One was far smaller than thought: its key is back at once. */
        {
                Usage usage = { .prompt = 10 };
                Verdict v;

                verdict_init(&v, VERDICT_OK, 0, NULL);
                pool_report(p, lease + 1, &v, &usage, NOON);
        }
        assert_int_equal(
                pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 690 }, NOON, lease + 1, NULL), 0);
        assert_int_equal(lease[1].key->index, 1);
        for (unsigned i = 0; i < 6; i++) {
                Verdict v;

                verdict_init(&v, VERDICT_OK, 0, NULL);
                pool_report(p, lease + i, &v, NULL, NOON);
        }
}

/* A project's row wins over the model's; a reload changes it at once. */
static void test_rows(void **state) {
        static char model[] = "m", other[] = "n", paid[] = "paid";
        static const CeilingRow rows[] = {
                { model, paid, { [CEILING_RPM] = 2, [CEILING_RPD] = CEILING_NONE } },
                { model, NULL, { [CEILING_RPM] = 1, [CEILING_TPM] = 70, [CEILING_RPD] = 50 } },
                { other, NULL, { [CEILING_RPM] = 99 } },
        };
        _cleanup_(pool_freep) Pool *p = pool_of(1, rows, 3);
        const Ceiling *c;
        Lease lease[3];
        Secret *s;

        assert_int_equal(secret_new("AIzaSyPaid-0123456789", 21, &s), 0);
        assert_int_equal(pool_add_key(p, s, NULL, "paid", false), 0);
        s = secret_unref(s);
        for (unsigned i = 0; i < 3; i++)
                assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, lease + i, NULL), 0);
        assert_int_equal(lease[0].key->index, 0);
        assert_int_equal(lease[1].key->index + lease[2].key->index, 2);
        c = &lease[1].slot->bucket->quota->ceiling;
        assert_int_equal(c->told[CEILING_RPM], 2);
        assert_int_equal(c->told[CEILING_TPM], 70);
        assert_int_equal(c->told[CEILING_RPD], 0);
        assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, lease, NULL), POOL_E_EXHAUSTED);

        pool_set_limits(p, NULL, 0, NOON);
        assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, lease, NULL), 0);
}

typedef struct Told {
        char text[4096];
} Told;

static void on_reason(const PoolReason *r, void *userdata) {
        Told *t = userdata;
        size_t n = strlen(t->text);

        (void) snprintf(t->text + n, sizeof(t->text) - n, "%u %s\n", r->key->index, r->sentence);
}

/* In words: what is known, how, and what frees when. */
static void test_explain(void **state) {
        static char model[] = "m", red[] = "red";
        static const CeilingRow rows[] = {
                { model, NULL, { [CEILING_RPM] = 2 } },
                { model, red, { [CEILING_RPM] = CEILING_NONE } },
        };
        _cleanup_(pool_freep) Pool *p = pool_of(2, rows, 2);
        Lease lease;
        Verdict v;
        Secret *s;
        Told t = {};

        assert_int_equal(secret_new("AIzaSyRed-0123456789", 20, &s), 0);
        assert_int_equal(pool_add_key(p, s, NULL, "red", false), 0);
        s = secret_unref(s);
        for (unsigned i = 0; i < 6; i++) {
                const VerdictClass classes[] = { VERDICT_OK, VERDICT_OK,     VERDICT_OK,
                                                 VERDICT_OK, VERDICT_MINUTE, VERDICT_OK };

                assert_int_equal(pool_pick(p, "m", NULL, 0, NOON + i, &lease, NULL), 0);
                verdict_init(&v, classes[i], 0, NULL);
                v.ceilings[CEILING_TPM] = lease.key->index == 1 ? 5000 : 0;
                pool_report(p, &lease, &v, &(Usage){ .prompt = 30 }, NOON + i);
        }
        pool_explain(p, "m", NOON + 10 * USEC_PER_SEC, on_reason, &t);
        assert_string_equal(
                t.text, "2 would be picked first: 2 attempts today\n"
                        "0 full: its requests a minute are used up; frees in 55 s; 2 of 2 requests a minute "
                        "(told)\n"
                        "1 full: its requests a minute are used up; frees in 55 s; 2 of 2 requests a minute "
                        "(told); 30 of 5000 input tokens a minute (learned)\n");

        /* A violation without a number gives a guess; MODEL_LIMITS are known for a model without
         * requests. */
        assert_int_equal(pool_pick(p, "m", NULL, 0, NOON + 11 * USEC_PER_SEC, &lease, NULL), 0);
        verdict_init(&v, VERDICT_DAY, 0, NULL);
        pool_report(p, &lease, &v, NULL, NOON + 11 * USEC_PER_SEC);
        t = (Told){};
        pool_explain(p, "m", NOON + 11 * USEC_PER_SEC, on_reason, &t);
        assert_non_null(strstr(t.text, "2 cooling: the quota of this model is spent; frees in 1 min; 2 of 2 "
                                       "requests a day (guessed)\n"));
        t = (Told){};
        pool_set_limits(p, &(CeilingRow){ model, NULL, { [CEILING_RPD] = 7 } }, 1, NOON + USEC_PER_HOUR);
        pool_explain(p, "n", NOON + USEC_PER_HOUR, on_reason, &t);
        assert_string_equal(t.text, "0 would be picked first: 0 attempts today\n"
                                    "1 would be picked after 1 other: 0 attempts today\n"
                                    "2 would be picked after 2 others: 0 attempts today\n");
        pool_set_limits(p, NULL, 0, NOON + USEC_PER_HOUR);
}

/* A full bucket is nothing that a pick has to look past. */
static void test_steps(void **state) {
        static char model[] = "m";
        static const CeilingRow rows[] = { { model, NULL, { [CEILING_RPM] = 2, [CEILING_TPM] = 1000 } } };
        static const unsigned sizes[] = { 10, 1000, 100000 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_(pool_freep) Pool *p = pool_of(sizes[i], rows, 1);
                uint64_t worst = 0, large = 0, before;
                Lease lease;
                Verdict v;
                int r;

                verdict_init(&v, VERDICT_OK, 0, NULL);
                for (unsigned j = 0; j < 2 * sizes[i]; j++) {
                        usec_t now = NOON + j * 4 * USEC_PER_SEC / sizes[i];

                        before = p->steps;
                        r = pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 400 }, now, &lease,
                                          NULL);
                        assert_int_equal(r, 0);
                        pool_report(p, &lease, &v, NULL, now);
                        worst = MAX(worst, p->steps - before);
                }
                before = p->steps;
                r = pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 1 }, NOON + 8 * USEC_PER_SEC,
                                  &lease, NULL);
                assert_int_equal(r, POOL_E_EXHAUSTED);
                worst = MAX(worst, p->steps - before);

                /* All have room for a small request and none for a large one. A large one looks at a few
                 * hundred buckets at most; small ones come back to the crowded buckets. */
                for (unsigned j = 0; j < sizes[i]; j++) {
                        r = pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 600 },
                                          NOON + 70 * USEC_PER_SEC, &lease, NULL);
                        assert_int_equal(r, 0);
                        pool_report(p, &lease, &v, NULL, NOON + 70 * USEC_PER_SEC);
                }
                for (unsigned j = 0; j < 8; j++) {
                        before = p->steps;
                        r = pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = j % 2 ? 300 : 900 },
                                          NOON + 71 * USEC_PER_SEC, &lease, NULL);
                        large = MAX(large, p->steps - before);
                        if (r == 0)
                                pool_report(p, &lease, &v, NULL, NOON + 71 * USEC_PER_SEC);
                        assert_true(r == 0 || (j % 2 == 0 && sizes[i] < 4 * 256));
                }
                print_message("           %6u keys: at worst %u comparisons, %u for a large one\n", sizes[i],
                              (unsigned) worst, (unsigned) large);
                assert_in_range(worst, 1, 16);
                assert_in_range(large, 1, 256 * 8);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_minute_rolls),
                cmocka_unit_test(test_tokens),
                cmocka_unit_test(test_day),
                cmocka_unit_test(test_sources),
                cmocka_unit_test(test_merge),
                cmocka_unit_test(test_no_refusal_below_known_ceilings),
                cmocka_unit_test(test_large_and_small),
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_explain),
                cmocka_unit_test(test_steps),
        };

        return cmocka_run_group_tests_name("ceiling", tests, setup, teardown);
}
