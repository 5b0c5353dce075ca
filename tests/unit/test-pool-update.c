/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/limits.h"
#include "pool-keys.h"
#include "pool/chain.h"
#include "pool/explain.h"
#include "pool/reset.h"
#include "pool/update.h"
#include "noon.h"
#include "shelf.h"
#include "walk.h"

/*
 * A new set of keys, a reset and an explanation come in slices. What a slice does is counted, not timed.
 * And a random walk goes on between the slices: whatever happens there, the chains and cursors are right.
 */

#define MANY  2000U
#define SLICE 100U

static size_t n_calls;

static void on_key(const PoolKey *k, void *userdata) {
        n_calls++;
}

static void on_health(const PoolKey *k, const char *model, PoolState before, PoolState after,
                      const char *reason, usec_t until, void *userdata) {
        n_calls++;
}

static void on_reason(const PoolReason *r, void *userdata) {
        n_calls++;
}

static const PoolObserver observer = {
        .health_changed = on_health,
        .key_added = on_key,
        .key_removed = on_key,
};

static PoolKeyWanted *wanted_new(unsigned first, unsigned n) {
        PoolKeyWanted *w = calloc(n, sizeof(PoolKeyWanted));

        assert_non_null(w);
        for (unsigned i = 0; i < n; i++) {
                char text[64];

                (void) snprintf(text, sizeof(text), "AIzaSyUpdate-%06u-%04u", first + i, (first + i) % 97);
                assert_int_equal(secret_new(text, strlen(text), &w[i].secret), 0);
        }
        return w;
}

static void wanted_free(PoolKeyWanted *w, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                (void) secret_unref(w[i].secret);
        free(w);
}

static void ask(Pool *p, const char *model, VerdictClass class, usec_t now) {
        Lease lease;
        Verdict v;

        if (pool_pick(p, model, NULL, 0, now, &lease, NULL) != 0)
                return;
        verdict_init(&v, class, 0, NULL);
        pool_report(p, &lease, &v, NULL, now);
}

/* --- the chains --- */

static bool has_bucket(const PoolProject *project, const PoolModel *m) {
        LIST_FOREACH(i, &project->buckets)
                if (list_entry(i, PoolBucket, by_project)->model == m)
                        return true;
        return false;
}

static bool has_slot(const PoolKey *k, const PoolBucket *b) {
        LIST_FOREACH(i, &k->slots)
                if (list_entry(i, PoolSlot, by_key)->bucket == b)
                        return true;
        return false;
}

static bool is_arranged(const Pool *p, const PoolProject *project) {
        return project && project->arrangement == p->arrangement;
}

static void check_project(const Pool *p, const PoolProject *project, size_t *n_enabled, size_t *n_usable) {
        const PoolKey *last = NULL;
        size_t n_alive = 0;

        assert_true(project->chained);
        assert_non_null(project->first_key);
        for (const PoolKey *k = project->first_key; k; last = k, k = k->next_of_project) {
                assert_ptr_equal(k->prev_of_project, last);
                assert_ptr_equal(k->project, project);
                assert_true(k->chained && !k->disabled);
                assert_true(p->update || !last || last->index < k->index);
                n_alive += k->breaker.until == 0;
                (*n_enabled)++;
        }
        assert_ptr_equal(project->last_key, last);
        assert_int_equal(project->n_alive, n_alive);
        *n_usable += project->breaker.until == 0 ? n_alive : 0;
        LIST_FOREACH(i, &project->buckets) {
                const PoolBucket *b = list_entry(i, PoolBucket, by_project);
                const PoolKey *k = project->first_key;

                while (k && has_slot(k, b))
                        k = k->next_of_project;
                assert_ptr_equal(b->next_key, k);
        }
}

