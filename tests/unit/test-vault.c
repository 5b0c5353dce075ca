/* SPDX-License-Identifier: MIT */
#include "test.h"
#include "walk.h"

#include <pthread.h>
#include <string.h>

#include "base/limits-vault.h"
#include "core/vault.h"

#define NOON  (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)
#define AGE   USEC_PER_DAY

static Vault *new_vault(size_t n, size_t bytes) {
        Vault *v;

        assert_int_equal(vault_new(&(VaultLimits){ .n = n, .bytes = bytes, .age = AGE }, &v), 0);
        return v;
}

static void put(Vault *v, const char *id, uint64_t digest, const char *signature, usec_t now) {
        vault_put(v, id, strlen(id), digest, signature, strlen(signature), now);
}

/* NULL: the vault must not have it. */
static void expect(Vault *v, const char *id, uint64_t digest, const char *signature) {
        _cleanup_buf_ Buf got = BUF_INIT(VAULT_SIGNATURE_MAX);

        assert_int_equal(vault_get(v, id, strlen(id), digest, &got), signature != NULL);
        if (signature)
                assert_string_equal(buf_cstr(&got), signature);
}

static void test_keys(void **state) {
        _cleanup_(vault_freep) Vault *v = new_vault(8, 1000);

        put(v, "call_1", 1, "one", NOON);
        put(v, "call_1", 2, "two", NOON);
        put(v, "call_2", 1, "three", NOON);
        expect(v, "call_1", 1, "one");
        expect(v, "call_1", 2, "two"); /* the same id, another call */
        expect(v, "call_2", 1, "three");
        expect(v, "call_2", 2, NULL);
        expect(v, "", 1, NULL);
        put(v, "call_1", 1, "four", NOON);
        expect(v, "call_1", 1, "four");
        assert_int_equal(vault_stats(v).n, 3);
        put(v, "call_3", 1, "", NOON);
        expect(v, "call_3", 1, NULL);
}

static void test_limits(void **state) {
        _cleanup_(vault_freep) Vault *v = new_vault(3, 10);
        _cleanup_free_ char *large = calloc(1, VAULT_SIGNATURE_MAX + 2);

        put(v, "a", 1, "xxx", NOON);
        put(v, "b", 1, "xxx", NOON);
        put(v, "c", 1, "xxx", NOON);
        put(v, "d", 1, "xxx", NOON); /* the number */
        expect(v, "a", 1, NULL);
        put(v, "e", 1, "xxxxxxx", NOON); /* the bytes */
        expect(v, "b", 1, NULL);
        expect(v, "c", 1, NULL);
        expect(v, "d", 1, "xxx");
        put(v, "f", 1, "xxxxxxxxxxx", NOON); /* larger than all of it: nothing goes for it */
        expect(v, "f", 1, NULL);
        expect(v, "d", 1, "xxx");
        v = (vault_freep(&v), new_vault(3, 1U << 20));
        memset(large, 'x', VAULT_SIGNATURE_MAX + 1);
        put(v, "g", 1, large, NOON);
        expect(v, "g", 1, NULL);
        large[VAULT_SIGNATURE_MAX] = 0;
        put(v, "g", 1, large, NOON);
        expect(v, "g", 1, large);
}

/* One reading of a clock that is ahead costs two signatures, and the time of the later ones is not torn. */
static void test_clock(void **state) {
        _cleanup_(vault_freep) Vault *v = new_vault(100, 1000);
        char id[16];

        for (unsigned i = 0; i < 10; i++) {
                (void) snprintf(id, sizeof(id), "%u", i);
                put(v, id, 1, "x", NOON + i);
        }
        put(v, "ahead", 1, "x", NOON + 400 * AGE);
        assert_int_equal(vault_stats(v).n, 9);
        put(v, "back", 1, "x", NOON + 20);
        assert_int_equal(vault_stats(v).n, 10);
        expect(v, "ahead", 1, "x");
        expect(v, "2", 1, "x");
        expect(v, "1", 1, NULL);
}

/* --- rows --- */

/* A store of the vault's one table. */
typedef struct Shelf {
        Rows kept[256]; /* a row each */
        size_t n;
        unsigned noted;
} Shelf;

static void on_noted(bool urgent, void *userdata) {
        Shelf *s = userdata;

        assert_false(urgent);
        s->noted++;
}

static void shelf_drop(Shelf *s, size_t i) {
        rows_done(&s->kept[i]);
        s->kept[i] = s->kept[--s->n];
}

static Row shelf_row(const Shelf *s, size_t i) {
        size_t at = 0;
        Row row;

        assert_true(rows_next(&s->kept[i], &at, &row));
        return row;
}

