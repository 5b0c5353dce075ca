/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "walk.h"

#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/limits-responses.h"
#include "core/response-store.h"

#define NOON (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)
#define AGE  USEC_PER_HOUR

static ResponseStore *new_store(size_t n, size_t bytes, size_t client_n, size_t client_bytes, bool saved) {
        ResponseStore *s;

        assert_int_equal(response_store_new(&(ResponseStoreLimits){ n, bytes, client_n, client_bytes, AGE },
                                            saved, &s),
                         0);
        return s;
}

static ResponseName name_of(uint64_t client, unsigned i) {
        ResponseName name;
        char id[64];

        (void) snprintf(id, sizeof(id), "resp_%032x", i);
        assert_true(response_name_parse(client, id, &name));
        return name;
}

static void put(ResponseStore *s, uint64_t client, unsigned i, const char *text, usec_t now) {
        _cleanup_buf_ Buf input = BUF_INIT(1000), response = BUF_INIT(1000);
        ResponseName name = name_of(client, i);

        (void) buf_puts(&input, "[]");
        (void) buf_puts(&response, text);
        response_store_put(s, &name, &input, &response, now);
}

/* NULL: it is not there. */
static void expect(ResponseStore *s, uint64_t client, unsigned i, const char *text, usec_t now) {
        _cleanup_buf_ Buf input = BUF_INIT(1000), response = BUF_INIT(1000);
        ResponseName name = name_of(client, i);
        int r = response_store_get(s, &name, now, &input, &response);

        assert_int_equal(r, text ? 0 : -ENOENT);
        if (!text)
                return;
        assert_string_equal(buf_cstr(&input), "[]");
        assert_string_equal(buf_cstr(&response), text);
}

static void test_names(void **state) {
        static const char *const wrong[] = {
                "", "resp", "resp_", "resp_0", "resp_0000000000000000000000000000000",
                "resp_g0000000000000000000000000000000",
        };
        ResponseName a, b;

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                assert_false(response_name_parse(1, wrong[i], &a));
        assert_true(response_name_parse(1, "resp_0123456789abcdef0123456789ABCDEF", &a));
        assert_true(response_name_parse(1, "msg_0123456789abcdef0123456789abcdef0a", &b)); /* of an item */
        assert_memory_equal(a.id, b.id, sizeof(a.id));
}

static void test_clients(void **state) {
        _cleanup_(response_store_freep) ResponseStore *s = new_store(8, 1000, 8, 1000, false);
        ResponseName name = name_of(2, 1);

        put(s, 1, 1, "one", NOON);
        expect(s, 1, 1, "one", NOON);
        expect(s, 2, 1, NULL, NOON);
        assert_false(response_store_drop(s, &name));
        put(s, 2, 1, "two", NOON);
        expect(s, 1, 1, "one", NOON);
        expect(s, 2, 1, "two", NOON);
        assert_true(response_store_drop(s, &name));
        expect(s, 2, 1, NULL, NOON);
        assert_int_equal(response_store_bytes(s, 1), 5);
        assert_int_equal(response_store_bytes(s, 2), 0);
        put(s, 1, 1, "again", NOON);
        expect(s, 1, 1, "again", NOON);
        assert_int_equal(response_store_bytes(s, 1), 7);
}

static void test_limits(void **state) {
        _cleanup_(response_store_freep) ResponseStore *s = new_store(4, 100, 3, 30, false);

        for (unsigned i = 0; i < 3; i++)
                put(s, 1, i, "x", NOON);
        expect(s, 1, 0, "x", NOON); /* it is used: now 1 is the oldest */
        put(s, 1, 3, "x", NOON);
        expect(s, 1, 1, NULL, NOON);
        expect(s, 1, 0, "x", NOON);
        put(s, 2, 0, "x", NOON);
        put(s, 2, 1, "x", NOON); /* the number of all */
        expect(s, 1, 2, NULL, NOON);
        expect(s, 1, 0, "x", NOON);
        put(s, 1, 4, "12345678901234567890123456789", NOON); /* more than the client may have */
        expect(s, 1, 4, NULL, NOON);
        put(s, 1, 5, "12345678901234567890123456", NOON); /* the bytes of the client, not of another */
        expect(s, 1, 0, NULL, NOON);
        expect(s, 1, 5, "12345678901234567890123456", NOON);
        expect(s, 2, 0, "x", NOON);
}

