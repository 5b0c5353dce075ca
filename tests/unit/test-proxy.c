/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>

#include "base/proxy.h"
#include "base/text.h"
#include "core/no-proxy.h"

static void test_forms(void **state) {
        static const struct {
                const char *text, *shown, *url; /* shown NULL: it is wrong; url NULL: `none` */
        } rows[] = {
                { "none", "none", NULL },
                { "NONE", "none", NULL },
                { "10.0.0.1:3128", "http://10.0.0.1:3128", "http://10.0.0.1:3128" },
                { "http://proxy", "http://proxy:1080", "http://proxy:1080" },
                { "HTTP://Proxy.Example:1/", "http://Proxy.Example:1", "http://Proxy.Example:1" },
                { "https://proxy", "https://proxy:443", "https://proxy:443" },
                { "socks5://h", "socks5://h:1080", "socks5h://h:1080" },
                { "socks5h://h:65535", "socks5h://h:65535", "socks5h://h:65535" },
                { "[::1]:2", "http://[::1]:2", "http://[::1]:2" },
                { "http://[::1]", "http://[::1]:1080", "http://[::1]:1080" },
                { "socks5://me:x@[2001:db8::1]:9", "socks5://[2001:db8::1]:9",
                  "socks5h://me:x@[2001:db8::1]:9" },
                { "http://me@h:1", "http://h:1", "http://me@h:1" },
                { "http://me:@h:1", "http://h:1", "http://me:@h:1" },
                { "me:pass@h:1", "http://h:1", "http://me:pass@h:1" },
                /* characters that a URL does not take, and escapes that are there already */
                { "http://me:p@ss/w#rd?@h:1", "http://h:1", "http://me:p%40ss%2Fw%23rd%3F@h:1" },
                { "http://me:a%40b%2f%zz%@h:1", "http://h:1", "http://me:a%40b%2F%25zz%25@h:1" },
                { "http://me:a:b@h:1", "http://h:1", "http://me:a%3Ab@h:1" },
                { "http://dom\\me:\xC3\xA9@h:1", "http://h:1", "http://dom%5Cme:%C3%A9@h:1" },
                { "http://a b:c@h:1", "http://h:1", "http://a%20b:c@h:1" },

                { "", NULL, NULL },
                { "proxy", NULL, NULL }, /* may be a key in the wrong place */
                { "[::1]", NULL, NULL },
                { "me:x@h", NULL, NULL },
                { "http://", NULL, NULL },
                { "http://:1", NULL, NULL },
                { "http://me:x@", NULL, NULL },
                { "http://h:", NULL, NULL },
                { "http://h:0", NULL, NULL },
                { "http://h:65536", NULL, NULL },
                { "http://h:1x", NULL, NULL },
                { "http://h:1/path", NULL, NULL },
                { "http://h:1?q", NULL, NULL },
                { "http://a b", NULL, NULL },
                { "http://me:x y@a b", NULL, NULL },
                { "::1", NULL, NULL },
                { "[::1", NULL, NULL },
                { "[::1]x", NULL, NULL },
                { "[::1]x:1", NULL, NULL },
                { "[1.2.3.4]", NULL, NULL },
                { "socks4://h:1", NULL, NULL },
                { "socks://h:1", NULL, NULL },
                { "ftp://me:x@h:1", NULL, NULL },
                { "http://me:%00@h:1", NULL, NULL },
                { "http://me:%0a@h:1", NULL, NULL },
                { "http://me:a\nb@h:1", NULL, NULL },
                { "socks5://me@h:1/x", NULL, NULL },
                { "socks5://:x@h:1", NULL, NULL }, /* SOCKS has no empty user */
                { "socks5://me:@h:1", NULL, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(proxy_unrefp) Proxy *p = NULL;
                int r = proxy_new(rows[i].text, strlen(rows[i].text), &p);

                if (!rows[i].shown) {
                        assert_int_equal(r, -EINVAL);
                        assert_null(p);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(proxy_shown(p), rows[i].shown);
                assert_true(proxy_is_none(p) == !rows[i].url);
                if (!rows[i].url)
                        continue;
                assert_string_equal(secret_reveal(proxy_url(p)), rows[i].url);
                assert_true(proxy_has_user(p) == (strchr(rows[i].url, '@') != NULL));
                assert_true(proxy_is_https(p) == (startswith(rows[i].shown, "https://") != NULL));
                assert_string_equal(proxy_address(p), strstr(rows[i].shown, "://") + 3);
        }
}

/* A string of JSON may have one anywhere. */
static void test_nul(void **state) {
        static const char *const texts[] = { "http://me:x@h:3128", "http://[::1]:9", "none" };

        for (size_t t = 0; t < ELEMENTSOF(texts); t++)
                for (size_t n = strlen(texts[t]), i = 0; i <= n; i++) {
                        _cleanup_(proxy_unrefp) Proxy *p = NULL;
                        char with[32] = "";

                        memcpy(with, texts[t], i);
                        memcpy(with + i + 1, texts[t] + i, n - i);
                        assert_int_equal(proxy_new(with, n + 1, &p), -EINVAL);
                }
}

/* Nothing is cut off: what does not fit is refused. */
static void test_lengths(void **state) {
        char text[1024];

        for (size_t n = 1; n < 900; n++) {
                _cleanup_(proxy_unrefp) Proxy *p = NULL;
                int k = snprintf(text, sizeof(text), "http://u:%0*d@h:1", (int) n, 0);

                assert_int_equal(proxy_new(text, (size_t) k, &p),
                                 k <= (int) SECRET_LENGTH_MAX ? 0 : -EINVAL);
        }
        for (size_t n = 1; n < 400; n++) {
                _cleanup_(proxy_unrefp) Proxy *p = NULL;
                int k = snprintf(text, sizeof(text), "http://%0*d:65535", (int) n, 0);

                assert_int_equal(proxy_new(text, (size_t) k, &p), n <= 255 ? 0 : -EINVAL);
                if (p)
                        assert_string_equal(proxy_shown(p), text);
        }
        for (size_t n = 1; n < 400; n++) {
                _cleanup_(proxy_unrefp) Proxy *p = NULL;
                int k = snprintf(text, sizeof(text), "socks5://u:%0*d@h:1", (int) n, 0);

                assert_int_equal(proxy_new(text, (size_t) k, &p), n <= 255 ? 0 : -EINVAL);
        }
}

static Proxy *proxy(const char *text) {
        Proxy *p;

        assert_int_equal(proxy_new(text, strlen(text), &p), 0);
        return p;
}

static void test_compare(void **state) {
        static const char *const equal[][2] = { { "h:1080", "http://h/" }, { "socks5://h", "socks5h://h" },
                                                { "none", "None" },        { "a%41@h:1", "aA@h:1" } };
        static const char *const different[][2] = { { "h:1", "https://h:1" }, { "h:1", "none" },
                                                    { "a:b@h:1", "a:c@h:1" },  { "a@h:1", "h:1" } };

        for (size_t i = 0; i < ELEMENTSOF(equal); i++) {
                _cleanup_(proxy_unrefp) Proxy *a = proxy(equal[i][0]), *b = proxy(equal[i][1]);

                assert_int_equal(proxy_compare(a, b), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(different); i++) {
                _cleanup_(proxy_unrefp) Proxy *a = proxy(different[i][0]), *b = proxy(different[i][1]);

                assert_true(proxy_compare(a, b) != 0);
                assert_true((proxy_compare(a, b) > 0) == (proxy_compare(b, a) < 0));
                assert_true(proxy_compare(a, NULL) > 0 && proxy_compare(NULL, a) < 0);
        }
}

/* As lib/noproxy.c of libcurl 7.88 decides. */
static void test_no_proxy(void **state) {
        static const struct {
                const char *list, *host;
                bool covers;
        } rows[] = {
                { "*", "a.example", true },
                { " * ", "a.example", true },
                { "b.example,*", "a.example", false },
                { "", "a.example", false },
                { ",,", "a.example", false },
                { "a.example", "a.example", true },
                { "A.Example", "a.eXample", true },
                { "example", "a.example", true },
                { ".example", "a.example", true },
                { ".a.example", "a.example", true },
                { "a.example.", "a.example", true },
                { "a.example", "a.example.", true },
                { "ample", "a.example", false },
                { "b.a.example", "a.example", false },
                { "..example", "a.example", false },
                { ".", "a.example", false },
                { "*.example", "a.example", false },
                { "b.example, example", "a.example", true },
                { "b.example example", "a.example", true },
                { "a.example:443", "a.example", false },
                { "10.0.0.1", "10.0.0.1", true },
                { "10.0.0.0/8", "10.9.9.9", true },
                { "10.0.0.0/9", "10.128.0.1", false },
                { "10.0.0.1/32", "10.0.0.1", true },
                { "0.0.0.0/0", "10.0.0.1", false },
                { "10.0.0.0/33", "10.0.0.1", false },
                { "10.0.0.0/x", "10.0.0.1", false },
                { "0.1", "10.0.0.1", false },
                { "10.0.0.1", "x10.0.0.1", false },
                { "2001:db8::/32", "[2001:db8:1::2]", true },
                { "2001:db8::/33", "[2001:db8:8000::2]", false },
                { "::1", "[::1]", true },
                { "[::1]", "[::1]", false },
                { "10.0.0.0/8", "ten.example", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (no_proxy_covers(rows[i].list, rows[i].host) != rows[i].covers)
                        fail_msg("%s: %s", rows[i].list, rows[i].host);
}

static void test_projects(void **state) {
        _cleanup_(proxy_unrefp) Proxy *a = proxy("a:1"), *b = proxy("b:1");
        char one[] = "one", two[] = "two";
        const ProjectProxy rows[] = { { one, a }, { two, b } };

        assert_ptr_equal(project_proxy_find(rows, 2, "one"), a);
        assert_ptr_equal(project_proxy_find(rows, 2, "two"), b);
        assert_null(project_proxy_find(rows, 2, "three"));
        assert_null(project_proxy_find(NULL, 0, "one"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_forms),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_lengths),
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_no_proxy),
                cmocka_unit_test(test_projects),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
