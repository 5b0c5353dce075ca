/* SPDX-License-Identifier: MIT */
#include "exchange-world.h"
#include "pool-keys.h"
#include "noon.h"
#include "walk.h"

/*
 * A long random walk of exchanges: the real exchange, hedge, queue and pool, between a fake engine that
 * sends what it likes, fake clients that read, dawdle and hang up, and a fake clock. Beside it runs a plain
 * model: what each client has been sent, as text that names the attempt and the event it came from; which
 * leases are out; how many tries were made and what they cost. After each turn of the loop it is compared
 * with what is there, and at the end nothing may be left.
 *
 * The text that a client gets: `[A.N]` is event N of attempt A, `[A]` the end of that attempt's answer,
 * `[ping]`, and `[error]`. So an answer is right if it is [A.0][A.1]…[A] of one attempt that ended well, or,
 * where it needs several requests, [A.0][A.1]…[B.0]…[B] of one such attempt after another.
 */

/* --- the steps --- */

static void step_call(void) {
        static const VerdictClass often[] = { VERDICT_OK,       VERDICT_OK,           VERDICT_OK,
                                              VERDICT_MINUTE,   VERDICT_DAY,          VERDICT_OVERLOAD,
                                              VERDICT_TIMEOUT,  VERDICT_RATE_UNKNOWN, VERDICT_CUT,
                                              VERDICT_FOREIGN,  VERDICT_UNREACHABLE,  VERDICT_SIGNATURE };
        Call *call = &w.calls[draw(CALLS)];

        for (unsigned i = 0; i < CALLS && !(call->taken && !call->paused); i++)
                call = call + 1 < w.calls + CALLS ? call + 1 : w.calls;
        if (!call->taken || call->paused)
                return;
        if (call->is_last_sent && draw(8) > 0)
                call_end(call, VERDICT_OK);
        else if (draw(3) > 0)
                call_event(call);
        else if (draw(12) == 0)
                call_end(call, (VerdictClass) draw(_VERDICT_CLASS_MAX));
        else
                call_end(call, often[draw(ELEMENTSOF(often))]);
}

static Client *pick_client(void) {
        Client *c = &w.clients[draw(CLIENTS)];

        for (unsigned i = 0; i < CLIENTS && !c->taken; i++)
                c = c + 1 < w.clients + CLIENTS ? c + 1 : w.clients;
        return c->taken ? c : NULL;
}

static bool has_calls(const Client *c) {
        for (unsigned i = 0; i < CALLS; i++)
                if (w.calls[i].taken && w.calls[i].client == c)
                        return true;
        return false;
}

static unsigned n_translating(void) {
        unsigned n = 0;

        for (unsigned i = 0; i < CLIENTS; i++) {
                const Exchange *x = w.clients[i].taken ? w.clients[i].q.exchange : NULL;

                n += x && x->state == EXCHANGE_TRANSLATING;
        }
        return n;
}

/* The request is over, by its end or by its client's: the server forgets it. */
static void client_end(Client *c) {
        if (c->q.cancel)
                TAKE_PTR(c->q.cancel)(&c->q);
        check(!c->q.exchange, "an exchange outlives its request");
        check(!has_calls(c), "a call outlives its request");
        check(fake_worker_n_pending(&w.worker) == n_translating(), "a reading outlives its request");
        buf_done(&c->io.body);
        buf_done(&c->io.out);
        w.n_hedged += c->q.hedged;
        verdicts_done(&c->q.verdicts);
        *c = (Client){};
}

static void step_begin(void) {
        static const char *const models[] = { "m-one", "m-two", "m-three" };
        Client *c = w.clients;
        ApiError e;
        int r;

        while (c < w.clients + CLIENTS && c->taken)
                c++;
        if (c == w.clients + CLIENTS || w.n_calls + 2 > CALLS)
                return;
        *c = (Client){ .taken = true,
                       .began = w.loop.now,
                       .last_byte = w.loop.now,
                       .reading = -1,
                       .model = models[draw(ELEMENTSOF(models))],
                       .size = draw(8) == 0 ? BIG : 100,
                       .method = draw(3) > 0       ? GEMINI_STREAM
                                 : draw(4) > 0     ? GEMINI_GENERATE
                                                   : GEMINI_COUNT_TOKENS };
        c->io = (HttpRequest){ .client = c, .body = BUF_INIT(16), .out = BUF_INIT(BIG) };
        c->q = (Request){ .http = &w.http, .io = &c->io, .dialect = &fake_dialect,
                          .errors = &error_shape_openai,
                          .config = &w.configs[draw(ELEMENTSOF(w.configs))] };
        (void) snprintf(c->q.id, sizeof(c->q.id), "%td", c - w.clients);
        c->q.ids.id = c->q.id;
        c->is_long = draw(4) == 0;
        if (c->is_long) {
                c->io.body = (Buf){ .base = malloc(LONG), .n = LONG, .size = LONG, .max = LONG };
                assert_non_null(c->io.body.base);
                w.n_long++;
        }
        list_init(&c->q.link);
        w.fail_start = draw(300) == 0;
        w.n_begun++;
        r = exchange_begin(&c->q, &e);
        check(r == 0, "a request is refused");
        w.n_queued += c->q.exchange && c->q.exchange->state == EXCHANGE_QUEUED;
}

