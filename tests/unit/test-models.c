/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "io/timer.h"
#include "server/routes.h"
#include "server/models.c" /* over a loop, an engine and replies of our own: ten minutes pass at once */
#include "pool-keys.h"

#define NOON (1795377600 * USEC_PER_SEC)
#define PAGE(name) "{\"models\":[{\"name\":\"models/" name "\"}]}"
#define PAGE_AND(name, next) "{\"models\":[{\"name\":\"models/" name "\"}],\"nextPageToken\":\"" next "\"}"

/* --- replacements for what models.c uses --- */

typedef struct TestCall {
        EngineCall call;
        EngineSink sink;
        void *userdata;
        char mask[SECRET_MASK_MAX], page[32];
} TestCall;

struct TimeoutQueue {
        TimeoutFn fn;
};

static struct {
        usec_t now;
        TestCall *call; /* the one under way */
        unsigned n_calls;
        int refuse; /* what engine_start() fails with */
        Timeout *timeout;
        TimeoutQueue queue;
} world;

usec_t loop_now(Loop *l) {
        return world.now;
}

int timeout_queue_new(Loop *l, usec_t duration, TimeoutFn fn, TimeoutQueue **ret) {
        world.queue.fn = fn;
        *ret = &world.queue;
        return 0;
}

TimeoutQueue *timeout_queue_free(TimeoutQueue *q) {
        return NULL;
}

void timeout_start(TimeoutQueue *q, Timeout *t) {
        world.timeout = t;
}

void timeout_stop(Timeout *t) {
        world.timeout = NULL;
}

const char *http_request_method(const HttpRequest *r) {
        return "GET";
}

void route_set_not_allowed(ApiError *e, const char *method, const char *allow) {
        api_error_set(e, 405, NULL, "%s", allow);
}

/* The pause after an overload: the test ends it. */
struct Timer {
        void (*fn)(void *userdata);
        void *userdata;
};

static Timer *pause_timer;

int timer_new(Loop *l, usec_t after, void (*fn)(void *userdata), void *userdata, Timer **ret) {
        assert_null(pause_timer);
        assert_in_range(after, 250 * USEC_PER_MSEC, 2250 * USEC_PER_MSEC);
        pause_timer = calloc(1, sizeof(Timer));
        assert_non_null(pause_timer);
        *pause_timer = (Timer){ fn, userdata };
        *ret = pause_timer;
        return 0;
}

Timer *timer_free(Timer *t) {
        if (t)
                pause_timer = NULL;
        free(t);
        return NULL;
}

static void end_pause(void) {
        assert_non_null(pause_timer);
        assert_null(world.call);
        pause_timer->fn(pause_timer->userdata);
}

/* The fetch of the list belongs to no request. */
void request_note_refusal(Request *q, const PoolRefusal *r) {
}

void request_note_key(Request *q, const PoolKey *k) {
        fail();
}

void request_note_verdict(Request *q, VerdictClass class) {
        fail();
}

static int test_call_start(Engine *e, const EngineRequest *request, const EngineSink *sink, void *userdata,
                           EngineCall **ret) {
        if (world.refuse < 0)
                return world.refuse;
        assert_null(world.call);
        assert_int_equal(request->method, GEMINI_LIST_MODELS);
        world.call = calloc(1, sizeof(TestCall));
        assert_non_null(world.call);
        world.call->call.engine = e;
        world.call->sink = *sink;
        world.call->userdata = userdata;
        (void) snprintf(world.call->page, sizeof(world.call->page), "%s", strempty(request->page_token));
        secret_mask_key(request->key, world.call->mask);
        world.n_calls++;
        *ret = &world.call->call;
        return 0;
}

static void test_call_free(EngineCall *c) {
        assert_ptr_equal(c, &world.call->call);
        free(world.call);
        world.call = NULL;
}

static const EngineOps test_ops = { .start = test_call_start, .free = test_call_free };
static Engine test_engine = { .ops = &test_ops };

const char *http_request_argument(HttpRequest *r, const char *name) {
        return NULL;
}

/* A request as the test sees it: status 0 as long as it waits. */
typedef struct Asked {
        Request q;
        Route route;
        char answer[512];
} Asked;

static void answered(Request *q, int status, const char *s, size_t n) {
        Asked *a = CONTAINER_OF(q, Asked, q);

        assert_int_equal(q->status, 0); /* once */
        assert_false(list_is_linked(&q->link));
        q->status = status;
        (void) snprintf(a->answer, sizeof(a->answer), "%.*s", (int) n, s);
}

