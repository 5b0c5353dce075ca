/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "pool/pool.h"
#include "pool-keys.h"

#define NOON (1795377600 * USEC_PER_SEC)

/* A key for no model in particular: what it meets concerns the key and its project, and counts nowhere. */
typedef struct World {
        Zone *zone;
        Pool *pool;
        usec_t now;
} World;

static void add(World *w, const char *text, const char *project, bool disabled) {
        _cleanup_(secret_unrefp) Secret *s = NULL;

        assert_int_equal(secret_new(text, strlen(text), &s), 0);
        assert_int_equal(pool_add_key(w->pool, s, NULL, project, disabled), 0);
}

static int setup(void **state) {
        static World w;

        w.now = NOON;
        assert_int_equal(zone_new("UTC", NOON, &w.zone), 0);
        assert_int_equal(pool_new(w.zone, NOON, &w.pool), 0);
        add(&w, "AIzaSy0000000000000000aaaa", NULL, true);
        add(&w, "AIzaSy0000000000000000bbbb", NULL, false);
        add(&w, "AIzaSy0000000000000000cccc", "p", false);
        add(&w, "AIzaSy0000000000000000dddd", "p", false);
        *state = &w;
        return 0;
}

static int teardown(void **state) {
        World *w = *state;

        w->pool = pool_free(w->pool);
        w->zone = zone_free(w->zone);
        return 0;
}

/* The index of the key that is picked, its report being the given class; -1 if there is none. */
static int ask(World *w, VerdictClass class) {
        PoolRefusal refusal;
        Verdict v;
        Lease lease;
        int index = -1;

        if (pool_pick_rotation(w->pool, NULL, 0, w->now, &lease, &refusal) != 0)
                return -1;
        assert_null(lease.slot);
        for (size_t i = 0; i < pool_n_keys(w->pool); i++)
                if (pool_key(w->pool, i) == lease.key)
                        index = (int) i;
        verdict_init(&v, class, 0, NULL);
        pool_report(w->pool, &lease, &v, NULL, w->now);
        assert_null(lease.key);
        return index;
}

/* These requests change no counters, whatever their verdict; projects rotate, and so do the keys of each. */
static void test_nothing_counts(void **state) {
        World *w = *state;
        PoolKeyView v;

        assert_int_equal(ask(w, VERDICT_OK), 1);
        assert_int_equal(ask(w, VERDICT_DAY), 2);
        assert_int_equal(ask(w, VERDICT_OVERLOAD), 1);
        assert_int_equal(ask(w, VERDICT_KEY_REFUSED), 3);
        assert_int_equal(ask(w, VERDICT_OK), 1);
        assert_int_equal(ask(w, VERDICT_OK), 2);
        pool_key_view(w->pool, pool_key(w->pool, 1), w->now, &v);
        assert_int_equal(v.counters.total, 0);
        assert_int_equal(v.state, POOL_USABLE);
        assert_int_equal(pool_n_models(w->pool), 0);
        assert_int_equal(pool_usable_keys(w->pool, w->now), 3);
        assert_int_equal(pool_enabled_keys(w->pool), 3);
}

/* Death and lack of money are found out here as anywhere, for all models, and looked at again after a
 * wait. */
static void test_death(void **state) {
        World *w = *state;
        PoolRefusal refusal;
        Lease lease;

        assert_int_equal(ask(w, VERDICT_KEY_DEAD), 1);
        assert_int_equal(ask(w, VERDICT_BILLING), 2);
        assert_int_equal(ask(w, VERDICT_OK), -1);
        assert_int_equal(pool_usable_keys(w->pool, w->now), 0);
        assert_int_equal(pool_pick(w->pool, "m", NULL, 0, w->now, &lease, NULL), POOL_E_EXHAUSTED);

        assert_int_equal(pool_pick_rotation(w->pool, NULL, 0, w->now, &lease, &refusal), POOL_E_EXHAUSTED);
        assert_int_equal(refusal.n_keys[POOL_DEAD], 1);
        assert_int_equal(refusal.n_keys[POOL_BILLING], 2);
        assert_int_equal(refusal.n_keys[POOL_DISABLED], 1);
        assert_false(refusal.is_quota);
        assert_int_equal(refusal.available_at, w->now + USEC_PER_MINUTE);

        w->now += USEC_PER_HOUR;
        assert_int_equal(ask(w, VERDICT_OK), 1);
        assert_int_equal(pool_usable_keys(w->pool, w->now), 1);
        assert_int_equal(ask(w, VERDICT_OK), 1); /* before another that is to be looked at again */
}

/* One probe at a time; the next pick probes another key. */
static void test_probe(void **state) {
        World *w = *state;
        Lease first, second, third;
        Verdict v;

        assert_int_equal(ask(w, VERDICT_KEY_DEAD), 1);
        assert_int_equal(ask(w, VERDICT_PROJECT_DEAD), 2);
        w->now += USEC_PER_DAY;
        assert_int_equal(pool_pick_rotation(w->pool, NULL, 0, w->now, &first, NULL), 0);
        assert_int_equal(pool_pick_rotation(w->pool, NULL, 0, w->now, &second, NULL), 0);
        assert_int_equal(pool_pick_rotation(w->pool, NULL, 0, w->now, &third, NULL), POOL_E_EXHAUSTED);
        assert_ptr_equal(first.key, pool_key(w->pool, 1));
        assert_ptr_equal(second.key, pool_key(w->pool, 2));

        verdict_init(&v, VERDICT_CLIENT_GONE, 0, NULL); /* as good as no probe */
        pool_report(w->pool, &second, &v, NULL, w->now);
        assert_int_equal(ask(w, VERDICT_OK), 2);
        assert_int_equal(pool_usable_keys(w->pool, w->now), 2);
        verdict_init(&v, VERDICT_KEY_DEAD, 0, NULL);
        pool_report(w->pool, &first, &v, NULL, w->now);
        assert_int_equal(pool_usable_keys(w->pool, w->now), 2);
}

static void test_exclude(void **state) {
        World *w = *state;
        PoolKey *tried[3]; /* of five, two of which are out of use */
        PoolRefusal refusal;

        for (size_t i = 0; i < ELEMENTSOF(tried); i++) {
                Lease lease;
                Verdict v;

                assert_int_equal(pool_pick_rotation(w->pool, tried, i, w->now, &lease, NULL), 0);
                assert_ptr_equal(lease.key, pool_key(w->pool, i + 1));
                tried[i] = lease.key;
                verdict_init(&v, VERDICT_OVERLOAD, 503, NULL);
                pool_report(w->pool, &lease, &v, NULL, w->now);
        }
        assert_int_equal(pool_pick_rotation(w->pool, tried, ELEMENTSOF(tried), w->now, &(Lease){}, &refusal),
                         POOL_E_EXHAUSTED);
        assert_int_equal(refusal.n_keys[POOL_USABLE], 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(test_nothing_counts),
                TEST(test_death),
                TEST(test_probe),
                TEST(test_exclude),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
