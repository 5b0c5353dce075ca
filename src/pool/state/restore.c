/* SPDX-License-Identifier: MIT */

/*
 * Restores the pool from rows. They come from a file, so they may contain anything: each is checked, a
 * number is limited to what it can be, and no time lies further ahead than the pool itself would set it. A
 * row that makes no sense is passed over and counted.
 *
 * restore-part.c decides which rows come when.
 *
 * Nothing is replaced: counts are added to what has been counted since (by the columns' merge kinds, see
 * row_merge()), and a breaker is taken from the row if the pool's is closed. So the rows may come at the
 * start, when everything is 0, or later: when a store can be opened at last, or when a key has come back.
 * Then what a row changes comes to its place at once; at the start everything does at the end.
 *
 * restore-index finds what a row belongs to, so a start with 100,000 keys costs a sort, a digest for each
 * key and a slot for each row.
 */

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/row-reader.h"
#include "base/text.h"
#include "core/judgement.h"
#include "pool/binding-internal.h"
#include "pool/chain.h"
#include "pool/internal.h"
#include "pool/notify.h"
#include "pool/project.h"
#include "pool/state/restore.h"

#define STRIKES_MAX     1000U
#define ERROR_LAYER_MAX 16U
#define COUNTER_MAX    ((uint64_t) INT64_MAX / 4) /* sums of sums stay numbers */
#define QUOTA_WAIT_MAX (2 * USEC_PER_DAY) /* a day of 25 hours, and the spread behind it */
#define RESTORED_WAIT  USEC_PER_HOUR      /* as long as a first hint is believed, see core/cooldown */

static PoolTally get_counters(RowReader *r, const Pool *p) {
        PoolTally t = {};
        PoolCounters *c = &t.counters;

        c->total = row_get_number(r, COUNTER_MAX);
        c->today = row_get_number(r, c->total);
        t.day = row_get_number(r, UINT64_MAX);
        c->errors = row_get_number(r, COUNTER_MAX);
        c->tokens_in = row_get_number(r, COUNTER_MAX);
        c->tokens_out = row_get_number(r, COUNTER_MAX);
        c->last_used = row_get_number(r, p->day.now);
        return t;
}

/* A breaker never waits longer from now than it waited when it opened: the clock may have been years ahead
 * when the row was written. A row that does not say when it opened waits for RESTORED_WAIT at most. */
static Breaker get_breaker(RowReader *r, const Pool *p, usec_t wait_max) {
        usec_t until = row_get_number(r, UINT64_MAX), since = row_get_number(r, UINT64_MAX), wait;
        Breaker b = {};

        wait = since > 0 && since < until ? until - since : RESTORED_WAIT;
        b.until = MIN(until, usec_add(p->day.now, MIN(wait, wait_max)));
        b.since = MIN(since, p->day.now);
        b.strikes = (unsigned) row_get_number(r, STRIKES_MAX);
        return b;
}

/* Of a day that is over, or in the book. */
static void add_past(const Pool *p, PoolTally *t, PoolToday *today, const PoolTally *from) {
        DayCounters c = pool_today(today, t);

        pool_tally_merge(t, from, p->day.start);
        today->before = t->counters;
        today->more = c;
}

/* True if it was closed, and is open now. One that is closed has its ladder still, for the day. */
static bool take_breaker(Breaker *b, const Breaker *from) {
        if (b->until > 0)
                return false;
        if (from->until > 0)
                *b = *from;
        else if (b->strikes < from->strikes)
                *b = (Breaker){ .since = MAX(b->since, from->since), .strikes = from->strikes };
        return from->until > 0;
}

/* Of a key or its project. */
static bool take_breaker_of(PoolRestore *r, PoolKey *k, Breaker *b, const Breaker *from) {
        Breaker value = *b;
        bool opened = take_breaker(&value, from);

        pool_breaker_put(r->pool, k, b, &value);
        return opened;
}

static usec_t used_of(const Breaker *b) {
        return MAX(b->until, b->since);
}

/* --- a table each --- */

