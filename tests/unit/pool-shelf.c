/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include "base/limits.h"
#include "base/limits-state.h"
#include "base/text.h"
#include "pool/internal.h"
#include "pool/standing.h"

static const uint8_t secret[DIGEST_KEY_SIZE] = "not random, but as good here";

static Zone *zone;

const KeyRow four[4] = {
        { "AIzaSyKeyNumberOne-0001", "one" },
        { "AIzaSyKeyNumberTwo-0002", NULL },
        { "AIzaSyKeyNumberThree-03", "three", "p" },
        { "AIzaSyKeyNumberFour-004", "four", "p" },
};

/* --- a pool that is kept --- */

static void on_noted(bool urgent, void *userdata) {
        World *w = userdata;

        w->n_noted++;
        w->n_urgent += urgent;
}

PoolChange world_set_keys(World *w, const KeyRow *keys, size_t n) {
        PoolKeyWanted wanted[8] = {};
        PoolChange change;

        for (size_t i = 0; i < n; i++) {
                wanted[i] = (PoolKeyWanted){ .name = keys[i].name,
                                             .project = keys[i].project,
                                             .disabled = keys[i].disabled };
                assert_int_equal(secret_new(keys[i].key, strlen(keys[i].key), &wanted[i].secret), 0);
        }
        assert_int_equal(pool_set_keys(w->pool, wanted, n, w->now, &change), 0);
        for (size_t i = 0; i < n; i++)
                (void) secret_unref(wanted[i].secret);
        return change;
}

/* Rows come in the order of the query, as from a store. */
static size_t restore_part(World *w) {
        Rows query = ROWS_INIT(STATE_QUERY_MAX);
        PoolRestore *r;
        size_t at = 0;
        Row asked;

        assert_int_equal(pool_restore_part(w->pool, w->now, &query, &r), 0);
        while (rows_next(&query, &at, &asked))
                for (size_t i = 0; i < w->shelf.n; i++) {
                        Row row = shelf_row(&w->shelf, i);

                        if (shelf_is_found(&row, &asked))
                                assert_int_equal(pool_restore_row(r, row.table, row.values, row.n), 0);
                }
        rows_done(&query);
        return pool_restore_end(r);
}

size_t world_restore(World *w) {
        size_t n = 0;

        while (!pool_is_restored(w->pool)) {
                n += restore_part(w);
                assert_int_equal(pool_set_state_secret(w->pool, secret), 0);
        }
        return n;
}

static size_t restore_all(World *w) {
        PoolRestore *r;

        assert_int_equal(pool_restore_begin(w->pool, w->now, &r), 0);
        for (PoolTable t = 0; t < _POOL_TABLE_MAX; t++)
                for (size_t i = 0; i < w->shelf.n; i++) {
                        Row row = shelf_row(&w->shelf, i);

                        if (row.table == t)
                                assert_int_equal(pool_restore_row(r, t, row.values, row.n), 0);
                }
        return pool_restore_end(r);
}

void world_begin_unread(World *w, const KeyRow *keys, size_t n) {
        assert_int_equal(pool_new(zone, w->now, &w->pool), 0);
        (void) world_set_keys(w, keys, n);
        if (w->keep_days > 0)
                pool_keep_days(w->pool, w->keep_days);
        pool_keep(w->pool, on_noted, w);
}

void world_begin(World *w, const KeyRow *keys, size_t n) {
        world_begin_unread(w, keys, n);
        assert_int_equal(restore_all(w), 0);
        assert_int_equal(pool_set_state_secret(w->pool, secret), 0);
}

unsigned world_save(World *w, bool all) {
        unsigned n_batches = 0;
        int more = 1;

        (void) world_restore(w);
        while (more) {
                Rows rows = ROWS_INIT(STATE_BATCH_MAX);
                size_t at = 0;
                Row row;

                more = pool_save(w->pool, all, &rows);
                assert_in_range(more, 0, 1);
                while (rows_next(&rows, &at, &row))
                        shelf_take(&w->shelf, &pool_schema, &row);
                n_batches += rows.n > 0;
                rows_done(&rows);
        }
        return n_batches;
}

