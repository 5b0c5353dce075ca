/* SPDX-License-Identifier: MIT */

/*
 * How a pick stays cheap with 100,000 keys.
 *
 * Google counts by (project, model), so the pool is built of that: a model has buckets, one for each
 * project, and a bucket has slots, one for each key of the project. All of it is made when it is first
 * needed.
 *
 *      PoolModel ── ready, trial: heaps ── PoolBucket ── ready, trial: heaps ── PoolSlot ── PoolKey
 *                ├─ waiting: heaps by time             └─ next_key: never tried
 *                └─ next_project: never tried
 *
 *   - A slot's rank is its requests today, then in all, then its last use, then its place in the
 *     configuration. A bucket's rank is that of its first slot. So the first slot of the first bucket is the
 *     one to take. What would be a probe stands apart, in the trial heaps, by the same rank: a request's
 *     first try takes the first of both, a retry takes a probe only if there is nothing else. Else one
 *     request could spend all its tries on dead keys that are due to be looked at again, while others are
 *     well.
 *   - A key that was never tried has the best rank there can be: nothing. So nothing is kept for it but a
 *     cursor into the project's keys, or into the projects, which are in the order of configuration anyway.
 *   - What blocks is taken out of the ready heap at the moment when it begins to block: a slot when its key
 *     is dead or it is ill, a whole bucket, with one step, when its quota is spent. It waits in a heap by
 *     the time at which it may go again. So the other heaps hold what is usable now and nothing else: no
 *     pick has to look past blocked keys.
 *   - A pick first moves what has come due out of the waiting heaps (once for each time that something was
 *     blocked), takes the first slot, counts, and puts it back with its new rank. Under even load that is
 *     the last rank, which costs the heap nothing (core/heap.c), so a pick is as cheap with 100,000 keys as
 *     with ten; where keys come and go it is a few merges of O(log n). Slots of excluded keys are set aside
 *     before and put back after it; they are ATTEMPTS_MAX at most.
 *   - A key's death touches its slots, a project's its buckets: one for each model, so MODELS_MAX at most.
 *   - Midnight changes every rank. Counters carry the day that they belong to, so they are right at once,
 *     and a model's heaps are made anew at its first pick of the day: the one step that is O(n).
 *
 * The breakers are in five layers (core/health.h). Blocked is what has one that is open, or whose probe is
 * out; a half-open one makes the request that passes it its probe. Nothing here decides by class: what a
 * verdict means for each layer is core/health's table, how long a layer stays open is core/health's and
 * core/quota's.
 *
 * When nothing is usable, the caller is told how many keys are in which state. That takes a walk over all
 * keys, so for large pools the answer is kept for a second (pool_refusal() in pool-view.c).
 */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/health.h"
#include "core/pool-internal.h"
#include "core/pool-project.h"
#include "core/pool-route.h"
#include "core/pool-view.h"
#include "core/pool-word.h"
#include "core/quota.h"

#define CLOCK_JUMP USEC_PER_MINUTE

int pool_new(const Zone *zone, usec_t now, Pool **ret) {
        Pool *p;
        int r;

        p = calloc(1, sizeof(Pool));
        if (!p)
                return -ENOMEM;
        p->zone = zone;
        p->now = now;
        p->day = zone_day_start(zone, now);
        p->midnight = zone_next_midnight(zone, now);
        p->n_slots_max = SLOTS_MAX;
        list_init(&p->models);
        list_init(&p->projects);
        list_init(&p->gone);
        p->date = p->today.date = pool_date_of(p, p->day);
        r = pool_save_init(p);
        if (r < 0) {
                free(p);
                return r;
        }
        *ret = p;
        return 0;
}

Pool *pool_free(Pool *p) {
        if (!p)
                return NULL;
        LIST_FOREACH(i, &p->models)
                (void) pool_model_free(p, list_entry(i, PoolModel, models));
        pool_keys_free(p);
        pool_save_done(p);
        free(p);
        return NULL;
}

/*
 * Time as the pool takes it: it never goes back. Small steps back are waited out. After a jump the pool is
 * as it was, only earlier: each wait has as much left as before, or a clock that was wrong for a moment
 * would lock keys for as long as it was wrong by.
 */