static void shelf_take(Shelf *s, const Rows *rows) {
        size_t at = 0;
        Row row, old;

        while (rows_next(rows, &at, &row)) {
                for (size_t i = s->n; i-- > 0;) {
                        old = shelf_row(s, i);
                        if (row.verb == ROW_FORGET_BELOW
                                    ? old.values[row.column].integer < row.values[0].integer
                                    : memcmp(old.values[0].data, row.values[0].data, 16) == 0)
                                shelf_drop(s, i);
                }
                if (row.verb != ROW_PUT)
                        continue;
                assert_true(s->n < ELEMENTSOF(s->kept));
                s->kept[s->n] = ROWS_INIT(1U << 20);
                rows_put(&s->kept[s->n++], 0, row.values, row.n);
        }
}

static void save(Vault *v, Shelf *s) {
        Rows rows = ROWS_INIT(1U << 20);

        assert_int_equal(vault_state_source.save(v, false, &rows), 0);
        assert_int_equal(rows.n, 0); /* none is urgent */
        assert_int_equal(vault_state_source.save(v, true, &rows), 0);
        shelf_take(s, &rows);
        rows_done(&rows);
}

static size_t restore(Vault *v, const Shelf *s) {
        void *r;

        assert_false(vault_state_source.is_restored(v));
        assert_int_equal(vault_state_source.restore_begin(v, NOON, &r), 0);
        for (size_t i = 0; i < s->n; i++) {
                Row row = shelf_row(s, i);

                assert_int_equal(vault_state_source.restore_row(r, 0, row.values, row.n), 0);
        }
        return vault_state_source.restore_end(r);
}

static void shelf_done(Shelf *s) {
        while (s->n > 0)
                shelf_drop(s, 0);
}

static void test_restart(void **state) {
        _cleanup_(vault_freep) Vault *a = new_vault(8, 1000), *b = new_vault(8, 1000);
        _cleanup_(shelf_done) Shelf s = {};

        (void) restore(a, &s);
        vault_state_source.keep(a, on_noted, &s);
        put(a, "1", 1, "one", NOON);
        put(a, "2", 1, "two", NOON + 1);
        assert_int_equal(s.noted, 1); /* not once for each */
        save(a, &s);
        assert_int_equal(s.n, 2);
        put(a, "1", 1, "one", NOON + 2); /* nothing new */
        assert_int_equal(s.noted, 1);

        put(b, "3", 1, "three", NOON + 5); /* before the rows are read */
        put(b, "2", 1, "newer", NOON + 6);
        assert_int_equal(restore(b, &s), 0);
        expect(b, "1", 1, "one");
        expect(b, "2", 1, "newer");
        expect(b, "3", 1, "three");
}