void request_reply(Request *q, int status, const char *content_type, Buf *body) {
        assert_string_equal(content_type, "application/json");
        assert_int_equal(body->error, 0);
        answered(q, status, buf_data(body), body->n);
}

void request_reply_error_with(Request *q, const ApiError *e, const HttpHeader *headers, size_t n_headers) {
        assert_int_equal(n_headers, e->status == 405);
        answered(q, e->status, strempty(e->code), strlen(strempty(e->code)));
}

void request_reply_error(Request *q, const ApiError *e) {
        request_reply_error_with(q, e, NULL, 0);
}

void request_handle(Request *q) {
        ApiError e;
        int r;

        r = q->route->handler(q, &e);
        if (r != 0) {
                assert_int_equal(r, HANDLER_E_REFUSED);
                request_reply_error(q, &e);
        }
}

/* --- a daemon with three keys --- */

static const char *const secrets[] = {
        "AIzaSy0000000000000000aaaa",
        "AIzaSy0000000000000000bbbb",
        "AIzaSy0000000000000000cccc",
};

typedef struct Daemon {
        Http http;
        Config config;
        Zone *zone;
        Asked asked[8];
        size_t n_asked;
} Daemon;

static int setup(void **state) {
        static Daemon d;

        memset(&world, 0, sizeof(world));
        d = (Daemon){};
        world.now = USEC_PER_HOUR;
        assert_int_equal(alias_set_add(&d.config.aliases, "fast", "gemini-a"), 0);
        assert_int_equal(zone_new("UTC", NOON, &d.zone), 0);
        d.http.p.engine = &test_engine;
        assert_int_equal(pool_new(d.zone, NOON, &d.http.p.pool), 0);
        d.config.n_ref = 1;
        d.http.p.config = &d.config;
        for (size_t i = 0; i < ELEMENTSOF(secrets); i++) {
                _cleanup_(secret_unrefp) Secret *s = NULL;

                assert_int_equal(secret_new(secrets[i], strlen(secrets[i]), &s), 0);
                assert_int_equal(pool_add_key(d.http.p.pool, s, NULL, NULL, false), 0);
        }
        assert_int_equal(model_list_new(&d.http, &d.http.models), 0);
        *state = &d;
        return 0;
}

static int teardown(void **state) {
        Daemon *d = *state;

        model_list_free(d->http.models);
        alias_set_done(&d->config.aliases);
        assert_null(world.call);
        pool_free(d->http.p.pool);
        zone_free(d->zone);
        return 0;
}

/* GET /v1/models, or with `id` /v1/models/{id}. */
static Asked *ask(Daemon *d, const char *id) {
        Asked *a = &d->asked[d->n_asked++];

        assert_true(d->n_asked <= ELEMENTSOF(d->asked));
        a->route.handler = id ? models_get : models_list;
        a->q.http = &d->http;
        a->q.config = &d->config;
        a->q.route = &a->route;
        a->q.rest = id;
        a->q.errors = &error_shape_openai;
        list_init(&a->q.link);
        request_handle(&a->q);
        return a;
}

/* The call under way ends: with a body, or (NULL) with a verdict. */
static void end(const char *body, VerdictClass class) {
        TestCall *c = world.call;
        Verdict v;

        assert_non_null(c);
        if (body)
                assert_int_equal(c->sink.event(body, strlen(body), c->userdata), 0);
        verdict_init(&v, class, 0, NULL);
        c->sink.done(&v, c->userdata);
}

#define MODEL(id, owner) "{\"id\":\"" id "\",\"object\":\"model\",\"created\":0,\"owned_by\":\"" owner "\"}"
#define LIST(models) "{\"object\":\"list\",\"data\":[" models "]}"
#define FAST MODEL("fast", "gemgate")

static void assert_answer(const Asked *a, int status, const char *answer) {
        assert_int_equal(a->q.status, status);
        assert_string_equal(a->answer, answer);
        assert_null(a->q.cancel);
}

/* --- conversations --- */

