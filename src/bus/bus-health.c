/* SPDX-License-Identifier: MIT */

/* ListKeyHealth and ExplainPick: rows about all keys, in slices. */

#include <errno.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "bus/bus-answer.h"
#include "bus/bus-key.h"
#include "bus/bus-manager.h"
#include "pool/explain.h"

typedef struct Health {
        BusAnswer answer;
        const char *type; /* of a row */
        char model[BUS_MODEL_MAX];
        PoolExplain *explain;
        uint64_t keys_serial;
        size_t next_key, n, n_slice; /* n: rows so far, n_slice: in this slice */
        int r;                       /* keeps the first failure */

        /* the key whose rows are being written */
        PoolKeyView key;
        char *path;
        bool has_row;
} Health;

static bool take_row(Health *s) {
        s->n_slice++;
        if (s->r >= 0 && s->n++ >= BUS_ROWS_MAX)
                s->r = -E2BIG;
        return s->r >= 0;
}

static int begin(BusAnswer *a) {
        Health *s = CONTAINER_OF(a, Health, answer);

        s->keys_serial = pool_keys_serial(a->bus->p.pool);
        s->next_key = s->n = 0;
        s->r = 0;
        return sd_bus_message_open_container(a->reply, 'a', s->type);
}

static int end(Health *s) {
        int r;

        r = sd_bus_message_close_container(s->answer.reply);
        return MIN(r, 0);
}

static void health_free(BusAnswer *a) {
        Health *s = CONTAINER_OF(a, Health, answer);

        pool_explain_free(s->explain);
        free(s);
}

/* --- ListKeyHealth --- */

static void health_row(Health *s, const char *model, unsigned errors, PoolState state, usec_t at,
                       const char *error) {
        if (!take_row(s))
                return;
        s->has_row = true;
        s->r = sd_bus_message_append(s->answer.reply, "(ossssusts)", s->path, strempty(s->key.name),
                                     s->key.mask, strempty(s->key.project), model, (uint32_t) errors,
                                     pool_state_to_string(state), at, strempty(error));
}

static void health_of_slot(const PoolSlotView *v, void *userdata) {
        health_row(userdata, v->model, v->consecutive_errors, v->state, v->available_at, v->last_error);
}

static int health_of_key(Health *s, const PoolKey *k, usec_t now) {
        _cleanup_free_ char *path = NULL;
        Pool *pool = s->answer.bus->p.pool;
        int r;

        r = bus_key_path(k, &path);
        if (r < 0)
                return r;
        pool_key_view(pool, k, now, &s->key);
        s->path = path;
        s->has_row = false;
        pool_each_slot(pool, k, now, health_of_slot, s);
        /* A key without requests has one row, for no model. */
        if (!s->has_row)
                health_row(s, "", 0, s->key.state, s->key.state == POOL_USABLE ? 0 : USEC_INFINITY,
                           s->key.last_error);
        return s->r;
}

static int health_step(BusAnswer *a) {
        Health *s = CONTAINER_OF(a, Health, answer);
        Pool *pool = a->bus->p.pool;
        usec_t now = day_clock_now();
        int r;

        if (s->keys_serial != pool_keys_serial(pool))
                return -ESTALE;
        for (s->n_slice = 0; s->n_slice < STATS_SLICE_ROWS && s->next_key < pool_n_keys(pool);) {
                r = health_of_key(s, pool_key(pool, s->next_key++), now);
                if (r < 0)
                        return r;
        }
        return s->next_key < pool_n_keys(pool) ? 1 : end(s);
}

int bus_list_key_health(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        static const BusAnswerOps ops = { begin, health_step, health_free };
        Bus *b = userdata;
        Health *s;

        s = calloc(1, sizeof(Health));
        if (!s)
                return -ENOMEM;
        s->type = "(ossssusts)";
        /* At least so many: a key has a row for each of its models, or one. */
        s->answer = (BusAnswer){ .ops = &ops,
                                 .bus = b,
                                 .n_rows = MAX(pool_n_keys(b->p.pool), pool_n_slots(b->p.pool)) };
        return bus_answer_start(&s->answer, m, e);
}

/* --- ExplainPick --- */

static void explain_row(const PoolReason *reason, void *userdata) {
        _cleanup_free_ char *path = NULL;
        Health *s = userdata;

        if (!take_row(s))
                return;
        s->r = bus_key_path(reason->key, &path);
        if (s->r >= 0)
                s->r = sd_bus_message_append(s->answer.reply, "(osbst)", path, pool_key_id(reason->key),
                                             reason->usable, reason->sentence, reason->available_at);
}

static int explain_begin(BusAnswer *a) {
        Health *s = CONTAINER_OF(a, Health, answer);
        int r;

        s->explain = pool_explain_free(s->explain);
        r = pool_explain_new(a->bus->p.pool, s->model, &s->explain);
        return r < 0 ? r : begin(a);
}

static int explain_step(BusAnswer *a) {
        Health *s = CONTAINER_OF(a, Health, answer);
        int r;

        r = pool_explain_step(s->explain, day_clock_now(), STATS_SLICE_ROWS, explain_row, s);
        if (s->r < 0)
                return s->r;
        return r == 0 ? end(s) : r;
}

int bus_explain_pick(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        static const BusAnswerOps ops = { explain_begin, explain_step, health_free };
        _cleanup_free_ Health *s = NULL;
        const char *given;
        Bus *b = userdata;
        int r;

        s = calloc(1, sizeof(Health));
        if (!s)
                return -ENOMEM;
        r = sd_bus_message_read(m, "s", &given);
        if (r < 0)
                return r;
        r = bus_read_model(b, *given ? given : b->p.config(b->p.userdata)->default_model, s->model, e);
        if (r < 0)
                return r;
        s->type = "(osbst)";
        s->answer = (BusAnswer){ .ops = &ops, .bus = b, .n_rows = pool_n_keys(b->p.pool) };
        return bus_answer_start(&TAKE_PTR(s)->answer, m, e);
}
