/* SPDX-License-Identifier: MIT */

/*
 * How a pick stays cheap with 100,000 keys.
 *
 * Google counts by (project, model), and so does the pool: a model has buckets, one for each project, and a
 * bucket has slots, one for each key of the project. They are created when they are first needed.
 *
 *      PoolModel ── ready, trial: heaps ── PoolBucket ── ready, trial: heaps ── PoolSlot ── PoolKey
 *                ├─ waiting: heaps by time             └─ next_key: without a slot
 *                └─ next_project: without a bucket
 *
 *   - A slot's rank is its requests today, then in all, then its last use, then its place in the
 *     configuration. A bucket's rank is that of its first slot. So the first slot of the first bucket is the
 *     one to pick. Slots whose request would be a probe are apart, in the trial heaps, by the same rank: a
 *     request's first try takes the first of both, a retry takes a probe only if there is nothing else.
 *     Otherwise one request could spend all its tries on probes of dead keys while others are healthy.
 *   - A key without a slot has the best rank there can be: no requests. So nothing is kept for it but a
 *     cursor into the project's keys, or into the projects; both are in the order of the configuration.
 *   - A slot leaves the ready heap at the moment when it is blocked, because its key is dead or it is
 *     unhealthy; a whole bucket leaves in one step when its quota is spent. It waits in a heap by the time
 *     at which it becomes usable. So the ready heaps hold only what is usable now, and no pick has to skip
 *     blocked keys.
 *   - A pick first moves what has come due out of the waiting heaps (once for each time that something was
 *     blocked), takes the first slot, counts, and puts it back with its new rank. Under even load that is
 *     the last rank, which costs the heap nothing (pool/heap.c), so a pick is as cheap with 100,000 keys as
 *     with ten; where keys come and go it is a few merges of O(log n). Slots of excluded keys are set aside
 *     before and put back after it; they are TRIES_MAX at most.
 *   - A key's death touches its slots, a project's its buckets: one for each model, so MODELS_MAX at most.
 *   - Midnight changes every rank. Counters carry the day that they belong to, so they are right at once;
 *     the ranks follow in slices, one at each pick of the model (refresh.c).
 *
 * The breakers are in five layers (core/judgement.h). A slot is blocked if one of them is open, or if its
 * probe is under way and has not passed by time (probe.c); a half-open breaker makes the request that passes
 * it its probe. Nothing here decides by class: core/judgement's table has what a verdict means for each
 * layer, core/judgement and core/cooldown say how long a layer stays open, and lease.c carries it out.
 *
 * When nothing is usable, the refusal has the number of keys in each state. That takes a walk over all
 * keys, so for large pools the counts are kept for a second (pool_refusal() in view.c).
 */

#include <errno.h>
#include <string.h>

#include "pool/binding-internal.h"
#include "pool/internal.h"
#include "pool/lease.h"
#include "pool/pick-preferred.h"
#include "pool/standing.h"
#include "pool/notify.h"
#include "pool/refresh.h"

int pool_new(const Zone *zone, usec_t now, Pool **ret) {
        Pool *p;
        int r;

        p = calloc(1, sizeof(Pool));
        if (!p)
                return -ENOMEM;
        day_init(&p->day, zone, now);
        p->n_slots_max = SLOTS_MAX;
        p->n_moves_max = MOVES_MAX;
        list_init(&p->models);
        list_init(&p->projects);
        list_init(&p->gone);
        list_init(&p->unread_keys);
        list_init(&p->unread_projects);
        list_init(&p->turns);
        list_init(&p->probes);
        list_init(&p->warned);
        bindings_init(p);
        p->today.date = p->clients_today.date = p->day.date;
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
        assert(!p->update);
        LIST_FOREACH(i, &p->models)
                (void) pool_model_free(p, list_entry(i, PoolModel, models));
        pool_keys_free(p);
        bindings_done(p);
        pool_save_done(p);
        free(p);
        return NULL;
}

/*
 * After a jump of the clock (core/day) all times in the pool are shifted: each wait has as much left as
 * before. Otherwise a clock that was wrong for a moment would lock keys for the difference.
 */
static void breaker_shift(Breaker *b, usec_t back) {
        if (b->until > 0)
                b->until = MAX(usec_sub(b->until, back), (usec_t) 1);
        if (b->passes != USEC_INFINITY)
                b->passes = usec_sub(b->passes, back);
        b->since = usec_sub(b->since, back); /* also set while closed: the ladder depends on it */
}

/* A day that the clock returns to begins again at zero, whether or not anything was counted meanwhile. */
static void tally_shift(PoolTally *t, usec_t back, usec_t day_before, usec_t day) {
        pool_tally_roll(t, day_before);
        pool_tally_roll(t, day);
        if (t->counters.last_used > 0)
                t->counters.last_used = MAX(usec_sub(t->counters.last_used, back), (usec_t) 1);
}

