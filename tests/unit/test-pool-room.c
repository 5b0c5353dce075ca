/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "core/pool-internal.h"
#include "core/quota.h"

/*
 * A random walk of a million steps through ceilings, quotas that are refused and probed, projects that are
 * learned and an alias that turns out to be one with its target. Beside it the rules, as plainly as can be:
 * every request is in a list, and is counted by looking at all of the list. Which of the keys is picked is
 * test-pool-walk's; here a key that is picked must have been allowed, and where none is picked none must be.
 */

#define NOON   (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)
#define KEYS   6U
#define LEASES 16U
#define TAKES  8192U

enum { ALIAS, TARGET, OTHER, MODELS };

static const char *const names[MODELS] = { "alias", "target", "other" };
static char target[] = "target", other[] = "other", red[] = "red";
static const CeilingRow rows[] = {
        { target, NULL, { [CEILING_RPM] = 6, [CEILING_TPM] = 3000, [CEILING_RPD] = 300 } },
        { other, red, { [CEILING_RPM] = 4 } },
};
static Zone *zone;

typedef struct Take {
        usec_t at, day;
        uint64_t id, tokens, guess;
        bool refused;
} Take;

typedef struct Quota {
        usec_t until, since;
        uint64_t probe;
        unsigned strikes;
        Take takes[TAKES];
        unsigned n;
        uint64_t learned[_CEILING_MAX];
        usec_t learned_at[_CEILING_MAX];
} Quota;

/* Of the groups the first KEYS are keys by themselves; then what is learned, and what is configured. */
enum { LEARNED_1 = KEYS, LEARNED_2, RED, GROUPS };

typedef struct Room {
        Quota quotas[GROUPS][MODELS];
        unsigned group[KEYS];
        bool merged; /* the alias is known for one */
        usec_t now;
        uint64_t random, last;
        Pool *pool;
        struct {
                Lease lease;
                unsigned key, model;
                uint64_t id;
                usec_t at;
        } out[LEASES];
        unsigned n_out, n_picked, n_refused, n_probes, n_full;
} Room;

static unsigned draw(Room *w, unsigned below) {
        w->random ^= w->random >> 12;
        w->random ^= w->random << 25;
        w->random ^= w->random >> 27;
        return (unsigned) ((w->random * 2685821657736338717ULL) >> 33) % below;
}

static unsigned counted_as(const Room *w, unsigned model) {
        return w->merged && model == ALIAS ? TARGET : model;
}

static Quota *quota_of(Room *w, unsigned key, unsigned model) {
        return &w->quotas[w->group[key]][counted_as(w, model)];
}

static uint64_t rule(const Room *w, const Quota *q, unsigned key, unsigned model, CeilingKind kind) {
        uint64_t told = 0;

        if (counted_as(w, model) == TARGET)
                told = rows[0].value[kind];
        else if (model == OTHER && w->group[key] == RED)
                told = rows[1].value[kind];
        if (told > 0)
                return told;
        if (q->learned[kind] > 0 && q->until == 0 && w->now < q->learned_at[kind] + USEC_PER_DAY)
                return q->learned[kind];
        return UINT64_MAX;
}

static uint64_t count_today(const Room *w, const Quota *q) {
        usec_t day = zone_day_start(zone, w->now);
        uint64_t n = 0;

        for (unsigned i = 0; i < q->n; i++)
                n += q->takes[i].day == day && !q->takes[i].refused;
        return n;
}

/* `within`: a request counts until its slot is so old. */
static bool has_room(const Room *w, const Quota *q, unsigned key, unsigned model, uint64_t tokens,
                     bool whole_slots) {
        uint64_t requests = 0, sum = 0, tpm = rule(w, q, key, model, CEILING_TPM);

        for (unsigned i = 0; i < q->n; i++) {
                const Take *t = q->takes + i;

                if (whole_slots ? t->at / CEILING_SLOT + CEILING_SLOTS <= w->now / CEILING_SLOT
                                : t->at + USEC_PER_MINUTE <= w->now)
                        continue;
                requests++;
                sum += t->tokens;
        }
        return requests < rule(w, q, key, model, CEILING_RPM) &&
               (sum == 0 || (sum < tpm && tokens <= tpm - sum)) &&
               count_today(w, q) < rule(w, q, key, model, CEILING_RPD);
}

static bool is_open(const Room *w, const Quota *q) {
        return q->until > 0 && (q->probe != 0 || w->now < q->until);
}

/* What is too old for every rule is forgotten, so that the walk stays fast. */
static void prune(Room *w, Quota *q) {
        usec_t day = zone_day_start(zone, w->now);
        unsigned n = 0;

        if (q->n < TAKES / 2)
                return;
        for (unsigned i = 0; i < q->n; i++)
                if (q->takes[i].day == day || q->takes[i].at + 2 * USEC_PER_MINUTE > w->now)
                        q->takes[n++] = q->takes[i];
        q->n = n;
        assert_true(n < TAKES);
}

