/* SPDX-License-Identifier: MIT */

/*
 * A project's enabled keys form a chain, and so do the projects that have some. Both are in the order of the
 * configuration; a project's place is that of its first enabled key. The cursors of buckets and models
 * (heaps.h) point into the chains: what has no slot or bucket yet is at the cursor or behind it.
 *
 * Each key enters and leaves alone, in steps whose number does not grow with the number of keys. So a reload
 * of 100,000 keys can be done in slices, with requests in between. It arranges the chains in the new order:
 * each key comes behind those that came before. In the middle of this the chains begin with what is arranged
 * already, and the rest follows in the old order. A project is arranged if its first key is: when it loses
 * that key and the next one waits for its place, it waits, too. An old index has no place in the new order.
 */

#include <stdint.h>

#include "pool/chain.h"
#include "pool/internal.h"
#include "pool/pick-rotation.h"

#define ARRANGE_WALK_MAX 64U

size_t pool_project_usable(const PoolProject *project) {
        return project->breaker.until == 0 ? project->n_alive : 0;
}

bool pool_key_is_arranged(const Pool *p, const PoolKey *k) {
        return k->arrangement == p->arrangement;
}

static bool project_is_arranged(const Pool *p, const PoolProject *project) {
        return project->arrangement == p->arrangement;
}

/* --- links --- */

/* `after` NULL: it becomes the first. */
static void link_key(PoolKey *k, PoolKey *after) {
        PoolProject *project = k->project;

        k->prev_of_project = after;
        k->next_of_project = after ? after->next_of_project : project->first_key;
        *(after ? &after->next_of_project : &project->first_key) = k;
        *(k->next_of_project ? &k->next_of_project->prev_of_project : &project->last_key) = k;
}

static void unlink_key(PoolKey *k) {
        PoolProject *project = k->project;

        *(k->prev_of_project ? &k->prev_of_project->next_of_project : &project->first_key) =
                k->next_of_project;
        *(k->next_of_project ? &k->next_of_project->prev_of_project : &project->last_key) =
                k->prev_of_project;
        if (project->last_arranged == k)
                project->last_arranged = k->prev_of_project;
        k->next_of_project = k->prev_of_project = NULL;
}

static void link_project(Pool *p, PoolProject *project, PoolProject *after) {
        project->prev = after;
        project->next = after ? after->next : p->first_project;
        *(after ? &after->next : &p->first_project) = project;
        *(project->next ? &project->next->prev : &p->last_project) = project;
        project->chained = true;
}

static void unlink_project(Pool *p, PoolProject *project) {
        *(project->prev ? &project->prev->next : &p->first_project) = project->next;
        *(project->next ? &project->next->prev : &p->last_project) = project->prev;
        if (p->last_arranged == project)
                p->last_arranged = project->prev;
        project->next = project->prev = NULL;
        project->chained = false;
}

static void count(Pool *p, const PoolKey *k, bool enters) {
        PoolProject *project = k->project;
        size_t alive = k->breaker.until == 0;

        p->n_usable -= pool_project_usable(project);
        project->n_alive = enters ? project->n_alive + alive : project->n_alive - alive;
        p->n_usable += pool_project_usable(project);
        p->n_enabled = enters ? p->n_enabled + 1 : p->n_enabled - 1;
}

/* --- cursors --- */

/* Those that are not arranged yet come to the cursors again, so the walk past those that have slots may end
 * without one. */
static size_t walk_max(const Pool *p, bool is_arranged) {
        return p->update && !is_arranged ? ARRANGE_WALK_MAX : SIZE_MAX;
}

static void leave_cursors_of_project(Pool *p, PoolProject *project) {
        size_t max = walk_max(p, project_is_arranged(p, project));

        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                if (m->next_project == project)
                        m->next_project = pool_next_untried_project(m, project->next, max);
        }
}

/* The project has got its place. If it is not arranged, that is the first behind those that are. */
static void enter_cursors_of_project(Pool *p, PoolProject *project) {
        uint32_t index = project_is_arranged(p, project) ? project->first_key->index : UINT32_MAX;

        LIST_FOREACH(i, &project->buckets)
                list_entry(i, PoolBucket, by_project)->model->tried_by = project;
        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);
                const PoolProject *next = m->next_project;

                if (m->tried_by == project)
                        m->tried_by = NULL;
                else if (!next || !project_is_arranged(p, next) || index < next->first_key->index)
                        m->next_project = project;
        }
}

/* The key has got its place, or the first place of its project. */
static void enter_cursors_of_key(Pool *p, PoolKey *k, bool is_first) {
        LIST_FOREACH(i, &k->slots)
                list_entry(i, PoolSlot, by_key)->bucket->tried_by = k;
        LIST_FOREACH(i, &k->project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);
                const PoolKey *next = b->next_key;
                bool is_next = b->tried_by != k &&
                               (!next || !pool_key_is_arranged(p, next) || k->index < next->index);

                b->tried_by = NULL;
                if (is_next)
                        b->next_key = k;
                if (is_next || is_first || next == k)
                        pool_bucket_place(p, b);
        }
}

/* --- the whole of it --- */

/* Puts the project where its first key is. One that is not arranged comes nearer to the front, so that no
 * cursor at it becomes wrong. */
