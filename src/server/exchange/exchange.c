/* SPDX-License-Identifier: MIT */

/*
 * One exchange, one state machine, one door.
 *
 *                 QUEUED
 *                   ⇅
 *     (READING) → ATTEMPTING ⇄ WAITING
 *                     ↓
 *                 STREAMING → DRAINING → DONE
 *
 *   READING     the body is still arriving: that part is http.c's, the exchange begins when it is there
 *   ATTEMPTING  an engine was started; the client has no byte yet, so another key may be tried
 *   QUEUED      every key that could serve is at rest, and one frees within QUEUE_WAIT: the request has a
 *               place in the model's line (key-queue.c), and its turn there is the next attempt
 *   WAITING     Gemini is overloaded: a timer is armed, then the next attempt
 *   STREAMING   the first byte is queued: never another key; a failure becomes the dialect's in-stream error
 *   DRAINING    the engine is finished, the client still reads
 *   DONE        nothing is pending
 *
 * Everything under way is a field (attempt, place, backoff, ping, deadline). A callback clears its field,
 * records the fact and calls exchange_step(), the only place that changes the state. Freeing cancels every
 * field that is set.
 *
 * An answer that is not streamed goes from ATTEMPTING to DONE. A stream's headers are not sent before its
 * first event is translated, so that an error before it is still a plain HTTP error, and another key can
 * still be tried; pings begin with that first event.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "io/timeout.h"
#include "io/timer.h"
#include "server/exchange/internal.h"
#include "server/http.h"
#include "server/reply.h"

const char *exchange_state_to_string(ExchangeState s) {
        static const char *const names[] = {
                [EXCHANGE_ATTEMPTING] = "attempting", [EXCHANGE_QUEUED] = "queued",
                [EXCHANGE_WAITING] = "waiting",       [EXCHANGE_STREAMING] = "streaming",
                [EXCHANGE_DRAINING] = "draining",     [EXCHANGE_DONE] = "done",
        };

        assert(s < ELEMENTSOF(names));
        return names[s];
}

const char *exchange_state(const Exchange *x) {
        return exchange_state_to_string(x->state);
}

/* --- what is under way, and how it ends --- */

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
        translation_free(x->target.translation);
        free(x->asked);
        free(x->second);
        free(x);
        return NULL;
}
DEFINE_CLEANUP(Exchange *, exchange_free);

static void on_cancel(Request *q) {
        exchange_free(q->exchange);
}

/* --- the client's side --- */

