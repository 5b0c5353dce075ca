/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include "base/text.h"
#include "pool/admin.h"

/* The error that explains a state, and keys that seem to die together. */

static void report(World *w, Lease *lease, VerdictClass class, bool is_unsure, const char *message) {
        Verdict v;

        verdict_init(&v, class, 0, message);
        v.is_unsure = is_unsure;
        pool_weigh(w->pool, lease, &v, w->now);
        pool_report(w->pool, lease, &v, NULL, w->now);
}

/* A request that gets the key `i`: the others are excluded. */
static void ask(World *w, size_t i, const char *model, VerdictClass class, bool is_unsure,
                const char *message) {
        PoolKey *others[4];
        size_t n = 0;
        Lease lease;

        for (size_t j = 0; j < pool_n_keys(w->pool); j++)
                if (j != i)
                        others[n++] = (PoolKey *) pool_key(w->pool, j);
        assert_int_equal(pool_pick(w->pool, model, others, n, w->now, &lease, NULL), 0);
        report(w, &lease, class, is_unsure, message);
}

typedef struct Seen {
        const char *model, *error;
        usec_t at;
} Seen;

static void see(const PoolSlotView *v, void *userdata) {
        Seen *s = userdata;

        if (streq(v->model, s->model)) {
                s->error = strempty(v->last_error);
                s->at = v->last_error_at;
        }
}

static void assert_error(World *w, size_t i, const char *model, const char *error, usec_t at) {
        Seen s = { .model = model };

        pool_each_slot(w->pool, pool_key(w->pool, i), w->now, see, &s);
        assert_non_null(s.error);
        assert_string_equal(s.error, error);
        assert_int_equal(s.at, at);
}

static PoolKeyView view(World *w, size_t i) {
        PoolKeyView v;

        pool_key_view(w->pool, pool_key(w->pool, i), w->now, &v);
        return v;
}

static const KeyRow two[] = {
        { "AIzaSy-one-0123456789", "one", NULL, false },
        { "AIzaSy-two-0123456789", "two", NULL, false },
};

/* A dead key shows why it is dead, in all its models, also after a restart; not what another model met. */
static void test_explains(void **state) {
        World w = { .now = NOON };
        usec_t died;

        world_begin(&w, two, 2);
        ask(&w, 0, "a", VERDICT_UNREACHABLE, false, "Gemini could not be reached.");
        assert_error(&w, 0, "a", "Gemini could not be reached.", w.now);
        assert_string_equal(view(&w, 0).last_error, "Gemini could not be reached.");
        w.now += USEC_PER_SEC;
        died = w.now;
        ask(&w, 0, "b", VERDICT_KEY_DEAD, false, "API key not valid.");
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(view(&w, 0).state, POOL_DEAD);
                assert_string_equal(view(&w, 0).last_error, "API key not valid.");
                assert_int_equal(view(&w, 0).last_error_at, died);
                assert_error(&w, 0, "a", "API key not valid.", died);
                assert_error(&w, 0, "b", "API key not valid.", died);
                w.now += USEC_PER_SEC;
                world_restart(&w, two, 2);
        }

        /* A reset removes all of them. */
        assert_int_equal(pool_reset(w.pool, "one", NULL, w.now), 1);
        assert_null(view(&w, 0).last_error);
        assert_error(&w, 0, "a", "", 0);
        assert_error(&w, 0, "b", "", 0);
        world_restart(&w, two, 2);
        assert_null(view(&w, 0).last_error);
        assert_error(&w, 0, "b", "", 0);
        world_done(&w);
}

/* A success removes the error of its model, and a probe's that of the key. */
static void test_success(void **state) {
        World w = { .now = NOON };

        world_begin(&w, two, 2);
        ask(&w, 0, "a", VERDICT_OVERLOAD, false, "busy");
        assert_error(&w, 0, "a", "busy", w.now);
        ask(&w, 0, "a", VERDICT_OK, false, NULL);
        assert_error(&w, 0, "a", "", 0);
        ask(&w, 0, "a", VERDICT_KEY_DEAD, false, "API key not valid.");
        w.now += 2 * USEC_PER_HOUR;
        ask(&w, 0, "a", VERDICT_OK, false, NULL);
        assert_error(&w, 0, "a", "", 0);
        assert_null(view(&w, 0).last_error);
        world_restart(&w, two, 2);
        assert_error(&w, 0, "a", "", 0);
        assert_null(view(&w, 0).last_error);
        world_done(&w);
}

/* A project's error and a quota's explain the state of each of its keys. */
static void test_shared(void **state) {
        static const KeyRow shared[] = {
                { "AIzaSy-one-0123456789", "one", "p", false },
                { "AIzaSy-two-0123456789", "two", "p", false },
        };
        World w = { .now = NOON };
        usec_t day;

        world_begin(&w, shared, 2);
        ask(&w, 1, "a", VERDICT_OK, false, NULL);
        ask(&w, 1, "b", VERDICT_OVERLOAD, false, "busy");
        ask(&w, 0, "a", VERDICT_DAY, false, "The day is spent.");
        day = w.now;
        world_restart(&w, shared, 2);
        assert_error(&w, 1, "a", "The day is spent.", day);
        assert_error(&w, 1, "b", "busy", day);
        w.now += USEC_PER_SEC;
        ask(&w, 0, "b", VERDICT_PROJECT_DEAD, false, "Suspended.");
        world_restart(&w, shared, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_error(&w, i, "a", "Suspended.", w.now);
                assert_string_equal(view(&w, i).last_error, "Suspended.");
        }
        assert_error(&w, 1, "b", "Suspended.", w.now);
        world_done(&w);
}

static void assert_states(World *w, const char *expected) {
        char states[5] = "";

        for (size_t i = 0; i < pool_n_keys(w->pool); i++)
                states[i] = view(w, i).state == POOL_DEAD ? 'x' : '-';
        assert_string_equal(states, expected);
}

/* Several keys that get the same answer without a reason are not dead; a sure answer always strikes. */
static void test_herd(void **state) {
        static const KeyRow keys[] = {
                { "AIzaSy-one-0123456789", "one", NULL, false },
                { "AIzaSy-two-0123456789", "two", NULL, false },
                { "AIzaSy-thr-0123456789", "three", NULL, false },
        };
        World w = { .now = NOON };

        world_begin(&w, keys, 3);
        ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        assert_states(&w, "x--");
        ask(&w, 1, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        assert_states(&w, "---");
        assert_error(&w, 0, "a", "No credentials.", w.now);
        w.now += 20 * USEC_PER_SEC;
        ask(&w, 2, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        assert_states(&w, "---");

        /* Another text, or the same one much later and alone, is a new beginning. */
        ask(&w, 1, "a", VERDICT_KEY_DEAD, true, "Something else.");
        assert_states(&w, "-x-");
        w.now += 2 * USEC_PER_MINUTE;
        ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "Something else.");
        assert_states(&w, "xx-");
        w.now += 2 * USEC_PER_SEC;
        ask(&w, 2, "a", VERDICT_KEY_DEAD, true, "Something else.");
        assert_states(&w, "xxx");

        assert_int_equal(pool_reset(w.pool, NULL, NULL, w.now), 3);
        ask(&w, 0, "a", VERDICT_KEY_DEAD, false, "API key not valid.");
        ask(&w, 1, "a", VERDICT_KEY_DEAD, false, "API key not valid.");
        assert_states(&w, "xx-");
        world_done(&w);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_explains),
                cmocka_unit_test(test_success),
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_herd),
        };

        return cmocka_run_group_tests_name("pool-error", tests, world_set_up, world_tear_down);
}
