/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <malloc.h>

#include "core/judgement.h"
#include "pool/refresh.h"
#include "pool-keys.h"
#include "noon.h"

/* What the pool may cost: counted, not timed. And what it does when models or pairs grow too many. */


static Pool *pool_of(unsigned n_keys, unsigned keys_a_project) {
        _cleanup_free_ PoolKeyWanted *keys = calloc(n_keys, sizeof(PoolKeyWanted));
        _cleanup_free_ char(*projects)[16] = calloc(n_keys, sizeof(*projects));
        Pool *p;

        assert_non_null(keys);
        assert_non_null(projects);
        assert_int_equal(pool_new(zone, NOON, &p), 0);
        for (unsigned i = 0; i < n_keys; i++) {
                char text[64];

                (void) snprintf(text, sizeof(text), "AIzaSyScale-%06u-%04u", i, i % 9973);
                (void) snprintf(projects[i], sizeof(projects[i]), "p%u", i / keys_a_project);
                assert_int_equal(secret_new(text, strlen(text), &keys[i].secret), 0);
                keys[i].project = keys_a_project > 1 ? projects[i] : NULL;
        }
        assert_int_equal(pool_add_keys(p, keys, n_keys), 0);
        for (unsigned i = 0; i < n_keys; i++)
                keys[i].secret = secret_unref(keys[i].secret);
        return p;
}

static Lease pick(Pool *p, const char *model, usec_t now) {
        Lease lease;

        assert_int_equal(pool_pick(p, model, NULL, 0, now, &lease, NULL), 0);
        return lease;
}

static void end(Pool *p, Lease lease, VerdictClass class, usec_t now) {
        Verdict v;

        verdict_init(&v, class, 0, NULL);
        pool_report(p, &lease, &v, NULL, now);
}

static PoolRefusal refused(Pool *p, usec_t now) {
        PoolRefusal r;
        Lease lease;

        assert_int_equal(pool_pick(p, "m", NULL, 0, now, &lease, &r), POOL_E_EXHAUSTED);
        return r;
}

static uint64_t ask(Pool *p, const char *model, VerdictClass class, usec_t now) {
        uint64_t before = p->steps;

        end(p, pick(p, model, now), class, now);
        return p->steps - before;
}

static void note(uint64_t *worst, uint64_t steps) {
        *worst = MAX(*worst, steps);
}

static unsigned log2_of(unsigned n) {
        return 32 - (unsigned) __builtin_clz(n);
}

static const struct {
        unsigned n_keys, keys_a_project;
} sizes[] = { { 10, 1 }, { 1000, 1 }, { 100000, 1 }, { 1000, 1000 }, { 100000, 100000 }, { 100000, 100 } };

/* A key for no model in particular, too; even where most are dead and are first in order. */
static void test_steps_of_any(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                unsigned n = sizes[i].n_keys;
                _cleanup_(pool_freep) Pool *p = pool_of(n, sizes[i].keys_a_project);
                PoolKey *tried[3];
                uint64_t before, worst = 0;
                Lease lease;

                for (unsigned j = 0; j < n - 5; j++) {
                        assert_int_equal(pool_pick_rotation(p, NULL, 0, NOON, &lease, NULL), 0);
                        end(p, lease, VERDICT_KEY_DEAD, NOON);
                }
                assert_int_equal(pool_usable_keys(p, NOON), 5);
                for (size_t j = 0; j <= ELEMENTSOF(tried); j++) {
                        before = p->steps;
                        assert_int_equal(pool_pick_rotation(p, tried, j, NOON, &lease, NULL), 0);
                        note(&worst, p->steps - before);
                        if (j < ELEMENTSOF(tried))
                                tried[j] = lease.key;
                        end(p, lease, VERDICT_OVERLOAD, NOON);
                }
                assert_true(worst <= ELEMENTSOF(tried) + 1);
        }
}

