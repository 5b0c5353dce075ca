/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "core/day-clock.h"
#include "pool-keys.h"
#include "pool-plain.h"
#include "noon.h"
#include "walk.h"

/*
 * A long random walk of picks, reports, jumps of time, resets, keys that are disabled and reloads, side by
 * side with the same rules written as plainly as possible: arrays, and loops over all keys. Whatever the
 * heaps do, the pool must choose the same key, refuse with the same reasons, show the same states, and send
 * the same notifications.
 */

#define EXCLUDED 3U
#define SECOND   ((int64_t) USEC_PER_SEC)

static const char *const model_names[MODELS] = { "gemini-a", "gemini-b", "gemini-c" };
static const char *const shared_names[SHARED] = { "red", "green", "blue" };
/* --- the walk --- */

typedef struct Walk {
        Plain plain;
        Pool *pool;
        Secret *secrets[KEYS];
        Wanted wanted[KEYS];
        uint64_t random, step, id;
        DayClock day_clock;
        usec_t passed;           /* the true time */
        int64_t off, off_before; /* of the wall clock; of the clock when it last doubted */
        bool doubted;
        unsigned n_believed;
        usec_t clock;
        struct {
                Lease lease;
                Life *key;
                unsigned model;
                uint64_t id;
        } out[LEASES];
        unsigned n_out, n_max;
        bool slow; /* picks move one slot each, so the order is free for a while, see refresh.c */
        unsigned n_picks, n_refusals, n_words, n_exhausted, n_reloads, n_added, n_removed;
} Walk;

/* xorshift64*, so that a walk is the same everywhere. */
static unsigned draw(Walk *w, unsigned below) {
        w->random ^= w->random >> 12;
        w->random ^= w->random << 25;
        w->random ^= w->random >> 27;
        return (unsigned) ((w->random * 2685821657736338717ULL) >> 33) % below;
}

static unsigned index_of(const Walk *w, const PoolKey *k) {
        for (unsigned i = 0; i < pool_n_keys(w->pool); i++)
                if (pool_key(w->pool, i) == k)
                        return i;
        fail_msg("step %llu: a word of a key that is gone", (unsigned long long) w->step);
        return 0;
}

/* --- notifications --- */

static bool is_pickable(Plain *w, unsigned m) {
        for (unsigned k = 0; k < w->n_keys; k++)
                if (plain_may(w, w->keys[k], m))
                        return true;
        return false;
}

static unsigned model_of(const char *name) {
        for (unsigned m = 0; m < MODELS; m++)
                if (streq(model_names[m], name))
                        return m;
        fail_msg("a word of a model %s", name);
        return 0;
}

/* Each word begins where the one before ended. That it is the truth is what compare() sees. */
static void on_health_changed(const PoolKey *k, const char *model, PoolState before, PoolState after,
                              const char *reason, usec_t until, void *userdata) {
        Walk *w = userdata;
        Life *life = w->plain.keys[index_of(w, k)];
        PoolState *told = *model ? &life->pair[model_of(model)].told : &life->told;

        if (*told != before)
                fail_msg("step %llu: key %u, %s: from %s, but the last notification was %s",
                         (unsigned long long) w->step, life->index, model, pool_state_to_string(before),
                         pool_state_to_string(*told));
        assert_true(before != after || after != POOL_USABLE);
        assert_true(*reason);
        assert_int_equal(after == POOL_DISABLED, until == USEC_INFINITY);
        *told = after;
        w->n_words++;
}

static void on_exhausted(const char *model, usec_t until, void *userdata) {
        Walk *w = userdata;
        PoolRefusal expected;

        assert_false(is_pickable(&w->plain, model_of(model)));
        expected = plain_refusal(&w->plain, model_of(model));
        assert_int_equal(until, expected.available_at);
        w->n_exhausted++;
}

static void on_key_added(const PoolKey *k, void *userdata) {
        Walk *w = userdata;

        (void) index_of(w, k);
        w->n_added++;
}

static void on_key_removed(const PoolKey *k, void *userdata) {
        Walk *w = userdata;

        (void) index_of(w, k);
        w->n_removed++;
}

/* --- its steps --- */