static void test_age(void **state) {
        _cleanup_(response_store_freep) ResponseStore *s = new_store(100, 10000, 100, 10000, false);

        for (unsigned i = 0; i < 20; i++)
                put(s, 1, i, "x", NOON);
        expect(s, 1, 19, "x", NOON + AGE / 2);
        expect(s, 1, 18, NULL, NOON + AGE + 1); /* also where others are older */
        expect(s, 1, 19, "x", NOON + AGE + 1);
        expect(s, 1, 19, "x", NOON + 2 * AGE);
        expect(s, 1, 19, NULL, NOON + 3 * AGE + 1);
}

/* --- rows --- */

static void on_noted(bool urgent, void *userdata) {
        unsigned *n = userdata;

        assert_false(urgent);
        (*n)++;
}

static size_t restore(ResponseStore *s, const Rows *rows, usec_t now) {
        size_t at = 0;
        void *r;
        Row row;

        assert_int_equal(response_state_source.restore_begin(s, now, &r), 0);
        while (rows_next(rows, &at, &row))
                if (row.verb == ROW_PUT)
                        assert_int_equal(response_state_source.restore_row(r, 0, row.values, row.n), 0);
        return response_state_source.restore_end(r);
}

static unsigned count(const Rows *rows, RowVerb verb) {
        unsigned n = 0;
        size_t at = 0;
        Row row;

        while (rows_next(rows, &at, &row))
                n += row.verb == verb;
        return n;
}

static void test_restart(void **state) {
        _cleanup_(response_store_freep) ResponseStore *a = new_store(8, 1000, 8, 1000, true),
                                                      *b = new_store(2, 1000, 8, 1000, true),
                                                      *c = new_store(8, 1000, 8, 1000, false);
        _cleanup_(rows_done) Rows none = ROWS_INIT(STATE_BATCH_MAX), rows = ROWS_INIT(STATE_BATCH_MAX),
                                  gone = ROWS_INIT(STATE_BATCH_MAX), all = ROWS_INIT(STATE_BATCH_MAX);
        ResponseName name = name_of(1, 1);
        unsigned noted = 0;

        assert_false(response_state_source.is_restored(a));
        assert_int_equal(restore(a, &none, NOON), 0);
        assert_true(response_state_source.is_restored(a));
        response_state_source.keep(a, on_noted, &noted);
        put(a, 1, 1, "one", NOON);
        put(a, 1, 2, "two", NOON + 1);
        put(a, 2, 3, "three", NOON + 2);
        assert_int_equal(noted, 1);
        assert_int_equal(response_state_source.save(a, false, &rows), 0); /* nothing is urgent */
        assert_int_equal(count(&rows, ROW_PUT), 0);
        assert_int_equal(response_state_source.save(a, true, &rows), 0);
        assert_int_equal(count(&rows, ROW_PUT), 3);

        assert_true(response_store_drop(a, &name));
        assert_int_equal(noted, 2);
        assert_int_equal(response_state_source.save(a, true, &gone), 0);
        assert_int_equal(count(&gone, ROW_FORGET_EQUAL), 1);

        /* The newest ones that there is room for. */
        assert_int_equal(restore(b, &rows, NOON + 5), 0);
        expect(b, 1, 1, NULL, NOON + 5);
        expect(b, 1, 2, "two", NOON + 5);
        expect(b, 2, 3, "three", NOON + 5);
        expect(b, 1, 3, NULL, NOON + 5);

        /* One that is not saved restores nothing, and deletes what is there. */
        assert_int_equal(restore(c, &rows, NOON + 5), 0);
        response_state_source.keep(c, on_noted, &noted);
        response_state_source.note_all(c);
        expect(c, 1, 2, NULL, NOON + 5);
        put(c, 1, 9, "nine", NOON + 5);
        assert_int_equal(response_state_source.save(c, true, &all), 0);
        assert_int_equal(count(&all, ROW_FORGET_BELOW), 1);
        assert_int_equal(count(&all, ROW_PUT), 0);
}

