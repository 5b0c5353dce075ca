/* SPDX-License-Identifier: MIT */

/* The pool's keys and projects: how they come in, and how they are revived by hand. */

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/pool-internal.h"

static PoolKey *key_free(PoolKey *k) {
        if (!k)
                return NULL;
        (void) secret_unref(k->secret);
        free(k->name);
        free(k);
        return NULL;
}
DEFINE_CLEANUP(PoolKey *, key_free);

static void free_nothing(void *p) {
}

static void free_project(void *p) {
        PoolProject *project = p;

        free((char *) project->name);
        free(project);
}

void pool_keys_free(Pool *p) {
        tdestroy(p->by_secret, free_nothing);
        tdestroy(p->by_mask, free_nothing);
        tdestroy(p->projects_by_name, free_project);
        for (size_t i = 0; i < p->n_keys; i++)
                (void) key_free(p->keys[i]);
        free(p->keys);
}

static int compare_secret(const void *a, const void *b) {
        return secret_compare(((const PoolKey *) a)->secret, ((const PoolKey *) b)->secret);
}

static int compare_mask(const void *a, const void *b) {
        return strcmp(((const PoolKey *) a)->mask, ((const PoolKey *) b)->mask);
}

static int project_acquire(Pool *p, const char *name, PoolProject **ret) {
        PoolProject **at = tfind(&name, &p->projects_by_name, pool_name_compare), *project;

        if (at) {
                *ret = *at;
                return 0;
        }

        project = calloc(1, sizeof(PoolProject));
        if (!project)
                return -ENOMEM;
        list_init(&project->buckets);
        project->name = strdup(name);
        if (!project->name || !tsearch(project, &p->projects_by_name, pool_name_compare)) {
                free_project(project);
                return -ENOMEM;
        }
        *ret = project;
        return 0;
}

/* Lets the models that exist already come upon a new key: their cursors may have run to the end before. */
static void project_append(Pool *p, PoolProject *project, PoolKey *k) {
        if (!project->first_key) {
                project->first_key = project->last_key = k;
                if (p->last_project)
                        p->last_project->next = project;
                else
                        p->first_project = project;
                p->last_project = project;
                LIST_FOREACH(i, &p->models) {
                        PoolModel *m = list_entry(i, PoolModel, models);

                        if (!m->next_project)
                                m->next_project = project;
                }
        } else {
                project->last_key = project->last_key->next_of_project = k;
                LIST_FOREACH(i, &project->buckets) {
                        PoolBucket *b = list_entry(i, PoolBucket, by_project);

                        if (b->next_key)
                                continue;
                        b->next_key = k;
                        pool_bucket_place(p, b);
                }
        }

        p->n_enabled++;
        project->n_alive++;
        if (project->breaker.until == 0)
                p->n_usable++;
}

int pool_add_key(Pool *p, Secret *secret, const char *name, const char *project, bool disabled) {
        _cleanup_(key_freep) PoolKey *k = NULL;
        PoolKey **same;
        int r;

        if (p->n_keys >= KEYS_MAX)
                return -E2BIG;
        if (p->n_keys == p->n_keys_allocated) {
                size_t n = MAX(p->n_keys * 2, (size_t) 16);
                PoolKey **t = reallocarray(p->keys, n, sizeof(PoolKey *));

                if (!t)
                        return -ENOMEM;
                p->keys = t;
                p->n_keys_allocated = n;
        }

        k = calloc(1, sizeof(PoolKey));
        if (!k)
                return -ENOMEM;
        k->secret = secret_ref(secret);
        k->index = (uint32_t) p->n_keys;
        k->disabled = disabled;
        k->n_alike = 1;
        list_init(&k->slots);
        list_init(&k->own.buckets);
        secret_mask_key(secret, k->mask);
        k->n_mask = strlen(k->mask);
        if (name) {
                k->name = strdup(name);
                if (!k->name)
                        return -ENOMEM;
        }
        k->project = &k->own;
        if (project) {
                r = project_acquire(p, project, &k->project);
                if (r < 0)
                        return r;
        }

        same = tsearch(k, &p->by_secret, compare_secret);
        if (!same)
                return -ENOMEM;
        if (*same != k)
                return -EEXIST;
        same = tsearch(k, &p->by_mask, compare_mask);
        if (!same) {
                (void) tdelete(k, &p->by_secret, compare_secret);
                return -ENOMEM;
        }
        if (*same != k)
                (void) snprintf(k->mask + k->n_mask, sizeof(k->mask) - k->n_mask, "#%u", ++(*same)->n_alike);

        if (!disabled)
                project_append(p, k->project, k);
        p->keys[p->n_keys++] = TAKE_PTR(k);
        return 0;
}

