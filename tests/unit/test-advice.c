/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "server/admin/internal.h"
#include "pool-keys.h"
#include "noon.h"

/* 2026-11-22, noon in Los Angeles. */

typedef struct KeyRow {
        const char *secret, *name, *project;
        bool disabled;
} KeyRow;

/* So many requests on a model, each of which came to this; a key each, as the pool spreads them. */
typedef struct ToldRow {
        const char *model;
        VerdictClass class;
        size_t n;
        const char *message;
        usec_t retry_after;
} ToldRow;

static Pool *pool_of(const KeyRow *keys, const ToldRow *told) {
        Pool *p;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        for (; keys->secret; keys++) {
                _cleanup_(secret_unrefp) Secret *s = NULL;

                assert_int_equal(secret_new(keys->secret, strlen(keys->secret), &s), 0);
                assert_int_equal(pool_add_key(p, s, keys->name, keys->project, keys->disabled), 0);
        }
        for (; told->model; told++)
                for (size_t i = 0; i < told->n; i++) {
                        Verdict v;
                        Lease lease;

                        verdict_init(&v, told->class, 0, told->message);
                        v.retry_after = told->retry_after;
                        assert_int_equal(pool_pick(p, told->model, NULL, 0, NOON, &lease, NULL), 0);
                        pool_report(p, &lease, &v, NULL, NOON);
                }
        return p;
}

#define A                                                                                                   \
        { "AIzaSy0000000000000000aaaa", "home" }
#define B                                                                                                   \
        { "AIzaSy0000000000000000bbbb" }
#define C                                                                                                   \
        { "AIzaSy0000000000000000cccc" }

static void on_head(Advice *a _unused_, void *userdata) {
        jwrite_array(userdata, NULL);
}

static void advise(JWriter *w, Pool *p) {
        Advice *a;

        assert_int_equal(manage_advice_new(p, zone, on_head, w, &a), 0);
        while (manage_advice_step(a, w, NOON) > 0)
                ;
        jwrite_end(w);
        manage_advice_free(a);
}