/* Under even load a pick costs the same whatever the number of keys. */
static void test_steps_when_even(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                unsigned n = sizes[i].n_keys;
                _cleanup_(pool_freep) Pool *p = pool_of(n, sizes[i].keys_a_project);
                uint64_t new = 0, used = 0, spent = 0;
                usec_t now = NOON;

                /* Every key for the first time, then again, and again. */
                for (unsigned j = 0; j < n; j++)
                        note(&new, ask(p, "m", VERDICT_OK, now++));
                for (unsigned j = 0; j < 2 * n; j++)
                        note(&used, ask(p, "m", VERDICT_OK, now++));
                /* Projects are spent one after the other, until one is left: it is found without a look at
                 * them. */
                for (unsigned j = 1; j < n / sizes[i].keys_a_project; j++)
                        note(&spent, ask(p, "m", VERDICT_DAY, now));
                note(&spent, ask(p, "m", VERDICT_OK, now));

                print_message("           %6u keys, %6u a project: at worst %u comparisons, %u, %u\n", n,
                              sizes[i].keys_a_project, (unsigned) new, (unsigned) used, (unsigned) spent);
                assert_in_range(new, 1, 12);
                assert_in_range(used, 1, 12);
                assert_in_range(spent, 1, 12);
        }
}

/* When keys come and go, and on a new day when none has the same history, it grows as the logarithm does. */
static void test_steps_when_uneven(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                unsigned n = sizes[i].n_keys, bound = 4 * log2_of(n) + 8, random = 1;
                unsigned n_exclude = MIN(n - 1, TRIES_MAX);
                _cleanup_(pool_freep) Pool *p = pool_of(n, sizes[i].keys_a_project);
                uint64_t all = 0, day = 0, before;
                bool throttled = false;
                PoolKey *exclude[TRIES_MAX];
                usec_t now = NOON;
                Lease lease;

                for (unsigned j = 0; j < 3 * n; j++) {
                        random = random * 1664525 + 1013904223;
                        now += 10 * USEC_PER_SEC / n; /* an unexplained throttle takes five seconds */
                        /* Two in a row would be taken for a throttle of their project. */
                        throttled = !throttled && random >> 30 == 0;
                        all += ask(p, "m", throttled ? VERDICT_RATE_UNKNOWN : VERDICT_OK, now);
                }
                assert_in_range(all / (3 * n), 1, bound);

                /* The picks of a new day rearrange the heaps in slices. */
                now += USEC_PER_DAY;
                for (unsigned j = 0; j < n; j++) {
                        before = ask(p, "m", VERDICT_OK, now++);
                        if (j <= 2 * n / MOVES_MAX)
                                assert_in_range(before, 1, (uint64_t) bound * MIN(n, 2 * MOVES_MAX));
                        else
                                note(&day, before);
                }
                assert_in_range(day, 1, bound);
                for (unsigned j = 0; j < n; j++) {
                        PoolKeyView view;

                        pool_key_view(p, pool_key(p, j), now, &view);
                        assert_int_equal(view.counters.today, 1);
                }

                for (unsigned j = 0; j < n_exclude; j++)
                        exclude[j] = p->keys[j];
                before = p->steps;
                assert_int_equal(pool_pick(p, "m", exclude, n_exclude, now, &lease, NULL), 0);
                assert_in_range(p->steps - before, 1, (n_exclude + 1) * bound);
                end(p, lease, VERDICT_OK, now);
                print_message("           %6u keys, %6u a project: %u comparisons, at worst %u\n", n,
                              sizes[i].keys_a_project, (unsigned) (all / (3 * n)), (unsigned) day);
        }
}

/* All come back at once: each is moved once, by one of the next picks, then it is as before. */
static void test_steps_when_all_come_due(void **state) {
        const unsigned n = 10000;
        _cleanup_(pool_freep) Pool *p = pool_of(n, 1);
        unsigned bound = 4 * log2_of(n) + 8;
        usec_t now = NOON;

        for (unsigned j = 0; j < n; j++)
                (void) ask(p, "m", VERDICT_RATE_UNKNOWN, now);
        now += USEC_PER_MINUTE;
        for (unsigned j = 0; j < n / MOVES_MAX + 1; j++)
                assert_in_range(ask(p, "m", VERDICT_OK, now), 1, MOVES_MAX * bound);
        for (unsigned j = n / MOVES_MAX + 1; j < n; j++)
                assert_in_range(ask(p, "m", VERDICT_OK, now), 1, bound);
}

