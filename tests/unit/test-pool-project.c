/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "pool-keys.h"
#include "noon.h"

/* Projects and model names in Google's answers, and the warning before a day is used up. */


static char heard[4096];

static void on_project_learned(const PoolKey *k, const char *project, size_t n_others, void *userdata) {
        size_t n = strlen(heard);

        (void) snprintf(heard + n, sizeof(heard) - n, "%s in %s with %zu; ", pool_key_id(k), project,
                        n_others);
}

static void on_quota_warning(const PoolKey *k, const char *project, const char *model, uint64_t used,
                             uint64_t limit, void *userdata) {
        size_t n = strlen(heard);

        (void) snprintf(heard + n, sizeof(heard) - n, "%s of %s: %u/%u of %s; ", pool_key_id(k),
                        project ?: "-", (unsigned) used, (unsigned) limit, model);
}

static void on_reason(const PoolReason *r, void *userdata) {
        size_t n = strlen(heard);

        (void) snprintf(heard + n, sizeof(heard) - n, "%s %d; ", pool_key_id(r->key),
                        strstr(r->sentence, "same second") != NULL);
}

static const PoolObserver observer = {
        .project_learned = on_project_learned,
        .quota_warning = on_quota_warning,
};

static void add(Pool *p, const char *name, const char *project) {
        char text[64];
        Secret *s;

        (void) snprintf(text, sizeof(text), "AIzaSyProject-%s-0123456789", name);
        assert_int_equal(secret_new(text, strlen(text), &s), 0);
        assert_int_equal(pool_add_key(p, s, name, project, false), 0);
        s = secret_unref(s);
}

static Pool *pool_with(const char *names) {
        Pool *p;

        heard[0] = 0;
        assert_int_equal(pool_new(zone, NOON, &p), 0);
        pool_set_observer(p, &observer, NULL);
        for (; *names; names++)
                add(p, (char[]){ *names, 0 }, NULL);
        return p;
}

/* The first pick, with the row's verdict. */
static const char *ask_at(Pool *p, const char *model, VerdictClass class, const char *consumer,
                          const char *counted_as, usec_t now) {
        static char id[POOL_KEY_ID_MAX + 1];
        Lease lease;
        Verdict v;

        if (pool_pick(p, model, NULL, 0, now, &lease, NULL) != 0)
                return "none";
        (void) snprintf(id, sizeof(id), "%s", pool_key_id(lease.key));
        verdict_init(&v, class, 0, NULL);
        (void) snprintf(v.consumer, sizeof(v.consumer), "%s", strempty(consumer));
        (void) snprintf(v.model, sizeof(v.model), "%s", strempty(counted_as));
        pool_report(p, &lease, &v, NULL, now);
        return id;
}

static const char *ask(Pool *p, const char *model, VerdictClass class, const char *consumer,
                       const char *counted_as) {
        return ask_at(p, model, class, consumer, counted_as, NOON);
}

/* The first named key is alone; the second shares its project, and a spent quota holds for both. */
static void test_learned(void **state) {
        _cleanup_(pool_freep) Pool *p = pool_with("abc");
        PoolKeyView v;

        assert_string_equal(ask(p, "m", VERDICT_KEY_REFUSED, "projects/1", NULL), "a");
        assert_string_equal(heard, "");
        assert_string_equal(ask(p, "m", VERDICT_DAY, "projects/1", NULL), "b");
        assert_string_equal(heard, "b in projects/1 with 1; ");
        /* b's spent quota is a's: a is skipped without being asked. */
        assert_string_equal(ask(p, "m", VERDICT_OK, NULL, NULL), "c");
        assert_string_equal(ask(p, "m", VERDICT_OK, NULL, NULL), "c");
        pool_key_view(p, pool_key(p, 0), NOON, &v);
        assert_string_equal(v.project, "projects/1");

        /* Notified once, and kept. */
        assert_string_equal(ask_at(p, "m", VERDICT_DAY, "projects/1", NULL, NOON + USEC_PER_HOUR), "a");
        assert_string_equal(heard, "b in projects/1 with 1; ");
        /* Suspended as one. */
        assert_string_equal(ask_at(p, "n", VERDICT_PROJECT_DEAD, "projects/1", NULL, NOON + USEC_PER_HOUR),
                            "a");
        assert_int_equal(pool_usable_keys(p, NOON + USEC_PER_HOUR), 1);
}

/* Refused together is not of one project. */
static void test_coincidence(void **state) {
        _cleanup_(pool_freep) Pool *p = pool_with("abc");

        assert_string_equal(ask(p, "m", VERDICT_DAY, NULL, NULL), "a");
        assert_string_equal(ask(p, "m", VERDICT_DAY, NULL, NULL), "b");
        assert_string_equal(ask(p, "m", VERDICT_OK, NULL, NULL), "c");
        assert_string_equal(heard, "");
        assert_true(pool_key(p, 0)->project != pool_key(p, 1)->project);

        /* But a later query shows it. */
        assert_int_equal(pool_explain(p, "m", NOON, on_reason, NULL), 0);
        assert_string_equal(heard, "c 0; a 1; b 1; ");
}

