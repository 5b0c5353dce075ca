/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/hash.h"
#include "io/loop.h"
#include "io/timer.h"
#include "pool-wraps.h"
#include "pool/pool.h"
#include "server/http.h"
#include "server/upstream-query.h"
#include "pool-keys.h"
#include "walk.h"

#define NOON  (1795377600 * USEC_PER_SEC)
#define KEYS  5U
#define ASKED 40U
#define WALKS 2000U

/* --- the rule --- */

static const struct {
        VerdictClass class;
        unsigned n_dear;
        bool once;
        UpstreamNext next;
} rows[] = {
        { VERDICT_DAY, 0, false, UPSTREAM_ANOTHER_KEY },
        { VERDICT_DAY, TRIES_DEAR_MAX - 1, false, UPSTREAM_ANOTHER_KEY },
        { VERDICT_DAY, TRIES_DEAR_MAX, false, UPSTREAM_END },
        { VERDICT_DAY, 0, true, UPSTREAM_ANOTHER_KEY },
        { VERDICT_KEY_DEAD, 0, true, UPSTREAM_ANOTHER_KEY },
        { VERDICT_TIMEOUT, 1, false, UPSTREAM_ANOTHER_KEY },
        { VERDICT_TIMEOUT, 1, true, UPSTREAM_END },
        { VERDICT_OVERLOAD, 1, false, UPSTREAM_ANOTHER_PROJECT },
        { VERDICT_OVERLOAD, 2, false, UPSTREAM_AFTER_PAUSE },
        { VERDICT_OVERLOAD, TRIES_DEAR_MAX, false, UPSTREAM_END },
        { VERDICT_OVERLOAD, 1, true, UPSTREAM_END },
        { VERDICT_CUT, 1, false, UPSTREAM_ANOTHER_PROJECT },
        { VERDICT_CUT, 2, false, UPSTREAM_AFTER_PAUSE },
        { VERDICT_CUT, 1, true, UPSTREAM_END },
        { VERDICT_UNREACHABLE, 1, false, UPSTREAM_ANOTHER_PROJECT },
        { VERDICT_UNREACHABLE, 1, true, UPSTREAM_END },
        { VERDICT_FOREIGN, 2, false, UPSTREAM_AFTER_PAUSE },
        { VERDICT_FOREIGN, TRIES_DEAR_MAX, false, UPSTREAM_END },
        { VERDICT_FOREIGN, 1, true, UPSTREAM_END },
        { VERDICT_GEO, 0, false, UPSTREAM_END },
        { VERDICT_RESOURCE, 0, false, UPSTREAM_END },
        { VERDICT_SIGNATURE, 0, false, UPSTREAM_END },
        { VERDICT_REQUEST, 0, false, UPSTREAM_END },
        { VERDICT_CLIENT_GONE, 0, false, UPSTREAM_END },
        { VERDICT_INTERNAL, 0, false, UPSTREAM_END },
};

static void test_rule(void **state) {
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                UpstreamTries t = { .cost = { .n = 1, .n_dear = rows[i].n_dear },
                                    .n_overloads = rows[i].n_dear,
                                    .overloaded = (const PoolProject *) &t,
                                    .once = rows[i].once };
                Verdict v;

                verdict_init(&v, rows[i].class, 0, NULL);
                if (upstream_next(&t, &v) != rows[i].next)
                        fail_msg("row %zu", i);
                t.cost.n = TRIES_MAX;
                assert_int_equal(upstream_next(&t, &v), UPSTREAM_END);
        }
}

static void test_pause(void **state) {
        for (unsigned i = 0; i < 1000; i++) {
                UpstreamTries t = {};
                usec_t first = upstream_pause(&t), second = upstream_pause(&t);

                assert_in_range(first, 250 * USEC_PER_MSEC, 750 * USEC_PER_MSEC);
                assert_in_range(second, 750 * USEC_PER_MSEC, 2250 * USEC_PER_MSEC);
        }
}

/* A short wait that an overload asks for makes the pause longer, a long one ends the tries. */
static void test_asked(void **state) {
        static const struct {
                VerdictClass class;
                usec_t asked; /* seconds */
                UpstreamNext next;
        } asked[] = {
                { VERDICT_OVERLOAD, 5, UPSTREAM_AFTER_PAUSE },
                { VERDICT_OVERLOAD, 6, UPSTREAM_END },
                { VERDICT_FOREIGN, 6, UPSTREAM_END },
                { VERDICT_MINUTE, 38, UPSTREAM_ANOTHER_KEY },
        };

        for (size_t i = 0; i < ELEMENTSOF(asked); i++) {
                UpstreamTries t = { .cost = { .n = 2, .n_dear = 2 },
                                    .n_overloads = 2,
                                    .overloaded = (const PoolProject *) &t,
                                    .asked = asked[i].asked * USEC_PER_SEC };
                Verdict v;

                verdict_init(&v, asked[i].class, 503, NULL);
                v.retry_after = t.asked;
                assert_int_equal(upstream_next(&t, &v), asked[i].next);
                assert_in_range(upstream_pause(&t), t.asked + 250 * USEC_PER_MSEC,
                                t.asked + 750 * USEC_PER_MSEC);
                upstream_tries_forget(&t);
                assert_int_equal(t.asked, 0);
        }
}

