/* SPDX-License-Identifier: MIT */

/*
 * One exchange, one state machine, one door.
 *
 *     (READING) → ATTEMPTING ⇄ WAITING
 *                     ↓
 *                 STREAMING → DRAINING → DONE
 *
 *   READING     the body is still arriving: that part is http.c's, the exchange begins when it is there
 *   ATTEMPTING  an engine was started; the client has no byte yet, so another key may be tried
 *   WAITING     Gemini is overloaded: a timer is armed, then the next attempt
 *   STREAMING   the first byte is queued: never another key; a failure becomes the dialect's in-stream error
 *   DRAINING    the engine is finished, the client still reads
 *   DONE        nothing is pending
 *
 * Everything under way is a field (lease, call, backoff, ping, deadline). A callback clears its field,
 * records the fact and calls exchange_step(), the only place that changes the state. Freeing cancels every
 * field that is set.
 *
 * An answer that is not streamed goes from ATTEMPTING to DONE. A stream's headers are not sent before its
 * first event is translated, so that an error before it is still a plain HTTP error, and another key can
 * still be tried; pings begin with that first event.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/text.h"
#include "dialect/gemini-error.h"
#include "io/timeout.h"
#include "io/timer.h"
#include "server/course.h"
#include "server/exchange.h"

/* Overload passes by itself: two waits, each with jitter, so that all who were turned away do not come back
 * at once. */
#define BACKOFF_FIRST (500 * USEC_PER_MSEC)
#define BACKOFF_SECOND (1500 * USEC_PER_MSEC)

/* No text has fewer tokens than this: used only to tell a throttle that will pass from a request that never
 * fits. */
#define BYTES_PER_TOKEN_MOST 16U

/* What is taken for true until Gemini has counted: English text and the JSON around it have rather more
 * bytes to a token, Chinese three, an image many. */
#define BYTES_PER_TOKEN 4U

typedef enum ExchangeState {
        EXCHANGE_ATTEMPTING,
        EXCHANGE_WAITING,
        EXCHANGE_STREAMING,
        EXCHANGE_DRAINING,
        EXCHANGE_DONE,
} ExchangeState;

struct Exchange {
        Request *request;
        ExchangeState state;
        Course course;
        Translation *translation; /* the course's */

        /* what is under way */
        Lease lease; /* key NULL: none */
        EngineCall *call;
        Timer *backoff;
        Timeout ping, deadline;

        /* what was heard since the last step */
        bool ended;   /* the attempt is over: see verdict */
        bool judged;  /* the dialect has said what came of it, whatever the engine says then */
        bool late;    /* REQUEST_DEADLINE is over */
        int error;    /* of ours, on the way */
        Verdict verdict;
        bool refused; /* the engine has the client's error ready */
        ApiError refusal;

        PoolKey *tried[ATTEMPTS_MAX];
        size_t n_tried;
};

static void exchange_step(Exchange *x);

/* --- what is under way, and how it ends --- */

static void lease_end(Exchange *x, const Verdict *v) {
        if (!x->lease.key)
                return;
        pool_report(x->request->http->p.pool, &x->lease, v, &x->translation->usage, clock_realtime());
        x->lease = (Lease){};
}

static void attempt_cancel(Exchange *x, VerdictClass class) {
        Verdict v;

        if (!x->call && !x->lease.key)
                return;
        x->call = engine_call_free(x->call);
        verdict_init(&v, class, 0, NULL);
        x->request->usage = x->translation->usage;
        lease_end(x, &v);
        if (x->state == EXCHANGE_ATTEMPTING)
                request_note_verdict(x->request, class);
        x->request->verdict = verdict_rule(class)->name;
}

static Exchange *exchange_free(Exchange *x) {
        if (!x)
                return NULL;

        attempt_cancel(x, VERDICT_CLIENT_GONE);
        timer_free(x->backoff);
        timeout_stop(&x->ping);
        timeout_stop(&x->deadline);
        x->request->exchange = NULL;
        x->request->cancel = NULL;
        if (!x->request->job)
                x->request->http->n_exchanges--;
        translation_free(x->translation);
        free(x);
        return NULL;
}
DEFINE_CLEANUP(Exchange *, exchange_free);

static void on_cancel(Request *q) {
        exchange_free(q->exchange);
}

/* --- an attempt --- */