static void check(const Pool *p) {
        size_t n_enabled = 0, n_usable = 0, n_wanted = 0;
        const PoolProject *last = NULL;

        for (const PoolProject *i = p->first_project; i; last = i, i = i->next) {
                assert_ptr_equal(i->prev, last);
                assert_true(p->update || is_arranged(p, i));
                /* Those that have their place in the new order are in it, and come before the others. */
                if (is_arranged(p, i)) {
                        assert_true(pool_key_is_arranged(p, i->first_key));
                        assert_true(!last || is_arranged(p, last));
                        assert_true(!last || last->first_key->index < i->first_key->index);
                }
                check_project(p, i, &n_enabled, &n_usable);
        }
        assert_ptr_equal(p->last_project, last);
        assert_int_equal(p->n_enabled, n_enabled);
        assert_int_equal(p->n_usable, n_usable);
        LIST_FOREACH(i, &p->models) {
                const PoolModel *m = list_entry(i, PoolModel, models);
                const PoolProject *project = p->first_project;

                while (project && has_bucket(project, m))
                        project = project->next;
                assert_ptr_equal(m->next_project, project);
        }
        for (size_t i = 0; !p->update && i < p->n_keys; i++) {
                assert_int_equal(p->keys[i]->index, i);
                assert_int_equal(p->keys[i]->chained, !p->keys[i]->disabled);
                n_wanted += !p->keys[i]->disabled;
        }
        assert_true(p->update || n_wanted == n_enabled);
}

/* --- slices --- */

static void test_what_a_slice_does(void **state) {
        PoolKeyWanted *before = wanted_new(0, MANY), *after = wanted_new(MANY / 2, MANY);
        _cleanup_(pool_freep) Pool *p = NULL;
        _cleanup_(pool_explain_freep) PoolExplain *e = NULL;
        _cleanup_(pool_update_freep) PoolUpdate *u = NULL;
        _cleanup_(pool_reset_freep) PoolReset *reset = NULL;
        size_t n = 0, total = 0;
        PoolChange change;
        int r;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        assert_int_equal(pool_set_keys(p, before, MANY, NOON, &change), 0);
        pool_set_observer(p, &observer, NULL);

        assert_int_equal(pool_update_new(p, after, MANY, &u), 0);
        do {
                n_calls = 0;
                r = pool_update_step(u, NOON, SLICE);
                assert_true(r >= 0 && n_calls <= SLICE);
                total += n_calls;
                ask(p, "m", VERDICT_DAY, NOON);
                n++;
        } while (r > 0);
        assert_true(n > 5 * MANY / SLICE);
        assert_int_equal(total, MANY); /* half of them left, as many came */
        change = pool_update_change(u);
        assert_int_equal(change.n_added, MANY / 2);
        assert_int_equal(change.n_removed, MANY / 2);
        assert_int_equal(change.n_kept, MANY / 2);
        check(p);

        for (unsigned i = 0; i < MANY; i++)
                ask(p, "m", VERDICT_DAY, NOON);
        assert_int_equal(pool_reset_new(p, NULL, NULL, &reset), 0);
        n = 0;
        do {
                n_calls = 0;
                r = pool_reset_step(reset, NOON, SLICE);
                assert_true(r >= 0 && n_calls <= SLICE);
                n++;
        } while (r > 0);
        assert_true(n >= 3 * MANY / SLICE);
        assert_true(pool_reset_count(reset) >= MANY / 2);

        assert_int_equal(pool_explain_new(p, "m", &e), 0);
        n = 0;
        do {
                n_calls = 0;
                r = pool_explain_step(e, NOON, SLICE, on_reason, NULL);
                assert_true(r >= 0 && n_calls <= SLICE);
                n++;
        } while (r > 0);
        assert_true(n >= 2 * MANY / SLICE);
        wanted_free(before, MANY);
        wanted_free(after, MANY);
}