static void test_tried_keys(void **state) {
        UpstreamTries t = {};

        for (uintptr_t i = 0; i < TRIES_MAX; i++) {
                assert_true(upstream_tries_reserve(&t));
                upstream_tries_note(&t, (PoolKey *) (i + 1));
        }
        assert_false(upstream_tries_reserve(&t));
        assert_int_equal(t.n, TRIES_MAX);
        for (uintptr_t i = 0; i < TRIES_MAX; i++)
                assert_ptr_equal(upstream_tried(&t)[i], (PoolKey *) (i + 1));
        upstream_tries_forget(&t);
        assert_int_equal(t.n, 0);
        assert_false(upstream_tries_reserve(&t)); /* the number of tries stays */
        upstream_tries_done(&t);
}

/* --- many questions, over an engine and a clock of our own --- */

typedef struct TestCall {
        EngineCall call;
        const EngineSink *sink;
        void *userdata;
        List link;
} TestCall;

struct Timer {
        void (*fn)(void *userdata);
        void *userdata;
        List link;
};

static struct {
        uint64_t random;
        usec_t now;
        List calls, timers;
        size_t n_calls, n_timers, n_leased, n_reported, n_elsewhere;
} world;

static unsigned draw(unsigned n) {
        world.random += UINT64_C(0x9E3779B97F4A7C15);
        return (unsigned) (hash_mix(world.random) % n);
}

usec_t loop_now(Loop *l) {
        return world.now;
}

int timer_new(Loop *l, usec_t after, void (*fn)(void *userdata), void *userdata, Timer **ret) {
        Timer *t;

        if (draw(50) == 0)
                return -ENOMEM;
        t = calloc(1, sizeof(Timer));
        assert_non_null(t);
        *t = (Timer){ .fn = fn, .userdata = userdata };
        list_append(&world.timers, &t->link);
        world.n_timers++;
        *ret = t;
        return 0;
}

Timer *timer_free(Timer *t) {
        if (t) {
                list_unlink(&t->link);
                world.n_timers--;
        }
        free(t);
        return NULL;
}

void request_note_refusal(Request *q, const PoolRefusal *r) {
}

void request_note_key(Request *q, const PoolKey *k) {
        fail();
}

void request_note_verdict(Request *q, VerdictClass class) {
        fail();
}

int __wrap_pool_pick_rotation_of(Pool *p, const PoolRequest *q, usec_t now, Lease *ret,
                                 PoolRefusal *ret_refusal) {
        int r = __real_pool_pick_rotation_of(p, q, now, ret, ret_refusal);

        assert_null(q->pinned);
        if (r == 0)
                world.n_leased++;
        for (size_t i = 0; r == 0 && i < q->n_exclude; i++)
                assert_ptr_not_equal(ret->key, q->exclude[i]);
        if (r == 0 && q->avoid)
                assert_ptr_not_equal(pool_lease_project(ret), q->avoid);
        world.n_elsewhere += r == 0 && q->avoid;
        return r;
}

void __wrap_pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now) {
        assert_non_null(lease->key);
        world.n_reported++;
        __real_pool_report(p, lease, v, usage, now);
}

static int test_call_start(Engine *e, const EngineRequest *request, const EngineSink *sink, void *userdata,
                           EngineCall **ret) {
        TestCall *c;

        assert_string_equal(request->resource->verb, "GET");
        if (draw(40) == 0)
                return -ENOMEM;
        c = calloc(1, sizeof(TestCall));
        assert_non_null(c);
        c->call.engine = e;
        c->sink = sink;
        c->userdata = userdata;
        list_append(&world.calls, &c->link);
        world.n_calls++;
        assert_true(world.n_calls + world.n_timers <= UPSTREAM_PARALLEL);
        *ret = &c->call;
        return 0;
}

static void test_call_free(EngineCall *call) {
        TestCall *c = CONTAINER_OF(call, TestCall, call);

        list_unlink(&c->link);
        world.n_calls--;
        free(c);
}

static const EngineOps engine_ops = { .start = test_call_start, .free = test_call_free };
static Engine engine = { .ops = &engine_ops };

typedef struct Owner {
        Http http;
        UpstreamBatch batch;
        size_t n_asked, n_ended, n_drained, gives_up_at;
        bool ended[ASKED];
} Owner;