static void test_aged_rows(void **state) {
        _cleanup_(response_store_freep) ResponseStore *a = new_store(8, 1000, 8, 1000, true),
                                                      *b = new_store(8, 1000, 8, 1000, true);
        _cleanup_(rows_done) Rows none = ROWS_INIT(STATE_BATCH_MAX), rows = ROWS_INIT(STATE_BATCH_MAX);
        unsigned noted = 0;

        (void) restore(a, &none, NOON);
        response_state_source.keep(a, on_noted, &noted);
        put(a, 1, 1, "one", NOON);
        assert_int_equal(response_state_source.save(a, true, &rows), 0);
        (void) restore(b, &rows, NOON + AGE + 1);
        expect(b, 1, 1, NULL, NOON + AGE + 1);
}

static void test_senseless_rows(void **state) {
        _cleanup_(response_store_freep) ResponseStore *s = new_store(8, 1000, 8, 1000, true);
        const RowValue rows[][4] = {
                { row_blob("0123456789abcdef01234567", 24), row_text("[]"), row_text("{}"), row_int(NOON) },
                { row_blob("0123456789abcdef0123456", 23), row_text("[]"), row_text("{}"), row_int(NOON) },
                { row_text("0123456789abcdef01234567"), row_text("[]"), row_text("{}"), row_int(NOON) },
                { row_blob("1123456789abcdef01234567", 24), row_text(""), row_text("{}"), row_int(NOON) },
                { row_blob("2123456789abcdef01234567", 24), row_text("[]"), row_text(NULL), row_int(NOON) },
                { row_blob("3123456789abcdef01234567", 24), row_text("[]"), row_text("{}"),
                  { .type = ROW_INT, .integer = -1 } },
        };
        void *r;

        assert_int_equal(response_state_source.restore_begin(s, NOON, &r), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(response_state_source.restore_row(r, 0, rows[i], 4), 0);
        assert_int_equal(response_state_source.restore_end(r), ELEMENTSOF(rows) - 1);
}

/* --- a random walk beside a plain model: for each client a list by use --- */

#define CLIENTS 3U
#define IDS     12U
#define PLAIN_N 5U /* of a client: all of them are fewer than the store's number */

typedef struct Plain {
        unsigned ids[PLAIN_N], n;
} Plain;

static void plain_drop(Plain *p, unsigned at) {
        memmove(p->ids + at, p->ids + at + 1, (p->n - at - 1) * sizeof(unsigned));
        p->n--;
}

static bool plain_take(Plain *p, unsigned id) {
        for (unsigned i = 0; i < p->n; i++)
                if (p->ids[i] == id) {
                        plain_drop(p, i);
                        return true;
                }
        return false;
}

static void plain_add(Plain *p, unsigned id) {
        if (p->n == PLAIN_N)
                plain_drop(p, 0);
        p->ids[p->n++] = id;
}

static void test_walk(void **state) {
        _cleanup_(response_store_freep) ResponseStore *s =
                new_store(CLIENTS * PLAIN_N + 1, 1 << 20, PLAIN_N, 1 << 20, false);
        Plain plain[CLIENTS] = {};
        uint64_t random = walk_seed(14);

        for (unsigned step = 0, n = walk_steps(20000); step < n; step++) {
                unsigned client, id;
                ResponseName name;
                bool there;

                random = hash_mix(random + step);
                client = (unsigned) (random % CLIENTS);
                id = (unsigned) (random >> 8) % IDS;
                name = name_of(client, id);
                switch ((random >> 32) % 4) {
                case 0:
                case 1:
                        (void) plain_take(&plain[client], id);
                        plain_add(&plain[client], id);
                        put(s, client, id, "x", NOON);
                        break;
                case 2:
                        there = plain_take(&plain[client], id);
                        if (there)
                                plain_add(&plain[client], id);
                        expect(s, client, id, there ? "x" : NULL, NOON);
                        break;
                default:
                        assert_int_equal(response_store_drop(s, &name), plain_take(&plain[client], id));
                }
                assert_int_equal(response_store_bytes(s, client), 3 * plain[client].n);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),      cmocka_unit_test(test_clients),
                cmocka_unit_test(test_limits),     cmocka_unit_test(test_age),
                cmocka_unit_test(test_restart),    cmocka_unit_test(test_aged_rows),
                cmocka_unit_test(test_senseless_rows), cmocka_unit_test(test_walk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
