/* SPDX-License-Identifier: MIT */

/* A pick from one project only: the request names something that belongs to it, and for any other key
 * Google answers that it does not exist. The rules are those of a plain pick, among the keys of one
 * bucket. */

#include "pool/internal.h"
#include "pool/quota.h"
#include "pool/pick-preferred.h"
#include "pool/refresh.h"

/* True if the bucket has a usable slot now for so many tokens. If the request would never fit, Google is
 * left to refuse it. */
static bool is_open(Pool *p, PoolBucket *b, uint64_t tokens) {
        CeilingKind kind;
        usec_t at;

        if (!b->project->first_key || b->ready.node.heap == &b->model->waiting_buckets)
                return false;
        at = pool_quota_free_at(p, b->quota, tokens, &kind);
        return at == 0 || at == USEC_INFINITY;
}

static int first_slot(Pool *p, PoolBucket *b, bool is_retry, PoolSlot **ret) {
        const HeapNode *trial;
        PoolSlot *s;
        int r;

        r = pool_bucket_first(p, b, &s);
        if (r < 0)
                return r;
        trial = heap_first(&b->trial.slots);
        if (trial && (!s || (!is_retry && heap_rank_compare(&trial->rank, &s->node.rank) < 0)))
                s = CONTAINER_OF(trial, PoolSlot, node);
        *ret = s;
        return 0;
}

int pool_pick_pinned(Pool *p, PoolModel *m, const PoolRequest *q, PoolSlot **ret, PoolBucket **ret_bucket) {
        PoolSlot *aside[TRIES_MAX], *s = NULL;
        size_t n_aside = 0;
        PoolBucket *b;
        int r;

        r = pool_bucket_acquire(p, q->pinned, m, &b);
        if (r < 0)
                return r;
        if (b->ready.node.heap == &m->waiting_buckets)
                pool_bucket_place(p, b); /* it may be due */
        for (;;) {
                s = NULL;
                r = is_open(p, b, q->tokens) ? first_slot(p, b, q->n_exclude > 0, &s) : 0;
                if (r >= 0 && !s && pool_model_move_due(p, m))
                        continue;
                if (r < 0 || !s || !pool_key_is_among(s->key, q->exclude, q->n_exclude))
                        break;
                heap_remove(&s->node);
                aside[n_aside++] = s;
        }
        for (size_t i = 0; i < n_aside; i++)
                pool_slot_place(p, aside[i]);
        if (r < 0)
                return r;
        *ret = s;
        *ret_bucket = b;
        return 0;
}