static int restore_meta(PoolRestore *r, const RowValue *v) {
        int e;

        if (v[0].n != strlen("secret") || memcmp(v[0].data, "secret", v[0].n) != 0)
                return 0;
        if (v[1].n != DIGEST_KEY_SIZE) {
                r->of.n_senseless++;
                return 0;
        }
        e = pool_set_state_secret(r->pool, (const uint8_t *) v[1].data);
        pool_unnote(&r->pool->save.meta); /* the store has it */
        return e;
}

static int restore_total(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 1 };
        PoolTally t = get_counters(&reader, r->pool);

        r->of.n_senseless += reader.bad;
        if (r->is_first && !reader.bad)
                add_past(r->pool, &r->pool->tally, &r->pool->today, &t);
        return 0;
}

static int restore_client_total(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 1 };
        Pool *p = r->pool;
        PoolTally t = {};

        t.counters.total = row_get_number(&reader, COUNTER_MAX);
        t.counters.today = row_get_number(&reader, t.counters.total);
        t.day = row_get_number(&reader, UINT64_MAX);
        t.counters.last_used = row_get_number(&reader, p->day.now);
        r->of.n_senseless += reader.bad;
        if (r->is_first && !reader.bad)
                add_past(p, &p->clients, &p->clients_today, &t);
        return 0;
}

/* The model that a row is about; NULL: it is passed over, as it is of no use, or was added before. */
static int take_model(PoolRestore *r, const RowValue *v, bool bad, PoolModel **ret) {
        *ret = NULL;
        r->of.n_senseless += bad;
        return r->is_first && !bad ? restore_index_model(&r->of, v, ret) : 0;
}

static int restore_model(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 1 };
        PoolTally t = get_counters(&reader, r->pool);
        bool succeeded = row_get_bool(&reader);
        PoolModel *m;
        int e;

        e = take_model(r, v, reader.bad, &m);
        if (e < 0 || !m)
                return e;
        add_past(r->pool, &m->tally, &m->today, &t);
        m->succeeded = m->succeeded || succeeded;
        m->saved = true;
        return 0;
}

static int restore_alias(PoolRestore *r, const RowValue *v) {
        char counted_as[MODEL_NAME_MAX + 1];
        PoolModel *m;
        int e;

        if (!r->is_first || !restore_index_model_name(&r->of, v + 1, counted_as))
                return 0;
        e = restore_index_model(&r->of, v, &m);
        if (e < 0 || !m)
                return e;
        m->saved = true;
        if (!m->counted_as) {
                pool_model_learn_name(r->pool, m, counted_as);
                pool_unnote(&m->alias_dirty);
        }
        return 0;
}

static int restore_missing(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 1 };
        unsigned missed = (unsigned) row_get_number(&reader, JUDGEMENT_STRIKES);
        PoolModel *m;
        int e;

        e = take_model(r, v, reader.bad, &m);
        if (e < 0 || !m)
                return e;
        m->saved = true;
        m->missed = MAX(m->missed, missed);
        return 0;
}

static int restore_key(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 2 };
        bool disabled = row_get_bool(&reader), configured = row_get_bool(&reader);
        PoolTally t = get_counters(&reader, r->pool);
        Breaker b = get_breaker(&reader, r->pool, JUDGEMENT_DEATH_WAIT);
        usec_t used = MAX(MAX(t.counters.last_used, t.day), used_of(&b));
        PoolKey *k;
        int e;

        r->of.n_senseless += reader.bad;
        /* A row without a time of use was only disabled, perhaps yesterday. */
        e = restore_index_key(&r->of, v, used ?: r->pool->day.now, &k);
        if (e < 0 || !k || reader.bad)
                return e;
        pool_tally_merge(&k->tally, &t, r->pool->day.start);
        if (take_breaker_of(r, k, &k->breaker, &b) && r->is_part)
                pool_key_place_slots(r->pool, k);
        /* An administrator's choice lasts until `disabled` changes in the configuration. Then the new value
         * is saved, so that the choice stays void even if the configuration changes back. */
        if (k->configured != configured)
                pool_note(r->pool, &k->dirty, true);
        else if (k->gone)
                k->disabled_before = disabled;
        else if (r->is_part && k->disabled == k->configured && k->disabled != disabled)
                pool_key_switch(r->pool, k, disabled);
        else if (k->disabled == k->configured)
                k->disabled = disabled;
        return 0;
}