static void step_pick(Walk *w) {
        unsigned m = draw(w, MODELS), n_exclude = draw(w, 4) == 0 ? draw(w, EXCLUDED + 1) : 0;
        PoolKey *exclude[EXCLUDED] = {};
        const Owner *avoid = NULL;
        PoolRequest q = {};
        uint64_t excluded = 0;
        PoolRefusal refusal;
        Lease lease;
        Life *k = NULL;
        int r;

        if (w->n_out == LEASES)
                return;
        for (unsigned i = 0; w->plain.n_keys > 0 && i < n_exclude; i++) {
                unsigned e = draw(w, w->plain.n_keys);

                exclude[i] = w->pool->keys[e];
                excluded |= 1ULL << e;
        }

        if (excluded && draw(w, 3) == 0) {
                unsigned e = draw(w, w->plain.n_keys);

                avoid = w->plain.keys[e]->project;
                q.avoid = w->pool->keys[e]->project;
        }
        q.model = model_names[m];
        q.exclude = exclude;
        q.n_exclude = n_exclude;

        plain_time(&w->plain, w->clock);
        if (!w->slow)
                k = plain_pick(&w->plain, m, excluded, avoid, w->id + 1);
        r = pool_pick_for(w->pool, &q, w->clock, &lease, &refusal);
        if (w->slow) {
                w->plain.taken = r == 0 ? w->plain.keys[index_of(w, lease.key)] : NULL;
                k = plain_pick(&w->plain, m, excluded, avoid, w->id + 1);
        }
        if (!k) {
                PoolRefusal expected = plain_refusal(&w->plain, m);

                assert_int_equal(r, POOL_E_EXHAUSTED);
                assert_memory_equal(refusal.n_keys, expected.n_keys, sizeof(expected.n_keys));
                assert_int_equal(refusal.available_at, expected.available_at);
                assert_int_equal(refusal.is_quota, expected.is_quota);
                assert_int_equal(refusal.is_daily, expected.is_daily);
                if (excluded == 0 && pool_model_find(w->pool, model_names[m])->tally.counters.total > 0)
                        assert_true(pool_model_find(w->pool, model_names[m])->exhausted);
                w->n_refusals++;
                return;
        }
        assert_int_equal(r, 0);
        if (lease.key != w->pool->keys[k->index])
                fail_msg("step %llu: key %u, not %u", (unsigned long long) w->step, lease.key->index,
                         k->index);
        w->out[w->n_out].lease = lease;
        w->out[w->n_out].key = k;
        w->out[w->n_out].model = m;
        w->out[w->n_out++].id = ++w->id;
        w->n_picks++;
}

static void step_report(Walk *w) {
        /* Mostly successes, or all keys would be down most of the time. */
        static const VerdictClass often[] = {
                VERDICT_OK, VERDICT_OK, VERDICT_OK, VERDICT_MINUTE, VERDICT_KEY_REFUSED,
        };
        VerdictClass class;
        unsigned i;
        Verdict v;

        if (w->n_out == 0)
                return;
        i = draw(w, w->n_out);
        class = (VerdictClass) draw(w, _VERDICT_CLASS_MAX);
        if (draw(w, 3) > 0)
                class = often[draw(w, ELEMENTSOF(often))];
        verdict_init(&v, class, 0, NULL);
        if (draw(w, 2) == 0)
                v.retry_after = draw(w, 100) * USEC_PER_SEC;

        plain_time(&w->plain, w->clock);
        if (draw(w, 4) == 0) {
                static const Verdict ok = { .class = VERDICT_OK };

                plain_judge(&w->plain, w->out[i].key, w->out[i].model, &ok, w->out[i].id);
                pool_answering(w->pool, &w->out[i].lease, w->clock);
        }
        plain_report(&w->plain, w->out[i].key, w->out[i].model, &v, w->out[i].id);
        pool_report(w->pool, &w->out[i].lease, &v, NULL, w->clock);
        w->out[i] = w->out[--w->n_out];
}

