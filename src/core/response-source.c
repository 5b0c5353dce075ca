/* SPDX-License-Identifier: MIT */

/*
 * The rows of stored responses. A row has the response as it was made; the time of its last use is saved
 * again now and then, so that a conversation in use outlives a restart.
 */

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/limits-responses.h"
#include "core/response-store-internal.h"

enum {
        COLUMN_NAME, /* the client, then the id */
        COLUMN_INPUT,
        COLUMN_RESPONSE,
        COLUMN_USED,
        _COLUMN_MAX,
};

#define NAME_SIZE (sizeof(uint64_t) + RESPONSE_ID_BYTES)

static const RowColumn columns[_COLUMN_MAX] = {
        [COLUMN_NAME] = { "name", ROW_BLOB, ROW_KEY },
        [COLUMN_INPUT] = { "input", ROW_TEXT, ROW_LATEST },
        [COLUMN_RESPONSE] = { "response", ROW_TEXT, ROW_LATEST },
        [COLUMN_USED] = { "used", ROW_INT, ROW_MAX },
};

static const RowTable tables[] = { { "responses", columns, _COLUMN_MAX } };
static const RowSchema schema = { tables, ELEMENTSOF(tables) };

static void pack(const ResponseName *name, uint8_t ret[static NAME_SIZE]) {
        memcpy(ret, &name->client, sizeof(name->client));
        memcpy(ret + sizeof(name->client), name->id, sizeof(name->id));
}

static void response_keep(void *source, StateNotedFn noted, void *userdata) {
        ResponseStore *s = source;

        (void) pthread_mutex_lock(&s->lock);
        s->noted = noted;
        s->userdata = userdata;
        if (!noted)
                LIST_FOREACH(i, &s->by_dirt)
                        list_unlink(i);
        (void) pthread_mutex_unlock(&s->lock);
}

static void response_note_all(void *source) {
        ResponseStore *s = source;
        bool any;

        (void) pthread_mutex_lock(&s->lock);
        LIST_FOREACH(i, &s->by_use) {
                ResponseEntry *e = list_entry(i, ResponseEntry, by_use);

                list_unlink(&e->by_dirt);
                if (s->is_saved)
                        list_append(&s->by_dirt, &e->by_dirt);
        }
        any = s->is_noted = !list_is_empty(&s->by_dirt) || s->forgets_all;
        (void) pthread_mutex_unlock(&s->lock);
        if (any && s->noted)
                s->noted(false, s->userdata);
}

static int save_entry(Rows *out, ResponseEntry *e) {
        uint8_t name[NAME_SIZE];
        RowValue values[_COLUMN_MAX] = {
                [COLUMN_INPUT] = { .type = ROW_TEXT, .data = e->text, .n = e->n_input },
                [COLUMN_RESPONSE] = { .type = ROW_TEXT, .data = e->text + e->n_input, .n = e->n_response },
                [COLUMN_USED] = row_int(e->used),
        };

        pack(&e->name, name);
        values[COLUMN_NAME] = row_blob(name, sizeof(name));
        rows_put(out, 0, values, _COLUMN_MAX);
        e->saved = e->used;
        return out->buf.error;
}

static bool is_full(const Rows *out) {
        return out->n >= STATE_BATCH_ROWS || out->buf.n >= STATE_BATCH_MAX / 4;
}

static int save_locked(ResponseStore *s, Rows *out) {
        uint8_t name[NAME_SIZE];
        int r;

        if (s->forgets_all)
                rows_forget(out, ROW_FORGET_BELOW, 0, COLUMN_USED, row_int(INT64_MAX));
        else if (s->forget_before > 0)
                rows_forget(out, ROW_FORGET_BELOW, 0, COLUMN_USED, row_int(s->forget_before));
        s->forgets_all = false;
        s->forget_before = 0;
        LIST_FOREACH(i, &s->gone) {
                ResponseGone *gone = list_entry(i, ResponseGone, gone);

                if (is_full(out))
                        return 1;
                pack(&gone->name, name);
                rows_forget(out, ROW_FORGET_EQUAL, 0, COLUMN_NAME, row_blob(name, sizeof(name)));
                if (out->buf.error < 0)
                        return out->buf.error;
                list_unlink(&gone->gone);
                free(gone);
        }
        LIST_FOREACH(i, &s->by_dirt) {
                if (is_full(out))
                        return 1;
                r = s->is_saved ? save_entry(out, list_entry(i, ResponseEntry, by_dirt)) : 0;
                if (r < 0)
                        return r;
                list_unlink(i);
        }
        s->is_noted = false;
        return 0;
}

/* Nothing of it is urgent. */
static int response_save(void *source, bool all, Rows *out) {
        ResponseStore *s = source;
        int r;

        if (!all)
                return 0;
        (void) pthread_mutex_lock(&s->lock);
        r = save_locked(s, out);
        (void) pthread_mutex_unlock(&s->lock);
        if (r < 0)
                response_note_all(s);
        return r;
}

static bool response_is_restored(const void *source) {
        return ((const ResponseStore *) source)->is_restored;
}

/* --- restoring: the rows come in any order, and get their places by the time of their last use --- */

typedef struct Restored {
        ResponseName name;
        usec_t used;
        size_t n_input, n_response;
        char text[];
} Restored;

typedef struct ResponseRestore {
        ResponseStore *store;
        Restored **rows;
        size_t n, n_allocated, n_senseless, bytes;
        usec_t now;
} ResponseRestore;

