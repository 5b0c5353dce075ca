/* SPDX-License-Identifier: MIT */
#include "store-memory.h"

#include <errno.h>

typedef struct MemoryStore {
        Store store; /* first */
        Loop *loop;
        LoopHook hook;
        MemoryMedium *medium;
        const Rows *rows; /* of the job under way */
        Rows *answer;     /* it finds rows */
        size_t n_found;   /* in the query's answers so far */
        bool open, replacing, seen;
} MemoryStore;

static MemoryStore *memory_store(Store *s) {
        return CONTAINER_OF(s, MemoryStore, store);
}

static int carry_out(MemoryStore *s) {
        MemoryMedium *m = s->medium;
        size_t at = 0;
        Row row;

        m->n_writes++;
        s->open = m->error == 0;
        if (!s->open)
                return m->error;
        if (s->replacing) {
                shelf_done(&m->shelf);
                m->has_rows = false;
                m->n_replaced++;
        }
        m->n_rows = s->rows ? s->rows->n : 0;
        while (s->rows && rows_next(s->rows, &at, &row))
                shelf_take(&m->shelf, s->store.schema, &row);
        return 0;
}

/* Two rows a job. */
static void find(MemoryStore *s) {
        size_t at = 0, n = 0;
        Row row;

        assert_true(s->open);
        s->medium->n_finds++;
        while (s->answer->n < 2 && rows_next(s->rows, &at, &row))
                for (size_t i = 0; i < s->medium->shelf.n && s->answer->n < 2; i++) {
                        Row found = shelf_row(&s->medium->shelf, i);

                        if (shelf_is_found(&found, &row) && n++ >= s->n_found)
                                rows_put(s->answer, found.table, found.values, found.n);
                }
        s->n_found += s->answer->n;
        store_finish(&s->store, &(StoreReport){ .error = s->medium->read_error,
                                                .more = s->answer->n == 2,
                                                .aside = "",
                                                .trouble = "" });
}

static bool on_wait(Store *store, usec_t until _unused_) {
        MemoryStore *s = memory_store(store);
        bool is_new = s->replacing || (!s->seen && !s->medium->has_rows);
        int r;

        if (s->medium->hangs || (s->medium->finds_hang && s->answer))
                return false;
        if (s->answer) {
                find(s);
                return true;
        }
        r = carry_out(s);
        if (r >= 0) {
                s->seen = true;
                s->medium->has_rows = s->medium->has_rows || (s->rows && s->rows->n > 0);
        }
        store_finish(store, &(StoreReport){
                                    .error = r,
                                    .is_new = r >= 0 && is_new,
                                    .aside = s->replacing && r >= 0 ? "was corrupt" : "",
                                    .trouble = r < 0 ? "as the test wants it" : "",
                            });
        return true;
}

static void on_turn(void *userdata) {
        MemoryStore *s = userdata;

        if (s->store.busy)
                (void) on_wait(&s->store, 0);
}

static void on_write(Store *store, Rows *rows) {
        MemoryStore *s = memory_store(store);

        s->rows = rows;
        s->answer = NULL;
        s->replacing = false;
        loop_hook_ask(s->loop, &s->hook);
}

static void on_replace(Store *store) {
        MemoryStore *s = memory_store(store);

        s->rows = NULL;
        s->answer = NULL;
        s->replacing = true;
        loop_hook_ask(s->loop, &s->hook);
}

static void on_find(Store *store, const Rows *query, Rows *answer) {
        MemoryStore *s = memory_store(store);

        if (query) {
                s->rows = query;
                s->n_found = 0;
        }
        s->answer = answer;
        loop_hook_ask(s->loop, &s->hook);
}

static int on_start(Store *store) {
        MemoryStore *s = memory_store(store);

        loop_hook_add(s->loop, &s->hook, on_turn, s);
        return 0;
}

static int on_read(Store *store, StoreRowFn fn, void *userdata, char ret_trouble[static STORE_TEXT_MAX]) {
        MemoryStore *s = memory_store(store);
        int r;

        if (!s->open)
                return -ENOTCONN;
        for (unsigned t = 0; t < store->schema->n_tables; t++)
                for (size_t i = 0; i < s->medium->shelf.n; i++) {
                        Row row = shelf_row(&s->medium->shelf, i);

                        if (row.table != t)
                                continue;
                        r = fn(t, row.values, row.n, userdata);
                        if (r < 0)
                                return r;
                }
        if (s->medium->read_error < 0)
                (void) snprintf(ret_trouble, STORE_TEXT_MAX, "as the test wants it");
        return s->medium->read_error;
}

static Store *on_free(Store *store) {
        MemoryStore *s = memory_store(store);

        if (store->busy && !s->medium->hangs && !s->answer)
                (void) carry_out(s);
        if (store->schema)
                loop_hook_remove(&s->hook);
        free(s);
        return NULL;
}

int store_memory_new(Loop *l, MemoryMedium *medium, Store **ret) {
        static const StoreOps ops = {
                .start = on_start,
                .write = on_write,
                .replace = on_replace,
                .find = on_find,
                .wait = on_wait,
                .read = on_read,
                .free = on_free,
        };
        MemoryStore *s = calloc(1, sizeof(MemoryStore));

        assert_non_null(s);
        *s = (MemoryStore){
                .store = { .ops = &ops, .name = "memory" },
                .loop = l,
                .medium = medium,
        };
        *ret = &s->store;
        return 0;
}