/* Dropped before anything has changed, or in the middle, when the rest is done at once. */
static void test_an_end_in_the_middle(void **state) {
        PoolKeyWanted *before = wanted_new(0, 50), *after = wanted_new(25, 50);

        for (unsigned n_steps = 0; n_steps < 400; n_steps++) {
                _cleanup_(pool_freep) Pool *p = NULL;
                PoolUpdate *u;
                PoolChange change;
                bool has_begun;

                assert_int_equal(pool_new(zone, NOON, &p), 0);
                assert_int_equal(pool_set_keys(p, before, 50, NOON, &change), 0);
                for (unsigned i = 0; i < 40; i++)
                        ask(p, "m", VERDICT_OK, NOON + i);
                assert_int_equal(pool_update_new(p, after, 50, &u), 0);
                for (unsigned i = 0; i < n_steps && pool_update_step(u, NOON + 100, 1) > 0; i++)
                        check(p);
                has_begun = pool_update_has_begun(u);
                (void) pool_update_free(u);
                check(p);
                assert_true(secret_compare(p->keys[0]->secret, (has_begun ? after : before)->secret) == 0);
        }
        wanted_free(before, 50);
        wanted_free(after, 50);
}

/* While a reload goes on, a project loses the only one of its keys that has its place in the new order. Its
 * other key was the first before, and will be the last: the project has no place then until that key has its
 * own, and the keys that come meanwhile are not put behind it. */
static void test_a_project_loses_its_place(void **state) {
        static const unsigned order[] = { 1, 2, 3, 4, 5, 0 };
        PoolKeyWanted *before = wanted_new(0, ELEMENTSOF(order)), after[ELEMENTSOF(order)];
        _cleanup_(pool_freep) Pool *p = NULL;
        _cleanup_(pool_update_freep) PoolUpdate *u = NULL;
        PoolKey *keys[ELEMENTSOF(order)];
        PoolChange change;

        before[0].project = before[4].project = "red";
        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                after[i] = before[order[i]];
        assert_int_equal(pool_new(zone, NOON, &p), 0);
        assert_int_equal(pool_set_keys(p, before, ELEMENTSOF(order), NOON, &change), 0);
        memcpy(keys, p->keys, sizeof(keys));
        ask(p, "m", VERDICT_OK, NOON); /* keys[0] */
        ask(p, "m", VERDICT_OK, NOON); /* keys[1] */

        assert_int_equal(pool_update_new(p, after, ELEMENTSOF(order), &u), 0);
        while (!pool_key_is_arranged(p, keys[4]) || keys[4]->index != 3)
                assert_true(pool_update_step(u, NOON, 1) > 0);
        assert_false(pool_key_is_arranged(p, keys[5]) && keys[5]->index == 4);
        assert_int_equal(pool_set_disabled(p, keys[4], true, NOON), 1);
        check(p);
        assert_int_equal(pool_set_disabled(p, keys[2], true, NOON), 1);
        assert_int_equal(pool_set_disabled(p, keys[2], false, NOON), 1);
        check(p);
        while (pool_update_step(u, NOON, 1) > 0)
                check(p);
        check(p);
        for (unsigned i = 0; i < 3; i++) { /* none of those that were not asked is forgotten */
                static const unsigned turns[] = { 2, 3, 5 };
                Lease lease;
                Verdict v;

                assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, &lease, NULL), 0);
                assert_ptr_equal(lease.key, keys[turns[i]]);
                verdict_init(&v, VERDICT_OK, 0, NULL);
                pool_report(p, &lease, &v, NULL, NOON);
        }
        wanted_free(before, ELEMENTSOF(order));
}

/* --- the walk --- */

#define WALK_KEYS 24U

typedef struct Walk {
        Pool *pool;
        PoolKeyWanted *all, wanted[WALK_KEYS];
        PoolUpdate *update;
        PoolReset *reset;
        uint64_t random;
        usec_t now;
        unsigned n_updates, n_resets;
        Lease out[8];
        unsigned n_out;
        Shelf shelf;
        Rows query;
        size_t asked_at, shelf_at; /* what comes next of the query, and for it */
        Row asked;
        bool is_asked;
        PoolRestore *restore;
        unsigned n_rows;
} Walk;

