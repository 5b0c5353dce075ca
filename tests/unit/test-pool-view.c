/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "pool/admin.h"
#include "pool-keys.h"
#include "noon.h"

/* Views: names and masks, counters, days, errors; and how a reset finds its keys. */


static int add(Pool *p, const char *text, const char *name, const char *project, bool disabled) {
        _cleanup_(secret_unrefp) Secret *s = NULL;

        assert_int_equal(secret_new(text, strlen(text), &s), 0);
        return pool_add_key(p, s, name, project, disabled);
}

static void ask(Pool *p, const char *model, VerdictClass class, const char *message, const Usage *usage,
                usec_t now) {
        Lease lease;
        Verdict v;

        verdict_init(&v, class, 0, message);
        assert_int_equal(pool_pick(p, model, NULL, 0, now, &lease, NULL), 0);
        pool_report(p, &lease, &v, usage, now);
}

static PoolKeyView view(Pool *p, size_t i, usec_t now) {
        PoolKeyView v;

        pool_key_view(p, pool_key(p, i), now, &v);
        return v;
}

static void test_masks(void **state) {
        static const struct {
                const char *text, *name, *mask;
        } rows[] = {
                { "AIzaSy-first-1111-abcd", "one", "AIza****abcd" },
                { "AIzaSy-other-1111-wxyz", NULL, "AIza****wxyz" },
                { "AIzaSy-second-111-abcd", NULL, "AIza****abcd#2" },
                { "AIzaSy-third-1111-abcd", "one", "AIza****abcd#3" },
                { "short", NULL, "****" },
                { "tiny", "AIza****wxyz", "****#2" },
        };
        static const struct {
                const char *pattern;
                int r; /* of a reset, every key being dead */
        } patterns[] = {
                { NULL, 6 },
                { "AIza****abcd", 3 },
                { "AIza****abcd#1", 1 },
                { "AIza****abcd#2", 1 },
                { "AIza****abcd#3", 1 },
                { "AIza****abcd#4", -ENXIO },
                { "AIza****abcd#", -ENXIO },
                { "AIza****abc", -ENXIO },
                { "AIza****wxyz", 2 }, /* one's mask is another's name */
                { "AIza****wxyz#1", 1 },
                { "one", 2 },
                { "****", 2 },
                { "****#2", 1 },
                { "", -ENXIO },
                { "AIzaSy-first-1111-abcd", -ENXIO }, /* the key itself is no pattern */
        };

        for (size_t i = 0; i < ELEMENTSOF(patterns); i++) {
                _cleanup_(pool_freep) Pool *p = NULL;

                assert_int_equal(pool_new(zone, NOON, &p), 0);
                for (size_t j = 0; j < ELEMENTSOF(rows); j++) {
                        assert_int_equal(add(p, rows[j].text, rows[j].name, NULL, false), 0);
                        assert_string_equal(view(p, j, NOON).mask, rows[j].mask);
                        assert_true(secret_equal(pool_key_secret(pool_key(p, j)), rows[j].text,
                                                 strlen(rows[j].text)));
                        ask(p, "m", VERDICT_KEY_DEAD, NULL, NULL, NOON);
                }
                assert_int_equal(pool_n_keys(p), ELEMENTSOF(rows));
                assert_null(pool_key(p, ELEMENTSOF(rows)));
                assert_int_equal(pool_usable_keys(p, NOON), 0);
                if (pool_reset(p, patterns[i].pattern, NULL, NOON) != patterns[i].r)
                        fail_msg("%s", strempty(patterns[i].pattern));
                assert_int_equal(pool_usable_keys(p, NOON), MAX(patterns[i].r, 0));
        }
}

