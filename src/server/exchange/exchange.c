/* SPDX-License-Identifier: MIT */

/*
 * One exchange is one state machine: states.c has the states and their transitions, this file has the
 * actions in each state, and the client's side.
 *
 * Everything under way is a field (attempt, reading, place, backoff, ping, deadline). A callback clears its
 * field, records the fact and calls exchange_step(). A step ends in a state with something under way, or in
 * DONE, and is the only place where an exchange is freed. Freeing cancels every field that is set.
 *
 * Without streaming, the state goes from ATTEMPTING to DONE. A stream's headers are not sent before its
 * first event is translated, so that an error before it is still a plain HTTP error, and another key can
 * still be tried; pings begin with that first event. An answer may need several requests: then the stream
 * goes on with the next one's first event, and another key can be tried until then, but no other model.
 *
 * With STREAM_OPEN_AFTER the headers and a ping go out after that time, whatever the state is: the stream is
 * open, but has not begun. That changes no state. The tries go on behind it, and a failure is an error in
 * the stream.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "io/timeout.h"
#include "io/timer.h"
#include "server/exchange/internal.h"
#include "server/http.h"
#include "server/reply.h"

/* --- its end --- */

static Exchange *exchange_free(Exchange *x) {
        if (!x)
                return NULL;

        exchange_hedge_done(x);
        attempt_cancel(x->attempt, VERDICT_CLIENT_GONE);
        key_queue_leave(x->request->http->queue, &x->place);
        timer_free(x->backoff);
        timeout_stop(&x->ping);
        timeout_stop(&x->deadline);
        x->request->exchange = NULL;
        x->request->cancel = NULL;
        if (!x->request->job)
                x->request->http->n_exchanges--;
        x->reading = reading_free(x->reading, x->request->http->worker);
        target_done(&x->target);
        exchange_drop_empty(x);
        free(x->asked);
        upstream_tries_done(&x->tries);
        attempt_done(&x->first);
        if (x->hedge.second)
                attempt_done(x->hedge.second);
        free(x->hedge.second);
        free(x);
        return NULL;
}

/* The client is gone, or has the whole answer. */
static void on_cancel(Request *q) {
        exchange_enter(q->exchange, EXCHANGE_DONE);
        exchange_step(q->exchange);
}

/* --- the client's side --- */

static void fail(Exchange *x, const ApiError *e) {
        Translation *t = x->target.translation;
        Request *q = x->request;

        exchange_hedge_done(x);
        attempt_cancel(x->attempt, VERDICT_INTERNAL);
        if (q->job)
                job_failed(q->job, e, q->verdicts.n > 0 ? x->attempt->verdict : NULL);
        if (exchange_is_open(x)) {
                key_queue_leave(q->http->queue, &x->place);
                x->backoff = timer_free(x->backoff);
                x->reading = reading_free(x->reading, q->http->worker);
                q->stream_error = error_shape_status(q->errors, e);
                t->dialect->stream_error(t, e, http_request_out(q->io));
                http_request_finish(q->io, t->dialect->ends_failed);
                timeout_stop(&x->ping);
                timeout_stop(&x->deadline);
                exchange_enter(x, EXCHANGE_DRAINING);
                return;
        }
        buf_clear(http_request_out(q->io));
        request_reply_error(q, e);
        exchange_enter(x, EXCHANGE_DONE);
}

/* So it is where Gemini has failed, which no key causes: also where that was a probe, after which the key
 * waits. And so it is where usable keys are left that this request has already tried. */
bool exchange_verdict_answers(const Exchange *x, const PoolRefusal *refusal) {
        const VerdictRule *rule = verdict_rule(x->attempt->verdict->class);

        return rule->backoff || rule->fault == FAULT_MODEL ||
               (x->tries.n > 0 && refusal->n_keys[POOL_USABLE] > 0);
}

