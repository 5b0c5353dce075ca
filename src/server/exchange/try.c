/* SPDX-License-Identifier: MIT */

/*
 * One attempt after another, for as long as the client has no byte of the present request's answer:
 *
 *   - after the attempt's verdict (core/verdict.c) another key or another project is tried at once, any key
 *     after a pause, or none; the cost of the tries is the limit (core/tries);
 *   - if no key can serve and one frees within QUEUE_WAIT, the request takes a place in the queue;
 *   - otherwise, if the client has no byte at all, the models of FALLBACK_MODELS follow, each with its own
 *     queue and count of dear tries.
 *
 * A function here that changes the state is called last by exchange_step(), whose loop picks again as long
 * as the state is PICKING.
 */

#include <errno.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "pool/pick-preferred.h"
#include "io/timer.h"
#include "server/exchange/internal.h"
#include "server/files/made.h"
#include "server/http.h"

/* --- an attempt --- */

/* The client may ask for it as soon as it has this event. */
static void note_made(Attempt *a, Translation *t) {
        const char *made = TAKE_PTR(t->native.made);

        if (a->upstream.lease.key)
                made_bind(a->request, a->upstream.lease.key, made);
}

int exchange_on_event(Attempt *a, const char *json, size_t n) {
        Exchange *x = a->request->exchange;
        Translation *t = x->target.translation;
        Buf *out = http_request_out(x->request->io);
        size_t n_before = out->n;
        Verdict v;
        int r;

        if (!exchange_hedge_event(x, a))
                return -ECANCELED;
        if (x->request->job)
                job_received(x->request->job, json, n);
        t->key = a->upstream.lease.key ? pool_key_secret(a->upstream.lease.key) : NULL;
        r = translation_event(t, json, n, out, &v);
        if (r != 0 && r != DIALECT_E_LATE && x->state == EXCHANGE_ATTEMPTING && out->error == 0)
                out->n = n_before; /* another attempt may follow */
        if (t->native.made)
                note_made(a, t);
        x->has_bytes = out->n > n_before;
        if (r == DIALECT_E_VERDICT) {
                attempt_keep_verdict(a, &v);
                return -ECANCELED;
        }
        if (r == DIALECT_E_LATE) {
                attempt_keep_blame(a, &v);
                r = 0;
        }
        if (r < 0) {
                x->error = r;
                return r;
        }
        if (translation_streams(t))
                exchange_step(x); /* never ends the exchange: the engine is still in its call */
        return x->error;
}

void exchange_on_done(Attempt *a) {
        Exchange *x = a->request->exchange;

        if (!exchange_hedge_ended(x, a))
                exchange_step(x);
}

/* Whether nothing would follow the present try, if it is a dear one like each that reached a model. */
static bool is_last(const Exchange *x) {
        Tries tries = x->tries.cost;

        tries.n_dear++;
        return x->late || x->target.cli || (!tries_are_left(&tries) && !target_has_fallback(&x->target));
}

/* It is what is behind the first n bytes. Without memory for it there is none, and the tries that follow
 * decide alone. */
static void keep_empty(Exchange *x, size_t n) {
        Buf *out = http_request_out(x->request->io);

        if (!x->empty)
                x->empty = calloc(1, sizeof(EmptyAnswer));
        if (!x->empty)
                return;
        buf_done(&x->empty->body);
        x->empty->body = BUF_INIT(out->n - n);
        (void) buf_append(&x->empty->body, buf_data(out) + n, out->n - n);
        text_copy(x->empty->model, sizeof(x->empty->model), x->target.model);
        x->empty->usage = x->request->usage;
        text_copy(x->empty->finish_reason, sizeof(x->empty->finish_reason), x->request->finish_reason);
}

void exchange_drop_empty(Exchange *x) {
        if (x->empty)
                buf_done(&x->empty->body);
        free(TAKE_PTR(x->empty));
}

/* Called before the state changes: gives the lease back and counts the cost of the try. */
void exchange_conclude(Exchange *x, Attempt *a, int error) {
        bool has_pings = exchange_is_open(x) && !exchange_has_begun(x);
        Buf *out = http_request_out(x->request->io);
        size_t n = has_pings ? out->n : 0;

        a->is_last = is_last(x);
        attempt_conclude(a, error);
        if (a->is_empty)
                keep_empty(x, n);
        if (has_pings && a->verdict->class != VERDICT_OK && out->error == 0)
                out->n = n;
        if (a->verdict->class != VERDICT_OK)
                upstream_call_count(&a->upstream, x->request->http, a->verdict, &x->tries);
}

void exchange_reset(Exchange *x) {
        if (!exchange_is_open(x)) /* what is there are pings, or is of the requests before */
                buf_clear(http_request_out(x->request->io));
        x->target.translation->dialect->reset(x->target.translation);
}

/* --- another attempt --- */

