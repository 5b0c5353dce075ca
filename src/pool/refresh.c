/* SPDX-License-Identifier: MIT */

/*
 * What time changes in the heaps of a model. With 100,000 keys that can be a lot at once: at midnight every
 * rank changes, and all quotas of the day are free again. So each pick moves p->n_moves_max slots and
 * buckets at most, and the next ones move the others. Meanwhile:
 *
 *   - a slot or bucket that is due and was not moved yet is not picked; but a pick moves more rather than
 *     that it finds nothing;
 *   - a slot keeps its rank of the former day. That is only a matter of fairness: the counters themselves
 *     and the quotas have the new day at once. The slots that have new ranks, without requests, come first.
 *
 * A slot that gets its new rank goes to the end of its bucket's list, and a bucket of which all slots have
 * theirs goes to the end of its model's. So the first of a list shows whether there is more to do, and it
 * is harmless that slots and buckets come and go meanwhile.
 */

#include "pool/internal.h"
#include "pool/refresh.h"

static void model_turn(Pool *p, PoolModel *m) {
        for (size_t n = 0; n < p->n_moves_max; n++) {
                List *i = list_first(&m->buckets), *j;
                PoolBucket *b = i ? list_entry(i, PoolBucket, by_model) : NULL;
                PoolSlot *s;

                if (!b || b->day == p->day.start) {
                        m->day = p->day.start;
                        return;
                }
                j = list_first(&b->slots);
                s = j ? list_entry(j, PoolSlot, by_bucket) : NULL;
                if (s && s->day != p->day.start)
                        pool_slot_place(p, s);
                else {
                        b->day = p->day.start;
                        list_unlink(&b->by_model);
                        list_append(&m->buckets, &b->by_model);
                }
        }
}

static HeapNode *first_due(const Pool *p, const Heap *h) {
        HeapNode *n = heap_first(h);

        return n && n->rank.by[0] <= p->day.now ? n : NULL;
}

bool pool_model_move_due(Pool *p, PoolModel *m) {
        HeapNode *n;

        for (size_t i = 0; i < p->n_moves_max; i++)
                if ((n = first_due(p, &m->waiting_slots)))
                        pool_slot_place(p, CONTAINER_OF(n, PoolSlot, node));
                else if ((n = first_due(p, &m->waiting_buckets)) || (n = first_due(p, &m->crowded)))
                        pool_bucket_place(p, CONTAINER_OF(n, PoolQueue, node)->bucket);
                else
                        return i > 0;
        return true;
}

void pool_model_refresh(Pool *p, PoolModel *m) {
        if (m->day == USEC_INFINITY)
                pool_model_rebuild(p, m);
        else if (m->day != p->day.start)
                model_turn(p, m);
        (void) pool_model_move_due(p, m);
}

bool pool_model_is_exhausted(Pool *p, PoolModel *m) {
        if (m->day == USEC_INFINITY)
                return false; /* the clock has jumped: the next pick rebuilds the heaps */
        do
                if (heap_first(&m->ready) || heap_first(&m->trial) || heap_first(&m->crowded) ||
                    m->next_project)
                        return false;
        while (pool_model_move_due(p, m));
        return true;
}
