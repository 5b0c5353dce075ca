/* SPDX-License-Identifier: MIT */

/*
 * What has changed. Each thing with a row has a PoolDirty in it, which is in no list, or in one of two:
 * urgent changes (health, quota, an administrator's order) and others (counters). Noting a change that is
 * already noted costs two comparisons, otherwise a few pointers are set; a request allocates nothing for
 * it. A row is built when it is saved, so it is written once with the latest values, however often they
 * changed.
 *
 *   - A key that a reload removed stays until its last row is saved, so that the counts of its last requests
 *     are not lost. If the same key is in the pool again by then, only the new one is saved.
 *   - The rows of a model that is dropped (clients invent names) are deleted: the rest of the model stays
 *     in the list `forgotten` until a batch has the deletion.
 *   - The days are in a book, see days.c.
 */

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "pool/binding-internal.h"
#include "pool/state/restore-absent.h"
#include "pool/internal.h"

#define KEEP_DAYS 400U

/* --- noting --- */

void pool_dirty_init(PoolDirty *d, PoolTable table) {
        *d = (PoolDirty){ .table = (uint8_t) table };
        list_init(&d->link);
}

void pool_note_slow(Pool *p, PoolDirty *d, bool urgent) {
        List *list = urgent ? &p->save.urgent : &p->save.dirty;
        bool is_news = list_is_empty(list);

        list_unlink(&d->link);
        list_append(list, &d->link);
        d->urgency = (uint8_t) (1U + urgent);
        if (is_news)
                p->save.noted(urgent, p->save.userdata);
}

void pool_unnote(PoolDirty *d) {
        list_unlink(&d->link);
        d->urgency = 0;
}

static void note_if(Pool *p, PoolDirty *d, bool is_to_be) {
        if (is_to_be)
                pool_note(p, d, false);
}

/* Open, or closed with strikes from which the ladder goes on. */
static bool is_worth_keeping(const Breaker *b) {
        return b->until > 0 || b->strikes > 0;
}

void pool_note_all(Pool *p) {
        pool_note(p, &p->save.meta, true);
        pool_note(p, &p->save.total, false);
        note_if(p, &p->save.clients, p->clients.counters.total > 0);
        for (size_t i = 0; i < p->n_keys; i++) {
                PoolKey *k = p->keys[i];

                note_if(p, &k->dirty,
                        k->tally.counters.total > 0 || k->breaker.until > 0 || k->disabled != k->configured);
                note_if(p, &k->learned_dirty, k->learned);
                LIST_FOREACH(j, &k->slots)
                        pool_note(p, &list_entry(j, PoolSlot, by_key)->dirty, false);
        }
        LIST_FOREACH(i, &p->projects) {
                PoolProject *project = list_entry(i, PoolProject, link);

                note_if(p, &project->dirty, is_worth_keeping(&project->breaker));
                LIST_FOREACH(j, &project->buckets) {
                        PoolBucket *b = list_entry(j, PoolBucket, by_project);

                        note_if(p, &b->dirty, is_worth_keeping(&b->quota->breaker));
                        pool_note(p, &b->ceiling_dirty, false);
                }
        }
        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                pool_note(p, &m->dirty, false);
                note_if(p, &m->alias_dirty, m->counted_as);
                note_if(p, &m->missing_dirty, m->missed > 0);
        }
        daybook_dirty_all(p->daybook);
        bindings_note_all(p);
}

void pool_keep(Pool *p, StateNotedFn noted, void *userdata) {
        p->save.on = noted;
        p->save.noted = noted;
        p->save.userdata = userdata;
}

int pool_set_state_secret(Pool *p, const uint8_t secret[static DIGEST_KEY_SIZE]) {
        int r;

        if (p->save.digester)
                return 0;
        r = digester_new(secret, &p->save.digester);
        if (r < 0)
                return r;
        memcpy(p->save.secret, secret, DIGEST_KEY_SIZE);
        /* Before any other row: without it the others cannot be understood. */
        pool_note(p, &p->save.meta, true);
        return 0;
}

int pool_save_init(Pool *p) {
        list_init(&p->save.dirty);
        list_init(&p->save.urgent);
        list_init(&p->save.forgotten);
        list_init(&p->save.absent);
        pool_dirty_init(&p->save.meta, POOL_META);
        pool_dirty_init(&p->save.total, POOL_TOTAL);
        pool_dirty_init(&p->save.clients, POOL_CLIENT_TOTAL);
        p->keep_days = KEEP_DAYS;
        return daybook_new(&p->daybook);
}

