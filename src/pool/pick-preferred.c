/* SPDX-License-Identifier: MIT */

/*
 * Affinity by rendezvous hashing. Every project has a number made of its name (or its key's digest). A
 * conversation's number and a project's number give a score, and the project with the highest score serves
 * the conversation. When a project goes, only its own conversations move; a new project takes its share
 * from all. In a large pool only CANDIDATES keys are scored, beginning where a jump hash points, so that the
 * cost stays the same.
 *
 * The preferred project is used only if it is usable. It is passed over when it is cooling, when the
 * request would be a probe, when its ceiling has no room, or when it has served so much more today than the
 * least busy one that staying would cost more quota than a warm cache saves.
 */

#include <string.h>

#include "pool/internal.h"
#include "pool/lease.h"
#include "pool/quota.h"
#include "pool/pick-preferred.h"
#include "pool/standing.h"
#include "pool/refresh.h"

#define CANDIDATES 64U

/* A percentage of a small number is too strict: so many more requests are always allowed. */
#define SPILL_LEAST 5U

bool pool_is_exhausted(Pool *p, const char *model, usec_t now, PoolRefusal *ret) {
        PoolModel *m;

        (void) pool_time(p, now);
        m = pool_model_find(p, model);
        if (!m || !pool_model_is_exhausted(p, m))
                return false;
        pool_refusal(p, m, 0, ret);
        return true;
}

/* --- affinity --- */

static uint64_t place_of(PoolProject *project, const PoolKey *k) {
        const char *name = project->name ?: k->ident->digest;

        if (project->place == 0)
                project->place = hash_stable(name, strlen(name));
        return project->place;
}

/* Jump hash (Lamping and Veach): maps a number to one of n; when n grows by one, one n-th of them moves. */
static size_t jump_hash(uint64_t number, size_t n) {
        uint64_t next = 0, at = 0;

        while (next < n) {
                at = next;
                number = number * UINT64_C(2862933555777941757) + 1;
                next = (uint64_t) ((double) (at + 1) * (double) (UINT64_C(1) << 31) /
                                   (double) ((number >> 33) + 1));
        }
        return at;
}

static PoolProject *rendezvous(Pool *p, uint64_t conversation) {
        size_t first = p->n_keys > CANDIDATES ? jump_hash(conversation, p->n_keys) : 0;
        PoolProject *best = NULL;
        uint64_t best_score = 0;

        for (size_t i = 0; i < MIN(p->n_keys, (size_t) CANDIDATES); i++) {
                PoolKey *k = p->keys[(first + i) % p->n_keys];
                uint64_t score;

                if (k->disabled || k->project == best)
                        continue;
                score = hash_mix(conversation ^ place_of(k->project, k));
                if (!best || score > best_score) {
                        best = k->project;
                        best_score = score;
                }
        }
        return best;
}

PoolProject *pool_prefer(Pool *p, const Affinity *a, uint64_t conversation) {
        AffinityHome *h = affinity_find(a, conversation);

        return h ? CONTAINER_OF(h, PoolProject, home) : rendezvous(p, conversation);
}

void pool_bind(Affinity *a, uint64_t conversation, const Lease *lease) {
        affinity_bind(a, conversation, &lease->key->project->home);
}

static bool is_probe(const PoolModel *m, const PoolSlot *s) {
        const PoolBucket *b = s->bucket;

        return s->node.heap != &b->ready.slots || b->ready.node.heap != &m->ready;
}

static uint64_t requests_today(const PoolSlot *s, usec_t day) {
        return s->tally.day == day ? s->tally.counters.today : 0;
}

PoolSlot *pool_preferred(Pool *p, PoolModel *m, const PoolRequest *q, PoolSlot *best) {
        uint64_t least = requests_today(best, p->day.start);
        PoolSlot *s = NULL;
        CeilingKind kind;
        PoolBucket *b;

        /* A probe is not put off: else it would not be sent as long as requests have other
         * preferences. */
        if (best->bucket->project == q->prefer || is_probe(m, best) || !q->prefer->first_key)
                return best;
        if (pool_bucket_acquire(p, q->prefer, m, &b) < 0 || b->ready.node.heap != &m->ready ||
            pool_bucket_first(p, b, &s) < 0 || !s || is_probe(m, s))
                return best;
        if (requests_today(s, p->day.start) > least + least * q->spill / 100 + SPILL_LEAST)
                return best;
        return pool_quota_free_at(p, b->quota, q->tokens, &kind) == 0 ? s : best;
}

/* --- a second key --- */

int pool_pick_spare(Pool *p, const PoolRequest *q, const Lease *other, usec_t now, Lease *ret) {
        PoolBucket *b = other->slot->bucket;
        PoolModel *m = b->model;
        PoolSlot *s = NULL;
        CeilingKind kind;
        int r;

        (void) pool_time(p, now);
        pool_model_refresh(p, m);
        heap_remove(&b->ready.node); /* set aside while the next one is looked at */
        r = pool_model_first(p, m, true, &s);
        pool_bucket_place(p, b);
        if (r < 0)
                return r;
        if (!s || s->bucket == b || is_probe(m, s) ||
            pool_quota_free_at(p, s->bucket->quota, q->tokens, &kind) > 0)
                return POOL_E_EXHAUSTED;
        pool_take(p, m, s, q->tokens, ret);
        lease_choose(ret, POOL_CHOICE_SPARE);
        return 0;
}