static int restore_key_project(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 1 };
        _cleanup_free_ char *name = row_get_text(&reader, VERDICT_CONSUMER_MAX - 1);
        PoolKey *k;
        int e;

        r->of.n_senseless += reader.bad;
        e = restore_index_key(&r->of, v, 0, &k);
        if (e < 0 || !k || strnull(name))
                return e;
        return pool_project_restore(r->pool, k, name, r->is_part);
}

/* A first refusal that is not the day's is believed for RESTORED_WAIT at most; later ones wait longer. */
static void bound_first_wait(Breaker *b, const Pool *p) {
        if (b->strikes <= 1)
                b->until = MIN(b->until, usec_add(p->day.now, RESTORED_WAIT));
}

static int restore_slot(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 2 };
        PoolTally t = get_counters(&reader, r->pool);
        Breaker rate = get_breaker(&reader, r->pool, QUOTA_WAIT_MAX);
        Breaker health = get_breaker(&reader, r->pool, judgement_wait(UINT32_MAX));
        unsigned strikes = (unsigned) row_get_number(&reader, STRIKES_MAX);
        _cleanup_free_ char *error = row_get_text(&reader, SLOT_ERROR_MAX);
        PoolModel *m = NULL;
        PoolSlot *s;
        PoolKey *k;
        int e;

        r->of.n_senseless += reader.bad;
        e = restore_index_key(&r->of, v, MAX(t.counters.last_used, MAX(used_of(&rate), used_of(&health))),
                              &k);
        if (e < 0 || !k || reader.bad)
                return e;
        e = restore_index_model(&r->of, v + 1, &m);
        if (e < 0 || !m || r->pool->n_slots >= r->pool->n_slots_max)
                return e;
        e = pool_slot_acquire(r->pool, k, m, &s);
        if (e < 0)
                return e;
        m->saved = true;
        pool_tally_merge(&s->tally, &t, r->pool->day.start);
        bound_first_wait(&rate, r->pool);
        (void) take_breaker(&s->rate, &rate);
        (void) take_breaker(&s->health, &health);
        if (s->strikes == 0)
                s->strikes = strikes;
        if (!s->error.text && error) {
                s->error.text = TAKE_PTR(error);
                s->error.at = t.counters.last_used; /* nearly: old files have no row of POOL_ERRORS for it */
        }
        if (r->is_part)
                pool_slot_enter(r->pool, s);
        return 0;
}

static void place_project(Pool *p, PoolProject *project) {
        LIST_FOREACH(i, &project->buckets)
                pool_bucket_place(p, list_entry(i, PoolBucket, by_project));
        for (PoolKey *k = project->first_key; k; k = k->next_of_project)
                pool_notify_key_restored(p, k);
}

static int restore_project(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 1 };
        Breaker b = get_breaker(&reader, r->pool, QUOTA_WAIT_MAX); /* money waits like a quota */
        bool billing = row_get_bool(&reader);
        PoolProject *project;
        int e;

        r->of.n_senseless += reader.bad;
        e = restore_index_project(&r->of, v, used_of(&b), &project);
        if (e < 0 || !project || reader.bad)
                return e;
        if (!billing)
                b.until = MIN(b.until, usec_add(r->pool->day.now, JUDGEMENT_DEATH_WAIT));
        if (project->first_key ? !take_breaker_of(r, project->first_key, &project->breaker, &b)
                               : !take_breaker(&project->breaker, &b))
                return 0;
        project->billing = billing;
        if (r->is_part)
                place_project(r->pool, project);
        return 0;
}

static void place_quota(Pool *p, PoolQuota *q) {
        pool_quota_place(p, q);
        pool_notify_quota(p, q, "restored");
}

static int restore_quota(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 2 };
        Breaker breaker = get_breaker(&reader, r->pool, QUOTA_WAIT_MAX);
        bool closed = row_get_bool(&reader), daily = row_get_bool(&reader);
        PoolBucket *b = NULL;
        int e;

        r->of.n_senseless += reader.bad;
        e = reader.bad ? 0 : restore_index_bucket(&r->of, v, used_of(&breaker), &b);
        if (e < 0 || reader.bad || !b)
                return e;
        if (!closed && !daily)
                bound_first_wait(&breaker, r->pool);
        if (take_breaker(&b->quota->breaker, &breaker)) {
                b->quota->closed = closed;
                b->quota->daily = daily;
                if (r->is_part)
                        place_quota(r->pool, b->quota);
        }
        return 0;
}

