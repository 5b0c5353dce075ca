/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <netinet/in.h>
#include <sys/un.h>

#include "core/cidr.h"

static void test_address(void **state) {
        static const struct {
                const char *text;
                const char *shown; /* NULL: no address */
                bool loopback;
        } rows[] = {
                { "1.2.3.4", "1.2.3.4", false },
                { "127.0.0.1", "127.0.0.1", true },
                { "127.255.0.9", "127.255.0.9", true },
                { "128.0.0.1", "128.0.0.1", false },
                { "::1", "::1", true },
                { "0:0:0:0:0:0:0:1", "::1", true },
                { "::ffff:1.2.3.4", "1.2.3.4", false },
                { "::ffff:7f00:1", "127.0.0.1", true },
                { "::1.2.3.4", "::1.2.3.4", false }, /* compatible, not mapped: another address */
                { "::", "::", false },
                { "0.0.0.0", "0.0.0.0", false },
                { "2001:DB8::A", "2001:db8::a", false },
                { "", NULL },
                { "1.2.3", NULL },
                { "1.2.3.4.5", NULL },
                { "1.2.3.256", NULL },
                { "01.2.3.4", NULL },
                { "0x7f.0.0.1", NULL },
                { "2130706433", NULL },
                { "1.2.3.4 ", NULL },
                { " 1.2.3.4", NULL },
                { "1.2.3.4:80", NULL },
                { "[::1]", NULL },
                { "fe80::1%eth0", NULL },
                { "::ffff:1.2.3.4.5", NULL },
                { "1:2:3:4:5:6:7:8:9", NULL },
                { "localhost", NULL },
                { "*", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                char shown[ADDRESS_STRING_MAX];
                Address a;

                if (!rows[i].shown) {
                        assert_int_equal(address_parse(rows[i].text, &a), -EINVAL);
                        continue;
                }
                assert_int_equal(address_parse(rows[i].text, &a), 0);
                address_format(&a, shown);
                assert_string_equal(shown, rows[i].shown);
                assert_int_equal(address_is_loopback(&a), rows[i].loopback);
        }
}

static void test_sockaddr(void **state) {
        struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01020304) };
        struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        char shown[ADDRESS_STRING_MAX];
        Address a;

        assert_int_equal(address_from_sockaddr((struct sockaddr *) &four, &a), 0);
        address_format(&a, shown);
        assert_string_equal(shown, "1.2.3.4");
        assert_int_equal(address_from_sockaddr((struct sockaddr *) &six, &a), 0);
        address_format(&a, shown);
        assert_string_equal(shown, "::1");
        assert_int_equal(address_from_sockaddr((struct sockaddr *) &un, &a), -EAFNOSUPPORT);
}