static void breaker_shift(Breaker *b, usec_t back) {
        if (b->until == 0)
                return;
        b->until = MAX(usec_sub(b->until, back), (usec_t) 1);
        b->since = usec_sub(b->since, back);
}

static void tally_shift(PoolTally *t, usec_t back) {
        if (t->counters.last_used > 0)
                t->counters.last_used = MAX(usec_sub(t->counters.last_used, back), (usec_t) 1);
}

static void bucket_shift(PoolBucket *b, usec_t back) {
        if (list_entry(b->quota->buckets.next, PoolBucket, by_quota) == b) {
                breaker_shift(&b->quota->breaker, back);
                ceiling_restart(&b->quota->ceiling);
                b->quota->throttled = NULL;
        }
        b->crowded_until = 0;
        LIST_FOREACH(i, &b->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_bucket);

                breaker_shift(&s->rate, back);
                breaker_shift(&s->health, back);
                tally_shift(&s->tally, back);
                s->told.until = usec_sub(s->told.until, back);
        }
}

static void pool_shift(Pool *p, usec_t back) {
        tally_shift(&p->tally, back);
        for (size_t i = 0; i < p->n_keys; i++) {
                breaker_shift(&p->keys[i]->breaker, back);
                tally_shift(&p->keys[i]->tally, back);
                p->keys[i]->told.until = usec_sub(p->keys[i]->told.until, back);
        }
        LIST_FOREACH(i, &p->projects)
                breaker_shift(&list_entry(i, PoolProject, link)->breaker, back);
        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                LIST_FOREACH(j, &m->buckets)
                        bucket_shift(list_entry(j, PoolBucket, by_model), back);
                tally_shift(&m->tally, back);
                m->day = USEC_INFINITY; /* no day: the heaps are made anew */
                m->refused_at = 0;
        }
        pool_note_all(p);
        p->jumped = p->last_lease;
}

usec_t pool_time(Pool *p, usec_t now) {
        if (now < p->now) {
                if (p->now - now < CLOCK_JUMP)
                        return p->now;
                pool_shift(p, p->now - now);
        }
        p->now = now;
        if (now < p->day || now >= p->midnight) {
                p->day = zone_day_start(p->zone, now);
                p->midnight = zone_next_midnight(p->zone, now);
                pool_day_end(p);
        }
        return now;
}

/* A lease for no model in particular has no slot, and the first two layers only. */
static unsigned n_layers(const PoolSlot *s) {
        return s ? _LAYER_MAX : LAYER_BUCKET;
}

static Breaker *breaker_of(PoolKey *k, PoolSlot *s, Layer layer) {
        switch (layer) {
        case LAYER_KEY:
                return &k->breaker;
        case LAYER_PROJECT:
                return &k->project->breaker;
        case LAYER_BUCKET:
                return &s->bucket->quota->breaker;
        case LAYER_RATE:
                return &s->rate;
        default:
                return &s->health;
        }
}

/* Puts everything in its place that a change of the given layers (a bit each) concerns. */
static void settle(Pool *p, PoolKey *k, PoolSlot *s, unsigned layers) {
        if (layers & 1U << LAYER_KEY)
                LIST_FOREACH(i, &k->slots)
                        pool_slot_place(p, list_entry(i, PoolSlot, by_key));
        if (layers & 1U << LAYER_PROJECT)
                LIST_FOREACH(i, &k->project->buckets)
                        pool_bucket_place(p, list_entry(i, PoolBucket, by_project));
        if (s && layers & 1U << LAYER_BUCKET)
                pool_quota_place(p, s->bucket->quota);
        if (s)
                pool_slot_place(p, s);
}

static void count_request(PoolTally *t, usec_t day, usec_t now) {
        pool_tally_roll(t, day);
        t->counters.total++;
        t->counters.today++;
        t->counters.last_used = now;
}

/* Each half-open breaker in the way has its probe now. */
static void lend(Pool *p, PoolKey *k, PoolSlot *s, Lease *ret) {
        uint64_t id = ++p->last_lease;
        unsigned probes = 0;

        for (Layer l = 0; l < n_layers(s); l++) {
                Breaker *b = breaker_of(k, s, l);

                if (breaker_state(b, p->now) != BREAKER_HALF_OPEN)
                        continue;
                b->probe = id;
                probes |= 1U << l;
        }
        settle(p, k, s, probes);
        k->n_leases++;
        *ret = (Lease){ .key = k, .slot = s, .id = id };
}