/* The error for a failure: the pool's refusal, or (NULL) the attempt's verdict. */
void exchange_error(Exchange *x, const PoolRefusal *refusal, ApiError *ret) {
        if (refusal && !exchange_verdict_answers(x, refusal)) {
                char subject[MODEL_NAME_MAX + BINDING_NAME_MAX + 16];

                (void) snprintf(subject, sizeof(subject), "%s%s%s", x->target.model,
                                x->target.pinned[0] ? " with " : "", x->target.pinned);
                api_error_from_refusal(ret, refusal, subject, day_clock_now());
                request_note_refusal(x->request, refusal);
        } else if (x->attempt->refusal)
                *ret = *x->attempt->refusal;
        else
                api_error_from_verdict(ret, x->attempt->verdict,
                                       x->target.model[0] ? x->target.model : "the request");
}

static const char *content_type(const Translation *t) {
        return translation_streams(t) ? t->stream_type ?: "text/event-stream" : t->answer_type ?: REPLY_JSON;
}

/* The stream is complete. */
static void finish(Exchange *x) {
        HttpRequest *io = x->request->io;

        timeout_stop(&x->ping);
        timeout_stop(&x->deadline);
        http_request_flush(io);
        http_request_finish(io, true);
        exchange_enter(x, EXCHANGE_DRAINING);
}

/* No try gave more than an empty answer. */
static void send_empty(Exchange *x) {
        Request *q = x->request;

        exchange_hedge_done(x);
        attempt_cancel(x->attempt, VERDICT_INTERNAL);
        text_copy(q->served, sizeof(q->served), x->empty->model);
        text_copy(q->finish_reason, sizeof(q->finish_reason), x->empty->finish_reason);
        q->usage = x->empty->usage;
        if (exchange_is_open(x)) {
                (void) buf_append(http_request_out(q->io), buf_data(&x->empty->body), x->empty->body.n);
                return finish(x);
        }
        buf_clear(http_request_out(q->io));
        request_reply(q, 200, content_type(x->target.translation), &x->empty->body);
        exchange_enter(x, EXCHANGE_DONE);
}

void exchange_fail(Exchange *x, const PoolRefusal *refusal) {
        ApiError e;

        if (x->empty && x->empty->body.error == 0 && !exchange_has_begun(x))
                return send_empty(x);

        /* If the fallback models failed too, the client gets the error of the requested model, on which it
         * can act. */
        if (x->asked && !exchange_has_begun(x) && !x->late)
                return fail(x, x->asked);
        exchange_error(x, refusal, &e);
        fail(x, &e);
}

/* For the headers, so before the answer begins. */
static void note_served(Exchange *x) {
        text_copy(x->request->served, sizeof(x->request->served), x->target.model);
}

/* The headers have the present verdict, because a stream's end is not known yet. A negative result means
 * that the client has received nothing. A later request of one answer goes on with the stream. */
static int stream_begin(Exchange *x) {
        int r;

        if (!exchange_has_begun(x)) {
                note_served(x);
                if (!x->attempt->ended)
                        request_note_verdict(x->request, VERDICT_OK);
        }
        r = exchange_is_open(x) ? 0 : request_stream(x->request, content_type(x->target.translation));
        if (r < 0)
                return r;
        x->has_begun = x->request->is_verdict_early = true;
        exchange_enter(x, EXCHANGE_STREAMING);
        return 0;
}

/* More bytes for the client are in the buffer. */
static void pass_on(Exchange *x) {
        HttpRequest *io = x->request->io;

        timeout_start(x->request->http->ping, &x->ping);
        http_request_flush(io);
        if (x->attempt->upstream.call && http_request_is_full(io))
                engine_call_pause(x->attempt->upstream.call, true);
}

static void fail_memory(Exchange *x) {
        ApiError e;

        api_error_set(&e, 500, NULL, "Out of memory.");
        fail(x, &e);
}

static void succeed(Exchange *x) {
        Request *q = x->request;
        bool stream = translation_streams(x->target.translation);

        timeout_stop(&x->deadline);
        timeout_stop(&x->ping);
        if (stream && x->state != EXCHANGE_STREAMING && stream_begin(x) < 0)
                return fail_memory(x);
        if (q->job && translation_generates(x->target.translation))
                job_answered(q->job, &q->usage);
        if (stream)
                return finish(x);
        note_served(x);
        request_reply(q, 200, content_type(x->target.translation), http_request_out(q->io));
        exchange_enter(x, EXCHANGE_DONE);
}