static void test_add(void **state) {
        _cleanup_(pool_freep) Pool *p = NULL;

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        assert_int_equal(add(p, "AIzaSy-first-1111-abcd", NULL, NULL, true), 0);
        assert_int_equal(add(p, "AIzaSy-first-1111-abcd", "other", "p", false), -EEXIST);
        assert_int_equal(pool_n_keys(p), 1);
        assert_int_equal(view(p, 0, NOON).state, POOL_DISABLED);
        assert_null(view(p, 0, NOON).name);
        assert_null(view(p, 0, NOON).project);

        /* Keys that come later are found by models that exist: in a new project, in one that was there, in
         * one that had a disabled key only. */
        assert_int_equal(add(p, "AIzaSy-second-111-abcd", "b", "red", true), 0);
        assert_int_equal(add(p, "AIzaSy-third-1111-abcd", "c", NULL, false), 0);
        ask(p, "m", VERDICT_OK, NULL, NULL, NOON);
        assert_int_equal(add(p, "AIzaSy-fourth-111-abcd", "d", "red", false), 0);
        assert_int_equal(pool_usable_keys(p, NOON), 2);
        ask(p, "m", VERDICT_OK, NULL, NULL, NOON);
        assert_int_equal(add(p, "AIzaSy-fifth-1111-abcd", "e", "red", false), 0);
        ask(p, "m", VERDICT_OK, NULL, NULL, NOON);
        for (size_t i = 2; i < 5; i++)
                assert_int_equal(view(p, i, NOON).counters.total, 1);
        assert_string_equal(view(p, 4, NOON).project, "red");

        /* A key that joins a project out of credit is out of credit, too. */
        ask(p, "m", VERDICT_OK, NULL, NULL, NOON);
        ask(p, "m", VERDICT_BILLING, NULL, NULL, NOON);
        assert_int_equal(add(p, "AIzaSy-sixth-1111-abcd", "f", "red", false), 0);
        assert_int_equal(view(p, 5, NOON).state, POOL_BILLING);
        assert_int_equal(pool_usable_keys(p, NOON), 1);
        assert_int_equal(pool_reset(p, "f", NULL, NOON), 1);
        assert_int_equal(pool_usable_keys(p, NOON), 4);
}

