/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "io/loopback.h"

static void test_host(void **state) {
        static const struct {
                const char *host;
                bool is_loopback;
        } rows[] = {
                { "localhost", true },
                { "LocalHost", true },
                { "localhost.", true },
                { "127.0.0.1", true },
                { "127.255.255.254", true },
                { "[::1]", true },
                { "[0:0:0:0:0:0:0:1]", true },
                { "[::ffff:127.0.0.1]", true },
                { "[::ffff:7f00:1]", true },

                { "", false },
                { "[", false },
                { "[]", false },
                { "127.example.com", false },
                { "127.0.0.1.example.com", false },
                { "127.0.0.1.", false },
                { "127.", false },
                { "127.0.0.256", false },
                { "localhost.example.com", false },
                { "xlocalhost", false },
                { "128.0.0.1", false },
                { "0.0.0.0", false },
                { "10.127.0.1", false },
                { "::1", false }, /* no host of a URL */
                { "[::]", false },
                { "[::2]", false },
                { "[::ffff:128.0.0.1]", false },
                { "[::1%lo]", false },
                { "[::1].example.com", false },
                { "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (loopback_is_host(rows[i].host) != rows[i].is_loopback)
                        fail_msg("%s", rows[i].host);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