static void step_pick(Room *w) {
        unsigned m = draw(w, MODELS), key;
        uint64_t tokens = draw(w, 4) ? draw(w, 400) : draw(w, 3500);
        PoolRefusal refusal;
        Lease lease;
        Quota *q;

        if (w->n_out == LEASES)
                return;
        if (pool_pick_for(w->pool, &(PoolRequest){ .model = names[m], .tokens = tokens }, w->now, &lease,
                          &refusal) != 0) {
                for (unsigned k = 0; k < KEYS; k++) {
                        q = quota_of(w, k, m);
                        if (!is_open(w, q) && has_room(w, q, k, m, tokens, true))
                                fail_msg("%s: nothing was picked, but key %u may go", names[m], k);
                        w->n_full += !is_open(w, q);
                }
                assert_true(refusal.is_quota);
                assert_true(refusal.available_at > w->now);
                w->n_refused++;
                return;
        }

        key = lease.key->index;
        q = quota_of(w, key, m);
        assert_false(is_open(w, q));
        if (!has_room(w, q, key, m, tokens, true))
                fail_msg("%s: key %u was picked, and is full", names[m], key);
        assert_true(has_room(w, q, key, m, tokens, false)); /* the rolling minute itself */
        if (q->until > 0) {
                q->probe = w->last + 1;
                w->n_probes++;
        }
        prune(w, q);
        q->takes[q->n++] = (Take){ w->now, zone_day_start(zone, w->now), ++w->last, tokens, tokens, false };
        w->out[w->n_out].lease = lease;
        w->out[w->n_out].key = key;
        w->out[w->n_out].model = m;
        w->out[w->n_out].at = w->now;
        w->out[w->n_out++].id = w->last;
        w->n_picked++;
}

static void merge(Room *w, Quota *to, Quota *from) {
        if (to->until == 0 && from->until > 0) {
                to->until = from->until;
                to->since = from->since;
                to->strikes = from->strikes;
                to->probe = 0;
        }
        prune(w, to);
        for (unsigned i = 0; i < from->n; i++) {
                assert_true(to->n < TAKES);
                to->takes[to->n++] = from->takes[i];
        }
        for (unsigned i = 0; i < _CEILING_MAX; i++)
                if (from->learned_at[i] > to->learned_at[i]) {
                        to->learned[i] = from->learned[i];
                        to->learned_at[i] = from->learned_at[i];
                }
        memset(from, 0, sizeof(*from));
}

static void judge(Room *w, Quota *q, unsigned key, const Verdict *v, uint64_t id) {
        bool probe = q->probe == id;

        if (v->class == VERDICT_OK) {
                if (probe)
                        q->until = q->since = q->probe = q->strikes = 0;
                else if (q->until == 0)
                        q->strikes = 0;
        } else if (v->class == VERDICT_DAY || v->class == VERDICT_MINUTE) {
                if (!probe && q->until > 0)
                        return;
                if (q->since < zone_day_start(zone, w->now))
                        q->strikes = 0;
                q->until = quota_until(v->class, q->strikes++, v->retry_after, w->now,
                                       zone_next_midnight(zone, w->now), key);
                q->since = w->now;
                q->probe = 0;
        } else if (probe)
                q->probe = 0;
}

static void learn(Room *w, Quota *q, const Verdict *v, usec_t at) {
        usec_t said = q->learned_at[CEILING_RPD];

        for (unsigned i = 0; i < _CEILING_MAX; i++)
                if (v->ceilings[i] > 0) {
                        q->learned[i] = v->ceilings[i];
                        q->learned_at[i] = w->now;
                }
        if (v->class == VERDICT_OK && (count_today(w, q) > q->learned[CEILING_RPD] ||
                                       (said >= zone_day_start(zone, w->now) && at > said)))
                q->learned[CEILING_RPD] = 0;
}