static unsigned draw(Walk *w, unsigned below) {
        w->random ^= w->random >> 12;
        w->random ^= w->random << 25;
        w->random ^= w->random >> 27;
        return (unsigned) ((w->random * 2685821657736338717ULL) >> 33) % below;
}

static void step_update(Walk *w) {
        static const char *const projects[] = { NULL, NULL, "red", "green", "blue" };
        static const char *const names[] = { NULL, NULL, NULL, "left", "right" };
        unsigned n = 0;

        if (w->update) {
                if (pool_update_step(w->update, w->now, 1 + draw(w, 3)) == 0) {
                        w->update = pool_update_free(w->update);
                        w->n_updates++;
                }
                return;
        }
        if (draw(w, 10) > 0)
                return;
        for (unsigned i = 0, start = draw(w, WALK_KEYS); i < WALK_KEYS; i++) {
                unsigned k = draw(w, 4) == 0 ? draw(w, WALK_KEYS) : (i + start) % WALK_KEYS;

                if (draw(w, 4) == 0)
                        continue;
                w->wanted[n] = w->all[k];
                w->wanted[n].project = projects[draw(w, ELEMENTSOF(projects))];
                w->wanted[n].name = i % 12 == 0 ? names[draw(w, 4) == 0 ? 3 + i / 12 : 0] : NULL;
                w->wanted[n++].disabled = draw(w, 6) == 0;
        }
        assert_int_equal(pool_update_new(w->pool, w->wanted, n, &w->update), 0);
}

static void step_reset(Walk *w) {
        if (!w->reset && draw(w, 20) == 0)
                assert_int_equal(pool_reset_new(w->pool, NULL, draw(w, 2) ? "m0" : NULL, &w->reset), 0);
        else if (w->reset && pool_reset_step(w->reset, w->now, 1 + draw(w, 5)) <= 0) {
                w->reset = pool_reset_free(w->reset);
                w->n_resets++;
        }
}

static void on_noted(bool urgent, void *userdata) {
}

/* The next row that the query finds. */
static bool next_found(Walk *w, Row *ret) {
        for (;;) {
                while (w->is_asked && w->shelf_at < w->shelf.n) {
                        *ret = shelf_row(&w->shelf, w->shelf_at++);
                        if (shelf_is_found(ret, &w->asked))
                                return true;
                }
                w->shelf_at = 0;
                w->is_asked = rows_next(&w->query, &w->asked_at, &w->asked);
                if (!w->is_asked)
                        return false;
        }
}

/* Rows are asked for, come a few at a time, and the part ends. */
static void step_restore(Walk *w) {
        static const uint8_t secret[DIGEST_KEY_SIZE] = "not random, but as good here";
        Row row;

        if (!w->restore) {
                if (pool_is_restored(w->pool))
                        return;
                rows_clear(&w->query);
                w->asked_at = 0;
                assert_int_equal(pool_restore_part(w->pool, w->now, &w->query, &w->restore), 0);
                return;
        }
        for (unsigned n = 1 + draw(w, 8); n > 0; n--, w->n_rows++) {
                if (!next_found(w, &row)) {
                        assert_int_equal(pool_restore_end(w->restore), 0);
                        assert_int_equal(pool_set_state_secret(w->pool, secret), 0);
                        w->restore = NULL;
                        return;
                }
                assert_int_equal(pool_restore_row(w->restore, row.table, row.values, row.n), 0);
        }
}

/* The stored totals never fall. */
static void check_total(Walk *w, const Row *row) {
        for (size_t i = 0; row->verb == ROW_PUT && row->table == POOL_KEYS && i < w->shelf.n; i++) {
                Row old = shelf_row(&w->shelf, i);

                if (old.table == POOL_KEYS && shelf_same_value(old.values, row->values))
                        assert_true(row->values[4].integer >= old.values[4].integer);
        }
}