static void test_rules(void **state) {
        static const struct {
                const char *rule;
                const char *address; /* NULL: the rule is none */
                bool match;
        } rows[] = {
                { "*", "1.2.3.4", true },
                { "all", "::1", true },
                { "ALL", "1.2.3.4", true },
                { "1.2.3.4", "1.2.3.4", true },
                { "1.2.3.4", "1.2.3.5", false },
                { "1.2.3.4", "::ffff:1.2.3.4", true },
                { "::ffff:1.2.3.4", "1.2.3.4", true },
                { "10.0.0.0/8", "10.255.255.255", true },
                { "10.0.0.0/8", "11.0.0.0", false },
                { "10.0.0.1/8", "10.9.9.9", true }, /* bits behind the mask do not matter */
                { "192.168.4.0/22", "192.168.7.255", true },
                { "192.168.4.0/22", "192.168.8.0", false },
                { "1.2.3.4/31", "1.2.3.5", true },
                { "1.2.3.4/31", "1.2.3.6", false },
                { "1.2.3.4/32", "1.2.3.4", true },
                { "0.0.0.0/0", "255.1.2.3", true },
                { "0.0.0.0/0", "::1", false },
                { "::/0", "2001:db8::1", true },
                { "::/0", "1.2.3.4", false }, /* the house does not leak how it stores IPv4 */
                { "::ffff:0:0/96", "1.2.3.4", true },
                { "::ffff:10.0.0.0/104", "10.1.2.3", true },
                { "::ffff:10.0.0.0/104", "11.1.2.3", false },
                { "2001:db8::/33", "2001:db8:7fff::1", true },
                { "2001:db8::/33", "2001:db8:8000::1", false },
                { "2001:db8::1/128", "2001:db8::1", true },
                { "2001:db8::1/128", "2001:db8::2", false },
                { "unix:", "1.2.3.4", false },
                { "", NULL },
                { "/8", NULL },
                { "10.0.0.0/", NULL },
                { "10.0.0.0/33", NULL },
                { "10.0.0.0/-1", NULL },
                { "10.0.0.0/8/8", NULL },
                { "10.0.0.0/255.0.0.0", NULL },
                { "10.0.0.0/8 ", NULL },
                { "10.0.0.0/4294967304", NULL },
                { "::/129", NULL },
                { "10.0.0.*", NULL },
                { "unix", NULL },
                { "unix:/run/x", NULL },
                { "example.com", NULL },
                { "1.2.3.4:80", NULL },
                { "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(cidr_set_done) CidrSet s = {};
                const Cidr *c;
                Address a;

                if (!rows[i].address) {
                        assert_int_equal(cidr_set_add(&s, rows[i].rule), -EINVAL);
                        assert_int_equal(s.n, 0);
                        continue;
                }
                assert_int_equal(cidr_set_add(&s, rows[i].rule), 0);
                assert_int_equal(address_parse(rows[i].address, &a), 0);
                c = cidr_set_match(&s, &a);
                if (!rows[i].match)
                        assert_null(c);
                else {
                        assert_non_null(c);
                        assert_string_equal(c->text, rows[i].rule);
                }
        }
}

static void test_ceiling(void **state) {
        _cleanup_(cidr_set_done) CidrSet s = {};

        for (unsigned i = 0; i < CIDR_RULES_MAX; i++)
                assert_int_equal(cidr_set_add(&s, "10.0.0.0/8"), 0);
        assert_int_equal(cidr_set_add(&s, "10.0.0.0/8"), -E2BIG);
        assert_int_equal(s.n, CIDR_RULES_MAX);
}

/* The proxies of these tables: one host, a network, one IPv6 host, and clients of a unix socket. */
static const char *const trusted_rules[] = { "10.0.0.0/8", "192.0.2.1", "2001:db8::1", "unix:" };

#define HOP    "10.0.0.1, "
#define HOPS4  HOP HOP HOP HOP
#define HOPS16 HOPS4 HOPS4 HOPS4 HOPS4

static void test_forwarded(void **state) {
        enum {
                UNIX = -1,
                BAD = -2,
        };
        static const struct {
                const char *peer;      /* NULL: a unix peer */
                const char *forwarded; /* all headers, joined */
                const char *client;    /* NULL: see what */
                int what;
        } rows[] = {
                /* no proxy in between */
                { "1.2.3.4", NULL, "1.2.3.4" },
                { "::1", NULL, "::1" },
                { NULL, NULL, NULL, UNIX },

                /* a peer that is not trusted may write what it likes: it is not read, garbage included */
                { "1.2.3.4", "5.6.7.8", "1.2.3.4" },
                { "1.2.3.4", "127.0.0.1, 10.0.0.1", "1.2.3.4" },
                { "1.2.3.4", "garbage", "1.2.3.4" },
                { "192.0.2.2", "127.0.0.1", "192.0.2.2" },
                { "::1", "1.2.3.4", "::1" },

                /* empty elements do not count */
                { "10.0.0.1", "", "10.0.0.1" },
                { "10.0.0.1", " , ,\t", "10.0.0.1" },
                { NULL, ",", NULL, UNIX },
                { "10.0.0.1", "5.6.7.8,", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8, , 10.0.0.2 , ", "5.6.7.8" },
                { "10.0.0.1", ",5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", ", 10.0.0.2", "10.0.0.2" },
                { "10.0.0.1", "5.6.7.8, x,", NULL, BAD },

                /* a trusted peer without the header is the client itself */
                { "10.0.0.1", NULL, "10.0.0.1" },

                /* one proxy, several proxies, several headers */
                { "10.0.0.1", "5.6.7.8", "5.6.7.8" },
                { "10.9.9.9", "5.6.7.8", "5.6.7.8" },
                { "::ffff:10.0.0.1", "5.6.7.8", "5.6.7.8" }, /* 10.0.0.1 on a dual-stack socket */
                { "2001:db8::1", "2001:db8::2", "2001:db8::2" },
                { NULL, "5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8, 10.0.0.2", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8, 10.0.0.2, 192.0.2.1", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8,10.0.0.2,192.0.2.1", "5.6.7.8" },
                { "10.0.0.1", "9.9.9.9, 5.6.7.8, 10.0.0.2", "5.6.7.8" },

                /* entries on the left were written by the client and do not count */
                { "10.0.0.1", "127.0.0.1, 5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", "10.0.0.9, 5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", "::1, 127.0.0.1, 10.0.0.1, 5.6.7.8, 10.0.0.3", "5.6.7.8" },
                { "10.0.0.1", "garbage, 5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", ",,,,5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", "[, %00, 5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", "unknown, 5.6.7.8, 10.0.0.2", "5.6.7.8" },

                /* all hops are ours: the leftmost is the client */
                { "10.0.0.1", "10.0.0.2", "10.0.0.2" },
                { "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3" },
                { NULL, "10.0.0.3, 192.0.2.1", "10.0.0.3" },

                /* ports, brackets, mapped addresses, white space */
                { "10.0.0.1", "5.6.7.8:1234", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8:65535", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8:0", "5.6.7.8" },
                { "10.0.0.1", "2001:db8::2", "2001:db8::2" },
                { "10.0.0.1", "[2001:db8::2]", "2001:db8::2" },
                { "10.0.0.1", "[2001:db8::2]:443", "2001:db8::2" },
                { "10.0.0.1", "::ffff:5.6.7.8", "5.6.7.8" },
                { "10.0.0.1", "[::ffff:5.6.7.8]:80", "5.6.7.8" },
                { "10.0.0.1", "1111:2222:3333:4444:5555:6666:7777:8888",
                  "1111:2222:3333:4444:5555:6666:7777:8888" },
                { "10.0.0.1", "5.6.7.8, 10.0.0.2:80", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8, [::ffff:10.0.0.2]:80", "5.6.7.8" },
                { "10.0.0.1", "5.6.7.8, [2001:db8::1]", "5.6.7.8" },
                { "10.0.0.1", " \t5.6.7.8\t , \t10.0.0.2 ", "5.6.7.8" },

                /* a hop that has to be read and is none */
                { "10.0.0.1", "5.6.7.8, unknown", NULL, BAD },
                { "10.0.0.1", "unknown", NULL, BAD },
                { "10.0.0.1", "_hidden", NULL, BAD },
                { "10.0.0.1", "_hidden, 10.0.0.2", NULL, BAD },
                { "10.0.0.1", "unix:", NULL, BAD },
                { "10.0.0.1", "localhost", NULL, BAD },
                { "10.0.0.1", "fe80::1%eth0", NULL, BAD },
                { "10.0.0.1", "[fe80::1%25eth0]", NULL, BAD },
                { "10.0.0.1", "5.6.7.8:", NULL, BAD },
                { "10.0.0.1", "5.6.7.8:x", NULL, BAD },
                { "10.0.0.1", "5.6.7.8:65536", NULL, BAD },
                { "10.0.0.1", "5.6.7.8:000080", NULL, BAD },
                { "10.0.0.1", "5.6.7.8:-1", NULL, BAD },
                { "10.0.0.1", "5.6.7.8 :80", NULL, BAD },
                { "10.0.0.1", "5.6.7.8 9.9.9.9", NULL, BAD },
                { "10.0.0.1", "5.6.7.8;9.9.9.9", NULL, BAD },
                { "10.0.0.1", "5.6.7", NULL, BAD },
                { "10.0.0.1", "05.6.7.8", NULL, BAD },
                { "10.0.0.1", "\"5.6.7.8\"", NULL, BAD },
                { "10.0.0.1", "for=5.6.7.8", NULL, BAD },
                { "10.0.0.1", "[5.6.7.8]", NULL, BAD },
                { "10.0.0.1", "[::2", NULL, BAD },
                { "10.0.0.1", "::2]", NULL, BAD },
                { "10.0.0.1", "[::2]x", NULL, BAD },
                { "10.0.0.1", "[::2]:", NULL, BAD },
                { "10.0.0.1", "[]", NULL, BAD },
                { "10.0.0.1", "[]:80", NULL, BAD },
                { "10.0.0.1", "[[::2]]", NULL, BAD },
                { "10.0.0.1", "*", NULL, BAD },
                { "10.0.0.1", "10.0.0.0/8", NULL, BAD },
                { "10.0.0.1", "5.6.7.8\r\n", NULL, BAD },
                { "10.0.0.1",
                  "55555555555555555555555555555555555555555555555555555555555555555555555555555555555555",
                  NULL, BAD },

                /* a chain too long to be honest; but only hops that have to be read count */
                { "10.0.0.1", "5.6.7.8, " HOPS16 HOPS4 HOPS4 HOPS4 HOP HOP "10.0.0.1", "5.6.7.8" }, /* 32 */
                { "10.0.0.1", "5.6.7.8, " HOPS16 HOPS4 HOPS4 HOPS4 HOP HOP HOP "10.0.0.1", NULL, BAD },
                { "10.0.0.1", HOPS16 HOPS16 HOPS16 "5.6.7.8", "5.6.7.8" },
        };
        _cleanup_(cidr_set_done) CidrSet trusted = {};

        for (size_t i = 0; i < ELEMENTSOF(trusted_rules); i++)
                assert_int_equal(cidr_set_add(&trusted, trusted_rules[i]), 0);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Address peer, client = {};
                char shown[ADDRESS_STRING_MAX];
                int r;

                if (rows[i].peer)
                        assert_int_equal(address_parse(rows[i].peer, &peer), 0);
                r = cidr_client_address(&trusted, rows[i].peer ? &peer : NULL, rows[i].forwarded, &client);
                if (rows[i].client) {
                        address_format(&client, shown);
                        if (r != 0 || strcmp(shown, rows[i].client) != 0)
                                print_message("row %zu: %s\n", i, rows[i].forwarded);
                        assert_int_equal(r, 0);
                        assert_string_equal(shown, rows[i].client);
                } else {
                        if (r != (rows[i].what == UNIX ? CIDR_E_UNIX : CIDR_E_MALFORMED))
                                print_message("row %zu: %s\n", i, rows[i].forwarded);
                        assert_int_equal(r, rows[i].what == UNIX ? CIDR_E_UNIX : CIDR_E_MALFORMED);
                }
        }
}

/* By default no proxy is trusted. */
static void test_forwarded_untrusted(void **state) {
        _cleanup_(cidr_set_done) CidrSet none = {};
        char shown[ADDRESS_STRING_MAX];
        Address peer, client;

        assert_int_equal(cidr_client_address(&none, NULL, "5.6.7.8", &client), CIDR_E_UNIX);
        assert_int_equal(address_parse("127.0.0.1", &peer), 0);
        assert_int_equal(cidr_client_address(&none, &peer, "5.6.7.8", &client), 0);
        address_format(&client, shown);
        assert_string_equal(shown, "127.0.0.1");
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_address),   cmocka_unit_test(test_sockaddr),
                cmocka_unit_test(test_rules),     cmocka_unit_test(test_ceiling),
                cmocka_unit_test(test_forwarded), cmocka_unit_test(test_forwarded_untrusted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
