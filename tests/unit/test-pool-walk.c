/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "core/health.h"
#include "core/pool-internal.h"
#include "core/quota.h"

/*
 * A long random walk of picks, reports, jumps of time and resets, side by side with the same rules written
 * down as plainly as can be: arrays, and loops over all keys. Whatever the heaps do, the pool must choose
 * the same key, refuse with the same reasons, and show the same states.
 */

#define KEYS 13U
#define PROJECTS (KEYS + 3U) /* a key's own, then three that are shared */
#define MODELS 3U
#define LEASES 24U
#define NOON (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)

static const char *const model_names[MODELS] = { "gemini-a", "gemini-b", "gemini-c" };
static Zone *zone;

/* --- the rules, plainly --- */

typedef struct Gate {
        usec_t until, since;
        uint64_t probe;
        unsigned strikes;
} Gate;

typedef struct Pair {
        uint64_t total, errors;
        uint64_t today_of[2]; /* requests, and the day's beginning that they belong to */
        usec_t last;
        unsigned strikes;
        Gate rate, health;
} Pair;

typedef struct Plain {
        usec_t now;
        unsigned n_keys;
        unsigned project[KEYS];
        bool disabled[KEYS], money[PROJECTS], closed[PROJECTS][MODELS];
        Gate key[KEYS], owner[PROJECTS], bucket[PROJECTS][MODELS];
        Pair pair[KEYS][MODELS];
        bool known[MODELS];
} Plain;

/* What a class says of key, project, bucket, rate and health, as in test-verdict. */
static const char *const meaning[_VERDICT_CLASS_MAX] = {
        "+++++", "!....", ".!...", "+!...", "++!..", "++!..", "++!..", "+.?!.", "++...", "++!..",
        "?...!", ".....", "+....", "+....", "~~~~~", "~~~~~", "~~~~~", ".....", ".....",
};

static Gate *gate(Plain *w, unsigned k, unsigned m, unsigned layer) {
        Gate *const all[] = {
                &w->key[k], &w->owner[w->project[k]], &w->bucket[w->project[k]][m], &w->pair[k][m].rate,
                &w->pair[k][m].health,
        };

        return all[layer];
}

static bool is_shut(const Gate *g, usec_t now) {
        return g->until > 0 && (g->probe != 0 || now < g->until);
}

static uint64_t today(const Pair *p, usec_t day) {
        return p->today_of[1] == day ? p->today_of[0] : 0;
}

static void plain_shift(Gate *g, usec_t back) {
        if (g->until == 0)
                return;
        g->until -= back;
        g->since = g->since > back ? g->since - back : 0;
}

static void plain_time(Plain *w, usec_t now) {
        usec_t back = usec_sub(w->now, now);

        if (back > 0 && back < USEC_PER_MINUTE)
                return;
        w->now = now;
        if (back == 0)
                return;
        for (unsigned k = 0; k < KEYS; k++) {
                plain_shift(&w->key[k], back);
                for (unsigned m = 0; m < MODELS; m++) {
                        plain_shift(&w->pair[k][m].rate, back);
                        plain_shift(&w->pair[k][m].health, back);
                        if (w->pair[k][m].last > 0)
                                w->pair[k][m].last -= back;
                }
        }
        for (unsigned p = 0; p < PROJECTS; p++) {
                plain_shift(&w->owner[p], back);
                for (unsigned m = 0; m < MODELS; m++)
                        plain_shift(&w->bucket[p][m], back);
        }
}

static bool plain_may(Plain *w, unsigned k, unsigned m) {
        for (unsigned l = 0; l < 5; l++)
                if (is_shut(gate(w, k, m, l), w->now))
                        return false;
        return !w->disabled[k];
}

static bool plain_is_probe(Plain *w, unsigned k, unsigned m) {
        for (unsigned l = 0; l < 5; l++)
                if (gate(w, k, m, l)->until > 0)
                        return true;
        return false;
}

static int plain_best(Plain *w, unsigned m, uint64_t excluded, bool probes) {
        usec_t day = zone_day_start(zone, w->now);
        int best = -1;

        w->known[m] = true;
        for (unsigned k = 0; k < w->n_keys; k++) {
                Pair *a = &w->pair[k][m];
                const Pair *b = best < 0 ? NULL : &w->pair[best][m];

                /* For good: a clock that jumps back into a day doesn't bring its counts back. */
                a->today_of[0] = today(a, day);
                a->today_of[1] = day;

                if (excluded & 1ULL << k || !plain_may(w, k, m) || (!probes && plain_is_probe(w, k, m)))
                        continue;
                if (!b || today(a, day) < today(b, day) ||
                    (today(a, day) == today(b, day) &&
                     (a->total < b->total || (a->total == b->total && a->last < b->last))))
                        best = (int) k;
        }
        return best;
}

