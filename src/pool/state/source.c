/* SPDX-License-Identifier: MIT */

/* The pool as a source of rows: its functions by the types of base/state-source. */

#include "pool/state/schema.h"

static void source_keep(void *source, StateNotedFn noted, void *userdata) {
        pool_keep(source, noted, userdata);
}

static void source_note_all(void *source) {
        pool_note_all(source);
}

static int source_save(void *source, bool all, Rows *out) {
        return pool_save(source, all, out);
}

static bool source_is_restored(const void *source) {
        return pool_is_restored(source);
}

static int source_restore_begin(void *source, usec_t now, void **ret) {
        PoolRestore *restore;
        int r = pool_restore_begin(source, now, &restore);

        if (r >= 0)
                *ret = restore;
        return r;
}

static int source_restore_part(void *source, usec_t now, Rows *query, void **ret) {
        PoolRestore *restore;
        int r = pool_restore_part(source, now, query, &restore);

        if (r >= 0)
                *ret = restore;
        return r;
}

static int source_restore_row(void *restore, unsigned table, const RowValue *values, unsigned n) {
        return pool_restore_row(restore, (PoolTable) table, values, n);
}

static size_t source_restore_end(void *restore) {
        return pool_restore_end(restore);
}

static int source_set_secret(void *source, const uint8_t secret[static STATE_SECRET_SIZE]) {
        return pool_set_state_secret(source, secret);
}

_Static_assert(STATE_SECRET_SIZE == DIGEST_KEY_SIZE, "the state's secret keys the digests");

const StateSource pool_state_source = {
        .schema = &pool_schema,
        .keep = source_keep,
        .note_all = source_note_all,
        .save = source_save,
        .is_restored = source_is_restored,
        .restore_begin = source_restore_begin,
        .restore_part = source_restore_part,
        .restore_row = source_restore_row,
        .restore_end = source_restore_end,
        .set_secret = source_set_secret,
};