static void test_configuration_wins(void **state) {
        _cleanup_(pool_freep) Pool *p = pool_with("a");
        PoolKeyWanted wanted[3] = {};
        PoolChange change;

        add(p, "b", "red");
        add(p, "c", NULL);
        for (unsigned i = 0; i < 3; i++)
                assert_string_equal(ask(p, "m", VERDICT_DAY, "projects/7", NULL),
                                    ((const char *[]){ "a", "b", "c" })[i]);
        assert_string_equal(heard, "c in projects/7 with 1; ");
        assert_string_equal(pool_key(p, 1)->project->name, "red");

        /* A reload without projects: b is in the learned one. One with projects: the configuration wins. */
        for (unsigned i = 0; i < 3; i++)
                wanted[i] = (PoolKeyWanted){ .secret = pool_key_secret(pool_key(p, i)) };
        assert_int_equal(pool_set_keys(p, wanted, 3, NOON, &change), 0);
        for (unsigned i = 0; i < 3; i++)
                assert_string_equal(pool_key(p, i)->project->name, "projects/7");
        for (unsigned i = 0; i < 3; i++)
                wanted[i].project = "green";
        assert_int_equal(pool_set_keys(p, wanted, 3, NOON, &change), 0);
        for (unsigned i = 0; i < 3; i++)
                assert_string_equal(pool_key(p, i)->project->name, "green");
}

/* An alias and its target share a quota, once Google has shown that. */
static void test_alias(void **state) {
        static char model[] = "target";
        static const CeilingRow rows[] = { { model, NULL, { [CEILING_RPD] = 5 } } };
        _cleanup_(pool_freep) Pool *p = pool_with("a");
        Lease lease;
        Verdict v;

        pool_set_limits(p, rows, 1, NOON);
        assert_string_equal(ask(p, "latest", VERDICT_OK, NULL, NULL), "a");
        assert_string_equal(ask(p, "target", VERDICT_OK, NULL, NULL), "a");
        assert_string_equal(ask(p, "latest", VERDICT_MINUTE, NULL, "target"), "a");
        assert_string_equal(ask(p, "target", VERDICT_OK, NULL, NULL), "none");

        /* One probe for both; and together they have five requests a day, of which two are left. */
        assert_int_equal(pool_pick(p, "target", NULL, 0, NOON + USEC_PER_HOUR, &lease, NULL), 0);
        assert_string_equal(ask_at(p, "latest", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "none");
        verdict_init(&v, VERDICT_OK, 0, NULL);
        pool_report(p, &lease, &v, NULL, NOON + USEC_PER_HOUR);
        assert_string_equal(ask_at(p, "latest", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "a");
        assert_string_equal(ask_at(p, "latest", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "a");
        assert_string_equal(ask_at(p, "latest", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "none");
        assert_string_equal(ask_at(p, "target", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "none");
        assert_string_equal(ask_at(p, "other", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "a");

        /* Google moves its aliases: this one now points to another model. */
        pool_model_learn_name(p, pool_model_find(p, "latest"), "newer");
        assert_string_equal(ask_at(p, "latest", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "a");
        assert_string_equal(ask_at(p, "target", VERDICT_OK, NULL, NULL, NOON + USEC_PER_HOUR), "none");
}

static void test_warning(void **state) {
        static char model[] = "m";
        static const CeilingRow rows[] = { { model, NULL, { [CEILING_RPD] = 5 } } };
        _cleanup_(pool_freep) Pool *p = pool_with("a");

        pool_set_limits(p, rows, 1, NOON);
        pool_set_warn_at(p, 80);
        for (unsigned i = 0; i < 3; i++)
                assert_string_equal(ask(p, "m", VERDICT_OK, NULL, NULL), "a");
        assert_string_equal(heard, "");
        for (unsigned i = 0; i < 2; i++)
                assert_string_equal(ask(p, "m", VERDICT_OK, NULL, NULL), "a");
        assert_string_equal(heard, "a of -: 4/5 of m; ");

        /* Once each day, and never when it is off. */
        for (unsigned i = 0; i < 5; i++)
                (void) ask_at(p, "m", VERDICT_OK, NULL, NULL, NOON + USEC_PER_DAY);
        assert_string_equal(heard, "a of -: 4/5 of m; a of -: 4/5 of m; ");
        pool_set_warn_at(p, 0);
        for (unsigned i = 0; i < 5; i++)
                (void) ask_at(p, "m", VERDICT_OK, NULL, NULL, NOON + 2 * USEC_PER_DAY);
        assert_string_equal(heard, "a of -: 4/5 of m; a of -: 4/5 of m; ");
}

/* In a large pool what is learned within ten seconds is one step. */
static void test_large(void **state) {
        _cleanup_(pool_freep) Pool *p = pool_with("");
        unsigned n_together = 0;

        for (unsigned i = 0; i < 300; i++) {
                char name[8];

                (void) snprintf(name, sizeof(name), "k%03u", i);
                add(p, name, NULL);
        }
        for (unsigned i = 0; i < 300; i++)
                (void) ask_at(p, "m", VERDICT_KEY_REFUSED, "projects/1", NULL, NOON + i);
        assert_true(pool_key(p, 200)->project != pool_key(p, 201)->project);
        (void) ask_at(p, "m", VERDICT_OK, NULL, NULL, NOON + 11 * USEC_PER_SEC);
        for (unsigned i = 0; i < 300; i++)
                n_together += pool_key(p, i)->project == pool_key(p, 0)->project;
        assert_int_equal(n_together, 300);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_learned),
                cmocka_unit_test(test_coincidence),
                cmocka_unit_test(test_configuration_wins),
                cmocka_unit_test(test_alias),
                cmocka_unit_test(test_warning),
                cmocka_unit_test(test_large),
        };

        return cmocka_run_group_tests_name("pool-project", tests, setup, teardown);
}
