/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
#include "base/json/cursor.h"
#include "base/text.h"

static const struct {
        const char *text;
        const char *fault; /* NULL: good */
} rows[] = {
        { "{}", NULL },
        { "[]", NULL },
        { " \t\r\n{ } \n", NULL },
        { "[[],{},[{}]]", NULL },
        { "null", NULL },
        { "true", NULL },
        { "false", NULL },
        { "0", NULL },
        { "-0", NULL },
        { "10", NULL },
        { "-1.5e+10", NULL },
        { "1E5", NULL },
        { "0.0", NULL },
        { "99999999999999999999999999", NULL },
        { "1e999", NULL },
        { "\"\"", NULL },
        { "\"é € 𝄞\"", NULL }, /* what json-c 0.18 calls an invalid string */
        { "\"\x7f\"", NULL },
        { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uD800\\uabcd\"", NULL },
        { "{\"a\":1,\"a\":[2,3],\"\":{\"b\":null}}", NULL },
        { "{ \"a\" : 1 , \"b\" : 2 }", NULL },
        { "\"12345678901234567890\"", NULL },
        { "\"1234567\\\"8901234567890\"", NULL },

        { "", "unexpected end of data" },
        { "  ", "unexpected end of data" },
        { "{", "unexpected end of data" },
        { "[", "unexpected end of data" },
        { "[1", "unexpected end of data" },
        { "[1,", "unexpected end of data" },
        { "{\"a\"", "unexpected end of data" },
        { "{\"a\":", "unexpected end of data" },
        { "{\"a\":1", "unexpected end of data" },
        { "\"abc", "unexpected end of data" },
        { "\"abc\\", "unexpected end of data" },
        { "\"abc\\u12", "unexpected end of data" },
        { "tru", "unexpected end of data" },
        { "-", "unexpected end of data" },
        { "1.", "unexpected end of data" },
        { "1e", "unexpected end of data" },
        { "1e+", "unexpected end of data" },
        { "01", "there is text after the end" },
        { "1 2", "there is text after the end" },
        { "{}{}", "there is text after the end" },
        { "{} x", "there is text after the end" },
        { "}", "unexpected character" },
        { "]", "unexpected character" },
        { "'a'", "unexpected character" },
        { "nul1", "unexpected character" },
        { "NULL", "unexpected character" },
        { "True", "unexpected character" },
        { "NaN", "unexpected character" },
        { "Infinity", "unexpected character" },
        { "-Infinity", "not a number" },
        { "+1", "unexpected character" },
        { ".5", "unexpected character" },
        { "1.x", "not a number" },
        { "1ex", "not a number" },
        { "// a note\n1", "unexpected character" },
        { "/* a note */1", "unexpected character" },
        { "\xef\xbb\xbf{}", "unexpected character" },
        { "[1,]", "unexpected character" },
        { "[,1]", "unexpected character" },
        { "[1 2]", "a comma or the end is expected" },
        { "[1}", "a comma or the end is expected" },
        { "{\"a\":1]", "a comma or the end is expected" },
        { "{\"a\":1,}", "a name in quotes is expected" },
        { "{,}", "a name in quotes is expected" },
        { "{a:1}", "a name in quotes is expected" },
        { "{'a':1}", "a name in quotes is expected" },
        { "{1:1}", "a name in quotes is expected" },
        { "{\"a\" 1}", "a colon is expected behind a name" },
        { "{\"a\"}", "a colon is expected behind a name" },
        { "\"\\x\"", "unknown escape in a string" },
        { "\"\\u12g4\"", "unknown escape in a string" },
        { "\"a\nb\"", "control character in a string" },
        { "\"1234567890\t1234567890\"", "control character in a string" },
        { "\"\x1f\"", "control character in a string" },
};

static void test_rows(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                size_t n = strlen(rows[i].text);
                _cleanup_free_ char *exact = malloc(n + 1); /* a sanitizer sees a step behind the end */
                const char *fault;

                assert_non_null(exact);
                exact = realloc(exact, n ?: 1);
                memcpy(exact, rows[i].text, n);
                fault = json_check(exact, n);
                if (!streq_ptr(fault, rows[i].fault))
                        print_message("%s: %s\n", rows[i].text, fault ?: "good");
                assert_true(streq_ptr(fault, rows[i].fault));
        }
}