static void test_no_allocation(void **state) {
        _cleanup_(pool_freep) Pool *p = pool_of(100, 1);
        struct mallinfo2 before;

        for (unsigned i = 0; i < 100; i++)
                (void) ask(p, "m", VERDICT_OK, NOON + i);
        before = mallinfo2();
        for (unsigned i = 0; i < 1000; i++)
                (void) ask(p, "m", VERDICT_OK, NOON + i);
        assert_int_equal(mallinfo2().uordblks, before.uordblks);
}

/* A refused pick counts all keys at most once a second where they are many, each time where they are few. */
static void test_refusal_is_kept(void **state) {
        static const struct {
                unsigned n_keys;
                bool kept;
        } rows[] = { { 100, false }, { 100000, true } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                unsigned n = rows[i].n_keys;
                _cleanup_(pool_freep) Pool *p = pool_of(n, n);
                PoolRefusal r;
                Lease lease;

                (void) ask(p, "m", VERDICT_DAY, NOON);
                r = refused(p, NOON);
                assert_int_equal(r.n_keys[POOL_COOLING], n);
                assert_int_equal(r.available_at, NOON + USEC_PER_MINUTE);
                assert_true(r.is_quota);

                /* One dies by way of another model. */
                (void) ask(p, "n", VERDICT_KEY_DEAD, NOON + 1);
                r = refused(p, NOON + USEC_PER_SEC - 1);
                assert_int_equal(r.n_keys[POOL_DEAD], rows[i].kept ? 0 : 1);
                r = refused(p, NOON + USEC_PER_SEC);
                assert_int_equal(r.n_keys[POOL_DEAD], 1);
                assert_int_equal(r.n_keys[POOL_COOLING], n - 1);

                /* The kept refusal never has a time in the past: then another request was the
                 * probe. */
                r = refused(p, NOON + USEC_PER_MINUTE - 400000);
                assert_int_equal(r.available_at, NOON + USEC_PER_MINUTE);
                lease = pick(p, "m", NOON + USEC_PER_MINUTE);
                r = refused(p, NOON + USEC_PER_MINUTE);
                assert_int_equal(r.available_at - NOON, USEC_PER_MINUTE + (rows[i].kept ? 600000 : 1000000));
                r = refused(p, NOON + USEC_PER_MINUTE + 600000);
                assert_int_equal(r.n_keys[POOL_PROBING], n - 1);
                end(p, lease, VERDICT_DAY, NOON + USEC_PER_MINUTE + 600000);

                /* Nor is it kept when the clock jumps. */
                r = refused(p, NOON - USEC_PER_DAY);
                assert_int_equal(r.n_keys[POOL_COOLING], n - 1);
                assert_int_equal(r.available_at, NOON - USEC_PER_DAY + USEC_PER_MINUTE);

                /* A reset is seen at once. */
                assert_int_equal(pool_reset(p, NULL, NULL, NOON - USEC_PER_DAY), n + 1);
                end(p, pick(p, "m", NOON - USEC_PER_DAY), VERDICT_DAY, NOON - USEC_PER_DAY);
                r = refused(p, NOON - USEC_PER_DAY);
                assert_int_equal(r.n_keys[POOL_COOLING], n);
        }
}

typedef struct Models {
        unsigned n;
        char first[8];
        bool has_kept;
} Models;

static void see_model(const PoolModelView *v, void *userdata) {
        Models *m = userdata;

        if (m->n++ == 0)
                (void) snprintf(m->first, sizeof(m->first), "%s", v->name);
        m->has_kept = m->has_kept || strcmp(v->name, "kept") == 0;
}

