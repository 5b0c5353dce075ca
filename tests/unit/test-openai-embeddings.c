/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json/cursor.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/openai/embeddings.h"

static const DialectContext context = { .request_id = "req-1" };

static int ask(const char *body, Translation **ret, ApiError *ret_error) {
        return dialect_openai_embeddings.request(&context, body, strlen(body), ret, ret_error);
}

static void test_requests(void **state) {
        static const struct {
                const char *body;
                const char *gemini; /* NULL: refused… */
                const char *param;  /* …with this one */
        } rows[] = {
#define MODEL "\"model\":\"gemini-embedding-2\""
#define ONE(text, more)                                                                                     \
        "{\"model\":\"models/gemini-embedding-2\",\"content\":{\"parts\":[{\"text\":" text "}]}" more "}"
                { "{" MODEL ",\"input\":\"a\"}", "{\"requests\":[" ONE("\"a\"", "") "]}" },
                { "{" MODEL ",\"input\":[\"a\",\"b\"]}",
                  "{\"requests\":[" ONE("\"a\"", "") "," ONE("\"b\"", "") "]}" },
                { "{" MODEL ",\"input\":\"a\",\"dimensions\":256.0,\"user\":\"u\",\"encoding_format\":null}",
                  "{\"requests\":[" ONE("\"a\"", ",\"outputDimensionality\":256") "]}" },
                { "{\"model\":\"google/gemini-embedding-2\",\"input\":\"\\u00e9\\n\"}",
                  "{\"requests\":[" ONE("\"\\u00e9\\n\"", "") "]}" },
                { "{" MODEL "}", NULL, "input" },
                { "{" MODEL ",\"input\":null}", NULL, "input" },
                { "{" MODEL ",\"input\":\"\"}", NULL, "input" },
                { "{" MODEL ",\"input\":[]}", NULL, "input" },
                { "{" MODEL ",\"input\":{}}", NULL, "input" },
                { "{" MODEL ",\"input\":[\"a\",\"\"]}", NULL, "input[1]" },
                { "{" MODEL ",\"input\":[1,2,3]}", NULL, "input[0]" },
                { "{" MODEL ",\"input\":[[1,2],[3]]}", NULL, "input[0]" },
                { "{" MODEL ",\"input\":[\"a\",null]}", NULL, "input[1]" },
                { "{\"input\":\"a\"}", NULL, "model" },
                { "{\"model\":7,\"input\":\"a\"}", NULL, "model" },
                { "{\"model\":\"a b\",\"input\":\"a\"}", NULL, "model" },
                { "{" MODEL ",\"input\":\"a\",\"encoding_format\":\"hex\"}", NULL, "encoding_format" },
                { "{" MODEL ",\"input\":\"a\",\"dimensions\":0}", NULL, "dimensions" },
                { "{" MODEL ",\"input\":\"a\",\"dimensions\":\"256\"}", NULL, "dimensions" },
                { "{" MODEL ",\"input\":\"a\",\"dimensions\":-1}", NULL, "dimensions" },
                { "[]", NULL, "" },
                { "{", NULL, "" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                ApiError e = {};
                int r = ask(rows[i].body, &t, &e);

                print_message("%s\n", rows[i].body);
                if (rows[i].gemini) {
                        assert_int_equal(r, 0);
                        assert_string_equal(buf_cstr(&t->gemini), rows[i].gemini);
                        assert_string_equal(t->model, "gemini-embedding-2");
                        continue;
                }
                assert_int_equal(r, DIALECT_E_REFUSED);
                assert_int_equal(e.status, 400);
                assert_string_equal(e.param, rows[i].param);
        }
}

/* --- answers --- */

static void test_answers(void **state) {
        static const struct {
                const char *format, *values, *embedding; /* NULL: no answer */
        } rows[] = {
                { "float", "[0.6,0.8]", "[0.6,0.8]" },       /* as it is */
                { "float", "[3,4]", "[0.600000024,0.800000012]" }, /* of length 1 */
                { "float", "[-3,0]", "[-1,0]" },
                { "float", "[0,0]", "[0,0]" },               /* has no direction */
                { "base64", "[1,0]", "\"AACAPwAAAAA=\"" },   /* little-endian */
                { "base64", "[2]", "\"AACAPw==\"" },
                { "base64", "[0,0,-5]", "\"AAAAAAAAAAAAAIC/\"" },
                { "float", "[]", NULL },
                { "float", "{}", NULL },
                { "float", "[\"1\"]", NULL },
                { "float", "[1e999]", NULL },
                { "base64", "[0,1e200]", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                _cleanup_buf_ Buf out = BUF_INIT(65536);
                char body[256], answer[256], want[512];
                ApiError e = {};
                Verdict v;
                int r;

                (void) snprintf(body, sizeof(body), "{" MODEL ",\"input\":\"a\",\"encoding_format\":\"%s\"}",
                                rows[i].format);
                assert_int_equal(ask(body, &t, &e), 0);
                (void) snprintf(answer, sizeof(answer),
                                "{\"embeddings\":[{\"values\":%s}],\"usageMetadata\":{"
                                "\"promptTokenCount\":3}}",
                                rows[i].values);
                assert_int_equal(t->dialect->event(t, answer, strlen(answer), &out, &v), 0);
                r = t->dialect->finish(t, &out, &v);
                if (!rows[i].embedding) {
                        assert_int_equal(r, DIALECT_E_VERDICT);
                        continue;
                }
                assert_int_equal(r, 0);
                (void) snprintf(want, sizeof(want),
                                "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                                "\"embedding\":%s}],\"model\":\"gemini-embedding-2\",\"usage\":{"
                                "\"prompt_tokens\":3,\"total_tokens\":3}}",
                                rows[i].embedding);
                assert_string_equal(buf_cstr(&out), want);
        }
}

/* Each is the float32 that it was made from, and in the form of "%.9g". */
static void test_floats(void **state) {
        _cleanup_buf_ Buf answer = BUF_INIT(1U << 20), out = BUF_INIT(1U << 20);
        _cleanup_(translation_freep) Translation *t = NULL;
        double values[3000], squares = 0;
        unsigned n = 0, n_other = 0;
        uint32_t random = 1;
        JsonCursor c;
        ApiError e = {};
        JsonView x;
        Verdict v;

        (void) buf_puts(&answer, "{\"embeddings\":[{\"values\":[");
        for (unsigned i = 0; i < ELEMENTSOF(values); i++) {
                random = random * 1664525 + 1013904223;
                values[i] = (random / 2147483648.0 - 1) * pow(10, -(int) (i % 8));
                values[i] = i % 100 == 0 ? 0 : i % 100 == 1 ? 0.25 : values[i];
                (void) buf_printf(&answer, "%s%.17g", i > 0 ? "," : "", values[i]);
                squares += values[i] * values[i];
        }
        (void) buf_puts(&answer, "]}]}");
        assert_int_equal(ask("{" MODEL ",\"input\":\"a\"}", &t, &e), 0);
        assert_int_equal(t->dialect->event(t, buf_data(&answer), answer.n, &out, &v), 0);
        assert_int_equal(t->dialect->finish(t, &out, &v), 0);
        c = json_enter(json_view_get(json_view(buf_data(&out), out.n), "data"));
        assert_true(json_next(&c, NULL, &x));
        for (c = json_enter(json_view_get(x, "embedding")); json_next(&c, NULL, &x); n++) {
                float f = (float) (values[n] * (1 / sqrt(squares)));
                char want[32], text[32] = "";

                (void) snprintf(want, sizeof(want), "%.9g", (double) f);
                memcpy(text, x.p, MIN((size_t) (x.end - x.p), sizeof(text) - 1));
                assert_true(strtof(text, NULL) == f);
                n_other += !streq(text, want); /* the last digit, where the tenth is a five */
        }
        assert_int_equal(n, ELEMENTSOF(values));
        assert_in_range(n_other, 0, n / 100);
}

/* Numbers are read as by strtod(), short ones and others. */
static void test_doubles(void **state) {
        static const char *const rows[] = {
                "0", "-0", "1", "-1", "0.1", "-0.0253123455", "123456789012345", "1234567890123456",
                "9007199254740993", "0.000000000000000000001", "0.0000000000000000000001",
                "0.00000000000000000000001", "0.000000000000000000000123456789012345", "1e3", "1E-7",
                "-1.5e300", "1e999", "12345678.9012345", "0.30000000000000004", "100000000000000000000000",
        };
        uint32_t random = 1;
        char text[64];
        double d;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_true(json_view_is_double(json_view(rows[i], strlen(rows[i])), &d));
                assert_true(d == strtod(rows[i], NULL) && !signbit(d) == (*rows[i] != '-'));
        }
        for (unsigned i = 0; i < 100000; i++) {
                random = random * 1664525 + 1013904223;
                (void) snprintf(text, sizeof(text), "%.*g", (int) (1 + i % 17),
                                (random / 2147483648.0 - 1) / (1 + random % 1000));
                assert_true(json_view_is_double(json_view(text, strlen(text)), &d));
                assert_true(d == strtod(text, NULL));
        }
        assert_false(json_view_is_double(json_view("\"1\"", 3), &d));
}

static size_t count(const char *s, const char *what) {
        size_t n = 0;

        while ((s = strstr(s, what))) {
                n++;
                s += strlen(what);
        }
        return n;
}

/* One vector too few in a round is no answer; after a reset the round is read again, and the rounds before
 * it stay. */
static void test_rounds(void **state) {
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20), answer = BUF_INIT(1U << 20);
        _cleanup_buf_ Buf out = BUF_INIT(10); /* an answer of many vectors may be larger than others */
        static const size_t rounds[] = { 100, 100, 50 };
        ApiError e = {};
        Verdict v;

        (void) buf_puts(&body, "{" MODEL ",\"input\":[");
        for (unsigned i = 0; i < 250; i++)
                (void) buf_printf(&body, "%s\"t%u\"", i > 0 ? "," : "", i);
        (void) buf_puts(&body, "]}");
        assert_int_equal(ask(buf_cstr(&body), &t, &e), 0);
        for (size_t i = 0; i < ELEMENTSOF(rounds); i++) {
                const char *sent = buf_data(&t->gemini);
                bool last = i + 1 == ELEMENTSOF(rounds);

                assert_int_equal(count(buf_cstr(&t->gemini), "\"text\""), rounds[i]);
                for (unsigned missing = 2; missing-- > 0;) {
                        buf_clear(&answer);
                        (void) buf_puts(&answer, "{\"embeddings\":[");
                        for (size_t k = 0; k < rounds[i] - missing; k++)
                                (void) buf_printf(&answer, "%s{\"values\":[1]}", k > 0 ? "," : "");
                        (void) buf_puts(&answer, "],\"usageMetadata\":{\"promptTokenCount\":7}}");
                        assert_int_equal(t->dialect->event(t, buf_data(&answer), answer.n, &out, &v), 0);
                        if (missing == 0)
                                break;
                        assert_int_equal(t->dialect->finish(t, &out, &v), DIALECT_E_VERDICT);
                        assert_int_equal(v.class, VERDICT_OVERLOAD);
                        t->dialect->reset(t);
                }
                assert_int_equal(t->dialect->finish(t, &out, &v), last ? 0 : DIALECT_E_MORE);
                assert_memory_equal(sent, "{\"requests\":[", 13); /* a hedge may still be sending it */
                assert_int_equal(out.n > 0, last);
        }
        assert_int_equal(count(buf_cstr(&out), "\"object\":\"embedding\""), 250);
        assert_non_null(strstr(buf_cstr(&out), "\"index\":249,"));
        assert_non_null(strstr(buf_cstr(&out), "\"prompt_tokens\":21"));
}

static void test_too_many(void **state) {
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);

        for (unsigned n = EMBEDDINGS_MAX; n <= EMBEDDINGS_MAX + 1; n++) {
                _cleanup_(translation_freep) Translation *t = NULL;
                ApiError e = {};

                buf_clear(&body);
                (void) buf_puts(&body, "{" MODEL ",\"input\":[");
                for (unsigned i = 0; i < n; i++)
                        (void) buf_puts(&body, i > 0 ? ",\"a\"" : "\"a\"");
                (void) buf_puts(&body, "]}");
                assert_int_equal(ask(buf_cstr(&body), &t, &e), n > EMBEDDINGS_MAX ? DIALECT_E_REFUSED : 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_floats),
                cmocka_unit_test(test_doubles),
                cmocka_unit_test(test_rounds),
                cmocka_unit_test(test_too_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