/* Time passes, and the wall clock goes wrong and right again. */
static void step_time(Walk *w) {
        static const usec_t begun = USEC_PER_DAY;
        DayReading now;

        switch (draw(w, 300)) {
        case 0:
                w->passed += draw(w, 86400) * USEC_PER_SEC;
                break;
        case 1:
                w->off -= draw(w, 59) * SECOND; /* is waited out */
                break;
        case 2:
                w->off -= draw(w, 2 * 86400) * SECOND; /* is no small step any more */
                break;
        case 3:
                w->off += draw(w, 2 * 86400) * SECOND;
                break;
        case 4 ... 6:
                w->off = w->plain.off;
                break;
        case 7 ... 54:
                w->passed += draw(w, 3600) * USEC_PER_SEC;
                break;
        default:
                w->passed += draw(w, 10 * 1000) * USEC_PER_MSEC;
        }
        now = (DayReading){ NOON + w->passed + (usec_t) w->off, { begun + w->passed, begun + w->passed } };
        w->clock = day_clock_set(&w->day_clock, &now);
        assert_int_equal(w->clock, NOON + w->passed + (usec_t) plain_clock(&w->plain, w->off, w->passed));
        w->n_believed += !w->plain.doubted && w->doubted && w->plain.off != w->off_before;
        w->doubted = w->plain.doubted;
        w->off_before = w->doubted ? w->plain.off : w->off_before;
}

static void step_reset(Walk *w) {
        unsigned k = draw(w, w->plain.n_keys + 1), m = draw(w, MODELS + 1);
        const char *model = m < MODELS ? model_names[m] : NULL;
        int r, n = 0;

        if (draw(w, 40) > 0)
                return;
        if (k == w->plain.n_keys)
                k = KEYS;
        plain_time(&w->plain, w->clock);
        if (w->plain.n_keys > 0 && (m == MODELS || w->plain.known[m]))
                n = plain_reset(&w->plain, k, m);
        r = pool_reset(w->pool, k < KEYS ? w->pool->keys[k]->mask : NULL, model, w->clock);
        if (w->plain.n_keys == 0 || (m < MODELS && !w->plain.known[m]))
                assert_int_equal(r, -ENXIO);
        else
                assert_int_equal(r, n);
}

static void step_disable(Walk *w) {
        unsigned k = draw(w, w->plain.n_keys + 1);
        bool disabled = draw(w, 3) == 0;

        if (k == w->plain.n_keys || draw(w, 20) > 0)
                return;
        plain_time(&w->plain, w->clock);
        w->plain.keys[k]->disabled = disabled;
        (void) pool_set_disabled(w->pool, w->pool->keys[k], disabled, w->clock);
}

/* A new order, some keys that were not there, some others gone, some in another project. */
static void step_reload(Walk *w) {
        unsigned n = draw(w, w->n_max + 1), added, removed;
        PoolChange change, expected;
        PoolKeyWanted wanted[KEYS];

        if (draw(w, 60) > 0)
                return;
        for (unsigned i = 0; i < w->n_max; i++) {
                unsigned j = draw(w, w->n_max);
                Wanted t = w->wanted[i];

                if (draw(w, 4) == 0) {
                        w->wanted[i] = w->wanted[j];
                        w->wanted[j] = t;
                }
                if (draw(w, 6) == 0)
                        w->wanted[i].project = draw(w, 2 * SHARED);
                if (draw(w, 8) == 0)
                        w->wanted[i].disabled = draw(w, 4) == 0;
        }
        n = draw(w, 3) == 0 ? n : w->n_max;
        for (unsigned i = 0; i < n; i++)
                wanted[i] = (PoolKeyWanted){
                        .secret = w->secrets[w->wanted[i].which],
                        .project = w->wanted[i].project < SHARED ? shared_names[w->wanted[i].project] : NULL,
                        .disabled = w->wanted[i].disabled,
                };

        added = w->n_added;
        removed = w->n_removed;
        plain_time(&w->plain, w->clock);
        (void) pool_day(w->pool, w->clock); /* what passes by time does so with the former keys */
        plain_set_keys(&w->plain, w->wanted, n, &expected);
        assert_int_equal(pool_set_keys(w->pool, wanted, n, w->clock, &change), 0);
        assert_memory_equal(&change, &expected, sizeof(change));
        assert_int_equal(w->n_added - added, change.n_added);
        assert_int_equal(w->n_removed - removed, change.n_removed);
        assert_int_equal(pool_n_keys(w->pool), n);
        w->n_reloads++;
}

