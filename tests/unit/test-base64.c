/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/base64.h"

static void test_vectors(void **state) {
        static const char *const rows[][2] = { /* RFC 4648, section 10 */
                { "", "" },
                { "f", "Zg==" },
                { "fo", "Zm8=" },
                { "foo", "Zm9v" },
                { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" },
                { "foobar", "Zm9vYmFy" },
                { "\xFB\xFF\xBF", "+/+/" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(100);

                assert_int_equal(base64_append(&b, (const uint8_t *) rows[i][0], strlen(rows[i][0])), 0);
                assert_int_equal(b.n, strlen(rows[i][1]));
                assert_memory_equal(buf_data(&b), rows[i][1], b.n);
        }
}

/* Pieces of each length, read back letter by letter. */
static void test_back(void **state) {
        uint8_t bytes[600];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t) (i * 151 + i / 256);
        for (size_t n = 1; n <= sizeof(bytes); n++) {
                _cleanup_buf_ Buf b = BUF_INIT(1000);
                const char *s;

                assert_int_equal(base64_append(&b, bytes, n), 0);
                assert_int_equal(b.n, (n + 2) / 3 * 4);
                s = buf_data(&b);
                for (size_t i = 0; i < n; i++) {
                        size_t k = i / 3 * 4 + i % 3, shift = 2 * (i % 3);
                        int high = base64_value(s[k]) << (2 + shift);
                        int low = base64_value(s[k + 1]) >> (4 - shift);

                        assert_int_equal((high | low) & 0xFF, bytes[i]);
                }
        }
}

/* The reader gets the bytes back, whatever the pieces are; it takes both alphabets, and skips the rest. */
static void test_read(void **state) {
        uint8_t bytes[5000];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (uint8_t) (i * 151 + i / 256);
        for (size_t n = 0; n <= sizeof(bytes); n = n < 70 ? n + 1 : n * 3 / 2) {
                _cleanup_buf_ Buf b = BUF_INIT(10000), back = BUF_INIT(10000);

                assert_int_equal(base64_append(&b, bytes, n), 0);
                for (size_t piece = 1; piece < 8; piece++) {
                        Base64Reader r = {};

                        buf_clear(&back);
                        for (size_t at = 0; at < b.n; at += piece)
                                (void) base64_read(&r, buf_data(&b) + at, MIN(piece, b.n - at), &back);
                        assert_int_equal(back.n, n);
                        assert_true(n == 0 || memcmp(buf_data(&back), bytes, n) == 0);
                }
        }
        {
                _cleanup_buf_ Buf back = BUF_INIT(16);
                Base64Reader r = {};

                assert_int_equal(base64_read(&r, " _-\n/+A==", 9, &back), 0);
                assert_int_equal(back.n, 3);
                assert_memory_equal(buf_data(&back), "\xFF\xEF\xFE", 3);
        }
}

static void test_ceiling(void **state) {
        _cleanup_buf_ Buf b = BUF_INIT(7);

        assert_true(base64_append(&b, (const uint8_t *) "abcd", 4) < 0);
        assert_true(b.error < 0);
}

static void test_value(void **state) {
        static const char others[] = "-_= \n~";

        assert_int_equal(base64_value('A'), 0);
        assert_int_equal(base64_value('/'), 63);
        assert_int_equal(base64_value(0), -1);
        for (const char *p = others; *p; p++)
                assert_int_equal(base64_value(*p), -1);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_back),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_value),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
