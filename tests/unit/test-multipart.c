/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "dialect/multipart.h"

#define N "\r\n"
#define NAMED(name) "Content-Disposition: form-data; name=" name N

/* The parts of the body, as `name filename type data|`, then `.` at the end, or the error. */
static const char *describe(const char *type, const char *body, size_t n) {
        static char ret[1024];
        MultipartPart p;
        Multipart m;
        size_t k = 0;
        int r;

        ret[0] = 0;
        if (multipart_begin(&m, type, body, n) < 0)
                return "no form";
        while ((r = multipart_next(&m, &p)) > 0)
                k += (size_t) snprintf(ret + k, sizeof(ret) - k, "%s %s %s %.*s|", p.name, p.filename,
                                       p.type, (int) p.n, p.data);
        (void) snprintf(ret + k, sizeof(ret) - k, "%s", r == 0 ? "." : r == -E2BIG ? "too big" : "broken");
        return ret;
}

static void test_types(void **state) {
        static const struct {
                const char *type, *want;
        } rows[] = {
                { "multipart/form-data; boundary=x", "a   1|." },
                { "Multipart/Form-Data; charset=\"a;b\\\"\"; Boundary=\"x\"", "a   1|." },
                { "multipart/form-data;boundary=x; charset=utf-8", "a   1|." },
                { "multipart/form-data; boundary=y", "broken" },
                { "multipart/form-data; boundary=", "no form" },
                { "multipart/form-data", "no form" },
                { "multipart/form-data; xboundary=x", "no form" },
                { "multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678"
                  "901234567890", "no form" },
                { "application/json", "no form" },
                { "", "no form" },
                { NULL, "no form" },
        };
        static const char body[] = "--x" N NAMED("a") N "1" N "--x--";

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_string_equal(describe(rows[i].type, body, strlen(body)), rows[i].want);
}

static void test_bodies(void **state) {
        static const struct {
                const char *body, *want;
        } rows[] = {
                { "--x" N NAMED("\"a\"") N "1" N "--x" N NAMED("\"b\"") N N "2" N N "--x--" N,
                  "a   1|b   \r\n2\r\n|." },
                { "--x" N NAMED("\"a\"; filename=\"c.wav\"") "content-type: audio/wav; x=y" N N
                  "\r\n--X" N "--x--",
                  "a c.wav audio/wav \r\n--X|." },
                { "--x" N NAMED("\"a\\\"b\\\\\"; filename=\"C:\\dir;x\"") N "" N "--x--",
                  "a\"b\\ C:\\dir;x  |." },
                { "--x" N NAMED("\"\"") N N "--x--", "   |." },
                { "--x" N NAMED("a") N "--x--", "a   |." }, /* no empty line before the delimiter */
                { "preamble" N "--x \t" N NAMED("a") N "1" N "--x-- epilogue", "a   1|." },
                { "--x" N "X: y" N N "1" N "--x--", "   1|." },
                { "--x" N NAMED("a") N "1" N "--xy" N NAMED("b") N "2" N "--x--", "a   1|broken" },
                { "--x--", "." },
                { "--x", "broken" },
                { "--x" N, "broken" },
                { "--x" N NAMED("a"), "broken" },
                { "--x" N NAMED("a") N, "broken" },
                { "--x" N NAMED("a") N "1", "broken" },
                { "--x" N NAMED("a") N "1" N "--", "broken" },
                { "--x" N NAMED("a") N "1" N "--x", "a   1|broken" },
                { "--x\n" NAMED("a") N "1" N "--x--", "broken" },
                { "", "broken" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                print_message("%s\n", rows[i].body);
                assert_string_equal(describe("multipart/form-data; boundary=x", rows[i].body,
                                             strlen(rows[i].body)),
                                    rows[i].want);
        }
}

static bool endswith_text(const char *s, const char *end) {
        size_t n = strlen(s), k = strlen(end);

        return n >= k && streq(s + n - k, end);
}

static void test_limits(void **state) {
        static const char form[] = "multipart/form-data; boundary=x";
        _cleanup_buf_ Buf body = BUF_INIT(1U << 20);

        for (unsigned n = MULTIPART_PARTS_MAX; n <= MULTIPART_PARTS_MAX + 1; n++) {
                bool fits = n <= MULTIPART_PARTS_MAX;

                buf_clear(&body);
                for (unsigned i = 0; i < n; i++)
                        (void) buf_puts(&body, "--x" N "A: b" N N N);
                (void) buf_puts(&body, "--x--");
                assert_true(endswith_text(describe(form, buf_data(&body), body.n),
                                          fits ? "." : "too big"));
        }
        for (unsigned n = MULTIPART_HEAD_MAX - 7; n <= MULTIPART_HEAD_MAX - 6; n++) {
                bool fits = n + 7 <= MULTIPART_HEAD_MAX;

                buf_clear(&body);
                (void) buf_puts(&body, "--x" N "A: ");
                for (unsigned i = 0; i < n; i++)
                        (void) buf_putc(&body, 'b');
                (void) buf_puts(&body, N N "data" N "--x--");
                assert_true(endswith_text(describe(form, buf_data(&body), body.n),
                                          fits ? "data|." : "too big"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
