/* SPDX-License-Identifier: MIT */

/*
 * The vault's rows. A row that is to be deleted is older than all entries of the vault, so one row of
 * ROW_FORGET_BELOW deletes them all. Restored entries are older than what was put in since the start, and
 * go before it.
 */

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/limits-vault.h"
#include "core/vault-internal.h"

enum {
        COLUMN_CALL,
        COLUMN_SIGNATURE,
        COLUMN_AT,
        _COLUMN_MAX,
};

static const RowColumn columns[_COLUMN_MAX] = {
        [COLUMN_CALL] = { "call", ROW_BLOB, ROW_KEY },
        [COLUMN_SIGNATURE] = { "signature", ROW_TEXT, ROW_LATEST },
        [COLUMN_AT] = { "at", ROW_INT, ROW_MAX },
};

static const RowTable tables[] = { { "signatures", columns, _COLUMN_MAX } };
static const RowSchema schema = { tables, ELEMENTSOF(tables) };

static void vault_keep(void *source, StateNotedFn noted, void *userdata) {
        Vault *v = source;

        (void) pthread_mutex_lock(&v->lock);
        v->noted = noted;
        v->userdata = userdata;
        if (!noted)
                LIST_FOREACH(i, &v->by_dirt)
                        list_unlink(i);
        (void) pthread_mutex_unlock(&v->lock);
}

static void vault_note_all(void *source) {
        Vault *v = source;

        (void) pthread_mutex_lock(&v->lock);
        LIST_FOREACH(i, &v->by_age) {
                VaultEntry *e = list_entry(i, VaultEntry, by_age);

                list_unlink(&e->by_dirt);
                list_append(&v->by_dirt, &e->by_dirt);
        }
        v->is_noted = !list_is_empty(&v->by_dirt);
        (void) pthread_mutex_unlock(&v->lock);
        if (v->is_noted && v->noted)
                v->noted(false, v->userdata);
}

static int save_locked(Vault *v, Rows *out) {
        if (v->forgotten > 0)
                rows_forget(out, ROW_FORGET_BELOW, 0, COLUMN_AT, row_int(v->forgotten));
        v->forgotten = 0;
        LIST_FOREACH(i, &v->by_dirt) {
                VaultEntry *e = list_entry(i, VaultEntry, by_dirt);
                RowValue values[_COLUMN_MAX] = {
                        [COLUMN_CALL] = row_blob(e->name, sizeof(e->name)),
                        [COLUMN_SIGNATURE] = { .type = ROW_TEXT, .data = e->signature, .n = e->n },
                        [COLUMN_AT] = row_int(e->at),
                };

                if (out->n >= STATE_BATCH_ROWS || out->buf.n >= STATE_BATCH_MAX / 4)
                        return 1;
                rows_put(out, 0, values, _COLUMN_MAX);
                if (out->buf.error < 0)
                        return out->buf.error;
                list_unlink(&e->by_dirt);
        }
        v->is_noted = false;
        return 0;
}

/* Nothing of it is urgent. */
static int vault_save(void *source, bool all, Rows *out) {
        Vault *v = source;
        int r;

        if (!all)
                return 0;
        (void) pthread_mutex_lock(&v->lock);
        r = save_locked(v, out);
        (void) pthread_mutex_unlock(&v->lock);
        if (r < 0)
                vault_note_all(v);
        return r;
}

static bool vault_is_restored(const void *source) {
        return ((const Vault *) source)->is_restored;
}

/* --- restoring --- */

/* Entries in the order of the rows; they get their place at the end. */
typedef struct VaultRestore {
        Vault *vault;
        VaultEntry **entries;
        size_t n, n_allocated, bytes;
        size_t n_senseless;
} VaultRestore;

static int vault_restore_begin(void *source, usec_t now _unused_, void **ret) {
        VaultRestore *r = calloc(1, sizeof(VaultRestore));

        if (!r)
                return -ENOMEM;
        r->vault = source;
        *ret = r;
        return 0;
}

static int vault_restore_part(void *source, usec_t now, Rows *query, void **ret) {
        rows_find_all(query, 0);
        return vault_restore_begin(source, now, ret);
}

static int by_time(const void *a, const void *b) {
        const VaultEntry *x = *(VaultEntry *const *) a, *y = *(VaultEntry *const *) b;

        return x->at < y->at ? -1 : x->at > y->at;
}