static int plain_pick(Plain *w, unsigned m, uint64_t excluded, uint64_t id) {
        int best = -1;
        Pair *p;

        if (excluded)
                best = plain_best(w, m, excluded, false);
        if (best < 0)
                best = plain_best(w, m, excluded, true);
        if (best < 0)
                return -1;

        p = &w->pair[best][m];
        p->today_of[0]++;
        p->total++;
        p->last = w->now;
        for (unsigned l = 0; l < 5; l++) {
                Gate *g = gate(w, (unsigned) best, m, l);

                if (g->until > 0)
                        g->probe = id;
        }
        return best;
}

static void plain_judge(Plain *w, unsigned k, unsigned m, const Verdict *v, uint64_t id) {
        Pair *p = &w->pair[k][m];

        for (unsigned l = 0; l < 5; l++) {
                Gate *g = gate(w, k, m, l);
                bool probe = g->probe == id, fails = false;
                char c = meaning[v->class][l];

                if (l == 4 && c == '!')
                        p->strikes++;
                if (l == 4 && c == '+')
                        p->strikes = 0;
                if (c == '!')
                        fails = probe || (g->until == 0 && (l < 4 || p->strikes >= 3));
                if (c == '?')
                        fails = probe;

                if (fails) {
                        usec_t until = w->now + USEC_PER_HOUR;

                        if (l == 1)
                                w->money[w->project[k]] = v->class == VERDICT_BILLING;
                        if (l == 2)
                                w->closed[w->project[k]][m] = v->class == VERDICT_MODEL_FOR_PROJECT;
                        if ((l == 2 || l == 3) && g->since < zone_day_start(zone, w->now))
                                g->strikes = 0;
                        if (l == 4)
                                until = w->now + health_wait(g->strikes);
                        else if (l == 2 && v->class == VERDICT_MODEL_FOR_PROJECT)
                                until = w->now + USEC_PER_DAY;
                        else if (l >= 2)
                                until = quota_until(v->class, g->strikes, v->retry_after, w->now,
                                                    zone_next_midnight(zone, w->now), k);
                        *g = (Gate){ .until = until, .since = w->now, .strikes = g->strikes + 1 };
                } else if (c == '+' && (probe || l == 4))
                        *g = (Gate){};
                else if (probe) {
                        g->probe = 0;
                        if (c == '~')
                                g->until = w->now + 5 * USEC_PER_SEC;
                }
        }
}

static void plain_report(Plain *w, unsigned k, unsigned m, const Verdict *v, uint64_t id) {
        VerdictFault f = verdict_rule(v->class)->fault;

        if (f != FAULT_NOBODY && f != FAULT_REQUEST)
                w->pair[k][m].errors++;
        plain_judge(w, k, m, v, id);
}

static PoolState plain_state(Plain *w, unsigned k, unsigned m, usec_t *ret_at, bool *ret_quota) {
        const PoolState names[] = {
                POOL_DEAD, w->money[w->project[k]] ? POOL_BILLING : POOL_DEAD,
                w->closed[w->project[k]][m] ? POOL_CLOSED : POOL_COOLING, POOL_COOLING, POOL_UNHEALTHY,
        };
        PoolState worst = POOL_USABLE;
        bool quota = false, other = false;
        usec_t at = 0;

        if (w->disabled[k]) {
                *ret_at = USEC_INFINITY;
                *ret_quota = false;
                return POOL_DISABLED;
        }
        for (unsigned l = 0; l < 5; l++) {
                const Gate *g = gate(w, k, m, l);
                bool shut = is_shut(g, w->now);
                PoolState s = names[l];

                if (g->until == 0 || (!shut && s == POOL_COOLING))
                        continue;
                if (shut) {
                        at = MAX(at, g->probe ? w->now + USEC_PER_SEC : g->until);
                        quota = quota || s == POOL_COOLING;
                        other = other || s != POOL_COOLING;
                }
                worst = MAX(worst, g->probe ? POOL_PROBING : s);
        }
        *ret_at = at;
        *ret_quota = quota && !other;
        return worst;
}