static void bucket_shift(Pool *p, PoolBucket *b, usec_t back, const Day *before) {
        if (list_entry(b->quota->buckets.next, PoolBucket, by_quota) == b) {
                breaker_shift(&b->quota->breaker, back);
                ceiling_shift(&b->quota->ceiling, before->now, back, before->start, p->day.start);
                b->quota->throttled = NULL;
        }
        b->crowded_until = b->overloaded_until = 0;
        pool_bucket_uncount(p, b);
        LIST_FOREACH(i, &b->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_bucket);

                breaker_shift(&s->rate, back);
                breaker_shift(&s->health, back);
                tally_shift(&s->tally, back, before->start, p->day.start);
                s->notified.until = usec_sub(s->notified.until, back);
        }
}

static void pool_shift(Pool *p, const Day *before) {
        usec_t back = before->now - p->day.now;

        tally_shift(&p->tally, back, before->start, p->day.start);
        tally_shift(&p->clients, back, before->start, p->day.start);
        for (size_t i = 0; i < p->n_keys; i++) {
                breaker_shift(&p->keys[i]->breaker, back);
                tally_shift(&p->keys[i]->tally, back, before->start, p->day.start);
                p->keys[i]->notified.until = usec_sub(p->keys[i]->notified.until, back);
        }
        LIST_FOREACH(i, &p->projects)
                breaker_shift(&list_entry(i, PoolProject, link)->breaker, back);
        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                LIST_FOREACH(j, &m->buckets)
                        bucket_shift(p, list_entry(j, PoolBucket, by_model), back, before);
                tally_shift(&m->tally, back, before->start, p->day.start);
                m->day = USEC_INFINITY; /* no day: the heaps are built again */
                m->refused_at = 0;
        }
        pool_probes_shift(p, back);
        bindings_shift(p, back);
        pool_note_all(p);
}

usec_t pool_time(Pool *p, usec_t now) {
        Day before;
        unsigned changed = day_set(&p->day, now, &before);

        if (changed & DAY_SET_BACK)
                pool_shift(p, &before);
        if (changed & DAY_TURNED)
                pool_day_end(p);
        pool_probes_pass(p);
        return p->day.now;
}

static int pick_pinned(Pool *p, PoolModel *m, const PoolRequest *q, Lease *ret, PoolRefusal *ret_refusal) {
        PoolBucket *b;
        PoolSlot *s;
        int r;

        r = pool_pick_pinned(p, m, q, &s, &b);
        if (r < 0)
                return r;
        if (!s) {
                if (ret_refusal)
                        pool_refusal_of(p, q->pinned, b, q->tokens, ret_refusal);
                return POOL_E_EXHAUSTED;
        }
        pool_take(p, m, s, q->tokens, ret);
        lease_choose(ret, POOL_CHOICE_PINNED);
        return 0;
}

int pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        PoolSlot *aside[TRIES_MAX], *s = NULL;
        PoolBucket *avoided = NULL;
        size_t n_aside = 0;
        unsigned tries = 0;
        PoolModel *m;
        int r;

        assert(q->n_exclude <= TRIES_MAX);

        (void) pool_time(p, now);
        r = pool_model_acquire(p, q->model, &m);
        if (r < 0)
                return r;
        pool_model_refresh(p, m);
        if (q->pinned)
                return pick_pinned(p, m, q, ret, ret_refusal);

        for (;;) {
                r = pool_model_first(p, m, q->n_exclude > 0, &s);
                if (r < 0)
                        break;
                if (!s && (q->avoid || !pool_model_uncrowd(p, m, q->tokens)))
                        break;
                if (!s)
                        continue;
                if (s->bucket->project == q->avoid) {
                        avoided = s->bucket;
                        heap_remove(&avoided->ready.node);
                        heap_remove(&avoided->trial.node);
                } else if (pool_key_is_among(s->key, q->exclude, q->n_exclude)) {
                        heap_remove(&s->node);
                        pool_bucket_place(p, s->bucket);
                        aside[n_aside++] = s;
                } else if (pool_bucket_try(p, s->bucket, q->tokens, &tries))
                        break;
        }
        for (size_t i = 0; i < n_aside; i++)
                pool_slot_place(p, aside[i]);
        if (avoided)
                pool_bucket_place(p, avoided);
        if (r < 0)
                return r;

        if (!s) {
                pool_notify_exhausted(p, m);
                if (ret_refusal)
                        pool_refusal(p, m, q->tokens, ret_refusal);
                return POOL_E_EXHAUSTED;
        }
        if (q->prefer && q->n_exclude == 0)
                s = pool_preferred(p, m, q, s);
        pool_take(p, m, s, q->tokens, ret);
        if (q->prefer && q->n_exclude == 0 && s->bucket->project == q->prefer)
                lease_choose(ret, POOL_CHOICE_AFFINITY);
        return 0;
}
