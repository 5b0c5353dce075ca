/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "pool/pick-preferred.h"
#include "pool-keys.h"

#define NOON (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)
#define MODEL "gemini-3.8-flash"

/* The vectors of SipHash's authors: bytes 0, 1, 2 … under the key 00 01 … 0f. */
static void test_hash(void **state) {
        static const struct {
                size_t n;
                uint64_t hash;
        } rows[] = {
                { 0, UINT64_C(0x726fdb47dd0e0e31) },
                { 1, UINT64_C(0x74f839c593dc67fd) },
                { 8, UINT64_C(0x93f5f5799a932462) },
                { 15, UINT64_C(0xa129ca6149be45e5) },
        };
        uint8_t key[HASH_KEY_SIZE], text[16];

        for (uint8_t i = 0; i < 16; i++)
                key[i] = text[i] = i;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_true(hash_keyed(key, text, rows[i].n) == rows[i].hash);
        assert_true(hash_stable("a", 1) == hash_stable("a", 1));
        assert_true(hash_stable("a", 1) != hash_stable("b", 1));
}

/* --- the latest ones --- */

static void test_latest(void **state) {
        static const uint8_t key[HASH_KEY_SIZE] = "test";
        _cleanup_(affinity_freep) Affinity *a = NULL;
        AffinityHome one, two;

        affinity_home_init(&one);
        affinity_home_init(&two);
        assert_int_equal(affinity_new(key, 3, &a), 0);
        assert_null(affinity_find(a, 1));
        for (uint64_t i = 1; i <= 3; i++)
                affinity_bind(a, i, &one);
        affinity_bind(a, 1, &two); /* the latest again, and elsewhere */
        affinity_bind(a, 4, &two); /* makes the oldest go: 2 */
        assert_ptr_equal(affinity_find(a, 1), &two);
        assert_null(affinity_find(a, 2));
        assert_ptr_equal(affinity_find(a, 3), &one);
        assert_ptr_equal(affinity_find(a, 4), &two);

        affinity_home_done(&two);
        assert_null(affinity_find(a, 1));
        assert_null(affinity_find(a, 4));
        assert_ptr_equal(affinity_find(a, 3), &one);
        affinity_bind(a, 1, &one);
        assert_ptr_equal(affinity_find(a, 1), &one);

        for (uint64_t i = 100; i < 1000; i++)
                affinity_bind(a, i, &one);
        for (uint64_t i = 997; i < 1000; i++)
                assert_ptr_equal(affinity_find(a, i), &one);
        assert_null(affinity_find(a, 996));
        affinity_home_done(&one);
}

/* --- the pool --- */

typedef struct Fixture {
        Zone *zone;
        Pool *pool;
        Affinity *affinity;
} Fixture;

static void add(Fixture *f, unsigned i) {
        _cleanup_(secret_unrefp) Secret *s = NULL;
        char text[32];

        (void) snprintf(text, sizeof(text), "the-key-number-%u", i);
        assert_int_equal(secret_new(text, strlen(text), &s), 0);
        assert_int_equal(pool_add_key(f->pool, s, NULL, NULL, false), 0);
}

static void begin(Fixture *f, unsigned n) {
        static const uint8_t key[HASH_KEY_SIZE] = "test";

        assert_int_equal(zone_new("UTC", NOON, &f->zone), 0);
        assert_int_equal(pool_new(f->zone, NOON, &f->pool), 0);
        assert_int_equal(affinity_new(key, 64, &f->affinity), 0);
        for (unsigned i = 0; i < n; i++)
                add(f, i);
}

static void end(Fixture *f) {
        affinity_free(f->affinity);
        pool_free(f->pool);
        zone_free(f->zone);
}

