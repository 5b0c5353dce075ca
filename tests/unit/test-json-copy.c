/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/json/copy.h"

static void test_table(void **state) {
        static const struct {
                const char *json, *copy;
        } rows[] = {
                { "\"\"", "\"\"" },
                { "\"abc\"", "\"abc\"" },
                { "\"a\\nb\\/\\\"\\\\\"", "\"a\\nb\\/\\\"\\\\\"" },
                { "\"\\u0000\\u00e9\"", "\"\\u0000\\u00e9\"" },
                { "\"\\ud83d\\ude00!\"", "\"\\ud83d\\ude00!\"" },
                { "\"\\uD83D\\uDE00\"", "\"\\uD83D\\uDE00\"" },
                { "\"\xF0\x9F\x98\x80\"", "\"\xF0\x9F\x98\x80\"" },
                { "\"\xE2\x80\xA8\"", "\"\\u2028\"" },
                { "\"\xFF\xC3\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },

                /* half a pair */
                { "\"\\ud83d\"", "\"\xEF\xBF\xBD\"" },
                { "\"\\ud83dx\"", "\"\xEF\xBF\xBDx\"" },
                { "\"\\ude00\"", "\"\xEF\xBF\xBD\"" },
                { "\"\\ude00\\ud83d\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
                { "\"\\ud83d\\u0041\"", "\"\xEF\xBF\xBD\\u0041\"" },
                { "\"\\ud83d\\n\"", "\"\xEF\xBF\xBD\\n\"" },
                { "\"\\ud83d\\ud83d\\ude00\"", "\"\xEF\xBF\xBD\\ud83d\\ude00\"" },

                /* cut off, or no string */
                { "\"abc", "\"abc\"" },
                { "\"abc\\", "\"abc\xEF\xBF\xBD\"" },
                { "\"abc\\\"", "\"abc\\\"\"" },
                { "\"abc\\u00", "\"abc\xEF\xBF\xBD\"" },
                { "\"", "\"\"" },
                { "12", "\"\"" },
                { "", "\"\"" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(256);
                JsonView v = json_view(rows[i].json, strlen(rows[i].json));
                JWriter w = JWRITER_INIT(&b);

                json_copy_string(&w, NULL, v);
                assert_string_equal(buf_cstr(&b), rows[i].copy);
                assert_null(json_check(buf_data(&b), b.n));
        }
}

static void test_names(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(256);
        JWriter w = JWRITER_INIT(&b);

        jwrite_object(&w, NULL);
        json_copy_name(&w, json_view("\"a\\u0000b\"", 10));
        jwrite_uint(&w, NULL, 1);
        jwrite_name_n(&w, "c\0d", 3);
        jwrite_object(&w, NULL);
        jwrite_end(&w);
        json_copy_name(&w, json_view("\"\"", 2));
        json_copy_string(&w, NULL, json_view("\"x\"", 3));
        jwrite_bool(&w, "last", true);
        jwrite_end(&w);
        assert_string_equal(buf_cstr(&b),
                            "{\"a\\u0000b\":1,\"c\\u0000d\":{},\"\":\"x\",\"last\":true}");
}

static void test_as_string(void **state) {
        static const struct {
                const char *json, *text;
        } rows[] = {
                { "{}", "{}" },
                { " { \"a\" : [ 1 , \"x y\" ] ,\n\t\"b\":\r\nnull } ", "{\"a\":[1,\"x y\"],\"b\":null}" },
                { "{\"q\":\"a\\\"b\\\\\",\"r\":\"\\\\\\\" \"}",
                  "{\"q\":\"a\\\"b\\\\\",\"r\":\"\\\\\\\" \"}" },
                { "{\"n\":\"\\n\\u00e9\\/\\ud83d\"}", "{\"n\":\"\\n\\u00e9\\/\\ud83d\"}" },
                { "{\"\xC3\xA9\":\"\xF0\x9F\x98\x80 \xE2\x80\xA8\"}",
                  "{\"\xC3\xA9\":\"\xF0\x9F\x98\x80 \xE2\x80\xA8\"}" },
                { "{\"x\":\"\xFF\"}", "{\"x\":\"\xEF\xBF\xBD\"}" },
                { "\"text\"", "\"text\"" },
                { "-1.5e3", "-1.5e3" },
        };

        /* Blanks before it: a block of the copy ends at each of its bytes once. */
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t before = 0; before < 300; before++) {
                        _cleanup_buf_ Buf in = BUF_INIT(1024), b = BUF_INIT(4096), want = BUF_INIT(4096);
                        JWriter w = JWRITER_INIT(&b);

                        for (size_t k = 0; k < before; k++)
                                (void) buf_putc(&in, ' ');
                        (void) buf_puts(&in, rows[i].json);
                        json_copy_as_string(&w, "k", (JsonView){ .p = buf_data(&in),
                                                                 .end = buf_data(&in) + in.n });
                        (void) buf_puts(&want, "\"k\":");
                        jwrite_quote(&want, rows[i].text, strlen(rows[i].text));
                        assert_string_equal(buf_cstr(&b), buf_cstr(&want));
                }
}

/* As deep as a checked text can be. */
static void test_depth(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(256);
        JWriter w = JWRITER_INIT(&b);

        for (unsigned i = 0; i < JWRITE_DEPTH_MAX; i++)
                (i % 2 ? jwrite_object : jwrite_array)(&w, NULL);
        b.n = 0;
        for (unsigned i = 0; i < JWRITE_DEPTH_MAX; i++)
                jwrite_end(&w);
        assert_int_equal(b.n, JWRITE_DEPTH_MAX);
        assert_int_equal(buf_data(&b)[0], '}');
        assert_int_equal(buf_data(&b)[JWRITE_DEPTH_MAX - 1], ']');
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_as_string),
                cmocka_unit_test(test_depth),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