static PoolRefusal plain_refusal(Plain *w, unsigned m) {
        PoolRefusal r = { .available_at = USEC_INFINITY };

        for (unsigned k = 0; k < w->n_keys; k++) {
                bool quota;
                usec_t at;

                r.n_keys[plain_state(w, k, m, &at, &quota)]++;
                if (at > 0)
                        r.available_at = MIN(r.available_at, at);
                r.is_quota = r.is_quota || quota;
        }
        return r;
}

/* `k` KEYS: every key; `m` MODELS: every model, and keys and projects too. */
static int plain_reset(Plain *w, unsigned k, unsigned m) {
        Plain before = *w;
        int n = 0;

        for (unsigned i = 0; i < w->n_keys; i++) {
                unsigned p = w->project[i];

                if (k != KEYS && k != i)
                        continue;
                if (m == MODELS && (before.key[i].until > 0 || before.owner[p].until > 0))
                        n++;
                if (m == MODELS)
                        w->key[i] = w->owner[p] = (Gate){};
                for (unsigned j = 0; j < MODELS; j++) {
                        const Pair *q = &before.pair[i][j];

                        if (m != MODELS && m != j)
                                continue;
                        n += q->strikes > 0 || q->rate.until > 0 || q->health.until > 0 ||
                             before.bucket[p][j].until > 0;
                        w->bucket[p][j] = w->pair[i][j].rate = w->pair[i][j].health = (Gate){};
                        w->pair[i][j].strikes = 0;
                }
        }
        return n;
}

/* --- the walk --- */

typedef struct Walk {
        Plain plain;
        Pool *pool;
        uint64_t random, step, id;
        usec_t clock;
        struct {
                Lease lease;
                unsigned key, model;
                uint64_t id;
        } out[LEASES];
        unsigned n_out;
        unsigned n_picks, n_refusals, n_probes;
} Walk;

/* xorshift64*, so that a walk is the same everywhere. */
static unsigned draw(Walk *w, unsigned below) {
        w->random ^= w->random >> 12;
        w->random ^= w->random << 25;
        w->random ^= w->random >> 27;
        return (unsigned) ((w->random * 2685821657736338717ULL) >> 33) % below;
}

