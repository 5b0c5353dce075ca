/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdio.h>
#include <time.h>

#include "test.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json/check.h"
#include "base/json/write.h"
#include "base/secret.h"
#include "base/near.h"
#include "base/text.h"

static void test_copy(void **state) {
        static const struct {
                const char *s, *copied;
        } rows[] = { { "", "" }, { "abc", "abc" }, { "abcd", "abc" }, { "abcdefgh", "abc" } };
        char to[4];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                text_copy(to, sizeof(to), rows[i].s);
                assert_string_equal(to, rows[i].copied);
        }
}

/* Strings are looked at eight bytes at a time: what needs a look is found wherever it is among them. */
static void test_quote_everywhere(void **state) {
        static const struct {
                const char *bytes, *quoted;
        } rows[] = {
                { "\"", "\\\"" },           { "\\", "\\\\" },   { "\n", "\\n" }, { "\x1f", "\\u001f" },
                { "\xff", "\xEF\xBF\xBD" }, { "\x7f", "\x7f" }, { "!", "!" },    { "\xC3\xA9", "\xC3\xA9" },
        };
        char s[32], want[64];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t before = 0; before < 20; before++)
                        for (size_t after = 0; after < 10; after++) {
                                _cleanup_buf_ Buf b = BUF_INIT(100);
                                int n;

                                n = snprintf(s, sizeof(s), "%.*s%s%.*s", (int) before,
                                             "aaaaaaaaaaaaaaaaaaaa", rows[i].bytes, (int) after,
                                             "zzzzzzzzzz");
                                (void) snprintf(want, sizeof(want), "\"%.*s%s%.*s\"", (int) before,
                                                "aaaaaaaaaaaaaaaaaaaa", rows[i].quoted, (int) after,
                                                "zzzzzzzzzz");
                                jwrite_quote(&b, s, (size_t) n);
                                assert_string_equal(buf_cstr(&b), want);
                                if ((signed char) *rows[i].bytes < 0 || *rows[i].bytes == 0x7f)
                                        continue;
                                /* Raw, it ends the string, begins an escape, or must not be there. */
                                assert_ptr_equal(json_check(want, strlen(want)), NULL);
                                (void) snprintf(want, sizeof(want), "\"%s\"", s);
                                assert_int_equal(json_check(want, strlen(want)) == NULL,
                                                 *rows[i].bytes == '!');
                        }
}

