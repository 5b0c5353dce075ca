/* SPDX-License-Identifier: MIT */

/* Where heads and bodies end, and what is a fault; the bytes whole, and cut at every byte. */

#include "test.h"

#include "base/limits.h"
#include "base/text.h"
#include "io/http-framing.h"

/* Feeds pieces; each head is followed by the body. Returns the number of heads, and how much was read. */
static unsigned feed(HttpFraming *f, const char *p, size_t n, bool chunked, uint64_t length,
                     size_t *ret_used) {
        unsigned n_heads = 0;
        size_t used = 0;

        while (used < n && !f->fault) {
                /* An exact copy, so that a sanitizer sees what is read behind its end. */
                _cleanup_free_ char *copy = malloc(n - used);

                assert_non_null(copy);
                memcpy(copy, p + used, n - used);
                used += http_framing_feed(f, copy, n - used);
                if (f->state == HTTP_FRAMING_HEAD_END) {
                        n_heads++;
                        http_framing_body(f, chunked, length);
                }
        }
        *ret_used = used;
        return n_heads;
}

typedef struct Row {
        const char *bytes;
        size_t n;
        const char *fault; /* NULL: right */
        unsigned n_heads;
        HttpFramingState state; /* at the end; not with a fault */
} Row;

static void check(const Row *row, size_t i, bool chunked, uint64_t length) {
        for (size_t cut = 0; cut <= row->n; cut++) {
                HttpFraming f = {};
                size_t used, more = 0;
                unsigned n_heads;

                n_heads = feed(&f, row->bytes, cut, chunked, length, &used);
                if (!f.fault) {
                        assert_int_equal(used, cut);
                        n_heads += feed(&f, row->bytes + cut, row->n - cut, chunked, length, &more);
                }
                if (n_heads != row->n_heads || !streq(strempty(f.fault), strempty(row->fault)) ||
                    (!row->fault && (f.state != row->state || used + more != row->n)))
                        fail_msg("row %zu, cut at %zu: %u heads, state %d, `%s`", i, cut, n_heads,
                                 (int) f.state, strempty(f.fault));
        }
}

#define ROW(bytes, ...) { bytes, sizeof(bytes) - 1, __VA_ARGS__ }
#define FIVE "&a&a&a&a&a"
#define NINETY_FIVE                                                                                  \
        FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE
#define H "POST / HTTP/1.1\r\nA: b\r\n\r\n"

static const char lf[] = "a line ends with LF alone";
static const char cr[] = "a CR that is not at the end of a line";
static const char nul[] = "a NUL byte";
static const char size[] = "the size of a chunk is not a hexadecimal number";
static const char longer[] = "a chunk is longer than its size";
static const char name[] = "the name of a header is not a token";
static const char fold[] = "a header that continues on the next line";
static const char colon[] = "a header without a colon";
static const char many[] = "a query has too many arguments";
static const char first[] =
        "the first line is not a method, a target and a version, with one blank between them";