static void take_error(PoolError *e, const Breaker *b, char **text, usec_t at) {
        if (!e->text && b->until > 0) {
                e->text = TAKE_PTR(*text);
                e->at = at;
        }
        e->stored = true;
}

static int restore_slot_error(PoolRestore *r, const RowValue *v, usec_t at) {
        PoolModel *m = NULL;
        PoolKey *k = NULL;
        PoolSlot *s;
        int e;

        e = restore_index_key(&r->of, v, at, &k);
        if (e < 0 || !k)
                return e;
        e = restore_index_model(&r->of, v + 1, &m);
        if (e < 0 || !m)
                return e;
        s = pool_slot_find(k, m);
        if (!s)
                return 0;
        if (s->error.text)
                s->error.at = at;
        s->error.stored = true;
        return 0;
}

static int restore_error(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 2 };
        _cleanup_free_ char *layer = row_get_text(&reader, ERROR_LAYER_MAX);
        _cleanup_free_ char *text = row_get_text(&reader, SLOT_ERROR_MAX);
        usec_t at = row_get_number(&reader, r->pool->day.now);
        PoolProject *project = NULL;
        PoolBucket *b = NULL;
        PoolKey *k = NULL;
        int e = 0;

        if (reader.bad || !layer) {
                r->of.n_senseless++;
                return 0;
        }
        if (streq(layer, "key") && v[0].type == ROW_BLOB)
                e = restore_index_key(&r->of, v, at, &k);
        else if (streq(layer, "project"))
                e = restore_index_project(&r->of, v, at, &project);
        else if (streq(layer, "quota"))
                e = restore_index_bucket(&r->of, v, at, &b);
        else if (streq(layer, "slot") && v[0].type == ROW_BLOB)
                e = restore_slot_error(r, v, at);
        else
                r->of.n_senseless++;
        if (e < 0)
                return e;
        if (k)
                take_error(&k->error, &k->breaker, &text, at);
        else if (project)
                take_error(&project->error, &project->breaker, &text, at);
        else if (b)
                take_error(&b->quota->error, &b->quota->breaker, &text, at);
        return 0;
}

static int restore_ceiling(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v + 2 };
        CeilingKept kept = {};
        usec_t used = 0;
        PoolBucket *b = NULL;
        int e;

        for (size_t i = 0; i < _CEILING_MAX; i++) {
                kept.learned[i] = row_get_number(&reader, UINT64_MAX);
                kept.learned_at[i] = row_get_number(&reader, r->pool->day.now);
                kept.guessed[i] = row_get_number(&reader, UINT64_MAX);
                used = MAX(used, kept.learned_at[i]);
        }
        kept.today = row_get_number(&reader, UINT32_MAX);
        kept.day = row_get_number(&reader, UINT64_MAX);
        kept.warned = row_get_number(&reader, r->pool->day.now);
        r->of.n_senseless += reader.bad;
        e = reader.bad ? 0 : restore_index_bucket(&r->of, v, MAX(used, kept.day), &b);
        if (e < 0 || reader.bad || !b)
                return e;
        if (!b->quota->restored) {
                ceiling_roll(&b->quota->ceiling, r->pool->day.now, r->pool->day.start);
                ceiling_restore(&b->quota->ceiling, &kept);
                pool_quota_note_warned(r->pool, b->quota);
                if (r->is_part)
                        pool_quota_place(r->pool, b->quota);
        }
        b->quota->restored = true;
        return 0;
}