static int on_event(const char *json, size_t n, void *userdata) {
        Exchange *x = userdata;
        Translation *t = x->translation;
        int r;

        if (x->request->job)
                job_heard(x->request->job, json, n);
        r = t->dialect->event(t, json, n, http_request_out(x->request->io), &x->verdict);
        if (r == DIALECT_E_VERDICT) {
                secret_scrub(x->verdict.message, x->lease.key ? pool_key_secret(x->lease.key) : NULL);
                x->judged = true;
                return -ECANCELED;
        }
        if (r < 0) {
                x->error = r;
                return r;
        }
        if (t->stream)
                exchange_step(x);
        return 0;
}

static void on_done(const Verdict *v, void *userdata) {
        Exchange *x = userdata;

        x->call = engine_call_free(x->call);
        x->ended = true;
        if (!x->judged)
                x->verdict = *v;
        exchange_step(x);
}

/* Before on_done(), from an engine that takes the keys itself. */
static void on_served(const EngineServed *s, void *userdata) {
        Exchange *x = userdata;
        Request *q = x->request;

        q->attempts = s->attempts;
        (void) snprintf(q->key_mask, sizeof(q->key_mask), "%s", s->key_mask);
        (void) snprintf(q->key_name, sizeof(q->key_name), "%s", s->key_name);
        x->refused = s->refusal;
        if (s->refusal)
                x->refusal = *s->refusal;
}

/* A stream that ended well for HTTP may still lack its end, which only the dialect can tell. */
static void attempt_conclude(Exchange *x) {
        Translation *t = x->translation;
        int r;

        if (x->error < 0)
                verdict_init(&x->verdict, VERDICT_INTERNAL, 0, "gemgate ran out of memory.");
        else if (x->verdict.class == VERDICT_OK) {
                r = t->dialect->finish(t, http_request_out(x->request->io), &x->verdict);
                if (r < 0)
                        verdict_init(&x->verdict, VERDICT_INTERNAL, 0, "gemgate ran out of memory.");
        }
        gemini_error_weigh(&x->verdict, t->opaque ? 0 : t->gemini.n / BYTES_PER_TOKEN_MOST);
        if (x->state == EXCHANGE_ATTEMPTING)
                request_note_verdict(x->request, x->verdict.class);
        x->request->verdict = verdict_rule(x->verdict.class)->name;
        x->request->usage = t->usage;
        (void) snprintf(x->request->finish_reason, sizeof(x->request->finish_reason), "%s",
                        strempty(t->finish_reason));
        lease_end(x, &x->verdict);
}

/* 0, or what the pool said. Google counts countTokens apart from the requests, so a key whose quota of the
 * model is spent can still count, and what becomes of it says nothing about that quota. */
static int pick(Exchange *x, size_t n_tried, PoolRefusal *ret_refusal) {
        Pool *pool = x->request->http->p.pool;
        usec_t now = clock_realtime();

        if (x->translation->counts)
                return pool_pick_any(pool, x->tried, n_tried, now, &x->lease, ret_refusal);
        return pool_pick_for(pool,
                             &(PoolRequest){
                                     .model = x->course.model,
                                     .exclude = x->tried,
                                     .n_exclude = n_tried,
                                     .tokens = x->translation->gemini.n / BYTES_PER_TOKEN,
                             },
                             now, &x->lease, ret_refusal);
}

static int attempt_pick(Exchange *x, PoolRefusal *ret_refusal) {
        int r;

        r = pick(x, x->n_tried, ret_refusal);
        /* Overload is nobody's fault: where there is no other key, the same one will do. */
        if (r == POOL_E_EXHAUSTED && x->n_tried > 0 && verdict_rule(x->verdict.class)->backoff)
                r = pick(x, 0, ret_refusal);
        return r;
}

static int cli_begin(Exchange *x) {
        static const EngineSink sink = { .event = on_event, .done = on_done, .served = on_served };
        Translation *t = x->translation;
        Request *q = x->request;

        return engine_start(q->http->p.cli,
                            &(EngineRequest){
                                    .method = t->stream ? ENGINE_STREAM_GENERATE : ENGINE_GENERATE,
                                    .model = x->course.model,
                                    .body = buf_data(&t->gemini),
                                    .n_body = t->gemini.n,
                                    .id = q->id,
                                    .timeout = t->timeout,
                            },
                            &sink, x, &x->call);
}