static void place_project(Pool *p, PoolProject *project, PoolProject *after) {
        bool was_arranged = project_is_arranged(p, project);

        if (after == project) /* it stays the last that is arranged, with another first key */
                after = project->prev;
        if (project->chained && was_arranged)
                leave_cursors_of_project(p, project);
        if (project->chained)
                unlink_project(p, project);
        link_project(p, project, after);
        if (after == p->last_arranged)
                p->last_arranged = project;
        project->arrangement = p->arrangement;
        enter_cursors_of_project(p, project);
}

/* None of its keys is arranged any more. */
static void displace_project(Pool *p, PoolProject *project) {
        leave_cursors_of_project(p, project);
        unlink_project(p, project);
        link_project(p, project, p->last_arranged);
        project->arrangement = p->arrangement - 1;
        enter_cursors_of_project(p, project);
}

static void enter(Pool *p, PoolKey *k, PoolKey *after, PoolProject *project_after) {
        PoolProject *project = k->project;
        bool is_first;

        link_key(k, after);
        if (!project_is_arranged(p, project) || project->last_arranged == after)
                project->last_arranged = k;
        if (!k->chained)
                count(p, k, true);
        k->chained = true;
        is_first = project->first_key == k;
        if (is_first)
                place_project(p, project, project_after);
        enter_cursors_of_key(p, k, is_first);
}

static PoolKey *arranged_key_before(const Pool *p, const PoolKey *k) {
        const PoolProject *project = k->project;

        if (!project_is_arranged(p, project))
                return NULL;
        if (project->last_arranged && project->last_arranged->index < k->index)
                return project->last_arranged;
        for (size_t i = k->index; i-- > 0;)
                if (p->keys[i]->chained && p->keys[i]->project == project)
                        return p->keys[i];
        return NULL;
}

/* The project before the place that this one has, or would have with the key as its first. */
static PoolProject *arranged_project_before(const Pool *p, const PoolKey *first) {
        const PoolProject *project = first->project, *last = p->last_arranged;

        if (last && last != project && last->first_key->index < first->index)
                return p->last_arranged;
        for (size_t i = first->index; i-- > 0;) {
                const PoolKey *k = p->keys[i];

                if (k->chained && k->project != project && k->project->first_key == k)
                        return k->project;
        }
        return NULL;
}

void pool_chain_insert(Pool *p, PoolKey *k) {
        assert(!k->chained && pool_key_is_arranged(p, k));
        enter(p, k, arranged_key_before(p, k), arranged_project_before(p, k));
}

void pool_chain_remove(Pool *p, PoolKey *k) {
        PoolProject *project = k->project;
        size_t max = walk_max(p, pool_key_is_arranged(p, k));
        bool was_first = project->first_key == k;

        if (!k->chained)
                return;
        LIST_FOREACH(i, &project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                if (b->next_key == k)
                        b->next_key = pool_next_untried_key(b, k->next_of_project, max);
        }
        unlink_key(k);
        count(p, k, false);
        k->chained = false;
        if (!project->first_key) {
                leave_cursors_of_project(p, project);
                unlink_project(p, project);
        } else if (was_first && project_is_arranged(p, project)) {
                if (pool_key_is_arranged(p, project->first_key))
                        place_project(p, project, arranged_project_before(p, project->first_key));
                else
                        displace_project(p, project);
        }
        LIST_FOREACH(i, &project->buckets)
                pool_bucket_place(p, list_entry(i, PoolBucket, by_project));
}

void pool_chain_begin(Pool *p) {
        p->arrangement++;
        p->last_arranged = NULL;
}

void pool_chain_arrange(Pool *p, PoolKey *k, uint32_t index) {
        PoolProject *project = k->project;

        assert(!k->disabled && !pool_key_is_arranged(p, k));
        if (k->chained)
                unlink_key(k);
        k->index = index;
        k->arrangement = p->arrangement;
        enter(p, k, project_is_arranged(p, project) ? project->last_arranged : NULL, p->last_arranged);
}

void pool_key_place_slots(Pool *p, PoolKey *k) {
        LIST_FOREACH(i, &k->slots)
                pool_slot_place(p, list_entry(i, PoolSlot, by_key));
}

/* --- all at once --- */

/* Appends an enabled key to the chains. The cursors are set later. */
static void append(Pool *p, PoolKey *k) {
        PoolProject *project = k->project;

        link_key(k, project->last_key);
        project->last_arranged = k;
        project->arrangement = p->arrangement;
        if (!project->chained) {
                link_project(p, project, p->last_project);
                p->last_arranged = project;
        }
        k->chained = true;
        count(p, k, true);
        pool_rotation_place(p, k);
}

void pool_arrange(Pool *p) {
        LIST_FOREACH(i, &p->projects) {
                PoolProject *project = list_entry(i, PoolProject, link);

                project->first_key = project->last_key = project->last_arranged = NULL;
                project->next = project->prev = NULL;
                project->chained = false;
                project->n_alive = 0;
        }
        p->first_project = p->last_project = NULL;
        p->n_enabled = p->n_usable = 0;
        pool_chain_begin(p);
        pool_rotation_arrange(p);
        for (size_t i = 0; i < p->n_keys; i++) {
                PoolKey *k = p->keys[i];

                k->index = (uint32_t) i;
                k->arrangement = p->arrangement;
                k->chained = false;
                if (!k->disabled)
                        append(p, k);
        }
        LIST_FOREACH(i, &p->models)
                pool_model_arrange(p, list_entry(i, PoolModel, models));
}