/* REQUEST_DEADLINE is over. An answer that is settled lacks only its end. */
static void end_late(Exchange *x) {
        Attempt *a = x->attempt;

        if (a->upstream.call && translation_is_settled(x->target.translation)) {
                upstream_call_end(&a->upstream);
                attempt_set_verdict(a, VERDICT_TIMEOUT, NULL);
                exchange_conclude(x, a, x->error);
                if (a->verdict->class == VERDICT_OK && !a->has_more)
                        return succeed(x);
        }
        attempt_cancel(a, VERDICT_TIMEOUT);
        attempt_set_verdict(a, VERDICT_TIMEOUT, "The answer was not there within REQUEST_DEADLINE.");
        exchange_fail(x, NULL);
}

/* --- a head without an event (STREAM_OPEN_AFTER), and pings --- */

/* Not for a job of the Gemini CLI, whose client waits for the job's end. */
bool exchange_may_open(const Exchange *x) {
        return x->request->config->route.stream_open_after > 0 && !x->request->job &&
               translation_streams(x->target.translation);
}

/* Google's former SDK for JavaScript (@google/generative-ai) does: its parser wants each event right behind
 * the one before, or at the beginning. */
static bool fails_at_blanks(const Exchange *x) {
        const char *client = http_request_header(x->request->io, "x-goog-api-client");

        return client && strstr(client, "genai-js/");
}

static void put_ping(Exchange *x) {
        const Dialect *d = x->target.translation->dialect;
        const char *blank = exchange_may_open(x) && !fails_at_blanks(x) ? d->blank : NULL;
        const char *ping = d->ping ?: blank;
        Buf *out = http_request_out(x->request->io);

        if (!ping)
                return;
        if (out->n == 0)
                (void) buf_puts(out, ping);
        pass_on(x);
}

/* Without memory for it the head waits for the first event. */
static void open_stream(Exchange *x) {
        if (request_stream(x->request, content_type(x->target.translation)) >= 0)
                put_ping(x);
}

void exchange_on_open(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, ping);

        if (x->target.translation && exchange_may_open(x))
                open_stream(x);
}

void exchange_on_ping(Timeout *t) {
        put_ping(CONTAINER_OF(t, Exchange, ping));
}

/* --- the actions in each state --- */

/* A client's request is counted once, when it is understood and before a key is picked: also if no key is
 * usable, and whatever the answer is. The requests of a CLI job are part of its client's request. A count of
 * tokens is no attempt that counts for a model either. */
static void count_client(const Exchange *x) {
        const Request *q = x->request;

        if (!q->job && translation_counts(x->target.translation))
                pool_count_client(q->http->p.pool, day_clock_now());
}

/* The body is read: it is known what is asked of which model. */
static void on_target(Exchange *x) {
        x->tries.once = x->target.translation->native.once;
        count_client(x);
}

static void step_translating(Exchange *x) { /* the worker has read the body */
        Request *q = x->request;
        Reading *r;
        ApiError e;
        int error;

        if (x->asked)
                return exchange_turn_read(x);
        r = TAKE_PTR(x->reading);
        error = target_take(q, r, &x->target, &e);
        (void) reading_free(r, q->http->worker);
        if (error == 0) {
                on_target(x);
                if (exchange_may_open(x) && !list_is_linked(&x->ping.link))
                        open_stream(x); /* it was due before it was known to be a stream */
                return exchange_enter(x, EXCHANGE_PICKING);
        }
        if (error != DIALECT_E_REFUSED)
                api_error_from_failure(&e, error);
        fail(x, &e);
}

static void step_queued(Exchange *x) { /* its retry, also at the end of its wait */
        exchange_enter(x, EXCHANGE_PICKING);
}

static void step_waiting(Exchange *x) { /* the pause is over */
        exchange_enter(x, EXCHANGE_PICKING);
}

/* An event: the first one at all shows that the key is not refused, the first one that is translated into
 * bytes begins the stream. Thoughts may come long before a text. */
static void first_event(Exchange *x) {
        attempt_answering(x->attempt);
        if (!x->has_bytes)
                return;
        if (stream_begin(x) < 0) {
                x->error = -ENOMEM; /* exchange_on_event() returns it: the attempt ends */
                return;
        }
        pass_on(x);
}