static int attempt_begin(Exchange *x, PoolRefusal *ret_refusal) {
        static const EngineSink sink = { .event = on_event, .done = on_done };
        Translation *t = x->translation;
        Request *q = x->request;
        int r;

        if (x->course.cli)
                return cli_begin(x);

        r = attempt_pick(x, ret_refusal);
        if (r != 0)
                return r;
        x->tried[x->n_tried++] = x->lease.key;
        q->attempts++;
        secret_mask_key(pool_key_secret(x->lease.key), q->key_mask);
        (void) snprintf(q->key_name, sizeof(q->key_name), "%s", pool_key_id(x->lease.key));
        q->key_named = pool_key_is_named(x->lease.key);
        if (q->job)
                job_tried(q->job, q->key_mask, q->key_name);
        x->ended = x->judged = false;
        return engine_start(q->http->p.engine,
                            &(EngineRequest){
                                    .method = t->counts   ? ENGINE_COUNT_TOKENS :
                                              t->stream ? ENGINE_STREAM_GENERATE :
                                                          ENGINE_GENERATE,
                                    .model = x->course.model,
                                    .body = buf_data(&t->gemini),
                                    .n_body = t->gemini.n,
                                    .key = pool_key_secret(x->lease.key),
                            },
                            &sink, x, &x->call);
}

/* --- the client's side --- */

static void fail(Exchange *x, const ApiError *e) {
        Request *q = x->request;

        attempt_cancel(x, VERDICT_INTERNAL);
        if (q->job)
                job_failed(q->job, e);
        if (x->state == EXCHANGE_STREAMING) {
                x->translation->dialect->stream_error(x->translation, e, http_request_out(q->io));
                http_request_finish(q->io, false);
                timeout_stop(&x->ping);
                timeout_stop(&x->deadline);
                x->state = EXCHANGE_DRAINING;
                return;
        }
        buf_clear(http_request_out(q->io));
        request_reply_error(q, e);
        x->state = EXCHANGE_DONE;
}

static void fail_verdict(Exchange *x) {
        ApiError e;

        if (x->refused)
                return fail(x, &x->refusal);
        api_error_from_verdict(&e, &x->verdict, x->course.model);
        fail(x, &e);
}

static void fail_refusal(Exchange *x, const PoolRefusal *refusal) {
        ApiError e;

        /* If keys are left that only this request must not use again, what they said is
         * the better answer. */
        if (x->n_tried > 0 && refusal->n_keys[POOL_USABLE] > 0)
                return fail_verdict(x);
        api_error_from_refusal(&e, refusal, x->course.model, clock_realtime());
        fail(x, &e);
}

static void fail_late(Exchange *x) {
        attempt_cancel(x, VERDICT_TIMEOUT);
        verdict_init(&x->verdict, VERDICT_TIMEOUT, 0, "The answer was not there within REQUEST_DEADLINE.");
        fail_verdict(x);
}

/* Its headers say how it has begun; how it ends nobody knows yet. */
static int stream_begin(Exchange *x) {
        if (!x->ended)
                request_note_verdict(x->request, VERDICT_OK);
        return request_stream(x->request, x->translation->stream_type ?: "text/event-stream");
}

/* More bytes for the client are in the buffer. */
static void pass_on(Exchange *x) {
        HttpRequest *io = x->request->io;

        timeout_start(x->request->http->ping, &x->ping);
        http_request_flush(io);
        if (x->call && http_request_is_full(io))
                engine_call_pause(x->call, true);
}

static void succeed(Exchange *x) {
        Request *q = x->request;
        HttpRequest *io = q->io;

        timeout_stop(&x->deadline);
        timeout_stop(&x->ping);
        if (q->job && !x->translation->counts)
                job_answered(q->job, &q->usage);
        if (x->state == EXCHANGE_STREAMING || x->translation->stream) {
                if (x->state != EXCHANGE_STREAMING && stream_begin(x) < 0)
                        return request_fail(q, 500, NULL, "Out of memory.");
                http_request_flush(io);
                http_request_finish(io, true);
                x->state = EXCHANGE_DRAINING;
                return;
        }
        request_reply_json(q, 200, http_request_out(io));
        x->state = EXCHANGE_DONE;
}

/* --- the door --- */

static void on_backoff(void *userdata) {
        Exchange *x = userdata;

        x->backoff = timer_free(x->backoff);
        exchange_step(x);
}