static void note_counters(Pool *p, PoolModel *m, PoolSlot *s) {
        if (!p->save.on)
                return;
        pool_note(p, &s->dirty, false);
        pool_note(p, &s->key->dirty, false);
        pool_note(p, &m->dirty, false);
        pool_note(p, &p->save.total, false);
}

static bool lease_is_probe(const Lease *lease) {
        for (Layer l = 0; l < n_layers(lease->slot); l++)
                if (breaker_of(lease->key, lease->slot, l)->probe == lease->id)
                        return true;
        return false;
}

void pool_take(Pool *p, PoolModel *m, PoolSlot *s, uint64_t tokens, Lease *ret) {
        PoolQuota *q = s->bucket->quota;

        count_request(&s->tally, p->day, p->now);
        count_request(&s->key->tally, p->day, p->now);
        count_request(&m->tally, p->day, p->now);
        count_request(&p->tally, p->day, p->now);
        note_counters(p, m, s);
        pool_quota_take(p, q, tokens);
        lend(p, s->key, s, ret);
        ret->taken = (CeilingTaken){ p->now, p->day, tokens };
        if (ceiling_is_known(&q->ceiling) && !list_is_single(&q->buckets))
                pool_quota_place(p, q); /* an alias's bucket may be full now, too */
        /* A ceiling has room again, which is no word of its own. */
        if (m->exhausted && !lease_is_probe(ret))
                m->exhausted = false;
        if (s->tally.counters.total == 1)
                pool_tell_first(p, s);
        m->used = ret->id;
        m->n_leases++;
        pool_tell_warning(p, s);
}

static bool is_excluded(const PoolKey *k, PoolKey *const *exclude, size_t n_exclude) {
        for (size_t i = 0; i < n_exclude; i++)
                if (exclude[i] == k)
                        return true;
        return false;
}

int pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        PoolSlot *aside[ATTEMPTS_MAX], *s = NULL;
        size_t n_aside = 0;
        unsigned tries = 0;
        PoolModel *m;
        int r;

        assert(q->n_exclude <= ATTEMPTS_MAX);

        (void) pool_time(p, now);
        r = pool_model_acquire(p, q->model, &m);
        if (r < 0)
                return r;
        pool_model_refresh(p, m);

        for (;;) {
                r = pool_model_first(p, m, q->n_exclude > 0, &s);
                if (r < 0)
                        break;
                if (!s && !pool_model_uncrowd(p, m, q->tokens))
                        break;
                if (!s)
                        continue;
                if (is_excluded(s->key, q->exclude, q->n_exclude)) {
                        heap_remove(&s->node);
                        pool_bucket_place(p, s->bucket);
                        aside[n_aside++] = s;
                } else if (pool_bucket_try(p, s->bucket, q->tokens, &tries))
                        break;
        }
        for (size_t i = 0; i < n_aside; i++)
                pool_slot_place(p, aside[i]);
        if (r < 0)
                return r;

        if (!s) {
                pool_tell_exhausted(p, m);
                if (ret_refusal)
                        pool_refusal(p, m, q->tokens, ret_refusal);
                return POOL_E_EXHAUSTED;
        }
        if (q->prefer && q->n_exclude == 0)
                s = pool_preferred(p, m, q, s);
        pool_take(p, m, s, q->tokens, ret);
        return 0;
}

/* A walk over the keys: good enough for what is asked for once in ten minutes. Keys that are well come
 * first, then those that are to be looked at again. */