static void step_attempting(Exchange *x) {
        if (!x->attempt->ended)
                return first_event(x);
        exchange_conclude(x, x->attempt, x->error);
        if (x->attempt->has_more)
                exchange_ask_more(x);
        else if (x->attempt->verdict->class == VERDICT_OK)
                succeed(x);
        else
                exchange_go_on(x);
}

static void step_streaming(Exchange *x) {
        if (!x->attempt->ended)
                return pass_on(x);
        exchange_conclude(x, x->attempt, x->error);
        if (x->attempt->has_more)
                exchange_ask_more(x);
        else if (x->attempt->verdict->class == VERDICT_OK)
                succeed(x);
        else
                exchange_fail(x, NULL);
}

void exchange_step(Exchange *x) {
        /* Exchanges in other states have nothing to wait for. */
        static void (*const steps[_EXCHANGE_STATE_MAX])(Exchange *x) = {
                [EXCHANGE_TRANSLATING] = step_translating,
                [EXCHANGE_QUEUED] = step_queued,
                [EXCHANGE_ATTEMPTING] = step_attempting,
                [EXCHANGE_WAITING] = step_waiting,
                [EXCHANGE_STREAMING] = step_streaming,
        };

        if (x->late && x->state < EXCHANGE_DRAINING)
                end_late(x);
        else if (steps[x->state])
                steps[x->state](x);
        while (x->state == EXCHANGE_PICKING)
                exchange_pick(x);
        if (x->state == EXCHANGE_DONE)
                (void) exchange_free(x);
}

/* --- events from outside --- */

void exchange_on_read(Reading *r) {
        exchange_step(r->userdata);
}

static void on_turn(KeyQueuePlace *p) {
        exchange_step(CONTAINER_OF(p, Exchange, place));
}

static void on_over(KeyQueuePlace *p) {
        Exchange *x = CONTAINER_OF(p, Exchange, place);

        x->has_waited = true;
        exchange_step(x);
}

const KeyQueueOps exchange_queue_ops = { .turn = on_turn, .over = on_over };

void exchange_drained(Exchange *x) {
        if (x->attempt->upstream.call)
                engine_call_pause(x->attempt->upstream.call, false);
}

void exchange_on_deadline(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, deadline);

        x->late = true;
        exchange_step(x);
}

/* That of a CLI job ends with its client's, which runs the job. */
void exchange_cut(Exchange *x) {
        ApiError e;

        if (x->request->job || x->state >= EXCHANGE_DRAINING)
                return;
        api_error_set_busy(&e, "The gateway is stopping, and this request was not answered in time.");
        fail(x, &e);
        exchange_step(x);
}

static Exchange *exchange_new(Request *q) {
        Exchange *x = calloc(1, sizeof(Exchange));

        if (!x)
                return NULL;
        x->request = q;
        x->attempt = &x->first;
        attempt_init(x->attempt, q, &x->target);
        x->place = KEY_QUEUE_PLACE_INIT(x->place);
        x->place.ids = &q->ids;
        x->place.client = q->token ? q->token->secret : NULL;
        x->hedge.due = TIMEOUT_INIT(x->hedge.due);
        x->ping = TIMEOUT_INIT(x->ping);
        x->deadline = TIMEOUT_INIT(x->deadline);
        return x;
}

int exchange_begin(Request *q, ApiError *ret_error) {
        bool is_long = reading_is_long(q);
        Http *h = q->http;
        Exchange *x;
        int r;

        x = exchange_new(q);
        if (!x)
                return -ENOMEM;
        r = is_long ? reading_begin(q, q->dialect, NULL, exchange_on_read, x, &x->reading)
                    : target_set(q, &x->target, ret_error);
        if (r != 0) {
                free(x);
                return r == DIALECT_E_REFUSED ? HANDLER_E_REFUSED : r;
        }
        q->exchange = x;
        q->cancel = on_cancel;
        if (!q->job)
                h->n_exchanges++;
        timeout_start(h->deadline, &x->deadline);
        if (q->config->route.stream_open_after > 0 && (is_long || exchange_may_open(x)))
                timeout_start(h->open_due, &x->ping);
        if (is_long) {
                exchange_enter(x, EXCHANGE_TRANSLATING);
                return 0;
        }
        on_target(x);
        exchange_step(x);
        return 0;
}
