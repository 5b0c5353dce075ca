/* SPDX-License-Identifier: MIT */

/*
 * Notifications. A breaker that opens or closes concerns one slot, all slots of a key, all keys of a
 * project, or those of a project for one model. These are walked when it happens, so a pick costs nothing
 * more. For each slot the state is compared with the one that was notified last.
 *
 * So the notifications of one slot form a chain: each `before` is the previous `after`. Not notified are
 * changes that follow from `until` passing, a probe being sent (the state is taken as if there were no
 * probes), and slots without a request. Notified is the probe's result, even if the state stays, because
 * `until` has changed.
 *
 * A model's heaps show whether it is exhausted, without counting. That is notified once, and again only
 * after one of its slots was notified as usable. It is found in two places: when a breaker opens, in the
 * models that it concerns; and in a refused pick, when the remaining keys were dead before the model was
 * first used with them.
 */

#include "core/judgement.h"
#include "pool/internal.h"
#include "pool/standing.h"
#include "pool/notify.h"
#include "pool/refresh.h"

/* Ten refusals of requests that were under way together name ten ends, each a little later. */
#define LATER_LEAST USEC_PER_SEC

void pool_set_observer(Pool *p, const PoolObserver *o, void *userdata) {
        p->observer = o ? *o : (PoolObserver){};
        p->observer_userdata = userdata;
        p->observed = o;
}

/* True if the observer is to be notified. */
static bool is_news(PoolNotified *notified, const PoolStanding *now, bool opened) {
        if (now->proven == notified->state &&
            !(opened && now->proven != POOL_USABLE &&
              now->available_at >= usec_add(notified->until, LATER_LEAST)))
                return false;
        *notified = (PoolNotified){ now->proven, now->available_at };
        return true;
}

static void notify_health(Pool *p, PoolKey *k, const char *model, PoolState before, const PoolNotified *now,
                const char *reason) {
        if (p->observer.health_changed)
                p->observer.health_changed(k, model, before, now->state, reason, now->until,
                                           p->observer_userdata);
}

void pool_notify_first(Pool *p, PoolSlot *s) {
        PoolStanding now;

        if (!p->observed)
                return;
        pool_standing(p, s->key, s->bucket, s, 0, &now);
        s->notified = (PoolNotified){ now.proven, now.available_at };
}

static void notify_slot(Pool *p, PoolSlot *s, bool opened, const char *reason) {
        PoolModel *m = s->bucket->model;
        PoolState before = s->notified.state;
        PoolStanding now;

        if (!pool_key_is_member(p, s->key) || s->tally.counters.total == 0)
                return;
        pool_standing(p, s->key, s->bucket, s, 0, &now);
        if (!is_news(&s->notified, &now, opened))
                return;
        if (now.proven == POOL_USABLE)
                m->exhausted = false;
        notify_health(p, s->key, m->name, before, &s->notified, reason);
}

static void notify_bucket(Pool *p, PoolBucket *b, bool opened, const char *reason) {
        LIST_FOREACH(i, &b->slots)
                notify_slot(p, list_entry(i, PoolSlot, by_bucket), opened, reason);
}

void pool_notify_slot(Pool *p, PoolSlot *s, const char *reason) {
        if (p->observed)
                notify_slot(p, s, false, reason);
}

void pool_notify_quota(Pool *p, PoolQuota *q, const char *reason) {
        if (!p->observed)
                return;
        LIST_FOREACH(i, &q->buckets)
                notify_bucket(p, list_entry(i, PoolBucket, by_quota), false, reason);
}

static void notify_key(Pool *p, PoolKey *k, bool opened, const char *reason) {
        PoolState before = k->notified.state;
        PoolStanding now;

        if (!pool_key_is_member(p, k))
                return;
        pool_standing(p, k, NULL, NULL, 0, &now);
        if (is_news(&k->notified, &now, opened))
                notify_health(p, k, "", before, &k->notified, reason);
        LIST_FOREACH(i, &k->slots)
                notify_slot(p, list_entry(i, PoolSlot, by_key), opened, reason);
}

void pool_notify_exhausted(Pool *p, PoolModel *m) {
        PoolCensus c;

        /* A new name that a client asks for while all keys are dead has not lost its last key. */
        if (!p->observed || m->exhausted || m->tally.counters.total == 0 || !pool_model_is_exhausted(p, m))
                return;
        m->exhausted = true;
        pool_census(p, m, 0, &c);
        if (p->observer.exhausted)
                p->observer.exhausted(m->name, c.refusal.available_at, p->observer_userdata);
}

void pool_notify_changes(Pool *p, PoolKey *k, PoolSlot *s, unsigned changed, unsigned opened,
                         const char *reason) {
        if (!p->observed)
                return;

        if (changed & 1U << LAYER_KEY)
                notify_key(p, k, opened, reason);
        if (changed & 1U << LAYER_PROJECT)
                for (PoolKey *i = k->project->first_key; i; i = i->next_of_project)
                        notify_key(p, i, opened, reason);
        if (changed & 1U << LAYER_BUCKET)
                LIST_FOREACH(i, &s->bucket->quota->buckets)
                        notify_bucket(p, list_entry(i, PoolBucket, by_quota), opened, reason);
        if (s)
                notify_slot(p, s, opened, reason);

        if (opened & 1U << LAYER_KEY)
                LIST_FOREACH(i, &k->slots)
                        pool_notify_exhausted(p, list_entry(i, PoolSlot, by_key)->bucket->model);
        if (opened & 1U << LAYER_PROJECT)
                LIST_FOREACH(i, &k->project->buckets)
                        pool_notify_exhausted(p, list_entry(i, PoolBucket, by_project)->model);
        if (opened && s)
                LIST_FOREACH(i, &s->bucket->quota->buckets)
                        pool_notify_exhausted(p, list_entry(i, PoolBucket, by_quota)->model);
}

/* An administrator can make a model usable without a notification for one of its slots: by a key that has no
 * slot yet. */
void pool_notify_models(Pool *p) {
        if (!p->observed)
                return;
        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                if (m->exhausted && !pool_model_is_exhausted(p, m))
                        m->exhausted = false;
                pool_notify_exhausted(p, m);
        }
}

void pool_notify_key_alone(Pool *p, PoolKey *k, const char *reason) {
        if (p->observed)
                notify_key(p, k, false, reason);
}

void pool_notify_key(Pool *p, PoolKey *k, const char *reason) {
        if (!p->observed)
                return;
        pool_notify_key_alone(p, k, reason);
        pool_notify_models(p);
}

void pool_notify_all(Pool *p, const char *reason) {
        if (!p->observed)
                return;
        for (size_t i = 0; i < p->n_keys; i++)
                notify_key(p, p->keys[i], false, reason);
        pool_notify_models(p);
}

void pool_notify_key_restored(Pool *p, PoolKey *k) {
        PoolStanding now;

        if (p->observed)
                return notify_key(p, k, false, "restored");
        pool_standing(p, k, NULL, NULL, 0, &now);
        k->notified = (PoolNotified){ now.proven, now.available_at };
        LIST_FOREACH(j, &k->slots) {
                PoolSlot *s = list_entry(j, PoolSlot, by_key);

                pool_standing(p, k, s->bucket, s, 0, &now);
                s->notified = (PoolNotified){ now.proven, now.available_at };
        }
}

void pool_notify_restored(Pool *p) {
        for (size_t i = 0; i < p->n_keys; i++)
                pool_notify_key_restored(p, p->keys[i]);
        pool_notify_models(p);
}