static size_t project_usable(const PoolProject *project) {
        return project->breaker.until == 0 ? project->n_alive : 0;
}

void pool_breaker_set(Pool *p, PoolKey *k, Breaker *b, usec_t until) {
        PoolProject *project = k->project;

        p->n_usable -= project_usable(project);
        if (k->breaker.until == 0)
                project->n_alive--;
        if (until > 0)
                breaker_open(b, p->now, until);
        else
                breaker_close(b);
        if (k->breaker.until == 0)
                project->n_alive++;
        p->n_usable += project_usable(project);
}

static bool key_matches(const PoolKey *k, const char *pattern) {
        if (!pattern || streq_ptr(k->name, pattern) || streq(k->mask, pattern))
                return true;
        if (strncmp(k->mask, pattern, k->n_mask) != 0)
                return false;
        /* The bare mask means all that share it, so the first of them has a name of its own: MASK#1. */
        return !pattern[k->n_mask] || (!k->mask[k->n_mask] && streq(pattern + k->n_mask, "#1"));
}

/* How many (key, model) pairs, and the key itself, have something in their way. An open bucket is in the way
 * of a pair that was never tried, too: so the buckets are counted, and what the pairs have counted already
 * is left out. */
static unsigned key_count_obstacles(const PoolKey *k, const PoolModel *m) {
        unsigned n = !m && (k->breaker.until > 0 || k->project->breaker.until > 0);

        LIST_FOREACH(i, &k->project->buckets) {
                const PoolBucket *b = list_entry(i, PoolBucket, by_project);

                n += (!m || b->model == m) && b->breaker.until > 0;
        }
        LIST_FOREACH(i, &k->slots) {
                const PoolSlot *s = list_entry(i, PoolSlot, by_key);

                n += (!m || s->bucket->model == m) && s->bucket->breaker.until == 0 &&
                     (s->strikes > 0 || s->health.until > 0 || s->rate.until > 0);
        }
        return n;
}

static void key_reset(Pool *p, PoolKey *k, const PoolModel *m) {
        if (!m) {
                pool_breaker_set(p, k, &k->breaker, 0);
                pool_breaker_set(p, k, &k->project->breaker, 0);
        }
        LIST_FOREACH(i, &k->project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                if (m && b->model != m)
                        continue;
                breaker_close(&b->breaker);
                pool_bucket_place(p, b);
        }
        LIST_FOREACH(i, &k->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_key);

                if (m && s->bucket->model != m)
                        continue;
                s->strikes = 0;
                breaker_close(&s->rate);
                breaker_close(&s->health);
                pool_slot_place(p, s);
        }
}

int pool_reset(Pool *p, const char *pattern, const char *model, usec_t now) {
        PoolModel *m = NULL;
        bool matched = false;
        unsigned n = 0;

        (void) pool_time(p, now);

        if (model) {
                m = pool_model_find(p, model);
                if (!m)
                        return -ENXIO;
        }

        /* First all are counted, then all are reset: keys of one project share what is in their way. */
        for (size_t i = 0; i < p->n_keys; i++)
                if (key_matches(p->keys[i], pattern)) {
                        matched = true;
                        n += key_count_obstacles(p->keys[i], m);
                }
        if (!matched)
                return -ENXIO;

        for (size_t i = 0; i < p->n_keys; i++)
                if (key_matches(p->keys[i], pattern))
                        key_reset(p, p->keys[i], m);
        LIST_FOREACH(i, &p->models)
                list_entry(i, PoolModel, models)->refused_at = 0;
        return (int) n;
}