static void fail(Exchange *x, const ApiError *e) {
        Translation *t = x->target.translation;
        Request *q = x->request;

        exchange_hedge_done(x);
        attempt_cancel(x->attempt, VERDICT_INTERNAL);
        if (q->job)
                job_failed(q->job, e);
        if (x->state == EXCHANGE_STREAMING) {
                t->dialect->stream_error(t, e, http_request_out(q->io));
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

/* What there is to tell of a failure: the pool's refusal, or (NULL) what the attempt came to. */
void exchange_error(Exchange *x, const PoolRefusal *refusal, ApiError *ret) {
        /* If keys are left that only this request must not use again, what they said is
         * the better answer. */
        if (refusal && (x->n_tried == 0 || refusal->n_keys[POOL_USABLE] == 0)) {
                char subject[MODEL_NAME_MAX + BINDING_NAME_MAX + 16];

                (void) snprintf(subject, sizeof(subject), "%s%s%s", x->target.model,
                                x->target.pinned[0] ? " with " : "", x->target.pinned);
                api_error_from_refusal(ret, refusal, subject, clock_realtime());
        } else if (x->attempt->refused)
                *ret = x->attempt->refusal;
        else
                api_error_from_verdict(ret, &x->attempt->verdict, x->target.model);
}

void exchange_fail(Exchange *x, const PoolRefusal *refusal) {
        ApiError e;

        /* Where others were no help, what kept the asked model from it is what the client can act on. */
        if (x->asked && x->state != EXCHANGE_STREAMING && !x->late)
                return fail(x, x->asked);
        exchange_error(x, refusal, &e);
        fail(x, &e);
}

static void fail_late(Exchange *x) {
        attempt_cancel(x->attempt, VERDICT_TIMEOUT);
        verdict_init(&x->attempt->verdict, VERDICT_TIMEOUT, 0,
                     "The answer was not there within REQUEST_DEADLINE.");
        exchange_fail(x, NULL);
}

/* To be said before the answer begins. */
static void note_served(Exchange *x) {
        text_copy(x->request->served, sizeof(x->request->served), x->target.model);
}

/* Its headers say how it has begun; how it ends nobody knows yet. */
static int stream_begin(Exchange *x) {
        note_served(x);
        if (!x->attempt->ended)
                request_note_verdict(x->request, VERDICT_OK);
        return request_stream(x->request, x->target.translation->stream_type ?: "text/event-stream");
}

/* More bytes for the client are in the buffer. */
static void pass_on(Exchange *x) {
        HttpRequest *io = x->request->io;

        timeout_start(x->request->http->ping, &x->ping);
        http_request_flush(io);
        if (x->attempt->call && http_request_is_full(io))
                engine_call_pause(x->attempt->call, true);
}

static void succeed(Exchange *x) {
        Request *q = x->request;
        HttpRequest *io = q->io;

        timeout_stop(&x->deadline);
        timeout_stop(&x->ping);
        if (q->job && translation_generates(x->target.translation))
                job_answered(q->job, &q->usage);
        if (x->state == EXCHANGE_STREAMING || translation_streams(x->target.translation)) {
                if (x->state != EXCHANGE_STREAMING && stream_begin(x) < 0)
                        return request_fail(q, 500, NULL, "Out of memory.");
                http_request_flush(io);
                http_request_finish(io, true);
                x->state = EXCHANGE_DRAINING;
                return;
        }
        note_served(x);
        request_reply(q, 200, REPLY_JSON, http_request_out(io));
        x->state = EXCHANGE_DONE;
}

/* --- the door --- */

void exchange_step(Exchange *x) {
        Request *q = x->request;

        switch (x->state) {
        case EXCHANGE_QUEUED: /* its turn, or its last chance */
                if (x->late)
                        fail_late(x);
                else
                        exchange_try(x);
                break;

        case EXCHANGE_WAITING:
                if (x->late)
                        fail_late(x);
                else if (!x->backoff)
                        exchange_try(x);
                break;

        case EXCHANGE_ATTEMPTING:
                if (x->late && !x->attempt->ended) {
                        fail_late(x);
                        break;
                }
                if (!x->attempt->ended) {
                        /* An event: the first one with something to say begins the stream. */
                        if (http_request_out(q->io)->n == 0)
                                break;
                        if (stream_begin(x) < 0) {
                                x->error = -ENOMEM;
                                break;
                        }
                        attempt_answering(x->attempt);
                        x->state = EXCHANGE_STREAMING;
                        pass_on(x);
                        break;
                }
                attempt_conclude(x->attempt, x->error);
                if (x->attempt->verdict.class == VERDICT_OK)
                        succeed(x);
                else
                        exchange_go_on(x);
                break;

        case EXCHANGE_STREAMING:
                if (!x->attempt->ended && x->late)
                        fail_late(x);
                else if (!x->attempt->ended)
                        pass_on(x);
                else {
                        attempt_conclude(x->attempt, x->error);
                        if (x->attempt->verdict.class == VERDICT_OK)
                                succeed(x);
                        else
                                exchange_fail(x, NULL);
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
        if (x->attempt->call)
                engine_call_pause(x->attempt->call, false);
}

void exchange_on_deadline(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, deadline);

        x->late = true;
        exchange_step(x);
}

void exchange_on_ping(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, ping);
        Buf *out = http_request_out(x->request->io);
        const char *ping = x->target.translation->dialect->ping;

        if (x->state != EXCHANGE_STREAMING || !ping)
                return;
        if (out->n == 0)
                (void) buf_puts(out, ping);
        pass_on(x);
}

int exchange_begin(Request *q, ApiError *ret_error) {
        Http *h = q->http;
        Target target;
        Exchange *x;
        int r;

        r = target_set(q, &target, ret_error);
        if (r != 0)
                return r == DIALECT_E_REFUSED ? HANDLER_E_REFUSED : r;

        x = calloc(1, sizeof(Exchange));
        if (!x) {
                translation_free(target.translation);
                return -ENOMEM;
        }
        x->request = q;
        x->target = target;
        x->attempt = &x->first;
        attempt_init(x->attempt, q, &x->target, exchange_on_event, exchange_on_done);
        x->place = KEY_QUEUE_PLACE_INIT(x->place);
        x->place.ids = &q->ids;
        x->hedge_due = TIMEOUT_INIT(x->hedge_due);
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
        return 0;
}