static void test_heads(void **state _unused_) {
        static const Row rows[] = {
                ROW("", NULL, 0, HTTP_FRAMING_HEAD),
                ROW("GET / HTTP/1.1\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW("\r\n\r\nGET / HTTP/1.1\r\nA:\r\nB: \x01 c:d\r\n\r\n\r\nGE", NULL, 1, HTTP_FRAMING_HEAD),
                ROW("GET / HTTP/1.1\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n", NULL, 2, HTTP_FRAMING_HEAD),
                ROW("GET / HTTP/1.1\r\n\n", lf, 0, 0),
                ROW("GET / HTTP/1.1\n\r\n", lf, 0, 0),
                ROW("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", lf, 0, 0),
                ROW("\n", lf, 0, 0),
                ROW("GET / HTTP/1.1\r\n\r\n\nGET / HTTP/1.1\r\n\r\n", lf, 1, 0),
                ROW("GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n", cr, 0, 0),
                ROW("GET / HTTP/1.1\r\nA: b\r\r\n\r\n", cr, 0, 0),
                ROW("GET / HTTP/1.1\r\nA: b\r\n\r\rG", cr, 0, 0),
                ROW("GET / HTTP/1.1\r\nA: b\0\r\n\r\n", nul, 0, 0),
                ROW("GET / HTTP/1.1\r\nA\0: b\r\n\r\n", nul, 0, 0),
                ROW("GET /\0 HTTP/1.1\r\n\r\n", nul, 0, 0),
                ROW("GET / HTTP/1.1\r\n A: b\r\n\r\n", fold, 0, 0),
                ROW("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", fold, 0, 0),
                ROW("GET / HTTP/1.1\r\nA : b\r\n\r\n", name, 0, 0),
                ROW("GET / HTTP/1.1\r\n: b\r\n\r\n", name, 0, 0),
                ROW("GET / HTTP/1.1\r\nA\r\n\r\n", colon, 0, 0),
                ROW("GET /?" NINETY_FIVE "&a&a&a&a HTTP/1.1\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW("GET /?" NINETY_FIVE "&a&a&a&a&a HTTP/1.1\r\n\r\n", many, 0, 0),
                ROW("GET /&&&" NINETY_FIVE "&&&?a HTTP/1.1\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW("GET  / HTTP/1.1\r\n", first, 0, 0),
                ROW("GET /\r\n", first, 0, 0),
                ROW("GET\r\n", first, 0, 0),
                ROW("GET / HTTP/1.1 \r\n", first, 0, 0),
                ROW("GET\t/ HTTP/1.1\r\n", "a control character in the first line", 0, 0),
                ROW(" GET / HTTP/1.1\r\n", "a blank before the method", 0, 0),
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check(&rows[i], i, false, 0);
}

static void test_lengths(void **state _unused_) {
        static const Row rows[] = {
                ROW(H "abc", NULL, 1, HTTP_FRAMING_HEAD),
                ROW(H "ab", NULL, 1, HTTP_FRAMING_LENGTH),
                ROW(H "\0\n\r" H "abc" H, NULL, 3, HTTP_FRAMING_LENGTH),
                ROW(H "abc\nGET", lf, 1, 0),
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check(&rows[i], i, false, 3);
}

static void test_chunks(void **state _unused_) {
        static const Row rows[] = {
                ROW(H "0\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW(H "2\r\nhi\r\n0\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW(H "2\r\n\0\n\r\n0\r\n\r\n" H "0\r\n\r\n", NULL, 2, HTTP_FRAMING_HEAD),
                ROW(H "00a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW(H "ffffffffffffffff\r\nx", NULL, 1, HTTP_FRAMING_DATA),
                ROW(H "2;a=b;c=\"\t\xc3\xa4\"\r\nhi\r\n0;\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW(H "0\r\nA: b\r\nC:\r\n\r\n", NULL, 1, HTTP_FRAMING_HEAD),
                ROW(H "0\r\nA: b\r\n", NULL, 1, HTTP_FRAMING_TRAILERS),
                ROW(H "2\r\nhi", NULL, 1, HTTP_FRAMING_DATA_CR),

                /* sizes */
                ROW(H "2\nhi\r\n0\r\n\r\n", lf, 1, 0),
                ROW(H "\r\n", size, 1, 0),
                ROW(H "\n", lf, 1, 0),
                ROW(H ";a\r\n", size, 1, 0),
                ROW(H "x\r\n", size, 1, 0),
                ROW(H "0x2\r\nhi\r\n", size, 1, 0),
                ROW(H "+2\r\nhi\r\n", size, 1, 0),
                ROW(H "-2\r\n", size, 1, 0),
                ROW(H " 2\r\nhi\r\n", size, 1, 0),
                ROW(H "2 \r\nhi\r\n", size, 1, 0),
                ROW(H "2 ;a\r\nhi\r\n", size, 1, 0),
                ROW(H "2\t\r\nhi\r\n", size, 1, 0),
                ROW(H "2\0\r\nhi\r\n", size, 1, 0),
                ROW(H "2,3\r\nhi\r\n", size, 1, 0),
                ROW(H "2\rhi\r\n", cr, 1, 0),
                ROW(H "2\r\r\nhi\r\n", cr, 1, 0),
                ROW(H "00000000000000002\r\n", "the size of a chunk has more than 16 digits", 1, 0),

                /* extensions */
                ROW(H "2;\nxx\r\n0\r\n\r\n", lf, 1, 0),
                ROW(H "2;a\rb\r\nhi\r\n", cr, 1, 0),
                ROW(H "2;a\0b\r\nhi\r\n", "a control character in the extension of a chunk", 1, 0),
                ROW(H "2;\x7f\r\nhi\r\n", "a control character in the extension of a chunk", 1, 0),

                /* data */
                ROW(H "2\r\nhi\n0\r\n\r\n", longer, 1, 0),
                ROW(H "2\r\nhix\r\n0\r\n\r\n", longer, 1, 0),
                ROW(H "2\r\nhi0\r\n\r\n", longer, 1, 0),
                ROW(H "2\r\nhi\rx", cr, 1, 0),

                /* the end, and trailers */
                ROW(H "0\n\r\n", lf, 1, 0),
                ROW(H "0\r\n\n", lf, 1, 0),
                ROW(H "0\r\nA: b\n\r\n", lf, 1, 0),
                ROW(H "0\r\nA: b\rc\r\n\r\n", cr, 1, 0),
                ROW(H "0\r\nA: b\0\r\n\r\n", nul, 1, 0),
                ROW(H "0\r\nA\0: b\r\n\r\n", nul, 1, 0),
                ROW(H "0\r\nA: b\r\n c\r\n\r\n", fold, 1, 0),
                ROW(H "0\r\n A: b\r\n\r\n", fold, 1, 0),
                ROW(H "0\r\nA : b\r\n\r\n", name, 1, 0),
                ROW(H "0\r\nA\r\n\r\n", colon, 1, 0),
                ROW(H "0\r\nGET / HTTP/1.1\r\n\r\n", name, 1, 0),
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check(&rows[i], i, true, 0);
}

/* What is read and thrown away has a ceiling, and a new one in the next body. */
static void test_ceilings(void **state _unused_) {
        static const struct {
                const char *begin, *again, *fault;
                size_t max; /* bytes that are counted */
        } rows[] = {
                { "1;", "x", "the extensions of the chunks are too long", HTTP_CHUNK_EXTENSIONS_MAX },
                { "", "1;abc\r\nx\r\n", "the extensions of the chunks are too long",
                  (HTTP_CHUNK_EXTENSIONS_MAX / 3 + 1) * 10 },
                { "0\r\n", "A: b\r\n", "the trailers are too long", HTTP_TRAILERS_MAX },
                { "0\r\nA:", "b", "the trailers are too long", HTTP_TRAILERS_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                HttpFraming f = {};
                size_t used, n = strlen(rows[i].again), at = 0;

                (void) feed(&f, H, strlen(H), true, 0, &used);
                (void) feed(&f, rows[i].begin, strlen(rows[i].begin), true, 0, &used);
                for (; !f.fault && at < 2 * rows[i].max; at += n)
                        (void) feed(&f, rows[i].again, n, true, 0, &used);
                assert_non_null(f.fault);
                assert_string_equal(f.fault, rows[i].fault);
                assert_in_range(at, rows[i].max - 2 * n, rows[i].max + 2 * n);
        }
        for (unsigned i = 0; i < 10; i++) {
                static HttpFraming f;
                static const char body[] = H "1;abcdefgh\r\nx\r\n0\r\nA: bcdef\r\n\r\n";
                size_t used;

                for (unsigned k = 0; k < HTTP_CHUNK_EXTENSIONS_MAX / 80; k++)
                        assert_int_equal(feed(&f, body, strlen(body), true, 0, &used), 1);
                assert_null(f.fault);
        }
}

/* For a reader of the body that cannot take them. */
static void test_no_extensions(void **state _unused_) {
        static const struct {
                const char *body, *fault;
        } rows[] = {
                { H "2\r\nhi\r\n0\r\nA: b\r\n\r\n", NULL },
                { H "2;a=b\r\nhi\r\n0\r\n\r\n", "a chunk must not have an extension" },
                { H "2\r\nhi\r\n0;\r\n\r\n", "a chunk must not have an extension" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                HttpFraming f = { .no_extensions = true };
                size_t used;

                (void) feed(&f, rows[i].body, strlen(rows[i].body), true, 0, &used);
                if (!rows[i].fault)
                        assert_null(f.fault);
                else {
                        assert_non_null(f.fault);
                        assert_string_equal(f.fault, rows[i].fault);
                        assert_int_equal(rows[i].body[used], ';');
                }
        }
}

static void test_tokens(void **state _unused_) {
        assert_true(http_is_token("x-Goog_Api.Key~!#$%&'*+^`|09", 28));
        assert_false(http_is_token("", 0));
        for (int c = 0; c < 256; c++) {
                char s[2] = { 'a', (char) c };

                if (c < '!' || c > '~' || strchr("()<>@,;:\\\"/[]?={}", c))
                        assert_false(http_is_token(s, 2));
                else
                        assert_true(http_is_token(s, 2));
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_heads),   cmocka_unit_test(test_lengths),
                cmocka_unit_test(test_chunks),  cmocka_unit_test(test_ceilings),
                cmocka_unit_test(test_no_extensions),
                cmocka_unit_test(test_tokens),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
