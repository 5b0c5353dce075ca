/* SPDX-License-Identifier: MIT */

/*
 * A key for what Google counts on no model: the list of models, countTokens, files and cached contents.
 * There is a ring of the projects whose breaker is closed, and each project has a ring of its keys that are
 * alive. The first key of the first project is taken, and both go to the end of their ring. So all projects
 * rotate, and all keys within each; no clock and no count is needed. A pick skips keys that were tried
 * before, a bounded number, so it costs the same with ten keys and with 100,000.
 *
 * If no key is healthy, a key whose probe is due is picked, which takes a walk over the keys: O(keys).
 */

#include "pool/pick-rotation.h"
#include "pool/internal.h"
#include "pool/lease.h"
#include "pool/standing.h"

void pool_rotation_place(Pool *p, PoolKey *k) {
        PoolProject *project = k->project;
        bool has_turn = pool_key_is_alive(k) && !k->gone;

        if (!has_turn)
                list_unlink(&k->turn);
        else if (!list_is_linked(&k->turn))
                list_append(&project->turns, &k->turn);

        if (list_is_empty(&project->turns) || project->breaker.until > 0)
                list_unlink(&project->turn);
        else if (!list_is_linked(&project->turn))
                list_append(&p->turns, &project->turn);
}

void pool_rotation_arrange(Pool *p) {
        LIST_FOREACH(i, &p->projects) {
                PoolProject *project = list_entry(i, PoolProject, link);

                list_unlink(&project->turn);
                LIST_FOREACH(j, &project->turns)
                        list_unlink(j);
        }
        for (size_t i = 0; i < p->n_keys; i++)
                pool_rotation_place(p, p->keys[i]);
}

static PoolKey *turn_of(Pool *p, PoolProject *project, const PoolRequest *q) {
        if (project == q->avoid)
                return NULL;
        LIST_FOREACH(i, &project->turns) {
                PoolKey *k = list_entry(i, PoolKey, turn);

                p->steps++;
                if (pool_key_is_among(k, q->exclude, q->n_exclude))
                        continue;
                list_unlink(i);
                list_append(&project->turns, i);
                return k;
        }
        return NULL;
}

static PoolKey *find_well(Pool *p, const PoolRequest *q) {
        if (q->pinned)
                return q->pinned->breaker.until > 0 ? NULL : turn_of(p, q->pinned, q);
        LIST_FOREACH(i, &p->turns) {
                PoolProject *project = list_entry(i, PoolProject, turn);
                PoolKey *k = turn_of(p, project, q);

                if (!k)
                        continue;
                list_unlink(i);
                list_append(&p->turns, i);
                return k;
        }
        return NULL;
}

static bool is_due(Pool *p, PoolKey *k, const PoolRequest *q) {
        PoolStanding standing;

        p->steps++;
        pool_standing(p, k, NULL, NULL, 0, &standing);
        return standing.available_at == 0 && k->project != q->avoid &&
               !pool_key_is_among(k, q->exclude, q->n_exclude);
}

static PoolKey *find_due(Pool *p, const PoolRequest *q) {
        for (PoolKey *k = q->pinned ? q->pinned->first_key : NULL; k; k = k->next_of_project)
                if (is_due(p, k, q))
                        return k;
        for (size_t i = 0; !q->pinned && i < p->n_keys; i++)
                if (is_due(p, p->keys[i], q))
                        return p->keys[i];
        return NULL;
}

int pool_pick_rotation_of(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        PoolKey *k;

        assert(q->n_exclude <= TRIES_MAX);

        (void) pool_time(p, now);
        k = find_well(p, q) ?: find_due(p, q);
        if (!k) {
                if (ret_refusal && q->pinned)
                        pool_refusal_of(p, q->pinned, NULL, 0, ret_refusal);
                else if (ret_refusal)
                        pool_refusal_rotation(p, ret_refusal);
                return POOL_E_EXHAUSTED;
        }
        pool_lend(p, k, NULL, ret);
        return 0;
}