static void test_advice(void **state) {
        static const struct {
                KeyRow keys[6];
                ToldRow told[4];
                const char *advice[5];
        } rows[] = {
                { {}, {}, { "There is no key: set API_KEYS." } },
                { { { "AIzaSy0000000000000000aaaa", NULL, NULL, true } },
                  {},
                  { "Every key is disabled: enable one in API_KEYS, or add one." } },
                { { A },
                  {},
                  { "There is only one key: when its quota is spent or Google refuses it, every client is "
                    "turned away. "
                    "Add one of another Google project." } },
                { { A, B }, { { "m", VERDICT_OK, 5 } }, { "Nothing needs doing: all 2 keys can serve." } },
                { { A, B, { "AIzaSy0000000000000000dddd", NULL, NULL, true } },
                  {},
                  { "1 key is disabled in API_KEYS: no request goes through it." } },
                { { { "AIzaSy0000000000000000aaaa", NULL, "p" },
                    { "AIzaSy0000000000000000bbbb", NULL, "q" },
                    { "AIzaSy0000000000000000cccc", NULL, "p" },
                    { "AIzaSy0000000000000000dddd", NULL, "q", true },
                    { "AIzaSy0000000000000000eeee" } },
                  {},
                  { "2 keys share the project p and its quota: they serve as much as one.",
                    "1 key is disabled in API_KEYS: no request goes through it." } },

                /* keys */
                { { A, B, C },
                  { { "m", VERDICT_KEY_DEAD, 1, "API key expired." } },
                  { "The key home (AIza****aaaa) is dead: Google refuses it (“invalid key: "
                    "API key expired.”). Replace "
                    "or remove it in "
                    "API_KEYS; once it is mended at Google, a reset revives it." } },
                { { A, B, C },
                  { { "m", VERDICT_OK, 1 },
                    { "m", VERDICT_BILLING, 1, "Prepayment credits are depleted." } },
                  { "The key AIza****bbbb is out of credit (“no credit: "
                    "Prepayment credits are depleted.”). Top up its "
                    "project or "
                    "lift its spending cap; then a reset revives it." } },
                { { A, B, C },
                  { { "m", VERDICT_MODEL_FOR_PROJECT, 1, "no longer available to new users" } },
                  { "m is closed to the project of the key home (AIza****aaaa): take another model, or "
                    "another "
                    "project." } },
                { { A, B },
                  { { "m", VERDICT_KEY_REFUSED, 6, "Permission denied." } },
                  { "No key can serve m now: 2 unhealthy of 2. The first one comes back at "
                    "2026-11-22T12:00:30-08:00, in "
                    "30 s.",
                    "The key home (AIza****aaaa) is set aside for m after 3 errors in a row (“key refused: "
                    "Permission denied.”). It "
                    "comes back at 2026-11-22T12:00:30-08:00, in 30 s, for one try.",
                    "The key AIza****bbbb is set aside for m after 3 errors in a row (“key refused: "
                    "Permission denied.”). It comes "
                    "back at 2026-11-22T12:00:30-08:00, in 30 s, for one try." } },

                /* models */
                { { A, B, C, { "AIzaSy0000000000000000dddd" } },
                  { { "m", VERDICT_MINUTE, 1, NULL, 38 * USEC_PER_SEC } },
                  { "m is nearing its limits: quota is spent on 1 of its 4 keys." } },
                { { A, B, C },
                  { { "m", VERDICT_MINUTE, 1, NULL, 38 * USEC_PER_SEC },
                    { "m", VERDICT_BILLING, 2, "No credit." } },
                  { "No key can serve m now: 1 cooling, 2 billing of 3. The first one comes back at "
                    "2026-11-22T12:00:38-08:00, in 38 s.",
                    "The key AIza****bbbb is out of credit (“no credit: No credit.”). Top up its project or "
                    "lift its "
                    "spending cap; then a reset revives it.",
                    "The key AIza****cccc is out of credit (“no credit: No credit.”). Top up its project or "
                    "lift its "
                    "spending cap; then a reset revives it." } },
                { { A, B, C },
                  { { "m", VERDICT_MINUTE, 2, NULL, 40 * USEC_PER_MINUTE } },
                  { "Only one key of 3 can serve m now: 2 cooling. The next one comes back at "
                    "2026-11-22T12:40:00-08:00, "
                    "in 40 min.",
                    "More than half of the keys of m rest because their quota is spent (2 of 3). About 1 "
                    "more key, each "
                    "in a separate Google project, would bring that down to half." } },
                { { A, B, C },
                  { { "m", VERDICT_DAY, 3, NULL, 45 * USEC_PER_SEC }, { "n", VERDICT_OK, 3 } },
                  { "No key can serve m now: 3 cooling of 3. The first one comes back at "
                    "2026-11-22T12:00:45-08:00, in "
                    "45 s.",
                    "More than half of the keys of m rest because their quota is spent (3 of 3). About 3 "
                    "more keys, each "
                    "in a separate Google project, would bring that down to half." } },
                { { A, B },
                  { { "m", VERDICT_OVERLOAD, 19, "overloaded" } },
                  { "Nothing needs doing: all 2 keys can serve." } },
                { { A, B },
                  { { "m", VERDICT_OVERLOAD, 5, "overloaded" }, { "m", VERDICT_OK, 15 } },
                  { "m fails often: 5 of 20 attempts. See `last_error` of its keys in /stats." } },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf out = BUF_INIT(1U << 20), expected = BUF_INIT(1U << 20);
                _cleanup_(pool_freep) Pool *p = pool_of(rows[i].keys, rows[i].told);
                JWriter w = JWRITER_INIT(&out), e = JWRITER_INIT(&expected);

                advise(&w, p);
                jwrite_array(&e, NULL);
                for (size_t k = 0; k < ELEMENTSOF(rows[i].advice) && rows[i].advice[k]; k++)
                        jwrite_string(&e, NULL, rows[i].advice[k]);
                jwrite_end(&e);
                assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
        }
}

/* However many keys are ill, the advice stays readable. */
static void test_many(void **state) {
        _cleanup_buf_ Buf out = BUF_INIT(1U << 20);
        _cleanup_(pool_freep) Pool *p = NULL;
        JWriter w = JWRITER_INIT(&out);
        const char *s;
        size_t n = 0;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_(secret_unrefp) Secret *secret = NULL;
                char text[32];

                (void) snprintf(text, sizeof(text), "AIzaSy00000000%04u", i);
                assert_int_equal(secret_new(text, strlen(text), &secret), 0);
                assert_int_equal(pool_add_key(p, secret, NULL, NULL, false), 0);
        }
        for (size_t i = 0; i < 100; i++) {
                Verdict v;
                Lease lease;

                verdict_init(&v, VERDICT_KEY_DEAD, 400, "API key not valid.");
                assert_int_equal(pool_pick(p, "m", NULL, 0, NOON, &lease, NULL), 0);
                pool_report(p, &lease, &v, NULL, NOON);
        }

        advise(&w, p);
        s = buf_cstr(&out);
        assert_non_null(
                strstr(s, "\"No key can serve m now: 100 dead of 100. The first one comes back at "));
        assert_non_null(strstr(s, "\"92 more keys are dead: /stats shows them all.\""));
        for (; (s = strstr(s, "\"The key ")); s++)
                n++;
        assert_int_equal(n, MANAGE_NAMES_MAX);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_advice),
                cmocka_unit_test(test_many),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