static void step_read(void) {
        Client *c = pick_client();
        HttpRequest *io;

        if (!c || !c->io.streaming || (c->io.out.n == 0 && !c->io.finished))
                return;
        io = &c->io;
        if (io->out.n > 0) {
                check(!io->finished || io->n_at_end == io->out.n, "bytes after the end");
                read_tokens(c, &io->out, 1 + draw(io->out.n));
                io->n_at_end = io->out.n;
                if (io->full && io->out.n <= LOW_MARK) {
                        io->full = false;
                        if (c->q.exchange)
                                exchange_drained(c->q.exchange);
                }
        }
}

static void step_end(void) {
        Client *c = pick_client();

        if (!c || !c->io.replied || (c->io.streaming && (!c->io.finished || c->io.out.n > 0)))
                return;
        check(c->n_answers == 1, "%u answers", c->n_answers);
        if (c->io.streaming)
                check(c->io.clean ? c->has_end && c->n_errors == 0 : !c->has_end && c->n_errors == 1,
                      "a stream that ends %s, with %u errors", c->io.clean ? "well" : "badly", c->n_errors);
        else
                check(c->status == 200 ? c->has_end : c->n_errors == 1, "an answer that is none");
        w.n_well += c->has_end;
        client_end(c);
}

static void step_hangup(void) {
        Client *c = draw(6) == 0 ? pick_client() : NULL;

        if (!c)
                return;
        w.n_hangups++;
        client_end(c);
}

static void step_worker(void) {
        fake_worker_work(&w.worker);
}

static void step_time(void) {
        usec_t span = draw(200) * USEC_PER_MSEC;

        if (draw(8) == 0)
                span = draw(3000) * USEC_PER_MSEC;
        if (draw(500) == 0)
                span = draw(60) * USEC_PER_SEC;
        fake_loop_turn(&w.loop);
        fake_loop_pass(&w.loop, span);
}

static void step_other(void) {
        Client *c;

        switch (draw(8)) {
        case 0:
                w.loop.fail_timers = true;
                break;
        case 1:
                w.fail_stream = draw(8) == 0;
                break;
        case 2:
                (void) pool_reset(w.http.p.pool, NULL, NULL, __wrap_clock_realtime());
                key_queue_kick(w.http.queue);
                break;
        case 3:
                c = draw(8) == 0 ? pick_client() : NULL;
                if (!c || !c->q.exchange)
                        break;
                c->injected = true;
                w.n_cut++;
                exchange_cut(c->q.exchange);
                break;
        default:
                key_queue_kick(w.http.queue);
        }
}

/* --- the comparison --- */

/* Whether the head may still be sent without an event. It is not known to be a stream while it is read. */
static bool is_before_head(const Client *c) {
        return c->q.config->route.stream_open_after > 0 && w.loop.now < c->began + OPEN_AFTER &&
               (c->method == GEMINI_STREAM || c->is_long);
}

/* A head that had no memory waits for the first event. */
static bool is_late_head(const Client *c) {
        return c->q.config->route.stream_open_after > 0 && w.loop.now > c->began + OPEN_AFTER &&
               c->method == GEMINI_STREAM && c->q.exchange->target.translation && !c->io.streaming &&
               !c->head_refused;
}