static int restore_binding(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v };
        _cleanup_free_ char *name = row_get_text(&reader, BINDING_NAME_MAX), *upstream = NULL;
        PoolProject *project = NULL;
        PoolKey *k;
        usec_t expires;
        int e;

        reader.next = v + 3;
        expires = row_get_number(&reader, INT64_MAX);
        upstream = row_get_text(&reader, BINDING_UPSTREAM_MAX);
        if (reader.bad || !name || !binding_name_is_valid(name, strlen(name)) ||
            v[2].n != DIGEST_KEYED_SIZE) {
                r->of.n_senseless++;
                return 0;
        }
        if (v[1].type == ROW_BLOB) { /* a key, whose project may have been learned since */
                e = restore_index_key(&r->of, v + 1, 0, &k);
                project = e >= 0 && k ? k->project : NULL;
        } else
                e = restore_index_project(&r->of, v + 1, 0, &project);
        if (e < 0 || !project)
                return e;
        return binding_restore(r->pool, name, project, (const uint8_t *) v[2].data, expires, upstream);
}

static void add_day(DayCounters *c, const DayCounters *from) {
        c->requests += from->requests;
        c->errors += from->errors;
        c->tokens_in += from->tokens_in;
        c->tokens_out += from->tokens_out;
        c->client_requests += from->client_requests;
}

static int restore_day(PoolRestore *r, const RowValue *v) {
        _cleanup_free_ char *model = NULL;
        RowReader reader = { v };
        DayCounters c = {}, ours = {};
        Pool *p = r->pool;
        PoolModel *m = NULL;
        uint32_t date;
        int e;

        date = (uint32_t) row_get_number(&reader, UINT32_MAX);
        model = row_get_text(&reader, MODEL_NAME_MAX);
        c.requests = row_get_number(&reader, COUNTER_MAX);
        c.errors = row_get_number(&reader, COUNTER_MAX);
        c.tokens_in = row_get_number(&reader, COUNTER_MAX);
        c.tokens_out = row_get_number(&reader, COUNTER_MAX);
        r->of.n_senseless += reader.bad;
        if (!r->is_first || reader.bad || !model)
                return 0;

        /* Today's counts go on in the model, if there is one. */
        if (*model)
                m = pool_model_find(p, model);
        if (date == p->day.date && (m || !*model))
                add_day(m ? &m->today.more : &p->today.more, &c);
        (void) daybook_get(p->daybook, date, model, &ours);
        add_day(&ours, &c);
        e = daybook_put(p->daybook, date, model, &ours);
        return e == -E2BIG ? 0 : e;
}

static int restore_client_day(PoolRestore *r, const RowValue *v) {
        RowReader reader = { v };
        DayCounters c = {}, ours = {};
        Pool *p = r->pool;
        uint32_t date;
        int e;

        date = (uint32_t) row_get_number(&reader, UINT32_MAX);
        c.client_requests = row_get_number(&reader, COUNTER_MAX);
        r->of.n_senseless += reader.bad;
        if (!r->is_first || reader.bad)
                return 0;

        if (date == p->day.date)
                p->clients_today.more.requests += c.client_requests;
        (void) daybook_get(p->daybook, date, "", &ours);
        add_day(&ours, &c);
        e = daybook_put(p->daybook, date, "", &ours);
        return e == -E2BIG ? 0 : e;
}

static int (*const restore[_POOL_TABLE_MAX])(PoolRestore *r, const RowValue *v) = {
        [POOL_META] = restore_meta,           [POOL_TOTAL] = restore_total,
        [POOL_MODELS] = restore_model,        [POOL_ALIASES] = restore_alias,
        [POOL_KEYS] = restore_key,            [POOL_KEY_PROJECTS] = restore_key_project,
        [POOL_KEY_MODELS] = restore_slot,     [POOL_PROJECTS] = restore_project,
        [POOL_ERRORS] = restore_error,
        [POOL_QUOTAS] = restore_quota,        [POOL_CEILINGS] = restore_ceiling,
        [POOL_BINDINGS] = restore_binding,    [POOL_DAYS] = restore_day,
        [POOL_MISSING_MODELS] = restore_missing,
        [POOL_CLIENT_TOTAL] = restore_client_total, [POOL_CLIENT_DAYS] = restore_client_day,
};

int pool_restore_row(PoolRestore *r, PoolTable table, const RowValue *values, unsigned n) {
        assert(table < _POOL_TABLE_MAX);
        if (!row_fits(pool_schema.tables + table, values, n)) {
                r->of.n_senseless++;
                return 0;
        }
        return restore[table](r, values);
}