/* No beginning of a good text is good, except where a number or blanks were cut. */
static void test_beginnings(void **state) {
        static const char text[] = "{\"a\":[true,{\"b\":\"\\u00e9 \\\" é\"},null,-1.5e3],\"c\":{}}";

        assert_null(json_check(text, sizeof(text) - 1));
        for (size_t n = 0; n < sizeof(text) - 1; n++)
                assert_non_null(json_check(text, n));
}

static void test_nul(void **state) {
        assert_non_null(json_check("{}\0{}", 5));
        assert_non_null(json_check("\"a\0b\"", 5));
        assert_non_null(json_check("\0", 1));
}

/* A special byte at each place of the eight that are checked together. */
static void test_places(void **state) {
        for (size_t i = 1; i < 40; i++) {
                char text[42];

                memset(text, 'x', sizeof(text));
                text[0] = text[41] = '"';
                assert_null(json_check(text, sizeof(text)));
                text[i] = '"';
                assert_string_equal(json_check(text, sizeof(text)), "there is text after the end");
                text[i] = 0x1f;
                assert_string_equal(json_check(text, sizeof(text)), "control character in a string");
                text[i] = '\\';
                assert_string_equal(json_check(text, sizeof(text)), "unknown escape in a string");
                text[i] = (char) 0x9f;
                assert_null(json_check(text, sizeof(text)));
        }
}

static void test_depth(void **state) {
        char text[2 * (JSON_CHECK_DEPTH_MAX + 1)];

        for (unsigned depth = 1; depth <= JSON_CHECK_DEPTH_MAX + 1; depth++) {
                memset(text, '[', depth);
                memset(text + depth, ']', depth);
                if (depth <= JSON_CHECK_DEPTH_MAX)
                        assert_null(json_check(text, 2 * depth));
                else
                        assert_string_equal(json_check(text, 2 * depth), "nesting too deep");
        }
}

/* Texts with as many words as texts of their length can have: the index does not grow beyond its memory. */
static void test_index(void **state) {
        static const char *const units[] = {
                "0", "[]", "{}", "\"\"", "[[[]]]", "{\"\":0}", "{\"\":{}}", "[[],[0,[]]]",
        };

        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                for (size_t n = 1; n < 2000; n = 3 * n) {
                        _cleanup_(json_index_done) JsonIndex index = {};
                        _cleanup_buf_ Buf b = BUF_INIT(1U << 20);
                        size_t n_words, n_values = 0;
                        const char *fault;
                        JsonView v, root;
                        JsonCursor c;

                        for (size_t k = 0; k < n; k++)
                                (void) (buf_puts(&b, k == 0 ? "[" : ",") || buf_puts(&b, units[i]));
                        assert_int_equal(buf_putc(&b, ']'), 0);
                        assert_int_equal(json_index_make(&index, buf_data(&b), b.n, &fault), 0);
                        n_words = JSON_INDEX_CONTAINER + index.words[JSON_INDEX_CONTAINER - 1];
                        assert_true(n_words <= index.n_allocated);
                        assert_true(index.n_allocated * sizeof(uint32_t) <= 6 * b.n + (1U << 10));
                        root = json_view_indexed(&index, buf_data(&b), b.n);
                        assert_ptr_equal(root.end, buf_data(&b) + b.n);
                        for (c = json_enter_array(root); json_next(&c, NULL, &v); n_values++) {
                                assert_int_equal(v.end - v.p, strlen(units[i]));
                                assert_memory_equal(v.p, units[i], strlen(units[i]));
                        }
                        assert_int_equal(n_values, n);
                }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),  cmocka_unit_test(test_beginnings),
                cmocka_unit_test(test_nul),   cmocka_unit_test(test_places),
                cmocka_unit_test(test_depth), cmocka_unit_test(test_index),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
