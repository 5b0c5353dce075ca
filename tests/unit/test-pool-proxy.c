/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "noon.h"
#include "pool-keys.h"

/* Which proxy a key's calls go through. */

static Proxy *proxy(const char *text) {
        Proxy *p;

        assert_int_equal(proxy_new(text, strlen(text), &p), 0);
        return p;
}

typedef struct Named {
        const char *project, *proxy; /* or NULL */
} Named;

/* Sets two keys, each a new object, as a reload does. */
static PoolChange set(Pool *p, const Named rows[static 2]) {
        PoolKeyWanted keys[2] = {};
        PoolChange change;

        for (size_t i = 0; i < 2; i++) {
                const char *text = i == 0 ? "AIzaSy-the-first-key" : "AIzaSy-the-second-key";

                keys[i].project = rows[i].project;
                keys[i].proxy = rows[i].proxy ? proxy(rows[i].proxy) : NULL;
                assert_int_equal(secret_new(text, strlen(text), &keys[i].secret), 0);
        }
        assert_int_equal(pool_set_keys(p, keys, 2, NOON, &change), 0);
        for (size_t i = 0; i < 2; i++) {
                secret_unref(keys[i].secret);
                proxy_unref(keys[i].proxy);
        }
        return change;
}

static const char *used(const Pool *p, size_t i) {
        const Proxy *q = pool_key_proxy(p, pool_key(p, i));

        return q ? proxy_shown(q) : "-";
}

static void test_precedence(void **state) {
        _cleanup_(proxy_unrefp) Proxy *others = proxy("others:1080"), *one = proxy("one:1080"),
                                      *none = proxy("none");
        char name_one[] = "one", name_none[] = "zero";
        const ProjectProxy rows[] = { { name_one, one }, { name_none, none } };
        const PoolProxies all = { others, rows, 2 };
        static const struct {
                Named keys[2];
                const char *used[2], *without[2]; /* without UPSTREAM_PROXY and PROJECT_PROXIES */
        } table[] = {
                { { { NULL, NULL }, { "two", NULL } }, { "http://others:1080", "http://others:1080" },
                  { "-", "-" } },
                { { { "one", NULL }, { "zero", NULL } }, { "http://one:1080", "-" }, { "-", "-" } },
                { { { NULL, "own:1080" }, { NULL, "none" } }, { "http://own:1080", "-" },
                  { "http://own:1080", "-" } },
                { { { NULL, "a:b@own:1080" }, { NULL, "new:1080" } },
                  { "http://own:1080", "http://new:1080" },
                  { "http://own:1080", "http://new:1080" } },
        };
        Pool *p;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                PoolChange change = set(p, table[i].keys);

                assert_int_equal(change.n_kept, i == 0 ? 0 : 2);
                for (size_t k = 0; k < 2; k++) {
                        pool_set_proxies(p, &all);
                        assert_string_equal(used(p, k), table[i].used[k]);
                        pool_set_proxies(p, &(PoolProxies){});
                        assert_string_equal(used(p, k), table[i].without[k]);
                }
        }
        pool_free(p);
}

static char explained[2048];

static void on_reason(const PoolReason *r, void *userdata) {
        size_t n = strlen(explained);

        (void) snprintf(explained + n, sizeof(explained) - n, "%s\n", r->sentence);
}

/* A project that Google names has its proxy from then on. The sentence is whole with the longest name. */
static void test_learned(void **state) {
        _cleanup_(proxy_unrefp) Proxy *others = proxy("others:1080"), *one = NULL;
        char name[] = "projects/1", host[300];
        ProjectProxy rows[] = { { name, NULL } };
        Pool *p;
        Lease lease;
        Verdict v;

        (void) snprintf(host, sizeof(host), "me:secret@%0255d:1080", 0);
        rows[0].proxy = one = proxy(host);
        assert_int_equal(pool_new(zone, NOON, &p), 0);
        (void) set(p, (Named[2]){});
        pool_set_proxies(p, &(PoolProxies){ others, rows, 1 });
        assert_string_equal(used(p, 0), "http://others:1080");
        assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, &lease, NULL), 0);
        verdict_init(&v, VERDICT_DAY, 429, NULL);
        (void) snprintf(v.consumer, sizeof(v.consumer), "%s", name);
        pool_report(p, &lease, &v, NULL, NOON);
        for (usec_t at = NOON; !strstr(used(p, 0), "0000") && at < NOON + USEC_PER_HOUR;
             at += USEC_PER_MINUTE)
                (void) pool_usable_keys(p, at);
        assert_string_equal(used(p, 0), proxy_shown(one));
        assert_string_equal(used(p, 1), "http://others:1080");

        assert_int_equal(pool_explain(p, "m", NOON + USEC_PER_HOUR, on_reason, NULL), 0);
        assert_non_null(strstr(explained, "0000:1080"));
        assert_non_null(strstr(explained, "through the proxy http://others:1080"));
        assert_null(strstr(explained, "secret"));
        pool_free(p);
}

/* A proxy of a project that fails is no fault of the model's, but others come first: unless gemgate itself
 * had no means to try it. */
static void test_cut_off(void **state) {
        static const Named named[] = { { NULL, "one:1" }, { NULL, "two:1" } };

        for (size_t i = 0; i < 3; i++) {
                bool with = i > 0, is_own = i > 1;
                const PoolKey *first;
                Lease lease;
                Verdict v;
                Pool *p;

                assert_int_equal(pool_new(zone, NOON, &p), 0);
                (void) set(p, with ? named : (const Named[2]){});
                assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, &lease, NULL), 0);
                first = lease.key;
                verdict_init(&v, VERDICT_UNREACHABLE, 0, NULL);
                v.is_own = is_own;
                pool_report(p, &lease, &v, NULL, NOON);
                verdict_init(&v, VERDICT_OK, 200, NULL);
                for (usec_t k = 1; k < 3; k++) {
                        assert_int_equal(pool_pick(p, "m", NULL, 0, NOON + k, &lease, NULL), 0);
                        assert_true((lease.key == first) == (k == 2 && (!with || is_own)));
                        pool_report(p, &lease, &v, NULL, NOON + k);
                }
                pool_free(p);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_precedence),
                cmocka_unit_test(test_learned),
                cmocka_unit_test(test_cut_off),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
