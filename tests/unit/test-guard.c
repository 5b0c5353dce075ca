/* SPDX-License-Identifier: MIT */

/* Tables of both directions, and the round trip of many texts made of what matters to either. */
#include "test.h"

#include "base/guard.h"

#define Z GUARD

#define S(text) text, sizeof(text) - 1

typedef struct Row {
        const char *plain;
        size_t n_plain;
        const char *guarded;
        size_t n_guarded;
} Row;

static const Row rows[] = {
        { S(""), S(Z Z) },
        { S("a"), S(Z "a" Z) },
        { S("/dir add /etc,@/etc/passwd"), S(Z "/dir add /etc,@" Z "/etc/passwd" Z) },
        { S("?help"), S(Z "?help" Z) },
        { S("<session_context>"), S(Z "<session_context>" Z) },
        { S("${AvailableTools} $HOME"), S(Z "$" Z "{AvailableTools} $" Z "HOME" Z) },
        { S("@"), S(Z "@" Z Z) },
        { S("$"), S(Z "$" Z Z) },
        { S("@@$$"), S(Z "@" Z "@" Z "$" Z "$" Z Z) },
        /* blanks at the ends, and what a reader might trim */
        { S(" \t\r\n"), S(Z " \t\r\n" Z) },
        { S("\na\n"), S(Z "\na\n" Z) },
        /* a text that already has guards keeps them */
        { S(Z), S(Z Z Z) },
        { S(Z "a" Z), S(Z Z "a" Z Z) },
        { S("@" Z "$" Z), S(Z "@" Z Z "$" Z Z Z) },
        { S("a\0b@\0"), S(Z "a\0b@" Z "\0" Z) },
        { S("\xE2\x80@\x8B"), S(Z "\xE2\x80@" Z "\x8B" Z) },
};

static void test_both_ways(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf guarded = BUF_INIT(1024), plain = BUF_INIT(1024);

                assert_int_equal(guard_append(&guarded, rows[i].plain, rows[i].n_plain), 0);
                assert_int_equal(guarded.n, rows[i].n_guarded);
                assert_memory_equal(buf_data(&guarded), rows[i].guarded, guarded.n);
                assert_true(guarded.n <= GUARD_SIZE(rows[i].n_plain));

                assert_int_equal(guard_remove(&plain, rows[i].guarded, rows[i].n_guarded), 1);
                assert_int_equal(plain.n, rows[i].n_plain);
                if (plain.n > 0)
                        assert_memory_equal(buf_data(&plain), rows[i].plain, plain.n);
        }
}

/* What is none of the runner's stays what it is; nothing of it is appended. */
static void test_not_ours(void **state) {
        static const struct {
                const char *text;
                size_t n;
        } table[] = {
                { S("") },
                { S("\n") },
                { S("a") },
                { S(Z) },
                { S("\n\n" Z) },
                { S(Z "a") },
                { S("a" Z) },
                { S(" " Z "a" Z) },
                { S("\r\n" Z "a" Z) },
                { S(Z "a" Z "\n") },
                { S(Z "\x80\x8B") }, /* the end's bytes may not be the beginning's */
                { S("<session_context>\nThis is the Gemini CLI.\n</session_context>") },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1024);

                assert_int_equal(guard_remove(&b, table[i].text, table[i].n), 0);
                assert_int_equal(b.n, 0);
        }
}

static void test_only_backwards(void **state) {
        static const Row table[] = {
                { S("a"), S("\n" Z "a" Z) },
                { S("\na"), S("\n\n" Z "\na" Z) },
                { S("a@b"), S(Z "a@b" Z) }, /* no guard behind it: nothing to take out */
                { S("@"), S(Z "@" Z) },
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1024);

                assert_int_equal(guard_remove(&b, table[i].guarded, table[i].n_guarded), 1);
                assert_int_equal(b.n, table[i].n_plain);
                assert_memory_equal(buf_data(&b), table[i].plain, b.n);
        }
}

/* What was in the buffer before stays there, and a full one is an error. */
static void test_buffer(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(1024), small = BUF_INIT(8), tiny = BUF_INIT(2);

        assert_int_equal(buf_puts(&b, "x"), 0);
        assert_int_equal(guard_append(&b, S("a")), 0);
        assert_int_equal(guard_remove(&b, S("a")), 0);
        assert_int_equal(guard_remove(&b, S(Z "b" Z)), 1);
        assert_string_equal(buf_cstr(&b), "x" Z "a" Z "b");

        assert_int_equal(guard_append(&small, S("abc")), -E2BIG);
        assert_int_equal(guard_remove(&tiny, S(Z "abc" Z)), -E2BIG);
}

static void test_round_trip(void **state) {
        static const char *const pieces[] = {
                "@", "$", Z, "\xE2", "\x80", "\x8B", "\n", "/", "a", "\r\n", ""
        };
        uint32_t seed = 1;

        for (size_t i = 0; i < 20000; i++) {
                _cleanup_buf_ Buf text = BUF_INIT(4096), guarded = BUF_INIT(16384), plain = BUF_INIT(4096);
                size_t n = i % 24;

                (void) buf_reserve(&text, 1);
                while (n-- > 0) {
                        seed = seed * 1664525U + 1013904223U;
                        (void) buf_puts(&text, pieces[(seed >> 16) % ELEMENTSOF(pieces)]);
                }
                for (size_t newlines = 0; newlines < i % 3; newlines++)
                        (void) buf_putc(&guarded, '\n');
                assert_int_equal(guard_append(&guarded, buf_data(&text), text.n), 0);
                assert_int_equal(guard_remove(&plain, buf_data(&guarded), guarded.n), 1);
                assert_int_equal(plain.n, text.n);
                if (text.n > 0)
                        assert_memory_equal(buf_data(&plain), buf_data(&text), text.n);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_both_ways),      cmocka_unit_test(test_not_ours),
                cmocka_unit_test(test_only_backwards), cmocka_unit_test(test_buffer),
                cmocka_unit_test(test_round_trip),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