static void on_backoff(void *userdata) {
        Exchange *x = userdata;

        x->backoff = timer_free(x->backoff);
        exchange_step(x);
}

static int wait_begin(Exchange *x) {
        return timer_new(x->request->http->p.loop, upstream_pause(&x->tries), on_backoff, x, &x->backoff);
}

/* Whether another attempt follows; the client has no byte yet. The Gemini CLI retries by itself. */
static UpstreamNext next_try(const Exchange *x) {
        return x->target.cli ? UPSTREAM_END : upstream_next(&x->tries, x->attempt->verdict);
}

/* --- QUEUE_WAIT --- */

/* Without a byte meanwhile, which only a stream can have, clients and proxies give up. */
static usec_t queue_wait(const Exchange *x) {
        usec_t wait = x->request->config->route.queue_wait;

        return exchange_may_open(x) ? wait : MIN(wait, QUEUE_WAIT_SILENT_MAX);
}

/* How long it may still wait for a key; 0: not at all. A request of the Gemini CLI does not wait: its job
 * occupies a slot for which others wait (CLI_QUEUE_WAIT), and the CLI retries by itself. Nor does a request
 * that is pinned to a project: the queue is for all keys, so a retry would not mean that its project has
 * one. */
static usec_t patience_left(const Exchange *x) {
        const Request *q = x->request;

        if (q->config->route.queue_wait == 0 || x->target.pinned[0] || q->job || x->target.cli ||
            !translation_counts(x->target.translation) || x->has_waited || x->tries.cost.n >= TRIES_MAX)
                return 0;
        return x->patience_ends > 0 ? usec_sub(x->patience_ends, loop_now(q->http->p.loop))
                                    : queue_wait(x);
}

/* Takes a place in the queue, if a key frees in time; `frees_in` as in key_queue_join(). */
static bool queue_join(Exchange *x, usec_t frees_in, usec_t span) {
        Http *h = x->request->http;
        usec_t patience = patience_left(x);

        if (patience == 0 || span > patience ||
            !key_queue_join(h->queue, x->target.model, x->target.translation->gemini.n, frees_in, patience,
                            &x->place))
                return false;
        x->patience_ends = usec_add(loop_now(h->p.loop), patience);
        upstream_tries_forget(&x->tries); /* the pool knows until when each refused key is blocked */
        exchange_enter(x, EXCHANGE_QUEUED);
        return true;
}

/* A new request does not overtake those that wait already. A retried one, or one after a try, goes first. */
static bool queue_behind(Exchange *x) {
        const KeyQueueModel *others = key_queue_find(x->request->http->queue, x->target.model);

        return others && x->tries.n == 0 && !key_queue_place_is_taken(&x->place) &&
               queue_join(x, USEC_INFINITY, key_queue_span(others));
}

static bool queue_after(Exchange *x, const PoolRefusal *refusal) {
        usec_t span;

        if (refusal->available_at == USEC_INFINITY || x->request->config->route.queue_wait == 0)
                return false;
        span = usec_sub(refusal->available_at, day_clock_now());
        return queue_join(x, span, span);
}

/* --- FALLBACK_MODELS --- */

/* Another model does not help if the key itself or the request is at fault. The CLI's own request has tried
 * all keys, so a key's fault means that none is left for this model. */
static bool is_of_model(const Exchange *x) {
        switch (verdict_rule(x->attempt->verdict->class)->fault) {
        case FAULT_KEY:
        case FAULT_PROJECT:
                return x->target.cli;
        case FAULT_MODEL:
        case FAULT_KEY_MODEL:
        case FAULT_PROJECT_MODEL:
                return true;
        default:
                return false;
        }
}

/* The request is translated for another model: a key for it is picked next. */
static void turned(Exchange *x) {
        Request *q = x->request;

        if (!q->fallback)
                q->fallback = x->turned;
        upstream_tries_forget(&x->tries);
        attempt_set_verdict(x->attempt, VERDICT_OK, NULL);
        if (x->state != EXCHANGE_PICKING)
                exchange_enter(x, EXCHANGE_PICKING);
}

/* Lets the worker translate a large body for the next model. False if there is none. */
static bool read_for_next(Exchange *x) {
        Request *q = x->request;
        const char *model = target_next_model(q, &x->target);

        if (!model || reading_begin(q, q->dialect, model, exchange_on_read, x, &x->reading) < 0)
                return false;
        if (x->state != EXCHANGE_TRANSLATING)
                exchange_enter(x, EXCHANGE_TRANSLATING);
        return true;
}

/* Turns to another model, because of the pool's refusal or (NULL) the attempt's verdict. True if there is
 * one: a key for it is picked next. */