static int wait_begin(Exchange *x) {
        usec_t base = x->n_tried == 1 ? BACKOFF_FIRST : BACKOFF_SECOND;
        uint16_t jitter = 0;

        if (getrandom(&jitter, sizeof(jitter), GRND_NONBLOCK) < 0)
                jitter = UINT16_MAX / 2; /* not seeded yet, right after the boot: no jitter then */
        base = base / 2 + base * jitter / UINT16_MAX; /* half to one and a half */
        return timer_new(x->request->http->p.loop, base, on_backoff, x, &x->backoff);
}

/* The attempt is over and the client has no byte: is there another? */
static bool may_try_again(const Exchange *x) {
        const VerdictRule *rule = verdict_rule(x->verdict.class);

        return !x->course.cli && (rule->another_key || rule->backoff) && x->n_tried < ATTEMPTS_MAX;
}

static void exchange_try(Exchange *x) {
        PoolRefusal refusal;
        int r;

        x->state = EXCHANGE_ATTEMPTING;
        r = attempt_begin(x, &refusal);
        if (r == POOL_E_EXHAUSTED)
                return fail_refusal(x, &refusal);
        if (r < 0) {
                verdict_init(&x->verdict, VERDICT_INTERNAL, 0,
                             "gemgate could not start the request upstream.");
                fail_verdict(x);
        }
}

static void exchange_step(Exchange *x) {
        Request *q = x->request;

        switch (x->state) {
        case EXCHANGE_WAITING:
                if (x->late)
                        fail_late(x);
                else if (!x->backoff)
                        exchange_try(x);
                break;

        case EXCHANGE_ATTEMPTING:
                if (x->late && !x->ended) {
                        fail_late(x);
                        break;
                }
                if (!x->ended) {
                        /* An event: the first one with something to say begins the stream. */
                        if (http_request_out(q->io)->n == 0)
                                break;
                        if (stream_begin(x) < 0) {
                                x->error = -ENOMEM;
                                break;
                        }
                        if (x->lease.key)
                                pool_answering(q->http->p.pool, &x->lease, clock_realtime());
                        x->state = EXCHANGE_STREAMING;
                        pass_on(x);
                        break;
                }
                attempt_conclude(x);
                if (x->verdict.class == VERDICT_OK)
                        succeed(x);
                else if (x->late || !may_try_again(x))
                        fail_verdict(x);
                else {
                        buf_clear(http_request_out(q->io));
                        x->translation->dialect->reset(x->translation);
                        if (verdict_rule(x->verdict.class)->backoff && wait_begin(x) >= 0)
                                x->state = EXCHANGE_WAITING;
                        else
                                exchange_try(x);
                }
                break;

        case EXCHANGE_STREAMING:
                if (!x->ended && x->late)
                        fail_late(x);
                else if (!x->ended)
                        pass_on(x);
                else {
                        attempt_conclude(x);
                        if (x->verdict.class == VERDICT_OK)
                                succeed(x);
                        else
                                fail_verdict(x);
                }
                break;

        case EXCHANGE_DRAINING:
        case EXCHANGE_DONE:
                break;
        }

        if (x->state == EXCHANGE_DONE)
                exchange_free(x);
}

/* --- what others tell it --- */

void exchange_drained(Exchange *x) {
        if (x->call)
                engine_call_pause(x->call, false);
}

void exchange_on_deadline(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, deadline);

        x->late = true;
        exchange_step(x);
}

void exchange_on_ping(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, ping);
        Buf *out = http_request_out(x->request->io);
        const char *ping = x->translation->dialect->ping;

        if (x->state != EXCHANGE_STREAMING || !ping)
                return;
        if (out->n == 0)
                (void) buf_puts(out, ping);
        pass_on(x);
}

void exchange_begin(Request *q) {
        Http *h = q->http;
        Course course;
        Exchange *x;
        ApiError e;
        int r;

        r = course_set(q, &course, &e);
        if (r == DIALECT_E_REFUSED)
                return request_reply_error(q, &e);
        if (r < 0)
                return request_fail(q, 500, NULL, "Out of memory.");

        x = calloc(1, sizeof(Exchange));
        if (!x) {
                translation_free(course.translation);
                return request_fail(q, 500, NULL, "Out of memory.");
        }
        x->request = q;
        x->course = course;
        x->translation = course.translation;
        x->ping = TIMEOUT_INIT(x->ping);
        x->deadline = TIMEOUT_INIT(x->deadline);
        q->exchange = x;
        q->cancel = on_cancel;
        if (!q->job)
                h->n_exchanges++;
        timeout_start(h->deadline, &x->deadline);
        exchange_try(x);
        if (x->state == EXCHANGE_DONE)
                exchange_free(x);
}