static void forget_model(PoolModel *m) {
        list_unlink(&m->models);
        free(m->counted_as);
        free(m->name);
        free(m);
}

void pool_save_done(Pool *p) {
        LIST_FOREACH(i, &p->save.forgotten)
                forget_model(list_entry(i, PoolModel, models));
        restore_absent_free(&p->save.absent);
        (void) digester_free(p->save.digester);
        explicit_bzero(p->save.secret, sizeof(p->save.secret));
        (void) daybook_free(p->daybook);
}

int pool_key_digest(Pool *p, PoolKey *k) {
        int r;

        if (k->digested)
                return 0;
        r = digester_secret(p->save.digester, k->secret, k->digest);
        if (r >= 0)
                k->digested = true;
        return r;
}

/* --- rows --- */

typedef struct RowWriter {
        RowValue values[ROW_COLUMNS_MAX];
        unsigned n;
} RowWriter;

static void put(RowWriter *w, RowValue v) {
        assert(w->n < ROW_COLUMNS_MAX);
        w->values[w->n++] = v;
}

static void put_counters(RowWriter *w, const PoolTally *t) {
        assert(w->n + POOL_COUNTERS_N <= ROW_COLUMNS_MAX);
        pool_tally_to_row(t, w->values + w->n);
        w->n += POOL_COUNTERS_N;
}

static void put_breaker(RowWriter *w, const Breaker *b) {
        put(w, row_int(b->until));
        put(w, row_int(b->since));
        put(w, row_int(b->strikes));
}

static int put_key(RowWriter *w, Pool *p, PoolKey *k) {
        int r = pool_key_digest(p, k);

        put(w, row_blob(k->digest, sizeof(k->digest)));
        return r;
}

static int put_project(RowWriter *w, Pool *p, PoolProject *project) {
        if (!project->name)
                return put_key(w, p, CONTAINER_OF(project, PoolKey, own));
        put(w, row_text(project->name));
        return 0;
}

static int row_meta(Pool *p, PoolDirty *d, RowWriter *w) {
        put(w, row_text("secret"));
        put(w, row_blob(p->save.secret, sizeof(p->save.secret)));
        return 0;
}

static int row_total(Pool *p, PoolDirty *d, RowWriter *w) {
        put(w, row_text("all"));
        put_counters(w, &p->tally);
        return 0;
}

static int row_client_total(Pool *p, PoolDirty *d, RowWriter *w) {
        const PoolTally *t = &p->clients;

        put(w, row_text("all"));
        put(w, row_int(t->counters.total));
        put(w, row_int(t->counters.today));
        put(w, row_int(t->day));
        put(w, row_int(t->counters.last_used));
        return 0;
}

static int row_model(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolModel *m = CONTAINER_OF(d, PoolModel, dirty);

        m->saved = true;
        put(w, row_text(m->name));
        put_counters(w, &m->tally);
        put(w, row_int(m->succeeded));
        return 0;
}

static int row_alias(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolModel *m = CONTAINER_OF(d, PoolModel, alias_dirty);

        m->saved = true;
        put(w, row_text(m->name));
        put(w, row_text(m->counted_as));
        return 0;
}

static int row_missing(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolModel *m = CONTAINER_OF(d, PoolModel, missing_dirty);

        m->saved = true;
        put(w, row_text(m->name));
        put(w, row_int(m->missed));
        return 0;
}

static int row_key(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolKey *k = CONTAINER_OF(d, PoolKey, dirty);
        PoolTally t = k->tally;
        int r;

        if (t.counters.last_used == 0)
                t.day = p->day.start; /* of a key that was only disabled: when, for restore-absent */
        r = put_key(w, p, k);
        put(w, row_text(k->ident->name));
        put(w, row_int(k->gone ? k->disabled_before : k->disabled));
        put(w, row_int(k->configured));
        put_counters(w, &t);
        put_breaker(w, &k->breaker);
        return r;
}

static int row_key_project(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolKey *k = CONTAINER_OF(d, PoolKey, learned_dirty);
        int r = put_key(w, p, k);

        put(w, row_text(k->learned));
        return r;
}

