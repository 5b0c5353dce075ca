/* SPDX-License-Identifier: MIT */

#include <errno.h>
#include <search.h>
#include <string.h>

#include "base/text.h"
#include "core/model.h"
#include "pool/state/restore-index.h"

void restore_index_init(RestoreIndex *l, Pool *p, bool is_part) {
        *l = (RestoreIndex){ .pool = p, .is_part = is_part };
        restore_absent_init(&l->absent);
}

void restore_index_done(RestoreIndex *l) {
        restore_absent_done(&l->absent);
        free(l->index);
}

static int compare_digest(const void *a, const void *b) {
        return memcmp((*(PoolKey *const *) a)->digest, (*(PoolKey *const *) b)->digest, DIGEST_KEYED_SIZE);
}

int restore_index_add(RestoreIndex *l, PoolKey *k) {
        int r;

        if (l->n_index == l->n_allocated) {
                size_t n = MAX(2 * l->n_allocated, l->is_part ? 64U : l->pool->n_keys);
                PoolKey **grown = reallocarray(l->index, n, sizeof(PoolKey *));

                if (!grown)
                        return -ENOMEM;
                l->index = grown;
                l->n_allocated = n;
        }
        r = pool_key_digest(l->pool, k);
        if (r >= 0)
                l->index[l->n_index++] = k;
        return r;
}

void restore_index_sort(RestoreIndex *l) {
        if (l->n_index > 0)
                qsort(l->index, l->n_index, sizeof(PoolKey *), compare_digest);
}

/* Of all keys: one that is not in it is not in the pool. */
static int make_index(RestoreIndex *l) {
        Pool *p = l->pool;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < p->n_keys; i++)
                r = restore_index_add(l, p->keys[i]);
        restore_index_sort(l);
        return r;
}

static int note_absent(RestoreIndex *l, const RowValue *id, usec_t used) {
        return l->is_part ? 0 : restore_absent_note(&l->absent, id, used);
}

/* Whether or not it has its rows. */
static int find_key(RestoreIndex *l, const RowValue *v, usec_t used, PoolKey **ret) {
        PoolKey wanted, *w = &wanted, **at;
        int r;

        *ret = NULL;
        if (v->n != DIGEST_KEYED_SIZE) {
                l->n_senseless++;
                return 0;
        }
        if (!l->pool->save.digester)
                return 0;
        if (!l->index && !l->is_part) {
                r = make_index(l);
                if (r < 0)
                        return r;
        }
        memcpy(wanted.digest, v->data, DIGEST_KEYED_SIZE);
        at = l->index ? bsearch(&w, l->index, l->n_index, sizeof(PoolKey *), compare_digest) : NULL;
        if (!at)
                return note_absent(l, v, used);
        *ret = *at;
        return 0;
}

int restore_index_key(RestoreIndex *l, const RowValue *v, usec_t used, PoolKey **ret) {
        int r;

        r = find_key(l, v, used, ret);
        if (*ret && (*ret)->restored)
                *ret = NULL;
        return r;
}

int restore_index_project(RestoreIndex *l, const RowValue *v, usec_t used, PoolProject **ret) {
        _cleanup_free_ char *name = NULL;
        PoolProject **at;
        PoolKey *k;
        int r;

        *ret = NULL;
        if (v->type == ROW_BLOB) {
                r = find_key(l, v, used, &k);
                if (k && k->project == &k->own && !k->own.restored)
                        *ret = &k->own;
                return r;
        }
        name = strndup(v->data, v->n);
        if (!name)
                return -ENOMEM;
        at = tfind(&name, &l->pool->projects_by_name, pool_name_compare);
        if (!at)
                return note_absent(l, v, used);
        if (!(*at)->restored)
                *ret = *at;
        return 0;
}

bool restore_index_model_name(RestoreIndex *l, const RowValue *v, char ret[static MODEL_NAME_MAX + 1]) {
        ModelName name;

        if (v->n <= MODEL_NAME_MAX) {
                memcpy(ret, v->data, v->n);
                ret[v->n] = 0;
                if (model_name_parse(ret, v->n, &name) >= 0 && streq(name.name, ret) && !name.cli)
                        return true;
        }
        l->n_senseless++;
        return false;
}

int restore_index_model(RestoreIndex *l, const RowValue *v, PoolModel **ret) {
        char text[MODEL_NAME_MAX + 1];

        *ret = NULL;
        if (!restore_index_model_name(l, v, text))
                return 0;
        *ret = pool_model_find(l->pool, text);
        if (*ret || l->pool->n_models >= MODELS_MAX)
                return 0;
        return pool_model_acquire(l->pool, text, ret);
}

int restore_index_bucket(RestoreIndex *l, const RowValue *v, usec_t used, PoolBucket **ret) {
        PoolProject *project;
        PoolModel *m = NULL;
        int r;

        *ret = NULL;
        r = restore_index_project(l, v, used, &project);
        if (r >= 0 && project)
                r = restore_index_model(l, v + 1, &m);
        if (r >= 0 && m)
                r = pool_bucket_acquire(l->pool, project, m, ret);
        if (r >= 0 && m)
                m->saved = true;
        return r;
}
