/* SPDX-License-Identifier: MIT */

/*
 * Which rows are restored when. At the start all are, before the first request. Later, requests go on: first
 * come the rows that belong to no key, if the store could not be read before, and then the keys and projects
 * that have been added since, RESTORE_PART_KEYS at a time. They are in two lists until then. A key that
 * waits for its rows is used like one that has none, because a disk may hang; what it counts is added to its
 * rows. Until then none of it may be saved, or the rows that it has in the store would be replaced.
 *
 * A key of a part stays allocated until the part ends, because the pool frees removed keys only when it is
 * saved. One that was removed meanwhile still gets its rows, for its own last row. A project can go at any
 * time, and leaves the list.
 */

#include <errno.h>

#include "base/limits.h"
#include "pool/chain.h"
#include "pool/notify.h"
#include "pool/state/restore.h"

void pool_await_rows(Pool *p, PoolKey *k) {
        PoolProject *project = k->project;

        if (!project->restored && !list_is_linked(&project->unread))
                list_append(&p->unread_projects, &project->unread);
}

bool pool_is_restored(const Pool *p) {
        return p->restored && list_is_empty(&p->unread_keys) && list_is_empty(&p->unread_projects);
}

static int restore_new(Pool *p, usec_t now, bool is_part, PoolRestore **ret) {
        PoolRestore *r;

        (void) pool_time(p, now);
        r = calloc(1, sizeof(PoolRestore));
        if (!r)
                return -ENOMEM;
        r->pool = p;
        r->is_first = !p->restored;
        r->is_part = is_part;
        r->is_new_book = !is_part && daybook_n(p->daybook) == 0; /* no request has come in between */
        list_init(&r->projects);
        restore_index_init(&r->of, p, is_part);
        *ret = r;
        return 0;
}

int pool_restore_begin(Pool *p, usec_t now, PoolRestore **ret) {
        return restore_new(p, now, false, ret);
}

/* --- a part --- */

static void ask_for_all(Rows *query) {
        static const PoolTable tables[] = { POOL_META,   POOL_TOTAL,     POOL_CLIENT_TOTAL, POOL_MODELS,
                                            POOL_ALIASES, POOL_MISSING_MODELS,
                                            POOL_DAYS,   POOL_CLIENT_DAYS };

        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                rows_find_all(query, tables[i]);
}

/* The index has the keys, and those that are a project of the part: such a key may have its rows already. */
static int take_keys(PoolRestore *r) {
        Pool *p = r->pool;
        int e;

        LIST_FOREACH(i, &p->unread_keys) {
                PoolKey *k = list_entry(i, PoolKey, unread);

                if (pool_key_is_replaced(p, k)) {
                        list_unlink(i);
                        continue;
                }
                if (r->n_keys == RESTORE_PART_KEYS)
                        break;
                e = restore_index_add(&r->of, k);
                if (e < 0)
                        return e;
                r->keys[r->n_keys++] = k;
                pool_await_rows(p, k); /* of its project, if a reload has not put the key in its place yet */
        }
        return 0;
}

static int take_projects(PoolRestore *r) {
        size_t n = 0;
        int e = 0;

        LIST_FOREACH(i, &r->pool->unread_projects) {
                PoolProject *project = list_entry(i, PoolProject, unread);

                if (n++ == RESTORE_PART_KEYS)
                        break;
                if (!project->name)
                        e = restore_index_add(&r->of, CONTAINER_OF(project, PoolKey, own));
                if (e < 0)
                        return e;
                list_unlink(i);
                list_append(&r->projects, i);
        }
        return 0;
}

static RowValue id_of(const PoolProject *project) {
        const PoolKey *k = CONTAINER_OF(project, PoolKey, own);

        return project->name ? row_text(project->name) : row_blob(k->digest, sizeof(k->digest));
}

/* In the order of the tables. */
static void ask(const PoolRestore *r, Rows *query) {
        static const struct {
                PoolTable table;
                unsigned column;
                bool of_key, of_project;
        } rows[] = {
                { POOL_KEYS, 0, true, false },      { POOL_KEY_PROJECTS, 0, true, false },
                { POOL_KEY_MODELS, 0, true, false }, { POOL_PROJECTS, 0, false, true },
                { POOL_QUOTAS, 0, false, true },    { POOL_ERRORS, 0, true, true },
                { POOL_CEILINGS, 0, false, true },  { POOL_BINDINGS, 1, false, true },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                for (size_t j = 0; rows[i].of_key && j < r->n_keys; j++)
                        rows_find(query, rows[i].table, rows[i].column,
                                  row_blob(r->keys[j]->digest, DIGEST_KEYED_SIZE));
                if (rows[i].of_project)
                        LIST_FOREACH(j, &r->projects)
                                rows_find(query, rows[i].table, rows[i].column,
                                          id_of(list_entry(j, PoolProject, unread)));
        }
}

static void give_back(PoolRestore *r) {
        LIST_FOREACH(i, &r->projects) {
                list_unlink(i);
                list_append(&r->pool->unread_projects, i);
        }
        restore_index_done(&r->of);
        free(r);
}

int pool_restore_part(Pool *p, usec_t now, Rows *query, PoolRestore **ret) {
        PoolRestore *r;
        int e;

        /* What was to be deleted may be in the pool again. The next start finds the rest. */
        restore_absent_free(&p->save.absent);
        e = restore_new(p, now, true, &r);
        if (e < 0)
                return e;
        if (r->is_first) {
                ask_for_all(query);
                *ret = r;
                return 0;
        }
        e = take_keys(r);
        if (e >= 0)
                e = take_projects(r);
        if (e < 0) {
                give_back(r);
                return e;
        }
        restore_index_sort(&r->of);
        ask(r, query);
        *ret = r;
        return 0;
}

/* --- the end --- */

static void end_part(PoolRestore *r) {
        for (size_t i = 0; i < r->n_keys; i++) {
                r->keys[i]->restored = true;
                list_unlink(&r->keys[i]->unread);
                pool_notify_key_restored(r->pool, r->keys[i]);
        }
        LIST_FOREACH(i, &r->projects) {
                list_entry(i, PoolProject, unread)->restored = true;
                list_unlink(i);
        }
        pool_forget_refusals(r->pool);
        pool_notify_models(r->pool);
}

static void end_all(PoolRestore *r) {
        Pool *p = r->pool;

        for (size_t i = 0; i < p->n_keys; i++) {
                p->keys[i]->restored = true;
                list_unlink(&p->keys[i]->unread);
        }
        LIST_FOREACH(i, &p->projects) {
                PoolProject *project = list_entry(i, PoolProject, link);

                project->restored = true;
                list_unlink(&project->unread);
        }
        pool_arrange(p);
        pool_notify_restored(p);
        restore_absent_end(&r->of.absent, p);
}

size_t pool_restore_end(PoolRestore *r) {
        size_t n = r->of.n_senseless;

        if (r->is_new_book)
                daybook_clean_all(r->pool->daybook);
        if (r->is_part)
                end_part(r);
        else
                end_all(r);
        r->pool->restored = true;
        restore_index_done(&r->of);
        free(r);
        return n;
}