typedef struct Compared {
        Walk *walk;
        Life *key;
        unsigned n;
} Compared;

/* A quota whose wait has ended may have been notified as usable or not. Every other change is notified. */
static void compare_told(const Walk *w, const Life *k, PoolState told, PoolState proven) {
        bool quiet = told == POOL_COOLING || told == POOL_USABLE;

        if (told != proven && !(quiet && (proven == POOL_COOLING || proven == POOL_USABLE)))
                fail_msg("step %llu: key %u is %s, but the last notification was %s",
                         (unsigned long long) w->step, k->index, pool_state_to_string(proven),
                         pool_state_to_string(told));
}

static void compare_slot(const PoolSlotView *v, void *userdata) {
        Compared *c = userdata;
        Walk *w = c->walk;
        unsigned m = model_of(v->model);
        const Pair *p = &c->key->pair[m];
        PoolState proven;
        bool quota;
        usec_t at;

        c->n++;
        assert_int_equal(v->state, plain_state(&w->plain, c->key, m, &proven, &at, &quota));
        assert_int_equal(v->available_at, at);
        assert_int_equal(v->counters.total, p->total);
        assert_int_equal(v->counters.today, plain_today(p, zone_day_start(zone, w->plain.now)));
        assert_int_equal(v->counters.errors, p->errors);
        assert_int_equal(v->counters.last_used, p->last);
        assert_int_equal(v->consecutive_errors, p->strikes);
        assert_int_equal(v->is_healthy, p->health.until == 0);
        compare_told(w, c->key, p->told, proven);
}

typedef struct Explained {
        Walk *walk;
        unsigned model, n;
        bool blocked;
} Explained;

/* The first is the one that a pick takes, and no usable key is behind an unusable one. */
static void compare_reason(const PoolReason *r, void *userdata) {
        Explained *e = userdata;
        Plain *w = &e->walk->plain;
        Life *k = w->keys[index_of(e->walk, r->key)];
        PoolState proven;
        bool quota;
        usec_t at;

        assert_int_equal(r->state, plain_state(w, k, e->model, &proven, &at, &quota));
        assert_int_equal(r->available_at, at);
        assert_int_equal(r->usable, at == 0);
        assert_false(r->usable && e->blocked);
        assert_true(strlen(r->sentence) > 8);
        e->blocked = !r->usable;
        if (e->n++ == 0 && r->usable && w->known[e->model]) {
                Plain copy = *w;
                uint64_t brought;

                for (unsigned i = 0; i < copy.n_keys; i++)
                        copy.keys[i] = copy.lives + (w->keys[i] - w->lives);
                plain_roll(&copy, e->model);
                assert_int_equal(plain_choice(&copy, e->model, 0, NULL, &brought)->index, k->index);
        }
}

static void compare(Walk *w) {
        size_t usable = 0, enabled = 0;

        plain_time(&w->plain, w->clock);
        for (unsigned i = 0; i < w->plain.n_keys; i++) {
                Life *k = w->plain.keys[i];
                Compared c = { w, k, 0 };
                PoolState state = POOL_USABLE;
                unsigned n = 0;

                if (k->disabled)
                        state = POOL_DISABLED;
                else if (k->key.until > 0 || (k->project->gate.until > 0 && !k->project->money))
                        state = POOL_DEAD;
                else if (k->project->gate.until > 0)
                        state = POOL_BILLING;
                usable += state == POOL_USABLE;
                enabled += !k->disabled;
                assert_int_equal(k->told, state);

                for (unsigned m = 0; m < MODELS; m++)
                        n += k->pair[m].total > 0;
                pool_each_slot(w->pool, pool_key(w->pool, i), w->clock, compare_slot, &c);
                assert_int_equal(c.n, n);
        }
        assert_int_equal(pool_usable_keys(w->pool, w->clock), usable);
        assert_int_equal(pool_enabled_keys(w->pool), enabled);
        for (unsigned m = 0; m < MODELS; m++) {
                Explained e = { .walk = w, .model = m };

                assert_int_equal(pool_explain(w->pool, model_names[m], w->clock, compare_reason, &e), 0);
                assert_int_equal(e.n, w->plain.n_keys);
        }
}