static void test_senseless_rows(void **state) {
        _cleanup_(vault_freep) Vault *v = new_vault(8, 1000);
        const RowValue rows[][3] = {
                { row_blob("0123456789abcdef", 16), row_text("good"), row_int(NOON) },
                { row_blob("0123456789abcde", 15), row_text("x"), row_int(NOON) },
                { row_text("0123456789abcdef"), row_text("x"), row_int(NOON) },
                { row_blob("0123456789abcdeg", 16), row_text(""), row_int(NOON) },
                { row_blob("0123456789abcdeg", 16), row_text("x"), { .type = ROW_INT, .integer = -1 } },
                { row_blob("0123456789abcdeg", 16), row_text(NULL), row_int(NOON) },
        };
        void *r;

        assert_int_equal(vault_state_source.restore_begin(v, NOON, &r), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(vault_state_source.restore_row(r, 0, rows[i], 3), 0);
        assert_int_equal(vault_state_source.restore_row(r, 0, rows[0], 2), 0);
        assert_int_equal(vault_state_source.restore_end(r), ELEMENTSOF(rows));
        assert_int_equal(vault_stats(v).n, 1);
}

/* A file with more than there is room for: the newest rows are kept, and the others deleted. */
static void test_restore_too_many(void **state) {
        _cleanup_(vault_freep) Vault *a = new_vault(100, 10000), *b = new_vault(5, 10000);
        _cleanup_(shelf_done) Shelf s = {};
        char id[16];

        (void) restore(a, &s);
        vault_state_source.keep(a, on_noted, &s);
        for (unsigned i = 0; i < 40; i++) {
                (void) snprintf(id, sizeof(id), "%u", i);
                put(a, id, 1, "x", NOON + 10 * i);
        }
        save(a, &s);
        assert_int_equal(s.n, 40);
        assert_int_equal(restore(b, &s), 0);
        assert_int_equal(vault_stats(b).n, 5);
        expect(b, "35", 1, "x");
        expect(b, "34", 1, NULL);
        vault_state_source.keep(b, on_noted, &s);
        save(b, &s);
        assert_int_equal(s.n, 5);
}

/* --- a random walk against a plain model: what is in the vault and in its rows --- */

#define IDS 12U

typedef struct Plain {
        unsigned id[256], value[256]; /* the oldest first */
        size_t n, max;
} Plain;

static void plain_put(Plain *p, unsigned id, unsigned value) {
        for (size_t i = 0; i < p->n; i++)
                if (p->id[i] == id) {
                        if (p->value[i] == value)
                                return;
                        memmove(p->id + i, p->id + i + 1, (p->n - i - 1) * sizeof(*p->id));
                        memmove(p->value + i, p->value + i + 1, (p->n - i - 1) * sizeof(*p->value));
                        p->n--;
                        break;
                }
        if (p->n == p->max) {
                memmove(p->id, p->id + 1, (p->n - 1) * sizeof(*p->id));
                memmove(p->value, p->value + 1, (p->n - 1) * sizeof(*p->value));
                p->n--;
        }
        p->id[p->n] = id;
        p->value[p->n++] = value;
}

static void compare(Vault *v, const Plain *p) {
        assert_int_equal(vault_stats(v).n, p->n);
        for (unsigned id = 0; id < IDS; id++) {
                char name[16], value[16];
                const char *want = NULL;

                (void) snprintf(name, sizeof(name), "id%u", id);
                for (size_t i = 0; i < p->n; i++)
                        if (p->id[i] == id) {
                                (void) snprintf(value, sizeof(value), "v%03u", p->value[i]);
                                want = value;
                        }
                expect(v, name, 7, want);
        }
}

static void test_walk(void **state) {
        uint64_t seed = walk_seed(4711);
        unsigned steps = walk_steps(20000);
        Plain plain = { .max = 6 };
        Vault *v = new_vault(plain.max, 1000);
        _cleanup_(shelf_done) Shelf s = {};
        usec_t now = NOON;

        (void) restore(v, &s);
        vault_state_source.keep(v, on_noted, &s);
        for (unsigned step = 0; step < steps; step++) {
                unsigned what;

                seed = hash_mix(seed + 0x9E3779B97F4A7C15);
                what = (unsigned) (seed % 16);
                if (what < 10) {
                        char name[16], value[16];
                        unsigned id = (unsigned) (seed >> 8) % IDS, n = (unsigned) (seed >> 20) % 50;

                        (void) snprintf(name, sizeof(name), "id%u", id);
                        (void) snprintf(value, sizeof(value), "v%03u", n);
                        now += (seed >> 30) % 3;
                        put(v, name, 7, value, now);
                        plain_put(&plain, id, n);
                } else if (what < 14)
                        save(v, &s);
                else if (what == 14)
                        vault_state_source.note_all(v);
                else {
                        save(v, &s);
                        assert_int_equal(s.n, plain.n);
                        vault_state_source.keep(v, NULL, NULL);
                        v = (vault_free(v), new_vault(plain.max, 1000));
                        assert_int_equal(restore(v, &s), 0);
                        vault_state_source.keep(v, on_noted, &s);
                }
                compare(v, &plain);
        }
        (void) vault_free(v);
}

/* --- threads --- */

static void *reader(void *userdata) {
        Vault *v = userdata;

        for (unsigned i = 0; i < 20000; i++) {
                Buf got = BUF_INIT(VAULT_SIGNATURE_MAX);

                if (vault_get(v, "id", 2, i % 8, &got))
                        assert_true(got.n == 4);
                buf_done(&got);
        }
        return NULL;
}

static void test_threads(void **state) {
        _cleanup_(vault_freep) Vault *v = new_vault(4, 1000);
        pthread_t t;

        assert_int_equal(pthread_create(&t, NULL, reader, v), 0);
        for (unsigned i = 0; i < 20000; i++)
                vault_put(v, "id", 2, i % 8, i % 3 ? "aaaa" : "bbbb", 4, NOON + i);
        assert_int_equal(pthread_join(t, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keys),          cmocka_unit_test(test_limits),
                cmocka_unit_test(test_clock),         cmocka_unit_test(test_restart),
                cmocka_unit_test(test_senseless_rows), cmocka_unit_test(test_restore_too_many),
                cmocka_unit_test(test_walk),          cmocka_unit_test(test_threads),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