static void compare_one(const Client *c) {
        const Exchange *x = c->q.exchange;
        const Call *call;

        if (!x) {
                check(c->n_answers == 1, "a request without an exchange has %u answers", c->n_answers);
                check(!has_calls(c), "a call is under way behind the answer");
                return;
        }
        check(x->state != EXCHANGE_PICKING && x->state != EXCHANGE_DONE, "an exchange rests in %s",
              exchange_state_to_string(x->state));
        check((x->state == EXCHANGE_DRAINING) == (c->n_answers == 1), "%u answers in %s", c->n_answers,
              exchange_state_to_string(x->state));
        check((x->state == EXCHANGE_QUEUED) == key_queue_place_is_taken(&x->place), "a place in %s",
              exchange_state_to_string(x->state));
        check((x->state == EXCHANGE_WAITING) == (x->backoff != NULL), "a backoff timer in %s",
              exchange_state_to_string(x->state));
        check((x->state == EXCHANGE_TRANSLATING) == (x->reading != NULL), "a reading in %s",
              exchange_state_to_string(x->state));
        check(!c->is_long || x->state == EXCHANGE_TRANSLATING ||
                      (c->io.body.n == LONG) == (x->target.fallback != NULL),
              "a body in %s that is kept for nothing, or lost", exchange_state_to_string(x->state));
        check((x->state == EXCHANGE_ATTEMPTING || x->state == EXCHANGE_STREAMING) ==
                      (x->attempt->upstream.call != NULL),
              "a call in %s, or none", exchange_state_to_string(x->state));
        check((x->state == EXCHANGE_DRAINING) == !list_is_linked(&x->deadline.link), "the deadline in %s",
              exchange_state_to_string(x->state));
        check(x->state == EXCHANGE_DRAINING || w.loop.now <= c->began + DEADLINE, "past the deadline");
        check((x->state != EXCHANGE_DRAINING && (c->io.streaming || is_before_head(c))) ==
                      list_is_linked(&x->ping.link),
              "the ping in %s", exchange_state_to_string(x->state));
        check(c->io.streaming || x->state < EXCHANGE_STREAMING, "no stream in %s",
              exchange_state_to_string(x->state));
        check(!c->has_begun || c->is_between || x->state >= EXCHANGE_STREAMING, "the stream in %s",
              exchange_state_to_string(x->state));
        check(!is_late_head(c), "no head in %s", exchange_state_to_string(x->state));
        check(x->state != EXCHANGE_DRAINING || !has_calls(c), "a call behind the end");
        if (x->state == EXCHANGE_STREAMING) {
                call = CONTAINER_OF(x->attempt->upstream.call, Call, call);
                check(call->paused == c->io.full, "a call that is %s while the client's buffer is %s",
                      call->paused ? "paused" : "going on", c->io.full ? "full" : "not");
        }
        check(!c->io.streaming || x->state == EXCHANGE_DRAINING ||
                      w.loop.now <= c->last_byte + OPEN_AFTER,
              "silence without a ping");
        check(!c->io.finished || c->io.out.n == c->io.n_at_end, "bytes after the end");
        check(x->tries.cost.n == c->n_tries, "%u tries are counted, not %u", x->tries.cost.n, c->n_tries);
}

static void compare(void) {
        unsigned n_exchanges = 0, n_queued = 0, n_waiting = 0;
        KeyQueueCounters counters;

        for (unsigned i = 0; i < CLIENTS; i++) {
                const Client *c = &w.clients[i];

                if (!c->taken)
                        continue;
                compare_one(c);
                if (!c->q.exchange)
                        continue;
                n_exchanges++;
                n_queued += c->q.exchange->state == EXCHANGE_QUEUED;
                n_waiting += c->q.exchange->state == EXCHANGE_WAITING;
        }
        check(fake_worker_n_pending(&w.worker) == n_translating(), "a reading of no exchange");
        key_queue_counters(w.http.queue, &counters);
        check(w.n_leases == w.n_calls, "%u leases for %u calls", w.n_leases, w.n_calls);
        check(w.http.n_exchanges == n_exchanges, "%zu exchanges are counted, not %u", w.http.n_exchanges,
              n_exchanges);
        check(counters.n_waiting == n_queued, "%zu places are counted, not %u", counters.n_waiting,
              n_queued);
        check(w.loop.n_timers == n_waiting, "%u timers, not %u", w.loop.n_timers, n_waiting);
}

/* --- the walk --- */

static void world_begin(void) {
        Http *h = &w.http;

        fake_loop_init(&w.loop);
        w.engine.ops = &fake_engine_ops;
        list_init(&w.worker.waiting);
        h->worker = &w.worker;
        h->p = (HttpParams){ .loop = &w.loop, .engine = &w.engine, .cli = &w.engine };
        assert_int_equal(pool_new(zone, __wrap_clock_realtime(), &h->p.pool), 0);
        for (unsigned k = 0; k < KEYS; k++) {
                char text[] = "AIzaSyWalk-0123456789-?..?";
                Secret *s;

                text[22] = text[25] = (char) ('a' + k);
                assert_int_equal(secret_new(text, strlen(text), &s), 0);
                assert_int_equal(pool_add_key(h->p.pool, s, NULL, k < 2 ? "one" : NULL, false), 0);
                secret_unref(s);
        }
        assert_int_equal(timeout_queue_new(&w.loop, OPEN_AFTER, exchange_on_ping, &h->ping), 0);
        assert_int_equal(timeout_queue_new(&w.loop, OPEN_AFTER, exchange_on_open, &h->open_due), 0);
        assert_int_equal(timeout_queue_new(&w.loop, DEADLINE, exchange_on_deadline, &h->deadline), 0);
        assert_int_equal(timeout_queue_new(&w.loop, USEC_PER_SEC, exchange_on_hedge, &h->hedge_due), 0);
        assert_int_equal(hedges_new(&h->hedges), 0);
        assert_int_equal(key_queue_new(&w.loop, &exchange_queue_ops, &h->queue), 0);
        for (unsigned i = 0; i < ELEMENTSOF(w.configs); i++) {
                RouteConfig *r = &w.configs[i].route;

                w.configs[i].n_ref = 1;
                r->affinity_spill = AFFINITY_OFF;
                r->queue_wait = i & 1 ? 5 * USEC_PER_SEC : 0;
                r->stream_open_after = i & 4 ? OPEN_AFTER : 0;
                r->hedge_after = i & 1 ? 300 * USEC_PER_MSEC : i & 2 ? HEDGE_P95 : HEDGE_OFF;
                if (i & 2) {
                        assert_int_equal(fallback_set_add(&r->fallbacks, "m-one"), 0);
                        assert_int_equal(fallback_set_add_step(&r->fallbacks, "m-two"), 0);
                        assert_int_equal(fallback_set_add_step(&r->fallbacks, "m-three"), 0);
                }
        }
}