static int response_restore_begin(void *source, usec_t now, void **ret) {
        ResponseRestore *r = calloc(1, sizeof(ResponseRestore));

        if (!r)
                return -ENOMEM;
        r->store = source;
        r->now = now;
        *ret = r;
        return 0;
}

static int response_restore_part(void *source, usec_t now, Rows *query, void **ret) {
        rows_find_all(query, 0);
        return response_restore_begin(source, now, ret);
}

static int by_use(const void *a, const void *b) {
        const Restored *x = *(Restored *const *) a, *y = *(Restored *const *) b;

        return x->used < y->used ? -1 : x->used > y->used;
}

/* The file may hold more than the limits, if these were higher: the older half of what is read goes. */
static void keep_newest(ResponseRestore *r) {
        size_t half = r->n / 2;

        qsort(r->rows, r->n, sizeof(*r->rows), by_use);
        for (size_t i = 0; i < half; i++) {
                r->bytes -= r->rows[i]->n_input + r->rows[i]->n_response;
                free(r->rows[i]);
        }
        memmove(r->rows, r->rows + half, (r->n - half) * sizeof(*r->rows));
        r->n -= half;
}

static int push(ResponseRestore *r, const RowValue *values) {
        const RowValue *input = &values[COLUMN_INPUT], *response = &values[COLUMN_RESPONSE];
        Restored *row;

        if (r->n > 1 && (r->n >= 2 * r->store->limits.n || r->bytes > 2 * r->store->limits.bytes))
                keep_newest(r);
        if (r->n == r->n_allocated) {
                size_t n = MAX(64U, 2 * r->n);
                Restored **grown = reallocarray(r->rows, n, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                r->rows = grown;
                r->n_allocated = n;
        }
        row = malloc(sizeof(Restored) + input->n + response->n);
        if (!row)
                return -ENOMEM;
        *row = (Restored){
                .used = (usec_t) values[COLUMN_USED].integer, .n_input = input->n, .n_response = response->n,
        };
        memcpy(&row->name.client, values[COLUMN_NAME].data, sizeof(row->name.client));
        memcpy(row->name.id, values[COLUMN_NAME].data + sizeof(row->name.client), sizeof(row->name.id));
        memcpy(row->text, input->data, input->n);
        memcpy(row->text + input->n, response->data, response->n);
        r->rows[r->n++] = row;
        r->bytes += input->n + response->n;
        return 0;
}

static int response_restore_row(void *restore, unsigned table _unused_, const RowValue *values, unsigned n) {
        ResponseRestore *r = restore;

        if (!r->store->is_saved)
                return 0;
        if (n != _COLUMN_MAX || !row_fits(tables, values, n) || values[COLUMN_NAME].n != NAME_SIZE ||
            values[COLUMN_INPUT].n == 0 || values[COLUMN_RESPONSE].n == 0 ||
            values[COLUMN_INPUT].n + values[COLUMN_RESPONSE].n > RESPONSE_BYTES_MAX ||
            values[COLUMN_USED].integer < 0) {
                r->n_senseless++;
                return 0;
        }
        return push(r, values);
}

/* The newest ones that there is room for, besides what was put in since the start. */
static size_t first_to_keep(const ResponseRestore *r) {
        const ResponseStore *s = r->store;
        size_t i = r->n, bytes = s->bytes;

        while (i > 0 && s->n + (r->n - i) < s->limits.n) {
                bytes += r->rows[i - 1]->n_input + r->rows[i - 1]->n_response;
                if (bytes > s->limits.bytes)
                        break;
                i--;
        }
        return i;
}

/* What was put in since the start is newer. */
static void place(ResponseRestore *r) {
        ResponseStore *s = r->store;
        List newer = LIST_INIT(newer);

        LIST_FOREACH(i, &s->by_use) {
                list_unlink(i);
                list_append(&newer, i);
        }
        if (r->n > 0)
                qsort(r->rows, r->n, sizeof(*r->rows), by_use);
        for (size_t i = first_to_keep(r); i < r->n; i++) {
                const Restored *row = r->rows[i];
                ResponseEntry *e;

                if (usec_add(row->used, s->limits.age) < r->now || response_store_find(s, &row->name))
                        continue;
                e = response_store_add(s, &row->name, row->text, row->n_input, row->text + row->n_input,
                                       row->n_response, row->used);
                if (e)
                        e->saved = e->used;
        }
        LIST_FOREACH(i, &newer) {
                list_unlink(i);
                list_append(&s->by_use, i);
        }
}

static size_t response_restore_end(void *restore) {
        ResponseRestore *r = restore;
        ResponseStore *s = r->store;
        usec_t before = r->now > s->limits.age ? r->now - s->limits.age : 0;
        size_t n = r->n_senseless;

        (void) pthread_mutex_lock(&s->lock);
        place(r);
        s->is_restored = true;
        s->forget_before = before;
        (void) pthread_mutex_unlock(&s->lock);
        for (size_t i = 0; i < r->n; i++)
                free(r->rows[i]);
        free(r->rows);
        free(r);
        return n;
}

const StateSource response_state_source = {
        .schema = &schema,
        .keep = response_keep,
        .note_all = response_note_all,
        .save = response_save,
        .is_restored = response_is_restored,
        .restore_begin = response_restore_begin,
        .restore_part = response_restore_part,
        .restore_row = response_restore_row,
        .restore_end = response_restore_end,
};