void world_end(World *w) {
        w->pool = pool_free(w->pool);
}

/* The stop of one daemon and the start of the next. */
void world_restart(World *w, const KeyRow *keys, size_t n) {
        (void) world_save(w, true);
        world_end(w);
        world_begin(w, keys, n);
}

void world_done(World *w) {
        world_end(w);
        shelf_done(&w->shelf);
}

Lease world_pick(World *w, const char *model) {
        PoolRefusal refusal;
        Lease lease = {};

        assert_int_equal(pool_pick(w->pool, model, NULL, 0, w->now, &lease, &refusal), 0);
        return lease;
}

void world_ask(World *w, const char *model, VerdictClass class, usec_t retry_after) {
        Lease lease = world_pick(w, model);
        Verdict v;

        pool_count_client(w->pool, w->now);
        verdict_init(&v, class, class == VERDICT_OK ? 200 : 429,
                     class == VERDICT_OK ? NULL : "It went wrong.");
        v.retry_after = retry_after;
        pool_report(w->pool, &lease, &v, &(const Usage){ .prompt = 10, .completion = 5 }, w->now);
}

/* --- all that the pool shows, as a text --- */

static int compare_lines(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

typedef struct Page {
        World *w;
        const char *key;
        char *lines[2048];
        size_t n;
} Page;

static void line(Page *p, const char *fmt, ...) _printf_(2, 3);
static void line(Page *p, const char *fmt, ...) {
        va_list ap;

        assert_in_range(p->n, 0, ELEMENTSOF(p->lines) - 1);
        va_start(ap, fmt);
        assert_true(vasprintf(&p->lines[p->n++], fmt, ap) > 0);
        va_end(ap);
}

#define COUNTERS_FORMAT "%llu/%llu errors %llu tokens %llu %llu used %llu"
#define COUNTERS(c)                                                                                         \
        (unsigned long long) (c)->today, (unsigned long long) (c)->total, (unsigned long long) (c)->errors, \
                (unsigned long long) (c)->tokens_in, (unsigned long long) (c)->tokens_out,                  \
                (unsigned long long) (c)->last_used

static void show_slot(const PoolSlotView *v, void *userdata) {
        Page *p = userdata;

        line(p, "%s %s: %s at %llu, " COUNTERS_FORMAT ", %u in a row, %s%s", p->key, v->model,
             pool_state_to_string(v->state), (unsigned long long) v->available_at, COUNTERS(&v->counters),
             v->consecutive_errors, strempty(v->last_error), v->is_healthy ? "" : ", ill");
}

static void show_model(const PoolModelView *v, void *userdata) {
        line(userdata, "model %s: %zu %zu %zu, " COUNTERS_FORMAT, v->name, v->usable_keys, v->total_keys,
             v->healthy_keys, COUNTERS(&v->counters));
}

static void show_day(const DayRow *row, void *userdata) {
        line(userdata, "day %u %s: %llu %llu %llu %llu", row->date, row->model,
             (unsigned long long) row->counters.requests, (unsigned long long) row->counters.errors,
             (unsigned long long) row->counters.tokens_in, (unsigned long long) row->counters.tokens_out);
        if (!*row->model)
                line(userdata, "clients on %u: %llu", row->date,
                     (unsigned long long) row->counters.client_requests);
        else
                assert_int_equal(row->counters.client_requests, 0);
}

/* Without the last part, of ceilings: what was had of a minute is not kept. */
static void show_reason(const PoolReason *r, void *userdata) {
        size_t n = strlen(r->sentence);

        for (const char *s = r->sentence; (s = strchr(s, ';')); s++)
                if (s[1] == ' ' && s[2] >= '0' && s[2] <= '9') {
                        n = (size_t) (s - r->sentence);
                        break;
                }
        line(userdata, "%s %s: %.*s", pool_key_id(r->key), r->usable ? "usable" : "not usable", (int) n,
             r->sentence);
}

/* State that the views do not show, or not for every key. */
static void show_learned(Page *p) {
        LIST_FOREACH(i, &p->w->pool->models) {
                const PoolModel *m = list_entry(i, PoolModel, models);

                if (m->counted_as && !streq(m->counted_as, m->name))
                        line(p, "model %s counts as %s", m->name, m->counted_as);
                LIST_FOREACH(j, &m->buckets) {
                        const PoolBucket *b = list_entry(j, PoolBucket, by_model);
                        const CeilingKept *c = &b->quota->ceiling.kept;
                        const PoolKey *own = CONTAINER_OF(b->project, PoolKey, own);
                        const char *of = b->project->name ?: own->mask;

                        if (!b->project->name && own->gone)
                                continue;
                        if (c->today > 0 && c->day == p->w->pool->day.start)
                                line(p, "%s of %s: %llu today", m->name, of, (unsigned long long) c->today);
                        for (size_t k = 0; k < _CEILING_MAX; k++)
                                if (c->learned_at[k] > 0 || c->guessed[k] > 0)
                                        line(p, "%s of %s: %zu learned %llu at %llu guessed %llu", m->name,
                                             of, k, (unsigned long long) c->learned[k],
                                             (unsigned long long) c->learned_at[k],
                                             (unsigned long long) c->guessed[k]);
                }
        }
}

/* An overload is remembered for seconds. It is not stored. */
static void forget_overloads(Pool *p) {
        LIST_FOREACH(i, &p->models)
                LIST_FOREACH(j, &list_entry(i, PoolModel, models)->buckets) {
                        PoolBucket *b = list_entry(j, PoolBucket, by_model);

                        b->overloaded_until = 0;
                        pool_bucket_place(p, b);
                }
}

char *world_show(World *w) {
        Page p = { .w = w };
        Buf text = BUF_INIT(1U << 20);
        PoolCounters c;
        char *s;

        forget_overloads(w->pool);
        pool_client_counters(w->pool, w->now, &c);
        line(&p, "clients: " COUNTERS_FORMAT, COUNTERS(&c));
        pool_counters(w->pool, w->now, &c);
        line(&p, "all: " COUNTERS_FORMAT ", %zu usable", COUNTERS(&c), pool_usable_keys(w->pool, w->now));
        for (size_t i = 0; i < pool_n_keys(w->pool); i++) {
                const PoolKey *k = pool_key(w->pool, i);
                PoolKeyView v;

                pool_key_view(w->pool, k, w->now, &v);
                p.key = pool_key_id(k);
                line(&p, "%s: %s, " COUNTERS_FORMAT, p.key, pool_state_to_string(v.state),
                     COUNTERS(&v.counters));
                line(&p, "%s in %s, learned %s", p.key, k->project->name ?: "its own", k->learned ?: "none");
                pool_each_slot(w->pool, k, w->now, show_slot, &p);
        }
        pool_each_model(w->pool, w->now, show_model, &p);
        show_learned(&p);
        pool_each_day(w->pool, 4000, w->now, show_day, &p);
        assert_int_equal(pool_explain(w->pool, "m", w->now, show_reason, &p), 0);

        qsort(p.lines, p.n, sizeof(char *), compare_lines);
        for (size_t i = 0; i < p.n; i++) {
                (void) buf_printf(&text, "%s\n", p.lines[i]);
                free(p.lines[i]);
        }
        assert_int_equal(buf_steal(&text, &s, NULL), 0);
        return s;
}

void world_assert_survives(World *w, const KeyRow *keys, size_t n) {
        _cleanup_free_ char *before = NULL, *after = NULL;

        (void) world_restore(w); /* also of projects that were learned since */
        before = world_show(w);
        world_restart(w, keys, n);
        after = world_show(w);
        assert_string_equal(after, before);
}

static void count_row(const DayRow *row, void *userdata) {
        (*(size_t *) userdata)++;
}

size_t world_days(World *w, unsigned n) {
        size_t n_rows = 0;

        pool_each_day(w->pool, n, w->now, count_row, &n_rows);
        return n_rows;
}

int world_set_up(void **state) {
        return zone_new("America/Los_Angeles", NOON, &zone);
}

int world_tear_down(void **state) {
        zone = zone_free(zone);
        return 0;
}