static void test_one_fetch_for_all(void **state) {
        Daemon *d = *state;
        Asked *list = ask(d, NULL), *one = ask(d, "gemini-b"), *none = ask(d, "nope"), *later;

        assert_int_equal(world.n_calls, 1);
        assert_string_equal(world.call->page, "");
        assert_string_equal(world.call->mask, "AIza****aaaa");
        end(PAGE_AND("gemini-a", "p2"), VERDICT_OK);
        assert_int_equal(list->q.status, 0);
        assert_string_equal(world.call->page, "p2");
        assert_string_equal(world.call->mask, "AIza****aaaa");
        end(PAGE("gemini-b"), VERDICT_OK);

        assert_answer(list, 200, LIST(MODEL("gemini-a", "google") "," MODEL("gemini-b", "google") "," FAST));
        assert_answer(one, 200, MODEL("gemini-b", "google"));
        assert_answer(none, 404, "model_not_found");
        assert_null(world.timeout);

        world.now += CACHE_TIME - 1;
        assert_answer(ask(d, "models/gemini-a"), 200, MODEL("gemini-a", "google"));
        assert_int_equal(world.n_calls, 2);

        world.now += 1;
        later = ask(d, NULL);
        assert_int_equal(later->q.status, 0);
        end(PAGE("gemini-c"), VERDICT_OK);
        assert_answer(later, 200, LIST(MODEL("gemini-c", "google") "," FAST));
}

/* Answers that need no list from Gemini. */
static void test_no_fetch(void **state) {
        Daemon *d = *state;

        assert_answer(ask(d, "fast"), 200, FAST);
        assert_answer(ask(d, "models/fast"), 200, FAST);
        assert_answer(ask(d, "a/b"), 400, "");
        assert_answer(ask(d, ""), 400, "");
        assert_int_equal(world.n_calls, 0);
}

/* Starts again with the next key, three times in all; the first complete list is used. */
static void test_another_key(void **state) {
        Daemon *d = *state;
        Asked *a = ask(d, NULL);

        end(PAGE_AND("gemini-a", "p2"), VERDICT_OK);
        end(NULL, VERDICT_KEY_DEAD);
        assert_string_equal(world.call->mask, "AIza****bbbb");
        assert_string_equal(world.call->page, "");
        end("<html>", VERDICT_OK); /* as an overload: another project is asked at once */
        assert_string_equal(world.call->mask, "AIza****cccc");
        assert_int_equal(a->q.status, 0);
        end(PAGE("gemini-b"), VERDICT_OK);
        assert_answer(a, 200, LIST(MODEL("gemini-b", "google") "," FAST));
        assert_int_equal(pool_usable_keys(d->http.p.pool, clock_realtime()), 2);
        assert_int_equal(pool_n_models(d->http.p.pool), 0);
}

static void test_no_more_keys(void **state) {
        Daemon *d = *state;
        Asked *a = ask(d, NULL), *b = ask(d, "gemini-a");

        for (size_t i = 0; i < TRIES_DEAR_MAX; i++)
                end(NULL, VERDICT_KEY_DEAD);
        assert_answer(a, 503, "service_unavailable");
        assert_answer(b, 503, "service_unavailable");
        assert_null(world.timeout);

        /* All keys are dead: nothing is sent. */
        assert_answer(ask(d, NULL), 503, "service_unavailable");
        assert_int_equal(world.n_calls, TRIES_DEAR_MAX);
}

/* A fault that all keys share is answered at once. */
static void test_no_other_key(void **state) {
        Asked *a = ask(*state, NULL);

        end(NULL, VERDICT_GEO);
        assert_answer(a, 400, "unsupported_country_region_territory");
        assert_int_equal(world.n_calls, 1);
}

static void test_old_list(void **state) {
        Daemon *d = *state;
        Asked *a;

        ask(d, NULL);
        end(PAGE("gemini-a"), VERDICT_OK);

        world.now += CACHE_TIME;
        a = ask(d, "gemini-a");
        for (size_t i = 0; i < TRIES_DEAR_MAX; i++) {
                assert_int_equal(a->q.status, 0);
                end(NULL, VERDICT_OVERLOAD);
                if (i > 0 && i + 1 < TRIES_DEAR_MAX)
                        end_pause(); /* after the first one, another project was asked at once */
        }
        assert_answer(a, 200, MODEL("gemini-a", "google"));

        world.now += CACHE_TIME_STALE - 1;
        assert_answer(ask(d, "gemini-a"), 200, MODEL("gemini-a", "google"));
        world.now += 1;
        a = ask(d, "gemini-a");
        assert_int_equal(a->q.status, 0);
        end(PAGE("gemini-b"), VERDICT_OK);
        assert_answer(a, 404, "model_not_found");
}