int pool_pick_any(Pool *p, PoolKey *const *exclude, size_t n_exclude, usec_t now, Lease *ret,
                  PoolRefusal *ret_refusal) {
        PoolKey *found = NULL;

        (void) pool_time(p, now);
        for (size_t i = 0; i < p->n_keys; i++) {
                PoolKey *k = p->keys[i];
                PoolStanding standing;

                pool_standing(p, k, NULL, NULL, 0, &standing);
                if (k->disabled || standing.available_at > 0 || is_excluded(k, exclude, n_exclude))
                        continue;
                if (!found || standing.state == POOL_USABLE)
                        found = k;
                if (standing.state == POOL_USABLE)
                        break;
        }
        if (!found) {
                if (ret_refusal)
                        pool_refusal_any(p, ret_refusal);
                return POOL_E_EXHAUSTED;
        }
        lend(p, found, NULL, ret);
        return 0;
}

static usec_t open_until(Pool *p, const PoolKey *k, Layer layer, const Breaker *b, const Verdict *v) {
        if (layer == LAYER_HEALTH)
                return usec_add(p->now, health_wait(b->strikes));
        if (quota_has_class(v->class))
                return quota_until(v->class, b->strikes, v->retry_after, p->now, p->midnight, k->index);
        return usec_add(p->now, layer == LAYER_BUCKET ? HEALTH_CLOSED_WAIT : HEALTH_DEATH_WAIT);
}

/* Money and quota of a project can be refused in turns: both climb one ladder until there is an answer. */
static unsigned strikes_beside(Pool *p, const Lease *lease, Layer layer, const Verdict *v) {
        const Breaker *b;

        if (!lease->slot || (layer == LAYER_PROJECT ? v->class != VERDICT_BILLING : layer != LAYER_BUCKET))
                return 0;
        b = breaker_of(lease->key, lease->slot, layer == LAYER_PROJECT ? LAYER_BUCKET : LAYER_PROJECT);
        return b->since >= p->day ? b->strikes : 0;
}

/* What a verdict did to a breaker. */
typedef enum Turn {
        TURN_NONE,
        TURN_OPENED, /* maybe again */
        TURN_CLOSED,
        TURN_RELEASED, /* its probe is back, and says nothing */
        _TURN_MAX,
} Turn;

/*
 * What the verdict means for one layer. Only the probe of an opening may end it or prolong it: any other
 * request went out before and tells of the time before, and ten that were under way together must not count
 * as ten repeats. An exception is health, which takes any success.
 */
static Turn judge(Pool *p, const Lease *lease, Layer layer, const Verdict *v) {
        PoolKey *k = lease->key;
        PoolSlot *s = lease->slot;
        Breaker *b = breaker_of(k, s, layer);
        Judgement j = health_judge(v->class, layer);
        bool is_probe = b->probe == lease->id, is_due = b->until == 0;

        if (layer == LAYER_BUCKET && pool_quota_is_throttled(p, s, v->class))
                j = JUDGEMENT_FAIL;
        if (j == JUDGEMENT_AGAIN)
                j = is_probe ? JUDGEMENT_FAIL : JUDGEMENT_VOID;
        if (layer == LAYER_HEALTH) {
                if (j == JUDGEMENT_FAIL) {
                        is_due = ++s->strikes >= HEALTH_STRIKES && is_due;
                        pool_note(p, &s->dirty, true);
                } else if (j == JUDGEMENT_PASS && s->strikes > 0) {
                        s->strikes = 0;
                        pool_note(p, &s->dirty, true);
                }
        }

        if (j == JUDGEMENT_FAIL && (is_probe || is_due)) {
                if (b->since < p->day && (layer == LAYER_BUCKET || layer == LAYER_RATE ||
                                          v->class == VERDICT_BILLING))
                        b->strikes = 0; /* the ladder begins anew with each day's quota */
                b->strikes = MAX(b->strikes, strikes_beside(p, lease, layer, v));
                if (layer == LAYER_PROJECT)
                        k->project->billing = v->class == VERDICT_BILLING;
                if (layer == LAYER_BUCKET) {
                        s->bucket->quota->closed = !verdict_rule(v->class)->is_quota;
                        s->bucket->quota->daily = v->class == VERDICT_DAY;
                }
                pool_breaker_set(p, k, b, open_until(p, k, layer, b, v));
                return TURN_OPENED;
        }
        if (j == JUDGEMENT_PASS && (is_probe || (layer == LAYER_HEALTH && b->until > 0))) {
                Breaker was = *b;

                pool_breaker_set(p, k, b, 0);
                /* Only an answer forgets: a project whose quota is spent was let through, and may be out of
                 * money again with the next request. */
                if (v->class != VERDICT_OK)
                        *b = (Breaker){ .strikes = was.strikes, .since = was.since };
                return TURN_CLOSED;
        }
        if (v->class == VERDICT_OK && b->until == 0)
                b->strikes = 0;
        if (is_probe) {
                breaker_release(b, j == JUDGEMENT_PAUSE ? usec_add(p->now, HEALTH_PAUSE) : b->until);
                return TURN_RELEASED;
        }
        return TURN_NONE;
}