static void step_report(Room *w) {
        static const VerdictClass classes[] = {
                VERDICT_OK, VERDICT_OK,          VERDICT_OK,     VERDICT_OK,  VERDICT_OK,
                VERDICT_OK, VERDICT_CLIENT_GONE, VERDICT_MINUTE, VERDICT_DAY,
        };
        unsigned i, key, model;
        Usage usage = {};
        Verdict v;
        Quota *q;

        if (w->n_out == 0)
                return;
        i = draw(w, w->n_out);
        key = w->out[i].key;
        model = w->out[i].model;
        verdict_init(&v, classes[draw(w, ELEMENTSOF(classes))], 0, NULL);
        if (draw(w, 2) == 0)
                usage.prompt = 1 + draw(w, 2000);
        if (v.class == VERDICT_MINUTE || v.class == VERDICT_DAY) {
                v.retry_after = draw(w, 3) * draw(w, 60) * USEC_PER_SEC;
                if (draw(w, 2) == 0)
                        v.ceilings[v.class == VERDICT_DAY ? CEILING_RPD : draw(w, 2)] = 3 + draw(w, 500);
                v.quota_value = 1; /* so nothing is guessed */
                /* The first part of the walk learns nothing. */
                if (w->last > 20000 && draw(w, 50) == 0)
                        (void) snprintf(v.consumer, sizeof(v.consumer), "projects/%u", key % 2);
                if (w->last > 40000 && model == ALIAS && draw(w, 20) == 0)
                        (void) snprintf(v.model, sizeof(v.model), "target");
        }

        q = quota_of(w, key, model);
        judge(w, q, key, &v, w->out[i].id);
        if (v.model[0] && !w->merged) {
                for (unsigned g = 0; g < GROUPS; g++)
                        merge(w, &w->quotas[g][TARGET], &w->quotas[g][ALIAS]);
                w->merged = true;
                q = quota_of(w, key, model);
        }
        learn(w, q, &v, w->out[i].at);
        for (unsigned j = 0; j < q->n; j++) {
                Take *t = q->takes + j;

                if (t->id != w->out[i].id)
                        continue;
                t->refused = v.class == VERDICT_MINUTE || v.class == VERDICT_DAY;
                /* Beyond its minute nobody knows any more what it weighed. */
                if (t->at / CEILING_SLOT + CEILING_SLOTS > w->now / CEILING_SLOT) {
                        if (t->refused)
                                t->tokens = 0;
                        else if (usage.prompt > 0)
                                t->tokens = usage.prompt;
                }
        }
        if (v.consumer[0] && w->group[key] < KEYS) {
                for (unsigned m = 0; m < MODELS; m++)
                        merge(w, &w->quotas[LEARNED_1 + key % 2][m], &w->quotas[w->group[key]][m]);
                w->group[key] = LEARNED_1 + key % 2;
        }
        pool_report(w->pool, &w->out[i].lease, &v, &usage, w->now);
        w->out[i] = w->out[--w->n_out];
}

static void step_time(Room *w) {
        switch (draw(w, 2000)) {
        case 0:
                w->now += draw(w, 4 * 3600) * USEC_PER_SEC;
                break;
        case 1 ... 40:
                w->now += draw(w, 120) * USEC_PER_SEC;
                break;
        default:
                w->now += draw(w, 3000) * USEC_PER_MSEC;
        }
}

static void test_room(void **state) {
        static void (*const steps[])(Room *) = { step_pick, step_pick, step_report, step_report, step_time };
        Room *w = calloc(1, sizeof(Room));

        assert_non_null(w);
        w->random = 42;
        w->now = NOON;
        assert_int_equal(pool_new(zone, NOON, &w->pool), 0);
        for (unsigned k = 0; k < KEYS; k++) {
                char text[] = "AIzaSyRoom-0123456789-?..?";
                Secret *s;

                text[22] = text[25] = (char) ('a' + k);
                assert_int_equal(secret_new(text, strlen(text), &s), 0);
                assert_int_equal(pool_add_key(w->pool, s, NULL, k >= 4 ? "red" : NULL, false), 0);
                s = secret_unref(s);
                w->group[k] = k >= 4 ? RED : k;
        }
        /* Each key is asked for each model once, so that all there is is there. */
        for (unsigned m = 0; m < MODELS; m++)
                for (unsigned k = 0; k < KEYS; k++) {
                        Lease lease;
                        Verdict v;

                        verdict_init(&v, VERDICT_OK, 0, NULL);
                        assert_int_equal(pool_pick(w->pool, names[m], NULL, 0, w->now, &lease, NULL), 0);
                        quota_of(w, lease.key->index, m)->takes[quota_of(w, lease.key->index, m)->n++] =
                                (Take){ w->now, zone_day_start(zone, w->now), ++w->last, 0, 0, false };
                        pool_report(w->pool, &lease, &v, NULL, w->now);
                }
        pool_set_limits(w->pool, rows, ELEMENTSOF(rows), w->now);

        for (unsigned i = 0; i < 1000000; i++)
                steps[draw(w, ELEMENTSOF(steps))](w);
        print_message("           %u picks, %u of them probes, %u refusals, %u times full\n", w->n_picked,
                      w->n_probes, w->n_refused, w->n_full);
        assert_true(w->n_picked > 50000);
        assert_true(w->n_probes > 1000);
        assert_true(w->n_refused > 10000);
        assert_true(w->n_full > 10000);
        assert_true(w->merged);
        assert_true(w->group[0] == LEARNED_1 && w->group[1] == LEARNED_2);
        assert_true(pool_key(w->pool, 0)->project == pool_key(w->pool, 2)->project);
        while (w->n_out > 0)
                step_report(w);
        w->pool = pool_free(w->pool);
        free(w);
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
                cmocka_unit_test(test_room),
        };

        return cmocka_run_group_tests_name("pool-room", tests, setup, teardown);
}