/* A client that hangs up is forgotten; the fetch goes on for the next one. */
static void test_cancel(void **state) {
        Daemon *d = *state;
        Asked *a = ask(d, NULL), *b = ask(d, NULL);

        TAKE_PTR(a->q.cancel)(&a->q);
        assert_false(list_is_linked(&a->q.link));
        TAKE_PTR(b->q.cancel)(&b->q);
        end(PAGE("gemini-a"), VERDICT_OK);
        assert_int_equal(a->q.status, 0);
        assert_answer(ask(d, "gemini-a"), 200, MODEL("gemini-a", "google"));
        assert_int_equal(world.n_calls, 1);
}

static void test_timeout(void **state) {
        Daemon *d = *state;
        Asked *a = ask(d, NULL);

        assert_non_null(world.timeout);
        world.queue.fn(world.timeout);
        assert_null(world.call);
        assert_answer(a, 504, "timeout");
        a = ask(d, NULL);
        end(PAGE("gemini-a"), VERDICT_OK);
        assert_answer(a, 200, LIST(MODEL("gemini-a", "google") "," FAST));
}

static void test_cannot_start(void **state) {
        Daemon *d = *state;
        Asked *a;

        world.refuse = -ENOMEM;
        assert_answer(ask(d, NULL), 500, "");
        world.refuse = 0;
        a = ask(d, NULL);
        world.refuse = -E2BIG; /* a token that is too long for a URL */
        end(PAGE_AND("gemini-a", "p2"), VERDICT_OK);
        assert_answer(a, 500, "");
}

/* A list that always has a next page. */
static void test_endless(void **state) {
        Asked *a = ask(*state, "gemini-a");

        for (unsigned i = 0; i < MODEL_LIST_PAGES_MAX; i++)
                end(PAGE_AND("gemini-a", "more"), VERDICT_OK);
        assert_answer(a, 200, MODEL("gemini-a", "google"));
        assert_null(world.call);
}

/* An alias with the name of a model replaces it. */
static void test_alias_of_a_name(void **state) {
        Daemon *d = *state;
        Asked *a;

        alias_set_done(&d->config.aliases);
        assert_int_equal(alias_set_add(&d->config.aliases, "gemini-b", "gemini-a"), 0);
        a = ask(d, NULL);
        end(PAGE_AND("gemini-a", "2"), VERDICT_OK);
        end(PAGE("gemini-b"), VERDICT_OK);
        assert_answer(a, 200, LIST(MODEL("gemini-a", "google") "," MODEL("gemini-b", "gemgate")));
        assert_answer(ask(d, "gemini-b"), 200, MODEL("gemini-b", "gemgate"));
}

/* A pattern is not listed, and takes no model out of the list; a name that fits it can be looked up. */
static void test_pattern(void **state) {
        Daemon *d = *state;
        Asked *a;

        assert_int_equal(alias_set_add(&d->config.aliases, "gemini-*", "gemini-a"), 0);
        a = ask(d, NULL);
        end(PAGE_AND("gemini-a", "2"), VERDICT_OK);
        end(PAGE("gemini-b"), VERDICT_OK);
        assert_answer(a, 200, LIST(MODEL("gemini-a", "google") "," MODEL("gemini-b", "google") "," FAST));
        assert_answer(ask(d, "gemini-a"), 200, MODEL("gemini-a", "google"));
        assert_answer(ask(d, "gemini-c"), 200, MODEL("gemini-c", "gemgate"));
        assert_answer(ask(d, "other"), 404, "model_not_found");
}

/* The daemon ends in the middle of a fetch: the teardown finds no call and no lease left. */
static void test_end(void **state) {
        Asked *a = ask(*state, NULL);

        TAKE_PTR(a->q.cancel)(&a->q);
        assert_non_null(world.call);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
        static const struct CMUnitTest tests[] = {
                TEST(test_one_fetch_for_all), TEST(test_no_fetch),     TEST(test_another_key),
                TEST(test_no_more_keys),      TEST(test_no_other_key), TEST(test_old_list),
                TEST(test_cancel),            TEST(test_timeout),      TEST(test_cannot_start),
                TEST(test_endless),           TEST(test_alias_of_a_name), TEST(test_pattern),
                TEST(test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