/* The day is the zone's: 24 hours, but 25 and 23 where daylight saving ends and begins. */
static void test_days(void **state) {
        static const struct {
                usec_t seconds;
                unsigned hours;
        } rows[] = {
                { 1795334400, 24 },     /* 2026-11-22T00:00-08:00 */
                { 1795334400 - 1, 24 }, /* the second before: still the day before */
                { 1793516400, 25 },     /* 2026-11-01T00:00-07:00 */
                { 1793516400 + 90000 - 1, 25 },
                { 1805011200, 23 }, /* 2027-03-14T00:00-08:00 */
                { 1805011200 + 82800 - 1, 23 },
                { 1805011200 + 82800, 24 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(pool_freep) Pool *p = NULL;
                usec_t now = rows[i].seconds * USEC_PER_SEC;
                PoolKeyView v;

                assert_int_equal(pool_new(zone, now, &p), 0);
                assert_int_equal(add(p, "AIzaSy-first-1111-abcd", NULL, NULL, false), 0);
                ask(p, "m", VERDICT_OK, NULL, NULL, now);
                v = view(p, 0, now);
                assert_int_equal(v.next_reset - v.last_reset, rows[i].hours * USEC_PER_HOUR);
                assert_in_range(now, v.last_reset, v.next_reset - 1);

                assert_int_equal(view(p, 0, v.next_reset - 1).counters.today, 1);
                assert_int_equal(view(p, 0, v.next_reset).counters.today, 0);
                assert_int_equal(view(p, 0, v.next_reset).last_reset, v.next_reset);
                assert_int_equal(view(p, 0, v.next_reset).counters.total, 1);
        }
}

typedef struct Seen {
        char models[64];
        PoolSlotView slot;
        PoolModelView model;
        char last_error[512];
} Seen;

static void see_name(Seen *s, const char *name) {
        size_t n = strlen(s->models);

        (void) snprintf(s->models + n, sizeof(s->models) - n, "%s ", name);
}

static void see_slot(const PoolSlotView *v, void *userdata) {
        Seen *s = userdata;

        see_name(s, v->model);
        (void) snprintf(s->last_error, sizeof(s->last_error), "%s", strempty(v->last_error));
        s->slot = *v;
}

static void see_model(const PoolModelView *v, void *userdata) {
        Seen *s = userdata;

        see_name(s, v->name);
        s->model = *v;
}

static void test_counters(void **state) {
        static const Usage usage = {
                .prompt = 10, .cached = 4, .completion = 7, .thoughts = 2, .total = 17,
        };
        _cleanup_(pool_freep) Pool *p = NULL;
        char text[2 * SLOT_ERROR_MAX];
        PoolCounters all;
        PoolChange change;
        Seen seen = {};

        assert_int_equal(pool_new(zone, NOON, &p), 0);
        assert_int_equal(add(p, "AIzaSy-first-1111-abcd", NULL, NULL, false), 0);
        assert_int_equal(add(p, "AIzaSy-second-111-abcd", NULL, NULL, true), 0);

        pool_each_slot(p, pool_key(p, 0), NOON, see_slot, &seen);
        pool_each_model(p, NOON, see_model, &seen);
        assert_string_equal(seen.models, "");
        assert_int_equal(view(p, 0, NOON).counters.last_used, 0);

        ask(p, "z", VERDICT_OK, NULL, &usage, NOON);
        ask(p, "a", VERDICT_OK, NULL, &usage, NOON + 1);
        ask(p, "a", VERDICT_CUT, "broke off", &usage, NOON + 2); /* what it used is counted all the same */
        ask(p, "a", VERDICT_REQUEST, "your fault", NULL, NOON + 3);
        pool_each_slot(p, pool_key(p, 0), NOON + 3, see_slot, &seen);
        assert_string_equal(seen.models, "z a "); /* in the order of first use */
        assert_int_equal(seen.slot.counters.total, 3);
        assert_int_equal(seen.slot.counters.today, 3);
        assert_int_equal(seen.slot.counters.errors, 1);
        assert_int_equal(seen.slot.counters.tokens_in, 20);
        assert_int_equal(seen.slot.counters.tokens_out, 14);
        assert_int_equal(seen.slot.counters.last_used, NOON + 3);
        assert_string_equal(seen.last_error, "answer broke off: broke off");
        assert_int_equal(view(p, 0, NOON + 3).counters.total, 4);
        assert_int_equal(view(p, 0, NOON + 3).counters.errors, 1);
        assert_int_equal(view(p, 0, NOON + 3).counters.tokens_in, 30);

        /* The last error: the message, cut between characters; else the class. */
        memset(text, 'a', sizeof(text));
        memcpy(text + SLOT_ERROR_MAX - 2 - strlen("overloaded: "), "\xC3\xA9", 2);
        text[sizeof(text) - 1] = 0;
        ask(p, "a", VERDICT_OVERLOAD, text, NULL, NOON + 4);
        pool_each_slot(p, pool_key(p, 0), NOON + 4, see_slot, &seen);
        assert_int_equal(strlen(seen.last_error), SLOT_ERROR_MAX - 2);
        ask(p, "a", VERDICT_MINUTE, NULL, NULL, NOON + 5);
        pool_each_slot(p, pool_key(p, 0), NOON + 5, see_slot, &seen);
        assert_string_equal(seen.last_error, "minute quota");

        seen.models[0] = 0;
        pool_each_model(p, NOON + 5, see_model, &seen);
        assert_string_equal(seen.models, "z a ");
        assert_int_equal(seen.model.counters.total, 5);
        assert_int_equal(seen.model.counters.errors, 3);
        assert_int_equal(seen.model.total_keys, 1);
        assert_int_equal(seen.model.usable_keys, 0);
        assert_int_equal(seen.model.healthy_keys, 1); /* spent is not ill */
        assert_int_equal(pool_n_models(p), 2);

        /* All together, also when the keys are gone; and the day after. */
        pool_counters(p, NOON + 5, &all);
        assert_int_equal(all.total, 6);
        assert_int_equal(all.today, 6);
        assert_int_equal(all.errors, 3);
        assert_int_equal(all.tokens_out, 21);
        assert_int_equal(pool_set_keys(p, NULL, 0, NOON + 6, &change), 0);
        pool_counters(p, NOON + USEC_PER_DAY, &all);
        assert_int_equal(all.total, 6);
        assert_int_equal(all.today, 0);
}

static void test_state_names(void **state) {
        static const char *const names[] = {
                "usable", "probing", "cooling", "unhealthy", "closed", "billing", "dead", "disabled",
                "missing",
        };

        assert_int_equal(ELEMENTSOF(names), _POOL_STATE_MAX);
        for (PoolState s = 0; s < _POOL_STATE_MAX; s++)
                assert_string_equal(pool_state_to_string(s), names[s]);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_masks),    cmocka_unit_test(test_add),
                cmocka_unit_test(test_days),     cmocka_unit_test(test_counters),
                cmocka_unit_test(test_state_names),
        };

        return cmocka_run_group_tests_name("pool-view", tests, setup, teardown);
}