/* Clients invent names. */
static void test_models_are_forgotten(void **state) {
        _cleanup_(pool_freep) Pool *p = pool_of(3, 1);
        Lease leases[MODELS_MAX], lease;
        Models models = {};
        PoolKeyView view;
        char name[8];

        (void) ask(p, "kept", VERDICT_OK, NOON);
        for (unsigned i = 0; i < 10 * MODELS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "x%u", i);
                (void) ask(p, name, VERDICT_REQUEST, NOON);
        }
        pool_each_model(p, NOON, see_model, &models);
        assert_int_equal(models.n, MODELS_MAX);
        assert_true(models.has_kept);

        /* The keys' own totals keep what was counted: every invented name began with the first key. */
        pool_key_view(p, pool_key(p, 0), NOON, &view);
        assert_int_equal(view.counters.total, 10 * MODELS_MAX + 1);
        assert_int_equal(view.counters.today, 10 * MODELS_MAX + 1);

        /* Those that answered are forgotten when there are no others, the one unused longest first. */
        for (unsigned i = 0; i < MODELS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "y%u", i);
                (void) ask(p, name, VERDICT_OK, NOON);
        }
        assert_null(pool_model_find(p, "kept"));
        assert_non_null(pool_model_find(p, "y0"));
        (void) ask(p, "y0", VERDICT_REQUEST, NOON);
        (void) ask(p, "z", VERDICT_OK, NOON);
        assert_non_null(pool_model_find(p, "y0"));
        assert_null(pool_model_find(p, "y1"));

        /* Never one that has a request under way. */
        for (unsigned i = 0; i < MODELS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "w%u", i);
                leases[i] = pick(p, name, NOON);
        }
        assert_int_equal(pool_pick(p, "one-more", NULL, 0, NOON, &lease, NULL), -E2BIG);
        for (unsigned i = 0; i < MODELS_MAX; i++)
                end(p, leases[i], VERDICT_OK, NOON);
        assert_int_equal(pool_n_models(p), MODELS_MAX);
        (void) ask(p, "one-more", VERDICT_OK, NOON);
        assert_int_equal(pool_n_models(p), MODELS_MAX);
}

/* An invented name is refused rather than that a wait is forgotten. */
static void test_waits_are_kept(void **state) {
        _cleanup_(pool_freep) Pool *p = pool_of(1, 1);
        usec_t later = NOON + 2 * USEC_PER_MINUTE;
        Lease lease;
        char name[8];

        (void) ask(p, "spent", VERDICT_MINUTE, NOON);
        for (unsigned i = 0; i < 2 * MODELS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "x%u", i);
                (void) ask(p, name, VERDICT_REQUEST, NOON);
        }
        assert_int_equal(pool_n_models(p), MODELS_MAX);
        assert_non_null(pool_model_find(p, "spent"));
        assert_int_equal(pool_pick(p, "spent", NULL, 0, NOON, &lease, NULL), POOL_E_EXHAUSTED);

        for (unsigned i = 1; i < MODELS_MAX; i++) {
                (void) snprintf(name, sizeof(name), "s%u", i);
                (void) ask(p, name, i % 2 ? VERDICT_RATE_UNKNOWN : VERDICT_DAY, NOON);
        }
        assert_int_equal(pool_pick(p, "one-more", NULL, 0, NOON, &lease, NULL), -E2BIG);
        assert_null(pool_model_find(p, "one-more"));
        (void) ask(p, "one-more", VERDICT_OK, later); /* the waits are over */
        assert_int_equal(pool_n_models(p), MODELS_MAX);
}

/* Where keys are many, pairs run out before models do. */
static void test_pairs_are_bounded(void **state) {
        const unsigned n = 50;
        _cleanup_(pool_freep) Pool *p = pool_of(n, 1);
        Lease lease = pick(p, "busy", NOON);
        char name[8];

        assert_int_equal(p->n_slots_max, SLOTS_MAX);
        p->n_slots_max = 4 * n;
        for (unsigned i = 0; i < 20; i++) {
                (void) snprintf(name, sizeof(name), "x%u", i);
                for (unsigned j = 0; j < n; j++)
                        (void) ask(p, name, VERDICT_OK, NOON);
                assert_in_range(p->n_slots, 1, 4 * n);
        }
        assert_in_range(pool_n_models(p), 3, 5);
        assert_non_null(pool_model_find(p, "busy"));
        end(p, lease, VERDICT_OK, NOON);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_steps_of_any),
                cmocka_unit_test(test_steps_when_even),
                cmocka_unit_test(test_steps_when_uneven),
                cmocka_unit_test(test_steps_when_all_come_due),
                cmocka_unit_test(test_no_allocation),
                cmocka_unit_test(test_refusal_is_kept),
                cmocka_unit_test(test_models_are_forgotten),
                cmocka_unit_test(test_waits_are_kept),
                cmocka_unit_test(test_pairs_are_bounded),
        };

        return cmocka_run_group_tests_name("pool-scale", tests, setup, teardown);
}