/* The file may be larger than the limits, if these were lower: the older half of what is read goes. */
static void keep_newest(VaultRestore *r) {
        size_t half = r->n / 2;

        qsort(r->entries, r->n, sizeof(*r->entries), by_time);
        for (size_t i = 0; i < half; i++) {
                r->bytes -= r->entries[i]->n;
                free(r->entries[i]);
        }
        memmove(r->entries, r->entries + half, (r->n - half) * sizeof(*r->entries));
        r->n -= half;
}

static int push(VaultRestore *r, const RowValue *values) {
        const RowValue *signature = values + COLUMN_SIGNATURE;
        VaultEntry *e;

        if (r->n > 1 && (r->n >= 2 * r->vault->limits.n || r->bytes > 2 * r->vault->limits.bytes))
                keep_newest(r);
        if (r->n == r->n_allocated) {
                size_t n = MAX(64U, 2 * r->n);
                VaultEntry **grown = reallocarray(r->entries, n, sizeof(*grown));

                if (!grown)
                        return -ENOMEM;
                r->entries = grown;
                r->n_allocated = n;
        }
        e = malloc(sizeof(VaultEntry) + signature->n);
        if (!e)
                return -ENOMEM;
        *e = (VaultEntry){ .at = (usec_t) values[COLUMN_AT].integer, .n = (uint32_t) signature->n };
        memcpy(e->name, values[COLUMN_CALL].data, sizeof(e->name));
        memcpy(e->signature, signature->data, signature->n);
        r->entries[r->n++] = e;
        r->bytes += e->n;
        return 0;
}

static int vault_restore_row(void *restore, unsigned table _unused_, const RowValue *values, unsigned n) {
        VaultRestore *r = restore;

        if (n != _COLUMN_MAX || !row_fits(tables, values, n) ||
            values[COLUMN_CALL].n != VAULT_NAME_SIZE || values[COLUMN_SIGNATURE].n == 0 ||
            values[COLUMN_SIGNATURE].n > VAULT_SIGNATURE_MAX || values[COLUMN_AT].integer < 0) {
                r->n_senseless++;
                return 0;
        }
        return push(r, values);
}

/* The newest ones that there is room for, besides what was put in since the start. */
static size_t first_to_keep(const VaultRestore *r) {
        const Vault *v = r->vault;
        size_t i = r->n, bytes = v->stats.bytes;

        while (i > 0 && v->stats.n + (r->n - i) < v->limits.n &&
               bytes + r->entries[i - 1]->n <= v->limits.bytes)
                bytes += r->entries[--i]->n;
        return i;
}

static void place(VaultRestore *r) {
        Vault *v = r->vault;
        List newer = LIST_INIT(newer);
        usec_t before = USEC_INFINITY;
        size_t first;

        LIST_FOREACH(i, &v->by_age) {
                before = MIN(before, list_entry(i, VaultEntry, by_age)->at);
                list_unlink(i);
                list_append(&newer, i);
        }
        qsort(r->entries, r->n, sizeof(*r->entries), by_time);
        first = first_to_keep(r);
        for (size_t i = first; i < r->n; i++) {
                VaultEntry *e = r->entries[i];

                if (!vault_find(v, e->name))
                        (void) vault_add(v, e->name, e->signature, e->n, MIN(e->at, before - 1));
        }
        LIST_FOREACH(i, &newer) {
                list_unlink(i);
                list_append(&v->by_age, i);
        }
        if (first > 0)
                v->forgotten = MIN(r->entries[first - 1]->at + 1, before);
}

static size_t vault_restore_end(void *restore) {
        VaultRestore *r = restore;
        size_t n = r->n_senseless;

        (void) pthread_mutex_lock(&r->vault->lock);
        if (r->n > 0)
                place(r);
        r->vault->is_restored = true;
        (void) pthread_mutex_unlock(&r->vault->lock);
        for (size_t i = 0; i < r->n; i++)
                free(r->entries[i]);
        free(r->entries);
        free(r);
        return n;
}

const StateSource vault_state_source = {
        .schema = &schema,
        .keep = vault_keep,
        .note_all = vault_note_all,
        .save = vault_save,
        .is_restored = vault_is_restored,
        .restore_begin = vault_restore_begin,
        .restore_part = vault_restore_part,
        .restore_row = vault_restore_row,
        .restore_end = vault_restore_end,
};
