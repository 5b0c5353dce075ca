/* SPDX-License-Identifier: MIT */
#include "pool-shelf.h"

#include "base/text.h"
#include "core/judgement.h"
#include "pool/admin.h"
#include "pool/key.h"

/* The error that explains a state, and keys that seem to die together. */

static void report(World *w, Lease *lease, VerdictClass class, bool is_unsure, const char *message,
                   usec_t began) {
        Verdict v;

        verdict_init(&v, class, 0, message);
        v.is_unsure = is_unsure;
        pool_weigh(w->pool, lease, &v, began, w->now);
        pool_report(w->pool, lease, &v, NULL, w->now);
}

/* A request that gets the key `i`: the others are excluded. The client's request began at `began`. */
static void ask_since(World *w, usec_t began, size_t i, const char *model, VerdictClass class,
                      bool is_unsure, const char *message) {
        PoolKey *others[4];
        size_t n = 0;
        Lease lease;

        for (size_t j = 0; j < pool_n_keys(w->pool); j++)
                if (j != i)
                        others[n++] = (PoolKey *) pool_key(w->pool, j);
        assert_int_equal(pool_pick(w->pool, model, others, n, w->now, &lease, NULL), 0);
        report(w, &lease, class, is_unsure, message, began);
}

static void ask(World *w, size_t i, const char *model, VerdictClass class, bool is_unsure,
                const char *message) {
        ask_since(w, w->now, i, model, class, is_unsure, message);
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
        assert_error(&w, 0, "a", "unreachable: Gemini could not be reached.", w.now);
        assert_string_equal(view(&w, 0).last_error, "unreachable: Gemini could not be reached.");
        w.now += USEC_PER_SEC;
        died = w.now;
        ask(&w, 0, "b", VERDICT_KEY_DEAD, false, "API key not valid.");
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(view(&w, 0).state, POOL_DEAD);
                assert_string_equal(view(&w, 0).last_error, "invalid key: API key not valid.");
                assert_int_equal(view(&w, 0).last_error_at, died);
                assert_error(&w, 0, "a", "invalid key: API key not valid.", died);
                assert_error(&w, 0, "b", "invalid key: API key not valid.", died);
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

/* A last error begins with its short cause. Google's message follows; if no answer came, the cause. */
static void test_brief(void **state) {
        static const struct {
                VerdictClass class;
                int status;
                const char *message, *cause, *reason, *expected;
        } rows[] = {
                { VERDICT_DAY, 429, "You exceeded your current quota.", "HTTP 429 X", "PerDay",
                  "day quota: You exceeded your current quota." },
                { VERDICT_MINUTE, 429, "", "HTTP 429 X", "PerMinute", "minute quota: PerMinute" },
                { VERDICT_MINUTE, 429, "", "", "", "minute quota" },
                { VERDICT_KEY_DEAD, 400, "API key not valid.", "", "", "invalid key: API key not valid." },
                { VERDICT_BILLING, 429, "Top up.", "", "", "no credit: Top up." },
                { VERDICT_OVERLOAD, 503, "Busy.", "HTTP 503", "", "overloaded: Busy." },
                { VERDICT_UNREACHABLE, 0, "Gemini could not be reached: …",
                  "Connection refused (Failed to connect to 127.0.0.1 port 9)", "",
                  "unreachable: connection refused (Failed to connect to 127.0.0.1 port 9)" },
                { VERDICT_UNREACHABLE, 0, "…", "SSL certificate problem: expired", "",
                  "unreachable: SSL certificate problem: expired" },
                { VERDICT_TIMEOUT, 0, "Gemini sent no answer in time.", "no byte within 10 s", "",
                  "no answer in time: no byte within 10 s" },
                { VERDICT_FOREIGN, 401, "a page of HTML (401)", "a page of HTML (401)", "",
                  "not Gemini's answer: a page of HTML (401)" },
        };
        PoolError e = {};
        Verdict v;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                verdict_init(&v, rows[i].class, rows[i].status, rows[i].message);
                text_copy(v.cause, sizeof(v.cause), rows[i].cause);
                text_copy(v.reason, sizeof(v.reason), rows[i].reason);
                pool_error_set(&e, &v, NOON);
                assert_string_equal(e.text, rows[i].expected);
        }
        for (VerdictClass c = 0; c < _VERDICT_CLASS_MAX; c++) {
                verdict_init(&v, c, 0, NULL);
                assert_in_range(strlen(verdict_brief(&v)), 1, VERDICT_BRIEF_MAX - sizeof(": ") + 1);
        }
        pool_error_clear(&e);
}

/* A success removes the error of its model, and a probe's that of the key. */
static void test_success(void **state) {
        World w = { .now = NOON };

        world_begin(&w, two, 2);
        ask(&w, 0, "a", VERDICT_OVERLOAD, false, "busy");
        assert_error(&w, 0, "a", "overloaded: busy", w.now);
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
        assert_error(&w, 1, "a", "day quota: The day is spent.", day);
        assert_error(&w, 1, "b", "overloaded: busy", day);
        w.now += USEC_PER_SEC;
        ask(&w, 0, "b", VERDICT_PROJECT_DEAD, false, "Suspended.");
        world_restart(&w, shared, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_error(&w, i, "a", "project refused: Suspended.", w.now);
                assert_string_equal(view(&w, i).last_error, "project refused: Suspended.");
        }
        assert_error(&w, 1, "b", "project refused: Suspended.", w.now);
        world_done(&w);
}