static void world_end(void) {
        Http *h = &w.http;

        for (unsigned i = 0; i < CLIENTS; i++)
                if (w.clients[i].taken)
                        client_end(&w.clients[i]);
        if (w.worker.running) /* dropped */
                fake_worker_work(&w.worker);
        compare();
        check(list_is_empty(&w.worker.waiting) && !w.worker.running, "a task is left");
        check(w.n_calls == 0 && w.n_leases == 0, "%u calls and %u leases are left", w.n_calls, w.n_leases);
        check(fake_loop_n_running(&w.loop) == 0, "%u time-outs are left", fake_loop_n_running(&w.loop));
        check(list_is_empty(&w.loop.hooks) || list_is_single(&w.loop.hooks), "a hook is left");
        h->queue = key_queue_free(h->queue);
        timeout_queue_free(h->ping);
        timeout_queue_free(h->open_due);
        timeout_queue_free(h->deadline);
        timeout_queue_free(h->hedge_due);
        hedges_free(h->hedges);
        pool_free(h->p.pool);
        for (unsigned i = 0; i < ELEMENTSOF(w.configs); i++)
                fallback_set_done(&w.configs[i].route.fallbacks);
}

static void walk(uint64_t seed, unsigned n_steps) {
        static void (*const steps[])(void) = {
                step_begin, step_begin, step_call, step_call, step_call, step_call,  step_call, step_call,
                step_read,  step_read,  step_end,  step_end,  step_time, step_hangup, step_other,
                step_worker,
        };

        memset(&w, 0, sizeof(w));
        w.random = walk_seed(seed);
        world_begin();
        for (w.step = 0; w.step < n_steps; w.step++) {
                steps[draw(ELEMENTSOF(steps))]();
                if (draw(3) == 0) { /* else more happens in the same turn of the loop */
                        fake_loop_turn(&w.loop);
                        compare();
                }
        }
        fake_loop_turn(&w.loop);
        world_end();
        print_message("           %u requests: %u served, %u errors (%u late), %u in a stream, %u hang-ups; "
                      "%u hedged, %u queued, %u tries at most, %u long; "
                      "%u heads without an event, %u tries and %u errors behind them\n",
                      w.n_begun, w.n_well, w.n_errors, w.n_late, w.n_stream_errors, w.n_hangups, w.n_hedged,
                      w.n_queued, w.most_tries, w.n_long, w.n_opened, w.n_behind, w.n_open_errors);
        assert_true(w.n_well > n_steps / 200 && w.n_errors > n_steps / 500 && w.n_hangups > n_steps / 500);
        assert_true(w.n_stream_errors > 0 && w.n_hedged > 0 && w.n_queued > 0 && w.n_late > 0);
        assert_true(w.n_cut > 0);
        assert_true(w.n_long > n_steps / 200 && w.n_refused > n_steps / 5000);
        assert_true(w.n_joined > n_steps / 5000 && w.n_opened > n_steps / 1000);
        assert_true(w.n_behind > n_steps / 5000 && w.n_open_errors > n_steps / 5000);
        assert_true(w.n_more > n_steps / 5000 && w.n_unsigned > n_steps / 5000);
        assert_true(w.most_tries > 3 && w.n_elsewhere > n_steps / 1000 && w.n_paused > n_steps / 5000);
}

#if defined(__SANITIZE_ADDRESS__)
#define STEPS 100000U /* in one walk: a shorter one need not meet every situation */
#define SEEDS 1U
#else
#define STEPS 1000000U
#define SEEDS 4U
#endif

static void test_walk(void **state) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++)
                walk(seed, walk_steps(STEPS / SEEDS));
}

int main(void) {
        static const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk) };

        return cmocka_run_group_tests_name("exchange-walk", tests, setup, teardown);
}