/* Which key serves; with its verdict it is given back at once. */
static const PoolKey *ask(Fixture *f, uint64_t conversation, uint64_t spill, VerdictClass class) {
        const PoolRequest q = {
                .model = MODEL,
                .prefer = conversation > 0 ? pool_prefer(f->pool, f->affinity, conversation) : NULL,
                .spill = spill,
        };
        const PoolKey *k;
        Lease lease;
        Verdict v;

        assert_int_equal(pool_pick_for(f->pool, &q, NOON, &lease, NULL), 0);
        k = lease.key;
        verdict_init(&v, class, 0, NULL);
        if (conversation > 0 && class == VERDICT_OK)
                pool_bind(f->affinity, conversation, &lease);
        pool_report(f->pool, &lease, &v, NULL, NOON);
        return k;
}

/* Each conversation keeps its key, and all keys have conversations, in a small pool and in a large one. */
static void test_rendezvous(void **state) {
        static const unsigned sizes[] = { 1, 2, 7, 64, 65, 1000 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_free_ unsigned *n = calloc(sizes[i], sizeof(unsigned));
                Fixture f = {};
                unsigned most = 0;

                begin(&f, sizes[i]);
                assert_non_null(n);
                for (uint64_t c = 1; c <= 100 * (uint64_t) sizes[i]; c++) {
                        PoolProject *project = pool_prefer(f.pool, f.affinity, hash_mix(c));

                        assert_ptr_equal(pool_prefer(f.pool, f.affinity, hash_mix(c)), project);
                        most = MAX(most, ++n[project->first_key->index]);
                }
                for (unsigned k = 0; k < sizes[i]; k++)
                        assert_true(n[k] > 0);
                assert_true(most < 250); /* a hundred each, by chance */
                end(&f);
        }
}

/* A new project takes its share; the other conversations stay where they are. */
static void test_new_project(void **state) {
        PoolProject *before[1000];
        unsigned moved = 0;
        Fixture f = {};

        begin(&f, 9);
        for (uint64_t c = 0; c < ELEMENTSOF(before); c++)
                before[c] = pool_prefer(f.pool, f.affinity, hash_mix(c + 1));
        add(&f, 9);
        for (uint64_t c = 0; c < ELEMENTSOF(before); c++) {
                PoolProject *now = pool_prefer(f.pool, f.affinity, hash_mix(c + 1));

                if (now == before[c])
                        continue;
                assert_int_equal(now->first_key->index, 9);
                moved++;
        }
        assert_in_range(moved, 50, 170);
        end(&f);
}

static void test_stays_and_spills(void **state) {
        const PoolKey *home;
        Fixture f = {};
        unsigned n = 1;

        begin(&f, 2);
        home = ask(&f, 77, 25, VERDICT_OK);
        while (ask(&f, 77, 25, VERDICT_OK) == home)
                n++;
        assert_int_equal(n, 6); /* SPILL_LEAST more than the other, which had none */
        end(&f);

        /* With a share, not a number. */
        f = (Fixture){};
        begin(&f, 2);
        for (unsigned i = 0; i < 200; i++)
                (void) ask(&f, 0, 0, VERDICT_OK);
        home = ask(&f, 77, 25, VERDICT_OK);
        for (n = 1; ask(&f, 77, 25, VERDICT_OK) == home;)
                n++;
        assert_int_equal(n, 31); /* 25 and SPILL_LEAST beyond the hundred of the other */
        end(&f);
}

/* Where the home rests another serves, and is the home then. */
static void test_home_rests(void **state) {
        const PoolKey *home, *other;
        Fixture f = {};

        begin(&f, 3);
        home = ask(&f, 77, 1000, VERDICT_OK);
        assert_ptr_equal(ask(&f, 77, 1000, VERDICT_DAY), home);
        other = ask(&f, 77, 1000, VERDICT_OK);
        assert_ptr_not_equal(other, home);
        for (unsigned i = 0; i < 4; i++)
                assert_ptr_equal(ask(&f, 77, 1000, VERDICT_OK), other);
        assert_true(pool_reset(f.pool, NULL, NULL, NOON) >= 0);
        assert_ptr_equal(ask(&f, 77, 1000, VERDICT_OK), other);
        end(&f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hash),
                cmocka_unit_test(test_latest),
                cmocka_unit_test(test_rendezvous),
                cmocka_unit_test(test_new_project),
                cmocka_unit_test(test_stays_and_spills),
                cmocka_unit_test(test_home_rests),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