static void walk(uint64_t seed, unsigned n_keys, unsigned n_shared, unsigned n_steps, bool changing,
                 bool slow) {
        static void (*const steps[])(Walk * w) = {
                step_pick, step_pick,  step_report,  step_report,
                step_time, step_reset, step_disable, step_reload,
        };
        static const PoolObserver observer = {
                .health_changed = on_health_changed,
                .exhausted = on_exhausted,
                .key_added = on_key_added,
                .key_removed = on_key_removed,
        };
        Walk *w = calloc(1, sizeof(Walk));

        n_steps = walk_steps(n_steps);
        w->random = walk_seed(seed);
        w->plain.zone = zone;
        w->clock = w->plain.now = NOON;
        day_clock_init(&w->day_clock, &(DayReading){ NOON, { USEC_PER_DAY, USEC_PER_DAY } });
        w->n_max = n_keys;
        w->slow = slow;
        assert_int_equal(pool_new(zone, NOON, &w->pool), 0);
        if (slow)
                w->pool->n_moves_max = 1;
        pool_set_observer(w->pool, &observer, w);
        for (unsigned k = 0; k < n_keys; k++) {
                char text[] = "AIzaSyWalk-0123456789-?..?";
                unsigned project = k < n_shared ? k * 7 % SHARED : SHARED;
                Wanted *wanted = &w->wanted[k];

                text[22] = text[25] = (char) ('a' + k);
                assert_int_equal(secret_new(text, strlen(text), &w->secrets[k]), 0);
                *wanted = (Wanted){ k, project, n_keys > 4 && k % 5 == 1 };
                assert_int_equal(pool_add_key(w->pool, w->secrets[k], NULL,
                                              project < SHARED ? shared_names[project] : NULL,
                                              wanted->disabled),
                                 0);
                w->plain.keys[k] = plain_new(&w->plain, wanted);
                w->plain.keys[k]->index = w->plain.n_keys++;
        }

        for (w->step = 0; w->step < n_steps; w->step++) {
                steps[draw(w, ELEMENTSOF(steps) - (changing ? 0 : 2))](w);
                walk_same_time(w->step, w->plain.now, w->pool->day.now);
                if (w->step % 16 == 0)
                        compare(w);
        }
        while (w->n_out > 0)
                step_report(w);
        compare(w);
        print_message("           %u picks, %u refusals, %u reloads, %u words, %u times exhausted\n",
                      w->n_picks, w->n_refusals, w->n_reloads, w->n_words, w->n_exhausted);
        assert_true(w->n_picks > n_steps / (changing ? 40 : 20));
        assert_true(w->n_refusals > n_steps / 500);
        assert_true(w->n_believed > n_steps / 10000); /* jumps */
        assert_true(list_is_empty(&w->pool->gone));
        for (unsigned i = 0; i < LIVES; i++)
                assert_false(w->plain.lives[i].gone);

        w->pool = pool_free(w->pool);
        for (unsigned k = 0; k < n_keys; k++)
                w->secrets[k] = secret_unref(w->secrets[k]);
        free(w);
}

static void test_walk(void **state) {
        walk(1, 1, 0, 60000, false, false);
        walk(2, 2, 2, 60000, false, false);
        walk(3, 4, 0, 80000, false, false);
        walk(4, 9, 6, 100000, false, false);
        walk(5, KEYS, 4, 100000, false, false);
}

static void test_walk_while_keys_change(void **state) {
        walk(6, 1, 0, 60000, true, false);
        walk(7, 2, 2, 60000, true, false);
        walk(8, 5, 3, 100000, true, false);
        walk(9, 9, 6, 100000, true, false);
        walk(10, KEYS, 4, 200000, true, false);
}

static void test_walk_of_few_moves(void **state) {
        walk(11, 4, 0, 80000, false, true);
        walk(12, 9, 6, 100000, true, true);
        walk(13, KEYS, 4, 200000, true, true);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_walk),
                cmocka_unit_test(test_walk_while_keys_change),
                cmocka_unit_test(test_walk_of_few_moves),
        };

        return cmocka_run_group_tests_name("pool-walk", tests, setup, teardown);
}