static int row_slot(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolSlot *s = CONTAINER_OF(d, PoolSlot, dirty);
        int r;

        s->bucket->model->saved = true;
        r = put_key(w, p, s->key);
        put(w, row_text(s->bucket->model->name));
        put_counters(w, &s->tally);
        put_breaker(w, &s->rate);
        put_breaker(w, &s->health);
        put(w, row_int(s->strikes));
        put(w, row_text(s->error.text));
        return r;
}

static int row_project(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolProject *project = CONTAINER_OF(d, PoolProject, dirty);
        int r;

        r = put_project(w, p, project);
        put_breaker(w, &project->breaker);
        put(w, row_int(project->billing));
        return r;
}

static int row_quota(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolBucket *b = CONTAINER_OF(d, PoolBucket, dirty);
        int r;

        b->model->saved = true;
        r = put_project(w, p, b->project);
        put(w, row_text(b->model->name));
        put_breaker(w, &b->quota->breaker);
        put(w, row_int(b->quota->closed));
        put(w, row_int(b->quota->daily));
        return r;
}

static int row_ceiling(Pool *p, PoolDirty *d, RowWriter *w) {
        PoolBucket *b = CONTAINER_OF(d, PoolBucket, ceiling_dirty);
        const CeilingKept *kept = &b->quota->ceiling.kept;
        int r;

        b->model->saved = true;
        r = put_project(w, p, b->project);
        put(w, row_text(b->model->name));
        for (size_t i = 0; i < _CEILING_MAX; i++) {
                put(w, row_int(kept->learned[i]));
                put(w, row_int(kept->learned_at[i]));
                put(w, row_int(kept->guessed[i]));
        }
        put(w, row_int(kept->today));
        put(w, row_int(kept->day));
        put(w, row_int(kept->warned));
        return r;
}

static int row_binding(Pool *p, PoolDirty *d, RowWriter *w) {
        Binding *b = CONTAINER_OF(d, Binding, dirty);
        int r;

        put(w, row_text(b->name));
        r = put_project(w, p, b->project);
        if (r >= 0)
                r = binding_key_owner(p, b);
        put(w, row_blob(b->owner, sizeof(b->owner)));
        put(w, row_int(b->expires));
        put(w, row_text(b->upstream));
        return r;
}

/* The error that explains the row before. That of a slot has its text there. */
static int save_error(Pool *p, PoolDirty *d, Rows *out) {
        PoolSlot *s = d->table == POOL_KEY_MODELS ? CONTAINER_OF(d, PoolSlot, dirty) : NULL;
        PoolKey *k = d->table == POOL_KEYS ? CONTAINER_OF(d, PoolKey, dirty) : NULL;
        PoolBucket *b = d->table == POOL_QUOTAS ? CONTAINER_OF(d, PoolBucket, dirty) : NULL;
        PoolProject *own = d->table == POOL_PROJECTS ? CONTAINER_OF(d, PoolProject, dirty) : NULL;
        PoolError *e = s     ? &s->error
                       : k   ? &k->error
                       : b   ? &b->quota->error
                       : own ? &own->error
                             : NULL;
        const PoolModel *m = s ? s->bucket->model : b ? b->model : NULL;
        RowWriter w = {};
        int r;

        if (!e || (!e->text && !e->stored))
                return 0;
        r = s   ? put_key(&w, p, s->key)
            : k ? put_key(&w, p, k)
                : put_project(&w, p, b ? b->project : own);
        if (r < 0)
                return r;
        put(&w, row_text(m ? m->name : ""));
        put(&w, row_text(s ? "slot" : k ? "key" : b ? "quota" : "project"));
        put(&w, row_text(s ? NULL : e->text));
        put(&w, row_int(e->at));
        rows_put(out, POOL_ERRORS, w.values, w.n);
        e->stored = true;
        return out->buf.error;
}

static int (*const row_of[_POOL_TABLE_MAX])(Pool *p, PoolDirty *d, RowWriter *w) = {
        [POOL_META] = row_meta,        [POOL_TOTAL] = row_total,      [POOL_MODELS] = row_model,
        [POOL_ALIASES] = row_alias,    [POOL_KEYS] = row_key,         [POOL_KEY_PROJECTS] = row_key_project,
        [POOL_KEY_MODELS] = row_slot,  [POOL_PROJECTS] = row_project, [POOL_QUOTAS] = row_quota,
        [POOL_CEILINGS] = row_ceiling, [POOL_BINDINGS] = row_binding, [POOL_CLIENT_TOTAL] = row_client_total,
        [POOL_MISSING_MODELS] = row_missing,
};