static bool turn_elsewhere(Exchange *x, const PoolRefusal *refusal) {
        Request *q = x->request;
        const char *why = refusal ? "exhausted" : verdict_rule(x->attempt->verdict->class)->name;

        if (!x->target.fallback || x->tries.cost.n >= TRIES_MAX || exchange_has_begun(x))
                return false;
        if (!x->asked) {
                x->asked = malloc(sizeof(ApiError));
                if (!x->asked)
                        return false;
                exchange_error(x, refusal, x->asked);
        }
        exchange_reset(x);
        x->turned = why;
        if (reading_is_long(q))
                return read_for_next(x);
        if (!target_fall_back(q, &x->target))
                return false;
        turned(x);
        return true;
}

void exchange_turn_read(Exchange *x) {
        Reading *r = TAKE_PTR(x->reading);
        bool is_read = target_take_fallback(x->request, r, &x->target);

        (void) reading_free(r, x->request->http->worker);
        if (is_read)
                turned(x);
        else if (!read_for_next(x)) /* the request is invalid for this model */
                exchange_fail(x, NULL);
}

/* No key is available now. */
static void refused(Exchange *x, const PoolRefusal *refusal) {
        if (queue_after(x, refusal))
                return;
        key_queue_leave(x->request->http->queue, &x->place);
        if (exchange_verdict_answers(x, refusal))
                refusal = NULL;
        if ((!refusal && !is_of_model(x)) || !turn_elsewhere(x, refusal))
                exchange_fail(x, refusal);
}

/* No other project has a key that is usable: any key is picked again, after a pause. */
static void stay(Exchange *x) {
        x->tries.elsewhere = false;
        if (wait_begin(x) >= 0)
                exchange_enter(x, EXCHANGE_WAITING);
}

static void fail_start(Exchange *x) {
        attempt_set_verdict(x->attempt, VERDICT_INTERNAL, "gemgate could not start the request upstream.");
        exchange_fail(x, NULL);
}

static void fail_models(Exchange *x) {
        attempt_set_verdict(
                x->attempt, VERDICT_INTERNAL,
                "Too many models are in use or wait for their quota: gemgate has no room for another.");
        exchange_fail(x, NULL);
}

void exchange_pick(Exchange *x) {
        bool again = verdict_rule(x->attempt->verdict->class)->backoff;
        PoolRefusal refusal;
        int r;

        if (queue_behind(x))
                return;
        if (!upstream_tries_reserve(&x->tries))
                return fail_start(x);
        r = attempt_pick(x->attempt, &x->tries, again, &refusal);
        if (r == POOL_E_EXHAUSTED && x->tries.elsewhere)
                return stay(x);
        x->tries.elsewhere = false;
        if (r == POOL_E_EXHAUSTED)
                return refused(x, &refusal);
        key_queue_leave(x->request->http->queue, &x->place);
        if (r == -E2BIG)
                return fail_models(x);
        if (r < 0)
                return fail_start(x);
        upstream_tries_note(&x->tries, x->attempt->upstream.lease.key);
        if (attempt_start(x->attempt) < 0)
                return fail_start(x);
        exchange_enter(x, EXCHANGE_ATTEMPTING);
        exchange_hedge_arm(x);
}

/* Each request of one answer has all tries, and may have a key that served one before. */
void exchange_ask_more(Exchange *x) {
        Translation *t = x->target.translation;

        exchange_drop_empty(x);
        x->target.before = x->request->usage;
        t->dialect->reset(t);
        upstream_tries_forget(&x->tries);
        exchange_enter(x, EXCHANGE_PICKING);
}

/* A thought signature was refused, which no key causes: once more with the sentinel in their place, and with
 * any key. */
static bool drop_signatures(Exchange *x) {
        Translation *t = x->target.translation;

        if (x->attempt->verdict->class != VERDICT_SIGNATURE || x->tries.cost.n >= TRIES_MAX ||
            !t->dialect->drop_signatures || !t->dialect->drop_signatures(t))
                return false;
        exchange_reset(x);
        upstream_tries_forget(&x->tries);
        exchange_enter(x, EXCHANGE_PICKING);
        return true;
}

void exchange_go_on(Exchange *x) {
        const VerdictRule *rule = verdict_rule(x->attempt->verdict->class);
        UpstreamNext next = next_try(x);
        PoolRefusal refusal;

        if (drop_signatures(x))
                return;
        if (next != UPSTREAM_END) {
                bool waits = next == UPSTREAM_AFTER_PAUSE && wait_begin(x) >= 0;

                x->tries.elsewhere = next == UPSTREAM_ANOTHER_PROJECT;
                exchange_reset(x);
                exchange_enter(x, waits ? EXCHANGE_WAITING : EXCHANGE_PICKING);
                return;
        }
        /* No further try, because the last key's quota was spent: waiting in the queue may help. */
        if (rule->is_quota && patience_left(x) > 0 &&
            pool_is_exhausted(x->request->http->p.pool, x->target.model, day_clock_now(), &refusal) &&
            queue_after(x, &refusal))
                return exchange_reset(x);
        if (!is_of_model(x) || !turn_elsewhere(x, NULL))
                exchange_fail(x, NULL);
}
