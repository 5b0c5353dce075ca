/* SPDX-License-Identifier: MIT */

/*
 * MODEL_LIMITS: the configured ceilings of the quotas. A change of them concerns every bucket, so it is made
 * in slices, with requests in between: a project's quotas get the new limits together, and its buckets the
 * places that follow from them. Until then the former limits hold there.
 *
 * A project that has the new limits goes to the end of the pool's list, so the first one shows whether there
 * is more to do, and it is harmless that projects come and go meanwhile: a new one has them from the start.
 */

#include <string.h>

#include "base/text.h"
#include "pool/internal.h"
#include "pool/model-limits.h"

static void take_limits_row(uint64_t limits[static _CEILING_MAX], const CeilingRow *row) {
        for (size_t i = 0; i < _CEILING_MAX; i++)
                if (row->value[i] > 0)
                        limits[i] = row->value[i];
}

void pool_limits_find(const Pool *p, const char *model, const char *project,
                      uint64_t ret[static _CEILING_MAX]) {
        memset(ret, 0, _CEILING_MAX * sizeof(*ret));
        for (size_t i = 0; i < p->n_limits; i++)
                if (!p->limits[i].project && streq(p->limits[i].model, model))
                        take_limits_row(ret, p->limits + i);
        for (size_t i = 0; project && i < p->n_limits; i++)
                if (streq_ptr(p->limits[i].project, project) && streq(p->limits[i].model, model))
                        take_limits_row(ret, p->limits + i);
        for (size_t i = 0; i < _CEILING_MAX; i++)
                if (ret[i] == CEILING_NONE)
                        ret[i] = 0;
}

static void take_limits_by_name(const Pool *p, PoolQuota *q, const char *model, const PoolProject *project) {
        uint64_t limits[_CEILING_MAX];

        pool_limits_find(p, model, project->name, limits);
        for (size_t i = 0; i < _CEILING_MAX; i++)
                if (q->ceiling.told[i] == 0)
                        q->ceiling.told[i] = limits[i];
}

/* For an alias and its target: the limits of the bucket that exists longer; and the target's limits hold
 * for the alias, even if the project has no bucket for the target. */
void pool_limits_take(const Pool *p, PoolQuota *q) {
        const PoolBucket *b = NULL;

        memset(q->ceiling.told, 0, sizeof(q->ceiling.told));
        LIST_FOREACH(i, &q->buckets) {
                b = list_entry(i, PoolBucket, by_quota);
                take_limits_by_name(p, q, b->model->name, b->project);
        }
        if (b)
                take_limits_by_name(p, q, pool_model_counted_as(b->model), b->project);
}

static bool are_limits(const Pool *p, const CeilingRow *rows, size_t n) {
        if (p->n_limits != n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!streq_ptr(p->limits[i].model, rows[i].model) ||
                    !streq_ptr(p->limits[i].project, rows[i].project) ||
                    memcmp(p->limits[i].value, rows[i].value, sizeof(rows[i].value)) != 0)
                        return false;
        return true;
}

bool pool_limits_begin(Pool *p, const CeilingRow *rows, size_t n, usec_t now) {
        bool same = are_limits(p, rows, n);

        (void) pool_time(p, now);
        p->limits = rows;
        p->n_limits = n;
        if (!same)
                p->last_limits++;
        return !same;
}

/* Returns the number of its buckets. */
static size_t limit_project(Pool *p, PoolProject *project) {
        size_t n = 0;

        LIST_FOREACH(i, &project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                pool_limits_take(p, b->quota);
                b->crowded_until = 0;
                n++;
        }
        LIST_FOREACH(i, &project->buckets)
                pool_bucket_place(p, list_entry(i, PoolBucket, by_project));
        project->limits = p->last_limits;
        list_unlink(&project->link);
        list_append(&p->projects, &project->link);
        return n;
}

bool pool_limits_step(Pool *p, usec_t now, size_t n) {
        (void) pool_time(p, now);
        pool_forget_refusals(p);
        for (size_t done = 0; done < n; done++) {
                List *i = list_first(&p->projects);
                PoolProject *project = i ? list_entry(i, PoolProject, link) : NULL;

                if (!project || project->limits == p->last_limits)
                        return false;
                done += limit_project(p, project);
        }
        return true;
}

void pool_set_limits(Pool *p, const CeilingRow *rows, size_t n, usec_t now) {
        (void) pool_limits_begin(p, rows, n, now);
        while (pool_limits_step(p, now, SIZE_MAX))
                ;
}