static void step_save(Walk *w) {
        Rows rows = ROWS_INIT(1U << 20);
        size_t at = 0;
        Row row;

        if (w->restore || !pool_is_restored(w->pool))
                return;
        assert_int_equal(pool_save(w->pool, true, &rows), 0);
        while (rows_next(&rows, &at, &row))
                check_total(w, &row);
        at = 0;
        while (rows_next(&rows, &at, &row))
                shelf_take(&w->shelf, &pool_schema, &row);
        rows_done(&rows);
}

static void step_ask(Walk *w) {
        static const char *const models[] = { "m0", "m1", "m2" };

        if (w->n_out < ELEMENTSOF(w->out) &&
            pool_pick(w->pool, models[draw(w, 3)], NULL, 0, w->now, w->out + w->n_out, NULL) == 0)
                w->n_out++;
}

static void step_report(Walk *w) {
        static const char *const consumers[] = { "projects/1", "projects/2", "projects/3" };
        unsigned i;
        Verdict v;

        if (w->n_out == 0)
                return;
        i = draw(w, w->n_out);
        verdict_init(&v, draw(w, 2) ? VERDICT_OK : (VerdictClass) draw(w, _VERDICT_CLASS_MAX), 0, NULL);
        if (draw(w, 10) == 0)
                (void) snprintf(v.consumer, sizeof(v.consumer), "%s", consumers[draw(w, 3)]);
        pool_report(w->pool, w->out + i, &v, NULL, w->now);
        w->out[i] = w->out[--w->n_out];
}

static void step_disable(Walk *w) {
        unsigned n = (unsigned) pool_n_keys(w->pool);

        if (n > 0)
                (void) pool_set_disabled(w->pool, w->pool->keys[draw(w, n)], draw(w, 3) == 0, w->now);
}

static void step_time(Walk *w) {
        w->now += draw(w, 50) == 0 ? USEC_PER_HOUR : draw(w, 5) * USEC_PER_SEC;
}

static void walk(uint64_t seed, unsigned n_steps) {
        static void (*const steps[])(Walk *w) = {
                step_update, step_update, step_update, step_reset, step_ask,
                step_ask,    step_report, step_report, step_time,  step_disable,
                step_restore, step_restore, step_restore, step_save,
        };
        Walk w = {
                .random = walk_seed(seed),
                .now = NOON,
                .all = wanted_new(0, WALK_KEYS),
                .query = ROWS_INIT(1U << 20),
        };

        n_steps = walk_steps(n_steps);
        assert_int_equal(pool_new(zone, NOON, &w.pool), 0);
        pool_set_observer(w.pool, &observer, NULL);
        pool_keep(w.pool, on_noted, NULL);
        for (unsigned i = 0; i < n_steps; i++) {
                steps[draw(&w, ELEMENTSOF(steps))](&w);
                check(w.pool);
        }
        w.update = pool_update_free(w.update);
        w.reset = pool_reset_free(w.reset);
        while (w.n_out > 0)
                step_report(&w);
        while (w.restore || !pool_is_restored(w.pool))
                step_restore(&w);
        check(w.pool);
        step_save(&w);
        assert_true(list_is_empty(&w.pool->gone));
        assert_true(w.n_updates > n_steps / 1000);
        assert_true(w.n_resets > n_steps / 1000);
        assert_true(w.n_rows > n_steps / 100);
        print_message("           %u updates, %u resets, %u rows\n", w.n_updates, w.n_resets, w.n_rows);
        w.pool = pool_free(w.pool);
        rows_done(&w.query);
        shelf_done(&w.shelf);
        wanted_free(w.all, WALK_KEYS);
}

static void test_walk(void **state) {
        walk(1, 60000);
        walk(2, 60000);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_a_slice_does),
                cmocka_unit_test(test_an_end_in_the_middle),
                cmocka_unit_test(test_a_project_loses_its_place),
                cmocka_unit_test(test_walk),
        };

        return cmocka_run_group_tests_name("pool-update", tests, setup, teardown);
}