static void test_duration(void **state) {
        static const struct {
                const char *text;
                int r;
                usec_t usec;
        } rows[] = {
                { "10", 0, 10 * USEC_PER_SEC },
                { "10s", 0, 10 * USEC_PER_SEC },
                { "500ms", 0, 500 * USEC_PER_MSEC },
                { "2min", 0, 2 * USEC_PER_MINUTE },
                { "1h 30min", 0, 90 * USEC_PER_MINUTE },
                { "1h30min", 0, 90 * USEC_PER_MINUTE },
                { "1.5s", 0, 1500 * USEC_PER_MSEC },
                { "45.837906927s", 0, 45837906 },
                { "38.90923309s", 0, 38909233 },
                { " 5 s ", 0, 5 * USEC_PER_SEC },
                { "0", 0, 0 },
                { "", -EINVAL, 0 },
                { "s", -EINVAL, 0 },
                { "-1s", -EINVAL, 0 },
                { "1x", -EINVAL, 0 },
                { "1.s", -EINVAL, 0 },
                { "99999999999999999999", -ERANGE, 0 },
                { "999999999999999w", -ERANGE, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                usec_t u = 0;

                assert_int_equal(duration_parse(rows[i].text, &u), rows[i].r);
                assert_int_equal(u, rows[i].usec);
        }
}

static void test_duration_format(void **state) {
        static const struct {
                usec_t usec;
                const char *text;
        } rows[] = {
                { 0, "0" },
                { 10 * USEC_PER_SEC, "10s" },
                { 600 * USEC_PER_SEC, "10min" },
                { 500 * USEC_PER_MSEC, "500ms" },
                { 7, "7us" },
                { 2 * USEC_PER_DAY, "2d" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char s[DURATION_STRING_MAX];

                duration_format(rows[i].usec, s);
                assert_string_equal(s, rows[i].text);
        }
}

static void test_timestamp(void **state) {
        char s[TIMESTAMP_STRING_MAX];

        timestamp_format(1795334400 * USEC_PER_SEC, -8 * 3600, s);
        assert_string_equal(s, "2026-11-22T00:00:00-08:00");
        timestamp_format(1795334400 * USEC_PER_SEC + 999999, 0, s);
        assert_string_equal(s, "2026-11-22T08:00:00+00:00");
        timestamp_format(0, 5 * 3600 + 1800, s);
        assert_string_equal(s, "1970-01-01T05:30:00+05:30");
}

static void test_size(void **state) {
        static const struct {
                const char *text;
                int r;
                uint64_t v;
        } rows[] = {
                { "512", 0, 512 },    { "32M", 0, 32 << 20 },         { "32MiB", 0, 32 << 20 },
                { "1k", 0, 1024 },    { "2GiB", 0, 2ULL << 30 },      { "", -EINVAL, 0 },
                { "M", -EINVAL, 0 },  { "1.5M", -EINVAL, 0 },         { "-1", -EINVAL, 0 },
                { "1T", -EINVAL, 0 }, { "99999999999G", -ERANGE, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint64_t v = 0;

                assert_int_equal(text_parse_size(rows[i].text, &v), rows[i].r);
                assert_int_equal(v, rows[i].v);
        }
}

static void test_percent(void **state) {
        static const struct {
                const char *text;
                int r;
                const char *out;
        } rows[] = {
                { "abc", 0, "abc" },      { "a%20b", 0, "a b" },  { "%2f%2F", 0, "//" },
                { "%00", -EINVAL, NULL }, { "%", -EINVAL, NULL }, { "%2", -EINVAL, NULL },
                { "%zz", -EINVAL, NULL }, { "%2e%2e", 0, ".." },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *s = strdup(rows[i].text);

                assert_int_equal(text_percent_decode(s), rows[i].r);
                if (rows[i].out)
                        assert_string_equal(s, rows[i].out);
        }
}

static void test_utf8(void **state) {
        static const struct {
                const char *text;
                bool good;
        } rows[] = {
                { "", true },
                { "ascii", true },
                { "h\xC3\xA9", true },
                { "\xF0\x9F\x98\x80", true },
                { "\xC0\xAF", false },         /* overlong */
                { "\xED\xA0\x80", false },     /* surrogate */
                { "\xF4\x90\x80\x80", false }, /* beyond U+10FFFF */
                { "\xC3", false },
                { "\x80", false },
                { "\xE2\x82", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(text_is_utf8(rows[i].text, strlen(rows[i].text)), rows[i].good);
}

/* A character at each place of the blocks that are looked at together, and half a one. */
static void test_utf8_places(void **state) {
        for (size_t n = 2; n < 80; n++)
                for (size_t i = 0; i + 2 <= n; i++) {
                        _cleanup_free_ char *s = malloc(n); /* a sanitizer sees a step behind the end */

                        assert_non_null(s);
                        memset(s, 'x', n);
                        memcpy(s + i, "\xC3\xA9", 2);
                        assert_true(text_is_utf8(s, n));
                        s[i] = 'x';
                        assert_false(text_is_utf8(s, n));
                        memcpy(s + i, "\xC3x", 2);
                        assert_false(text_is_utf8(s, n));
                }
}

static void test_decimal(void **state) {
        static const struct {
                uint64_t value;
                const char *text;
        } rows[] = {
                { 0, "0" }, { 9, "9" }, { 10, "10" }, { 1234567, "1234567" },
                { UINT64_MAX, "18446744073709551615" },
        };
        _cleanup_buf_ Buf b = BUF_INIT(1000);
        JWriter w = JWRITER_INIT(&b);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char text[TEXT_DECIMAL_MAX];

                assert_int_equal(text_decimal(rows[i].value, text), strlen(rows[i].text));
                assert_string_equal(text, rows[i].text);
        }
        jwrite_object(&w, NULL);
        jwrite_int(&w, "a\"", INT64_MIN);
        jwrite_int(&w, "", -1);
        jwrite_int(&w, "nine byte", INT64_MAX);
        jwrite_uint(&w, "0", UINT64_MAX);
        jwrite_end(&w);
        assert_string_equal(buf_cstr(&b),
                            "{\"a\\\"\":-9223372036854775808,\"\":-1,\"nine byte\":9223372036854775807,"
                            "\"0\":18446744073709551615}");
}

static void test_utf8_prefix(void **state) {
        static const struct {
                const char *text;
                size_t max, n;
        } rows[] = {
                { "", 4, 0 },
                { "abcd", 4, 4 },
                { "abcde", 4, 4 },
                { "abc\xC3\xA9", 5, 5 },
                { "abc\xC3\xA9", 4, 3 },
                { "\xF0\x9F\x98\x80", 3, 0 },
                { "a\xF0\x9F\x98\x80z", 5, 5 },
                { "\x80\x80\x80", 2, 0 }, /* no UTF-8 at all */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_int_equal(text_utf8_prefix(rows[i].text, rows[i].max), rows[i].n);
}

static void test_buf_ceiling(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(8);

        assert_int_equal(buf_puts(&b, "12345678"), 0);
        assert_string_equal(buf_cstr(&b), "12345678");
        assert_int_equal(buf_putc(&b, '9'), -E2BIG);
        assert_int_equal(buf_puts(&b, ""), -E2BIG); /* sticky */
        assert_null(buf_cstr(&b));
        buf_clear(&b);
        assert_int_equal(buf_printf(&b, "%d", 42), 0);
        assert_string_equal(buf_cstr(&b), "42");
        assert_int_equal(buf_printf(&b, "%s", "1234567"), -E2BIG);
}

static void test_buf_queue(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        unsigned in = 0, out = 0;

        /* The bytes come out as they went in, whatever the sizes, and memory stays bounded by the
         * content. */
        for (unsigned round = 0; round < 20000; round++) {
                for (unsigned k = round % 7; k > 0; k--)
                        assert_int_equal(buf_putc(&b, (char) (in++ & 0x7f)), 0);
                for (unsigned k = MIN(b.n, (size_t) round % 9); k > 0; k--) {
                        assert_int_equal(*buf_data(&b), (char) (out++ & 0x7f));
                        buf_consume(&b, 1);
                }
        }
        assert_int_equal(b.n, in - out);
        assert_true(b.size <= 65536);
}

static void test_jwrite(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(4096);
        JWriter w = JWRITER_INIT(&b);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "a", "q\"\\\n\x01\xFFz\xC3\xA9");
        jwrite_array(&w, "l");
        jwrite_int(&w, NULL, -5);
        jwrite_uint(&w, NULL, UINT64_MAX);
        jwrite_object(&w, NULL);
        jwrite_end(&w);
        jwrite_end(&w);
        jwrite_string(&w, "n", NULL);
        jwrite_bool(&w, "t", true);
        jwrite_fixed(&w, "f", 33.333333, 2);
        jwrite_string_n(&w, "z", "a\0b", 3);
        jwrite_string(&w, "e",
                      "1\xC2\x85"
                      "2\xE2\x80\xA8"
                      "3\xE2\x80\xA9"
                      "4\xC2\x86\xE2\x80\xAA");
        jwrite_end(&w);
        assert_string_equal(buf_cstr(&b), "{\"a\":\"q\\\"\\\\\\n\\u0001\xEF\xBF\xBDz\xC3\xA9\","
                                          "\"l\":[-5,18446744073709551615,{}],\"n\":null,\"t\":true,"
                                          "\"f\":33.33,\"z\":\"a\\u0000b\","
                                          "\"e\":\"1\\u00852\\u20283\\u20294\xC2\x86\xE2\x80\xAA\"}");
}

/* Eight bytes are looked at together: every byte at every place must be seen as if alone. */
static void test_every_byte_everywhere(void **state) {
        enum { LENGTH = 19 };

        for (unsigned c = 0; c < 256; c++)
                for (size_t at = 0; at < LENGTH; at++) {
                        _cleanup_buf_ Buf b = BUF_INIT(256), alone = BUF_INIT(256), want = BUF_INIT(256);
                        char s[LENGTH];

                        memset(s, 'x', sizeof(s));
                        s[at] = (char) c;
                        assert_int_equal(text_is_utf8(s, sizeof(s)), c < 0x80);

                        jwrite_quote(&alone, &s[at], 1);
                        jwrite_quote(&b, s, sizeof(s));
                        (void) buf_putc(&want, '"');
                        for (size_t i = 0; i < LENGTH; i++)
                                if (i == at)
                                        (void) buf_append(&want, buf_data(&alone) + 1, alone.n - 2);
                                else
                                        (void) buf_putc(&want, 'x');
                        (void) buf_putc(&want, '"');
                        assert_string_equal(buf_cstr(&b), buf_cstr(&want));
                }
}

static void test_secret(void **state) {
        static const struct {
                const char *text, *key_mask, *token_mask;
        } rows[] = {
                { "AIzaSyA-0123456789abcdefghijklmnopqabcd", "AIza****abcd", "AIzaSyA-…" },
                { "short", "****", "sh…" },
                { "elevenchars", "****", "eleve…" },
                { "twelve-chars", "twel****hars", "twelve…" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(secret_unrefp) Secret *s = NULL;
                char mask[SECRET_MASK_MAX];
                size_t n = strlen(rows[i].text);

                assert_int_equal(secret_new(rows[i].text, n, &s), 0);
                secret_mask_key(s, mask);
                assert_string_equal(mask, rows[i].key_mask);
                secret_mask_token(s, mask);
                assert_string_equal(mask, rows[i].token_mask);
                assert_true(secret_equal(s, rows[i].text, n));
                assert_false(secret_equal(s, rows[i].text, n - 1));
                assert_false(secret_equal(s, "", 0));
        }
}

static void test_secret_compare(void **state) {
        _cleanup_(secret_unrefp) Secret *a = NULL, *b = NULL, *c = NULL;

        assert_int_equal(secret_new("one", 3, &a), 0);
        assert_int_equal(secret_new("oneself", 7, &b), 0);
        assert_int_equal(secret_new("one", 3, &c), 0);
        assert_true(secret_compare(a, b) < 0);
        assert_true(secret_compare(b, a) > 0);
        assert_int_equal(secret_compare(a, c), 0);
}

static void test_secret_refuses(void **state) {
        Secret *s = NULL;

        assert_int_equal(secret_new("", 0, &s), -EINVAL);
        assert_int_equal(secret_new("a b", 3, &s), -EINVAL);
        assert_int_equal(secret_new("a\nb", 3, &s), -EINVAL);
        assert_int_equal(secret_new("a\0b", 3, &s), -EINVAL);
}

static void test_scrub(void **state) {
        static const struct {
                const char *text, *out;
        } rows[] = {
                { "nothing here", "nothing here" },
                { "Consumer 'api_key:AIzaSyA-0123456789abcd' has",
                  "Consumer 'api_key:**********************' has" },
                { "bad KNOWNKNOWNKNOWN twice KNOWNKNOWNKNOWN", "bad *************** twice ***************" },
                { "https://x/?key=AQ.Ab0123456789abcdefgh&alt=sse",
                  "https://x/?key=***********************&alt=sse" },
                { "the key=value thing", "the key=value thing" },
                { "AIza is how they begin", "AIza is how they begin" },

                /* what begins a form is there twice, or is alone */
                { "akapi_key:AIzaSyA-0123456789abcd", "akapi_key:**********************" },
                { "aapi_key:0123456789 kkey=0123456789", "aapi_key:********** kkey=**********" },
                { "AAIzaSyA-0123456789abcd", "AAIza******************" },
                { "AAQ.Ab0123456789abcdefgh A", "AAQ.******************** A" },
                { "KKNOWNKNOWNKNOWN KNOWNKNOWNKNOWKNOWNKNOWNKNOWN K",
                  "K*************** KNOWNKNOWNKNOW*************** K" },
                { "K\nNOWNKNOWNKNOWN K%4eOWNKNOWNKNOWN", "**************** *****************" },
        };
        _cleanup_(secret_unrefp) Secret *known = NULL;

        assert_int_equal(secret_new("KNOWNKNOWNKNOWN", 15, &known), 0);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *s = strdup(rows[i].text);

                secret_scrub(s, known);
                assert_string_equal(s, rows[i].out);
        }
}

/* A key in other spellings: nothing of it is left, and what is around it is. */
static void test_scrub_spellings(void **state) {
        static const char *const texts[] = {
                /* the known key: KNOWN-key.0123456789 */
                "KNOWN-key.0123456789",
                "KNOWN\xE2\x80\x8B-key.0123456789",         /* a zero-width space */
                "K\xC2\xADNOWN-key.0123\xE2\x81\xA0" "456789", /* a soft hyphen, a word joiner */
                "\xEF\xBB\xBFKNOWN-key.\xEF\xBF\xBD" "0123456789",
                "KNOWN-key.\n0123456789",
                "KNOWN-key. 0123456789",
                "K N O W N - k e y . 0 1 2 3 4 5 6 7 8 9",
                "KNOWN-key.\r\n\t0123456789",
                "KNOWN%2Dkey%2e0123456789",
                "%4B%4E%4F%57%4E-key.0123456789",
                "KNOWN%252Dkey.0123456789",
                "KNOWN%E2%80%8B-key.0123456789",
                "KNOWN-key.%0A0123456789",
                "&#75;NOWN-key.0123456789",
                "KNOWN&#x2d;key&#46;0123456789",
                "KNOWN&amp;#45;key.0123456789",
                "KNOWN&#8203;-key.0123456789",
                "KNOWN&ZeroWidthSpace;-key&period;0123456789",
                "KNOWN&nbsp;-key.0123456789",
                "KNOWN\\u002dkey.0123456789",
                "\\u004bNOWN-key.0123456789",
                "KNOWN\\\\u002Dkey.0123456789",
                "KNOWN\\x2dkey.0123456789",
                "KNOWN\\n-key.0123456789",
                "KNOWN\\u200b-key.0123456789",
                "KNOWN\\-key\\.0123456789",
                "\xEF\xBC\xABNOWN-key.0123456789", /* a wide K */

                /* Google's forms */
                "AIzaSyEXAMPLE0EXAMPLE0EXAMPLE0EXAMPLExy",
                "AIzaSyEXAMPLE0\xE2\x80\x8B" "EXAMPLE0EXAMPLE0EXAMPLExy",
                "AIza\xE2\x80\x8BSyEXAMPLE0EXAMPLE0EXAMPLE0EXAMPLExy",
                "A&#73;za%53yEXAMPLE0EXAMPLE0EXAMPLE0EXAMPLExy",
                "AIzaSyEXAMPLE0\nEXAMPLE0EXAMPLE0EXAMPLExy",
                "AIzaSyEXAMPLE0 EXAMPLE0 EXAMPLE0 EXAMPLExy",
                "AIzaSyEXAMPLE0\\nEXAMPLE0EXAMPLE0EXAMPLExy",
                "AIzaSyEXAMPLE0EXAMPLE0EXAMPLE0EXA\\u004dPLExy",
                "AQ.EXAMPLE0exampl EXAMPLE0EXAMPLE0EXAMPLExy0xyz",
                "api_key:AIzaSyEXAMPLE0 EXAMPLE0EXAMPLE0EXAMPLExy",
                "api%5Fkey:SyEXAMPLE0EXAMPLE0EXAMPLE0EXAMPLExy",
                "key%3DSyEXAMPLE0EXAMPLE0EXAMPLE0EXAMPLExy",
        };
        static const char *const pieces[] = { "NOWN", "key.0", "-key",   "0123", "456789",
                                              "Sy",   "PLE0",  "EXAMPL", "xy" };
        _cleanup_(secret_unrefp) Secret *known = NULL;

        assert_int_equal(secret_new("KNOWN-key.0123456789", 20, &known), 0);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *s = NULL;
                size_t n;

                assert_true(asprintf(&s, "The <%s> and more", texts[i]) > 0);
                n = strlen(s);
                secret_scrub(s, known);
                assert_int_equal(strlen(s), n);
                assert_true(startswith(s, "The <") && streq(s + n - 10, "> and more"));
                for (size_t j = 0; j < ELEMENTSOF(pieces); j++)
                        if (strstr(s, pieces[j]))
                                fail_msg("%s: %s", texts[i], s);
        }
}

/* The fast question has the slow answer, for every text that it may be asked about. */
static void test_in_name(void **state) {
        static const char *const words[] = {
                "AIza", "AQ.",         "AI",    "A", "a", "k",     "0123456789", "ABCDEFGHIJKLMNOP",
                "-",    "known-key.1", "known", "_", "0", "call_",
        };
        _cleanup_(secret_unrefp) Secret *known = NULL;
        unsigned seed = 1, n_found = 0;

        assert_int_equal(secret_new("known-key.1", 11, &known), 0);
        for (unsigned i = 0; i < 100000; i++) {
                _cleanup_buf_ Buf text = BUF_INIT(128), copy = BUF_INIT(128);
                bool found;

                for (unsigned k = (unsigned) rand_r(&seed) % 7; k > 0; k--)
                        (void) buf_puts(&text, words[(unsigned) rand_r(&seed) % ELEMENTSOF(words)]);
                (void) buf_puts(&copy, buf_cstr(&text));
                secret_scrub((char *) (uintptr_t) buf_cstr(&copy), i % 2 ? known : NULL);
                found = secret_is_in_name(buf_cstr(&text), text.n, i % 2 ? known : NULL);
                assert_int_equal(found, !streq(buf_cstr(&copy), buf_cstr(&text)));
                n_found += found;
        }
        assert_true(n_found > 1000);
}

/* Any other text stays as it is. */
static void test_scrub_prose(void **state) {
        static const char *const texts[] = {
                "AIza keys are retired since September 2026, make a new one for each Project of yours.",
                "Google has retired keys that begin with AIza; make a new one.",
                "AIza****abcd and 100 % of &amp; the \\ rest, \xE2\x80\xA6 caf\xC3\xA9 &#8230; 50%",
                "key = value, key= value, key=\xE2\x80\xA6",
                "KNOWN-key.012345678",
                "ends in %",
                "ends in %4",
                "ends in &#",
                "ends in &",
                "ends in \\",
                "ends in \\u12",
                "ends in \xE2",
        };
        _cleanup_(secret_unrefp) Secret *known = NULL;

        assert_int_equal(secret_new("KNOWN-key.0123456789", 20, &known), 0);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_free_ char *s = strdup(texts[i]);

                secret_scrub(s, known);
                assert_string_equal(s, texts[i]);
        }
}

/* The time is linear, whatever the text is. */
static void test_scrub_cost(void **state) {
        static const char *const pieces[] = { "K", "K\xE2\x80\x8B", "AIza", "key=", "\\",
                                              "%25", "&amp;", " ", "AIzaS " };
        _cleanup_(secret_unrefp) Secret *known = NULL;
        clock_t began = clock();

        assert_int_equal(secret_new("KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK9", 41, &known), 0);
        for (size_t i = 0; i < ELEMENTSOF(pieces); i++) {
                size_t k = strlen(pieces[i]), n = (1U << 20) / k * k;
                _cleanup_free_ char *s = malloc(n + 1);

                assert_non_null(s);
                for (size_t j = 0; j < n; j++)
                        s[j] = pieces[i][j % k];
                s[n] = 0;
                secret_scrub(s, known);
                assert_int_equal(strlen(s), n);
        }
        assert_true(clock() - began < 20 * CLOCKS_PER_SEC);
}

static void test_hex(void **state) {
        static const uint8_t bytes[] = { 0x00, 0x0f, 0xa5, 0xff };
        char text[2 * sizeof(bytes) + 1];

        text_hex(bytes, sizeof(bytes), text);
        assert_string_equal(text, "000fa5ff");
        text_hex(bytes, 0, text);
        assert_string_equal(text, "");
        assert_int_equal(text_unhex('0'), 0);
        assert_int_equal(text_unhex('9'), 9);
        assert_int_equal(text_unhex('a'), 10);
        assert_int_equal(text_unhex('F'), 15);
        for (const char *p = "/:@G`g "; *p; p++)
                assert_int_equal(text_unhex(*p), -EINVAL);
}

static void test_uncapitalize(void **state) {
        static const char *const rows[][2] = {
                { "Connection refused", "connection refused" }, { "TLS failed", "TLS failed" },
                { "it failed", "it failed" }, { "A", "A" }, { "", "" }, { "\303\204rger", "\303\204rger" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char s[32];

                text_copy(s, sizeof(s), rows[i][0]);
                text_uncapitalize(s);
                assert_string_equal(s, rows[i][1]);
        }
}

static void test_distance(void **state) {
        static const struct {
                const char *a, *b;
                unsigned distance;
        } rows[] = {
                { "", "", 0 },
                { "", "abc", 3 },
                { "ALLOWED_IPS", "ALOWED_IPS", 1 },   /* one left out */
                { "ALLOWED_IPS", "ALLOWED_IPPS", 1 }, /* one too many */
                { "ALLOWED_IPS", "ALLOWED_IPX", 1 },  /* another one */
                { "ALLOWED_IPS", "ALLOWED_ISP", 1 },  /* exchanged */
                { "ALLOWED_IPS", "allowed_ips", 0 },
                { "listen", "silent", 4 },
                { "ca", "abc", 3 }, /* nothing is put between characters that were exchanged */
                { "/v1/message", "/V1/mesages", 2 },
        };
        char longest[TEXT_NEAR_MAX + 2];

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                assert_int_equal(text_distance(rows[i].a, rows[i].b), rows[i].distance);
                assert_int_equal(text_distance(rows[i].b, rows[i].a), rows[i].distance);
        }
        memset(longest, 'a', sizeof(longest));
        longest[TEXT_NEAR_MAX] = 0;
        assert_int_equal(text_distance(longest, "a"), TEXT_NEAR_MAX - 1);
        longest[TEXT_NEAR_MAX] = 'a';
        longest[TEXT_NEAR_MAX + 1] = 0;
        assert_true(text_distance(longest, longest) == UINT_MAX);
}

static void test_near(void **state _unused_) {
        static const struct {
                const char *typed;
                unsigned least;
                const char *name;
        } rows[] = {
                { "stats", 3, "stats" }, { "stat", 3, "stats" },    { "sttas", 3, "stats" },
                { "STARS", 3, "stats" }, { "start", 3, "start" },   { "strt", 3, "start" },
                { "stat", 1, NULL },     { "statsxy", 3, "stats" }, { "statsxyz", 3, NULL },
                { "", 3, NULL },
        };
        static const char *const names[] = { "reset", "stats", "start", "status-of-all" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Near n = { rows[i].typed, rows[i].least, NULL };

                for (size_t k = 0; k < ELEMENTSOF(names); k++)
                        if (near_try(&n, names[k]))
                                assert_ptr_equal(n.name, names[k]);
                if (!n.name || !rows[i].name)
                        assert_ptr_equal(n.name, rows[i].name);
                else
                        assert_string_equal(n.name, rows[i].name);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_copy),
                cmocka_unit_test(test_quote_everywhere),
                cmocka_unit_test(test_duration),
                cmocka_unit_test(test_duration_format),
                cmocka_unit_test(test_timestamp),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_percent),
                cmocka_unit_test(test_utf8),
                cmocka_unit_test(test_utf8_places),
                cmocka_unit_test(test_decimal),
                cmocka_unit_test(test_buf_ceiling),
                cmocka_unit_test(test_buf_queue),
                cmocka_unit_test(test_jwrite),
                cmocka_unit_test(test_secret),
                cmocka_unit_test(test_every_byte_everywhere),
                cmocka_unit_test(test_secret_refuses),
                cmocka_unit_test(test_scrub),
                cmocka_unit_test(test_scrub_spellings),
                cmocka_unit_test(test_in_name),
                cmocka_unit_test(test_scrub_prose),
                cmocka_unit_test(test_scrub_cost),
                cmocka_unit_test(test_utf8_prefix),
                cmocka_unit_test(test_secret_compare),
                cmocka_unit_test(test_hex),
                cmocka_unit_test(test_distance),
                cmocka_unit_test(test_near),
                cmocka_unit_test(test_uncapitalize),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