static void step_pick(Walk *w) {
        unsigned m = draw(w, MODELS), n_exclude = draw(w, 4) == 0 ? draw(w, ATTEMPTS_MAX + 1) : 0;
        PoolKey *exclude[ATTEMPTS_MAX];
        uint64_t excluded = 0;
        PoolRefusal refusal;
        Lease lease;
        int r, k;

        if (w->n_out == LEASES)
                return;
        for (unsigned i = 0; i < n_exclude; i++) {
                unsigned e = draw(w, w->plain.n_keys);

                exclude[i] = w->pool->keys[e];
                excluded |= 1ULL << e;
        }

        plain_time(&w->plain, w->clock);
        k = plain_pick(&w->plain, m, excluded, w->id + 1);
        r = pool_pick(w->pool, model_names[m], exclude, n_exclude, w->clock, &lease, &refusal);
        if (k < 0) {
                PoolRefusal expected = plain_refusal(&w->plain, m);

                assert_int_equal(r, POOL_E_EXHAUSTED);
                assert_memory_equal(refusal.n_keys, expected.n_keys, sizeof(expected.n_keys));
                assert_int_equal(refusal.available_at, expected.available_at);
                assert_int_equal(refusal.is_quota, expected.is_quota);
                w->n_refusals++;
                return;
        }
        assert_int_equal(r, 0);
        if (lease.key != w->pool->keys[k])
                fail_msg("step %llu: key %u, not %d", (unsigned long long) w->step, lease.key->index, k);
        w->out[w->n_out].lease = lease;
        w->out[w->n_out].key = (unsigned) k;
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

static void step_time(Walk *w) {
        switch (draw(w, 300)) {
        case 0:
                w->clock += draw(w, 86400) * USEC_PER_SEC;
                break;
        case 1:
                w->clock -= draw(w, 59) * USEC_PER_SEC; /* is waited out */
                break;
        case 2:
                w->clock -= draw(w, 2 * 86400) * USEC_PER_SEC; /* is no small step any more */
                break;
        case 3 ... 50:
                w->clock += draw(w, 3600) * USEC_PER_SEC;
                break;
        default:
                w->clock += draw(w, 10 * 1000) * USEC_PER_MSEC;
        }
}

static void step_reset(Walk *w) {
        unsigned k = draw(w, w->plain.n_keys + 1), m = draw(w, MODELS + 1);
        const char *model = m < MODELS ? model_names[m] : NULL;
        int r;

        if (draw(w, 40) > 0)
                return;
        if (k == w->plain.n_keys)
                k = KEYS;
        plain_time(&w->plain, w->clock);
        r = pool_reset(w->pool, k < KEYS ? w->pool->keys[k]->mask : NULL, model, w->clock);
        if (m < MODELS && !w->plain.known[m])
                assert_int_equal(r, -ENXIO);
        else
                assert_int_equal(r, plain_reset(&w->plain, k, m));
}

typedef struct Compared {
        Walk *walk;
        unsigned key;
} Compared;

static void compare_slot(const PoolSlotView *v, void *userdata) {
        const Compared *c = userdata;
        Walk *w = c->walk;

        for (unsigned m = 0; m < MODELS; m++) {
                const Pair *p = &w->plain.pair[c->key][m];
                bool quota;
                usec_t at;

                if (!streq(v->model, model_names[m]))
                        continue;
                assert_int_equal(v->state, plain_state(&w->plain, c->key, m, &at, &quota));
                assert_int_equal(v->available_at, at);
                assert_int_equal(v->counters.total, p->total);
                assert_int_equal(v->counters.today, today(p, zone_day_start(zone, w->plain.now)));
                assert_int_equal(v->counters.errors, p->errors);
                assert_int_equal(v->counters.last_used, p->last);
                assert_int_equal(v->consecutive_errors, p->strikes);
                assert_int_equal(v->is_healthy, p->health.until == 0);
        }
}

static void compare(Walk *w) {
        size_t usable = 0;

        plain_time(&w->plain, w->clock);
        for (unsigned k = 0; k < w->plain.n_keys; k++) {
                usable += !w->plain.disabled[k] && w->plain.key[k].until == 0 &&
                          w->plain.owner[w->plain.project[k]].until == 0;
                pool_each_slot(w->pool, pool_key(w->pool, k), w->clock, compare_slot, &(Compared){ w, k });
        }
        assert_int_equal(pool_usable_keys(w->pool, w->clock), usable);
}

static void walk(uint64_t seed, unsigned n_keys, unsigned n_shared, unsigned n_steps) {
        static void (*const steps[])(Walk *w) = {
                step_pick, step_pick, step_report, step_report, step_time, step_reset,
        };
        Walk *w = calloc(1, sizeof(Walk));

        w->random = seed;
        w->clock = w->plain.now = NOON;
        w->plain.n_keys = n_keys;
        assert_int_equal(pool_new(zone, NOON, &w->pool), 0);
        for (unsigned k = 0; k < n_keys; k++) {
                static const char *const shared[] = { "red", "green", "blue" };
                char text[] = "AIzaSyWalk-0123456789-?..?";
                Secret *s;

                text[22] = text[25] = (char) ('a' + k);
                assert_int_equal(secret_new(text, strlen(text), &s), 0);
                w->plain.project[k] = k < n_shared ? KEYS + k * 7 % 3 : k;
                w->plain.disabled[k] = n_keys > 4 && k % 5 == 1;
                assert_int_equal(pool_add_key(w->pool, s, NULL, k < n_shared ? shared[k * 7 % 3] : NULL,
                                              w->plain.disabled[k]), 0);
                s = secret_unref(s);
        }

        for (w->step = 0; w->step < n_steps; w->step++) {
                steps[draw(w, ELEMENTSOF(steps))](w);
                if (w->step % 16 == 0)
                        compare(w);
        }
        while (w->n_out > 0)
                step_report(w);
        compare(w);
        print_message("           %u picks, %u refusals\n", w->n_picks, w->n_refusals);
        assert_true(w->n_picks > n_steps / 20);
        assert_true(w->n_refusals > n_steps / 200);

        w->pool = pool_free(w->pool);
        free(w);
}

static void test_walk(void **state) {
        walk(1, 1, 0, 60000);
        walk(2, 2, 2, 60000);
        walk(3, 4, 0, 80000);
        walk(4, 9, 6, 100000);
        walk(5, KEYS, 4, 100000);
}

static int setup(void **state) {
        return zone_new("America/Los_Angeles", NOON, &zone);
}

static int teardown(void **state) {
        zone = zone_free(zone);
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_walk),
        };

        return cmocka_run_group_tests_name("pool-walk", tests, setup, teardown);
}