static bool is_error(const Verdict *v) {
        switch (verdict_rule(v->class)->fault) {
        case FAULT_NOBODY:
        case FAULT_REQUEST:
                return false;
        default:
                return true;
        }
}

/* The most telling of what the verdict has. */
static void remember_error(PoolSlot *s, const Verdict *v) {
        const char *text = verdict_rule(v->class)->name;
        char *t;

        if (v->message[0])
                text = v->message;
        else if (v->reason[0])
                text = v->reason;

        t = strndup(text, text_utf8_prefix(text, SLOT_ERROR_MAX));
        if (!t)
                return; /* no reason to lose the report: the error before stays */
        free(s->last_error);
        s->last_error = t;
}

static void count_report(PoolTally *t, bool error, const Usage *usage) {
        t->counters.errors += error;
        t->counters.tokens_in += usage->prompt;
        t->counters.tokens_out += usage->completion;
}

/* The layers (a bit each) whose breakers have changed. */
static void note_layers(Pool *p, PoolKey *k, PoolSlot *s, unsigned layers) {
        if (layers & 1U << LAYER_KEY)
                pool_note(p, &k->dirty, true);
        if (layers & 1U << LAYER_PROJECT)
                pool_note(p, &k->project->dirty, true);
        if (layers & 1U << LAYER_BUCKET)
                pool_quota_note(p, s->bucket->quota);
        if (layers & (1U << LAYER_RATE | 1U << LAYER_HEALTH))
                pool_note(p, &s->dirty, true);
}

static void judge_layers(Pool *p, const Lease *lease, const Verdict *v) {
        unsigned turned[_TURN_MAX] = {}; /* the layers, a bit each */
        bool was_probe = lease_is_probe(lease);
        unsigned told;

        for (Layer l = 0; l < n_layers(lease->slot); l++)
                turned[judge(p, lease, l, v)] |= 1U << l;
        told = turned[TURN_OPENED] | turned[TURN_CLOSED];
        if (told | turned[TURN_RELEASED]) {
                note_layers(p, lease->key, lease->slot, told | turned[TURN_RELEASED]);
                settle(p, lease->key, lease->slot, told | turned[TURN_RELEASED]);
        }
        if (told)
                pool_tell(p, lease->key, lease->slot, told, turned[TURN_OPENED],
                          was_probe && !turned[TURN_OPENED] ? "probe" : verdict_rule(v->class)->name);
}

void pool_answering(Pool *p, const Lease *lease, usec_t now) {
        static const Verdict ok = { .class = VERDICT_OK };

        (void) pool_time(p, now);
        judge_layers(p, lease, &ok);
}

static void count_outcome(Pool *p, PoolSlot *s, const Verdict *v, const Usage *usage) {
        static const Usage none = {};
        PoolModel *m = s->bucket->model;
        bool error = is_error(v);

        if (!usage)
                usage = &none;
        count_report(&s->tally, error, usage);
        count_report(&s->key->tally, error, usage);
        count_report(&m->tally, error, usage);
        count_report(&p->tally, error, usage);
        note_counters(p, m, s);
        if (error)
                remember_error(s, v);
        if (v->class == VERDICT_OK)
                m->succeeded = true;
        m->n_leases--;
}

void pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now) {
        (void) pool_time(p, now);
        if (lease->slot)
                count_outcome(p, lease->slot, v, usage);
        judge_layers(p, lease, v);
        if (lease->slot)
                pool_quota_report(p, lease, v, usage);
        if (v->consumer[0])
                pool_project_learn(p, lease->key, v->consumer);
        pool_key_release(p, lease->key);
        *lease = (Lease){};
        pool_project_join(p);
}