static void assert_states(World *w, const char *expected) {
        char states[5] = "";

        for (size_t i = 0; i < pool_n_keys(w->pool); i++)
                states[i] = view(w, i).state == POOL_DEAD        ? 'x'
                            : view(w, i).state == POOL_UNHEALTHY ? 'u'
                                                                 : '-';
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
        assert_states(&w, "u--");
        ask(&w, 1, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        assert_states(&w, "---");
        assert_error(&w, 0, "a", "key refused: No credentials.", w.now);
        w.now += 20 * USEC_PER_SEC;
        ask(&w, 2, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        assert_states(&w, "---");

        /* The text does not matter: a proxy may put the number of a request into it. */
        ask(&w, 1, "a", VERDICT_KEY_DEAD, true, "Something else.");
        assert_states(&w, "---");

        /* Much later, and alone. */
        w.now += 2 * USEC_PER_MINUTE;
        ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "Something else.");
        assert_states(&w, "u--");
        w.now += 2 * USEC_PER_SEC;
        ask(&w, 2, "a", VERDICT_KEY_DEAD, true, "Something else.");
        assert_states(&w, "u-u");

        assert_int_equal(pool_reset(w.pool, NULL, NULL, w.now), 2);
        ask(&w, 0, "a", VERDICT_KEY_DEAD, false, "API key not valid.");
        ask(&w, 1, "a", VERDICT_KEY_DEAD, false, "API key not valid.");
        assert_states(&w, "xx-");
        assert_int_equal(pool_reset(w.pool, NULL, NULL, w.now), 2);

        /* A key that is dead for sure is not revived. */
        w.now += 2 * USEC_PER_MINUTE;
        ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        w.now += JUDGEMENT_PAUSE_WAIT;
        ask(&w, 0, "a", VERDICT_KEY_DEAD, false, "API key not valid.");
        assert_states(&w, "x--");
        ask_since(&w, 1, 1, "a", VERDICT_KEY_DEAD, true, "No credentials.");
        assert_states(&w, "xu-");
        world_done(&w);
}

/* However slowly the refusals arrive: the attempts of one request, and those of requests that overlap. */
static void test_slow_herd(void **state) {
        static const KeyRow keys[] = {
                { "AIzaSy-one-0123456789", "one", NULL, false },
                { "AIzaSy-two-0123456789", "two", NULL, false },
                { "AIzaSy-thr-0123456789", "three", NULL, false },
        };
        static const struct {
                usec_t pause, age; /* between the refusals; of the request that meets the second one */
                const char *states;
        } rows[] = {
                { 3 * USEC_PER_SEC, 6 * USEC_PER_SEC, "---" },     /* the same request */
                { USEC_PER_MINUTE, 2 * USEC_PER_MINUTE, "---" },
                { 20 * USEC_PER_SEC, 25 * USEC_PER_SEC, "---" },   /* another one, which overlaps */
                { 4 * USEC_PER_SEC, 3500000, "---" },              /* which began half a second later */
                { 4 * USEC_PER_SEC, 2 * USEC_PER_SEC, "uu-" },
                { 2 * USEC_PER_SEC, 0, "uu-" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                World w = { .now = NOON };

                world_begin(&w, keys, 3);
                ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "No credentials.");
                assert_states(&w, "u--");
                w.now += rows[i].pause;
                ask_since(&w, w.now - rows[i].age, 1, "a", VERDICT_KEY_DEAD, true, "No credentials.");
                assert_states(&w, rows[i].states);
                world_done(&w);
        }
}

/* A key that is refused alone and without a reason is tried again soon. It is dead when that is repeated. */
static void test_doubt(void **state) {
        static const usec_t waits[] = { 5, 30, 60, 120, 240, 480, 960, 1800, 1800 };
        World w = { .now = NOON };

        world_begin(&w, two, 1);
        for (size_t i = 0; i < ELEMENTSOF(waits); i++) {
                PoolKeyView v;

                ask(&w, 0, "a", VERDICT_KEY_DEAD, true, "No credentials.");
                v = view(&w, 0);
                assert_int_equal(v.state, i + 1 < JUDGEMENT_STRIKES ? POOL_UNHEALTHY : POOL_DEAD);
                assert_string_equal(v.last_error, "key refused: No credentials.");
                assert_int_equal(pool_key(w.pool, 0)->breaker.until, w.now + waits[i] * USEC_PER_SEC);
                w.now += waits[i] * USEC_PER_SEC;
        }
        ask(&w, 0, "a", VERDICT_OK, false, NULL);
        assert_int_equal(view(&w, 0).state, POOL_USABLE);

        /* A reason, once it is known, is believed at once. */
        ask(&w, 0, "a", VERDICT_OK, false, NULL);
        {
                Lease first, second;

                assert_int_equal(pool_pick(w.pool, "a", NULL, 0, w.now, &first, NULL), 0);
                assert_int_equal(pool_pick(w.pool, "a", NULL, 0, w.now, &second, NULL), 0);
                report(&w, &first, VERDICT_KEY_DEAD, true, "No credentials.", w.now);
                assert_int_equal(view(&w, 0).state, POOL_UNHEALTHY);
                report(&w, &second, VERDICT_KEY_DEAD, false, "API key not valid.", w.now);
        }
        assert_int_equal(view(&w, 0).state, POOL_DEAD);
        assert_int_equal(pool_key(w.pool, 0)->breaker.until, w.now + JUDGEMENT_DEATH_WAIT);
        assert_string_equal(view(&w, 0).last_error, "invalid key: API key not valid.");
        world_done(&w);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_brief),
                cmocka_unit_test(test_explains),
                cmocka_unit_test(test_success),
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_herd),
                cmocka_unit_test(test_slow_herd),
                cmocka_unit_test(test_doubt),
        };

        return cmocka_run_group_tests_name("pool-error", tests, world_set_up, world_tear_down);
}