/* An expired one has no row. */
static bool save_end(PoolDirty *d, Rows *out) {
        Binding *b = CONTAINER_OF(d, Binding, dirty);

        if (d->table != POOL_BINDINGS || b->project)
                return false;
        rows_forget(out, ROW_FORGET_EQUAL, POOL_BINDINGS, 0, row_text(b->name));
        binding_forgotten(b);
        return true;
}

static PoolKey *key_of_project(const PoolProject *project) {
        return project->name ? NULL : CONTAINER_OF(project, PoolKey, own);
}

/* The key that the row begins with, or NULL. */
static PoolKey *key_of(const PoolDirty *d) {
        switch (d->table) {
        case POOL_KEYS:
                return CONTAINER_OF(d, PoolKey, dirty);
        case POOL_KEY_PROJECTS:
                return CONTAINER_OF(d, PoolKey, learned_dirty);
        case POOL_KEY_MODELS:
                return CONTAINER_OF(d, PoolSlot, dirty)->key;
        case POOL_PROJECTS:
                return key_of_project(CONTAINER_OF(d, PoolProject, dirty));
        case POOL_QUOTAS:
                return key_of_project(CONTAINER_OF(d, PoolBucket, dirty)->project);
        case POOL_CEILINGS:
                return key_of_project(CONTAINER_OF(d, PoolBucket, ceiling_dirty)->project);
        default:
                return NULL;
        }
}

bool pool_key_is_replaced(Pool *p, PoolKey *k) {
        k->replaced = k->replaced || (k->gone && pool_has_secret(p, k));
        return k->replaced;
}

/* A removed key that is in the pool again, or one with nothing to save. */
static bool is_idle(Pool *p, const PoolDirty *d) {
        PoolKey *k = key_of(d);

        if (!k || !k->gone)
                return false;
        return pool_key_is_replaced(p, k) || (k->tally.counters.total == 0 && k->breaker.until == 0 &&
                                         k->disabled_before == k->configured && !k->learned);
}

static int save_list(Pool *p, List *list, Rows *out) {
        size_t n_idle = 0;

        LIST_FOREACH(i, list) {
                PoolDirty *d = list_entry(i, PoolDirty, link);
                RowWriter w = {};
                int r;

                if (out->n + n_idle >= STATE_BATCH_ROWS)
                        return 0;
                if (save_end(d, out))
                        continue;
                if (is_idle(p, d))
                        n_idle++;
                else {
                        r = row_of[d->table](p, d, &w);
                        if (r < 0)
                                return r;
                        rows_put(out, d->table, w.values, w.n);
                        if (out->buf.error < 0)
                                return out->buf.error;
                        r = save_error(p, d, out);
                        if (r < 0)
                                return r;
                }
                pool_unnote(d);
        }
        return 0;
}

static void save_forgotten(Pool *p, Rows *out) {
        static const struct {
                PoolTable table;
                unsigned column; /* that names the model */
        } tables[] = { { POOL_MODELS, 0 },
                       { POOL_ALIASES, 0 },
                       { POOL_MISSING_MODELS, 0 },
                       { POOL_KEY_MODELS, 1 },
                       { POOL_QUOTAS, 1 },
                       { POOL_ERRORS, 1 },
                       { POOL_CEILINGS, 1 } };

        LIST_FOREACH(i, &p->save.forgotten) {
                PoolModel *m = list_entry(i, PoolModel, models);

                for (size_t j = 0; j < ELEMENTSOF(tables); j++)
                        rows_forget(out, ROW_FORGET_EQUAL, tables[j].table, tables[j].column,
                                    row_text(m->name));
                forget_model(m);
        }
}

int pool_save(Pool *p, bool all, Rows *out) {
        bool more;
        int r;

        assert(p->save.digester && pool_is_restored(p));
        save_forgotten(p, out);
        r = save_list(p, &p->save.urgent, out);
        if (r >= 0 && all)
                r = save_list(p, &p->save.dirty, out);
        more = !list_is_empty(&p->save.urgent) || (all && !list_is_empty(&p->save.dirty));
        if (r >= 0 && all && !more) {
                pool_days_save(p, out);
                more = pool_save_absent(p, out) || out->n >= STATE_BATCH_ROWS;
                r = out->buf.error;
        }
        if (r < 0) {
                rows_clear(out);
                p->save.purge = true;
                pool_note_all(p);
                return r;
        }
        return more || (all && pool_keys_sweep(p));
}
