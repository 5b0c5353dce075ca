/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/buf.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/gemini/list.h"

/* The result of one page: names joined by blanks, and the token of the next page. */
static void test_page(void **state) {
        static const struct {
                const char *json;
                int r;
                const char *names, *next;
        } rows[] = {
                { "{\"models\":[{\"name\":\"models/gemini-3.8-flash\",\"version\":\"3.8\"},"
                  "{\"name\":\"models/aqa\"}]}",
                  0, "gemini-3.8-flash aqa", NULL },
                { "{\"models\":[{\"name\":\"models/b\"},{\"name\":\"models/a\"}],"
                  "\"nextPageToken\":\"CAE=\"}",
                  0, "b a", "CAE=" },
                { "{\"models\":[],\"nextPageToken\":\"\"}", 0, "", NULL },
                { "{}", 0, "", NULL },
                { "{\"models\":null}", 0, "", NULL },
                { "{\"models\":[{\"name\":\"models/a\"}],\"nextPageToken\":7}", 0, "a", NULL },

                /* Names that a client could not ask for are skipped. */
                { "{\"models\":[{\"name\":\"tunedModels/a\"},{\"name\":\"a\"},{\"name\":\"models/\"},"
                  "{\"name\":\"models/..\"},{\"name\":\"models/a/b\"},{\"name\":\"models/a?b\"},"
                  "{\"name\":\"models/a\\u0000b\"},{\"name\":\"cli/a\"},"
                  "{\"name\":7},{},7,null,[],{\"name\":\"models/ok\"}]}",
                  0, "ok", NULL },

                { "", DIALECT_E_VERDICT, "", NULL },
                { "<html>", DIALECT_E_VERDICT, "", NULL },
                { "[]", DIALECT_E_VERDICT, "", NULL },
                { "null", DIALECT_E_VERDICT, "", NULL },
                { "{\"models\":{}}", DIALECT_E_VERDICT, "", NULL },
                { "{\"ok\":true}", DIALECT_E_VERDICT, "", NULL },
                { "{\"models\":[{\"name\":\"models/a\"}]", DIALECT_E_VERDICT, "", NULL },
                { "{\"error\":{\"code\":503,\"message\":\"later\",\"status\":\"UNAVAILABLE\"}}",
                  DIALECT_E_VERDICT, "", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf names = BUF_INIT(4096);
                GeminiList l = {};
                Verdict v = { .class = VERDICT_OK };

                assert_int_equal(gemini_list_add(&l, rows[i].json, strlen(rows[i].json), &v), rows[i].r);
                if (rows[i].r == DIALECT_E_VERDICT)
                        assert_int_not_equal(v.class, VERDICT_OK);
                for (size_t k = 0; k < l.n; k++)
                        (void) buf_printf(&names, "%s%s", k > 0 ? " " : "", l.all[k].name);
                assert_string_equal(buf_cstr(&names), rows[i].names);
                assert_true(streq_ptr(l.next_page, rows[i].next));
                gemini_list_done(&l);
        }
}

static int add(GeminiList *l, const char *json) {
        Verdict v;

        return gemini_list_add(l, json, strlen(json), &v);
}

/* Pages follow one another; one that fails leaves what is there. */
static void test_pages(void **state) {
        GeminiList l = {};

        assert_int_equal(add(&l, "{\"models\":[{\"name\":\"models/a\"}],\"nextPageToken\":\"2\"}"), 0);
        assert_int_equal(add(&l, "{\"error\":{\"code\":503}}"), DIALECT_E_VERDICT);
        assert_string_equal(l.next_page, "2");
        assert_int_equal(add(&l, "{\"models\":[{\"name\":\"models/b\"}]}"), 0);
        assert_int_equal(l.n, 2);
        assert_null(l.next_page);
        assert_string_equal(gemini_list_find(&l, "a")->name, "a");
        assert_string_equal(gemini_list_find(&l, "b")->json, "{\"name\":\"models/b\"}");
        assert_null(gemini_list_find(&l, "models/b"));

        gemini_list_done(&l);
        assert_int_equal(l.n, 0);
        assert_null(gemini_list_find(&l, "a"));
}

/* A list without end is cut, and the rest of its pages not asked for. */
static void test_ceiling(void **state) {
        _cleanup_buf_ Buf page = BUF_INIT(1U << 20);
        GeminiList l = {};

        (void) buf_puts(&page, "{\"models\":[");
        for (size_t i = 0; i < 1000; i++)
                (void) buf_printf(&page, "%s{\"name\":\"models/m%zu\"}", i > 0 ? "," : "", i);
        (void) buf_puts(&page, "],\"nextPageToken\":\"more\"}");

        for (size_t n = 1000; n < MODEL_LIST_MAX; n += 1000) {
                assert_int_equal(add(&l, buf_cstr(&page)), 0);
                assert_int_equal(l.n, n);
                assert_string_equal(l.next_page, "more");
        }
        assert_int_equal(add(&l, buf_cstr(&page)), 0);
        assert_int_equal(l.n, MODEL_LIST_MAX);
        assert_null(l.next_page);
        assert_ptr_equal(gemini_list_find(&l, "m999"), &l.all[999]); /* the first of five */
        assert_string_equal(gemini_list_find(&l, "m0")->name, "m0");
        assert_null(gemini_list_find(&l, "m1000"));
        gemini_list_done(&l);
}

/* Google's description of a model is kept, up to a length. */
static void test_text(void **state) {
        static const struct {
                size_t n;
                bool kept;
        } rows[] = { { 0, true }, { MODEL_TEXT_MAX, true }, { MODEL_TEXT_MAX + 1, false } };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                static const char head[] = "{\"name\":\"models/a\", \"displayName\": \"A\",\"x\":\"";
                _cleanup_buf_ Buf page = BUF_INIT(1U << 20);
                GeminiList l = {};

                (void) buf_printf(&page, "{\"models\":[%s", head);
                for (size_t n = strlen(head) + 2; n < rows[i].n; n++)
                        (void) buf_putc(&page, 'x');
                (void) buf_puts(&page, "\"}]}");
                assert_int_equal(add(&l, buf_cstr(&page)), 0);
                assert_int_equal(l.n, 1);
                assert_int_equal(json_view_equals(gemini_model_get(&l.all[0], "displayName"), "A"),
                                 rows[i].kept);
                assert_null(gemini_model_get(&l.all[0], "none").p);
                gemini_list_done(&l);
        }
        assert_null(gemini_model_get(NULL, "displayName").p);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_page),
                cmocka_unit_test(test_pages),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_ceiling),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