static bool ask(UpstreamBatch *b, UpstreamQuery *w, size_t index) {
        Owner *o = CONTAINER_OF(b, Owner, batch);

        assert_int_equal(index, o->n_asked);
        if (index >= ASKED)
                return false;
        o->n_asked++;
        upstream_query_init(w, NULL, &o->http, NULL);
        w->subject = "a file";
        w->verb = "GET";
        w->tries.once = draw(4) == 0;
        (void) buf_printf(&w->path, "/v1beta/files/%zu", index);
        return true;
}

static bool on_ended(UpstreamBatch *b, UpstreamQuery *w, size_t index) {
        Owner *o = CONTAINER_OF(b, Owner, batch);
        ApiError e;

        assert_false(o->ended[index]); /* once */
        o->ended[index] = true;
        assert_true(w->tries.cost.n <= TRIES_MAX);
        if (w->verdict.class != VERDICT_OK) {
                upstream_query_error(w, "a file", &e);
                assert_true(e.status >= 400);
        } else
                assert_string_equal(buf_cstr(&w->answer), "{}");
        if (++o->n_ended != o->gives_up_at)
                return true;
        upstream_batch_end(b, VERDICT_CLIENT_GONE);
        upstream_batch_end(b, VERDICT_CLIENT_GONE);
        return false;
}

static void on_drained(UpstreamBatch *b) {
        CONTAINER_OF(b, Owner, batch)->n_drained++;
}

static void finish_a_call(void) {
        static const VerdictClass classes[] = {
                VERDICT_OK,      VERDICT_OK,       VERDICT_OK,      VERDICT_OK,      VERDICT_RESOURCE,
                VERDICT_DAY,     VERDICT_KEY_REFUSED, VERDICT_OVERLOAD, VERDICT_TIMEOUT, VERDICT_CUT,
        };
        TestCall *c = list_entry(list_first(&world.calls), TestCall, link);
        VerdictClass class = classes[draw(ELEMENTSOF(classes))];
        Verdict v;

        world.now += draw(2) * 2 * USEC_PER_SEC;
        verdict_init(&v, class, class == VERDICT_DAY ? 429 : 0, NULL);
        if (class == VERDICT_OK)
                assert_int_equal(c->sink->event("{}", 2, c->userdata), 0);
        c->sink->done(&v, c->userdata);
}

static void walk_once(Pool *pool) {
        static const UpstreamBatchOps ops = { .ask = ask, .ended = on_ended, .drained = on_drained };
        Owner o = { .http.p = { .pool = pool, .engine = &engine }, .batch.ops = &ops };
        bool gives_up = draw(3) == 0;

        if (gives_up)
                o.gives_up_at = 1 + draw(ASKED);
        world.n_leased = world.n_reported = 0;
        upstream_batch_run(&o.batch);
        while (world.n_calls + world.n_timers > 0)
                if (world.n_timers > 0 && (world.n_calls == 0 || draw(2) == 0)) {
                        Timer *t = list_entry(list_first(&world.timers), Timer, link);

                        t->fn(t->userdata);
                } else
                        finish_a_call();

        assert_int_equal(world.n_leased, world.n_reported);
        if (gives_up) {
                assert_int_equal(o.n_ended, o.gives_up_at);
                assert_int_equal(o.n_drained, 0);
        } else {
                assert_int_equal(o.n_ended, ASKED);
                assert_int_equal(o.n_drained, 1);
        }
}

/* Each question ends once, each lease is given back once, never more than UPSTREAM_PARALLEL at a time, and
 * nothing is pending at the end. */
static void test_walk(void **state) {
        Pool *pool;
        Zone *zone;

        world.random = walk_seed(1);
        list_init(&world.calls);
        list_init(&world.timers);
        assert_int_equal(zone_new("UTC", NOON, &zone), 0);
        assert_int_equal(pool_new(zone, NOON, &pool), 0);
        for (unsigned i = 0; i < KEYS; i++) {
                char text[32];
                Secret *s;

                (void) snprintf(text, sizeof(text), "AIzaSy0000000000000000%04u", i);
                assert_int_equal(secret_new(text, strlen(text), &s), 0);
                assert_int_equal(pool_add_key(pool, s, NULL, i < 2 ? "one" : NULL, false), 0);
                secret_unref(s);
        }
        for (unsigned i = 0; i < walk_steps(WALKS); i++)
                walk_once(pool);
        assert_true(world.n_elsewhere > 0);
        pool_free(pool);
        zone_free(zone);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rule),
                cmocka_unit_test(test_pause),
                cmocka_unit_test(test_asked),
                cmocka_unit_test(test_tried_keys),
                cmocka_unit_test(test_walk),
        };

        return cmocka_run_group_tests_name("upstream", tests, NULL, NULL);
}
