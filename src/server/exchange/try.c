/* SPDX-License-Identifier: MIT */

/*
 * One attempt after another, for as long as the client has no byte:
 *
 *   - by what the attempt came to (core/verdict.c) another key follows at once, any key after a pause, or
 *     none;
 *   - where no key can serve and one frees within QUEUE_WAIT, the request takes a place in the line;
 *   - where that is no help, the models of FALLBACK_MODELS come next, each with its own tries and line.
 */

#include <errno.h>
#include <sys/random.h>

#include "pool/pick-preferred.h"
#include "io/timer.h"
#include "server/exchange/internal.h"
#include "server/http.h"

/* Overload passes by itself: two waits, each with jitter, so that all who were turned away do not come back
 * at once. */
#define BACKOFF_FIRST  (500 * USEC_PER_MSEC)
#define BACKOFF_SECOND (1500 * USEC_PER_MSEC)

/* --- an attempt --- */

int exchange_on_event(Attempt *a, const char *json, size_t n) {
        Exchange *x = a->request->exchange;
        Translation *t = x->target.translation;
        int r;

        if (!exchange_hedge_heard(x, a))
                return -ECANCELED;
        if (x->request->job)
                job_heard(x->request->job, json, n);
        r = t->dialect->event(t, json, n, http_request_out(x->request->io), &a->verdict);
        if (r == DIALECT_E_VERDICT) {
                attempt_judge(a);
                return -ECANCELED;
        }
        if (r < 0) {
                x->error = r;
                return r;
        }
        if (translation_streams(t))
                exchange_step(x);
        return 0;
}

void exchange_on_done(Attempt *a) {
        Exchange *x = a->request->exchange;

        if (!exchange_hedge_ended(x, a))
                exchange_step(x);
}

void exchange_reset(Exchange *x) {
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
        usec_t base = x->n_tried == 1 ? BACKOFF_FIRST : BACKOFF_SECOND;
        uint16_t jitter = 0;

        if (getrandom(&jitter, sizeof(jitter), GRND_NONBLOCK) < 0)
                jitter = UINT16_MAX / 2; /* not seeded yet, right after the boot: no jitter then */
        base = base / 2 + base * jitter / UINT16_MAX; /* half to one and a half */
        return timer_new(x->request->http->p.loop, base, on_backoff, x, &x->backoff);
}

/* The attempt is over and the client has no byte: is there another? */
static bool may_try_again(const Exchange *x) {
        const VerdictRule *rule = verdict_rule(x->attempt->verdict.class);

        return !x->target.cli && (rule->another_key || rule->backoff) && x->n_tried < ATTEMPTS_MAX;
}

/* --- QUEUE_WAIT --- */

/* For how long it may still wait for a key; 0: it may not. What the Gemini CLI asks does not wait: its job
 * holds a seat that others wait for (CLI_QUEUE_WAIT), and the CLI asks again by itself. Nor does what is
 * held to one project: the line is that of all keys, and its turn would say nothing. */
static usec_t patience_left(const Exchange *x) {
        const Request *q = x->request;

        if (q->config->route.queue_wait == 0 || x->target.pinned[0] || q->job || x->target.cli ||
            !translation_generates(x->target.translation) || x->has_waited)
                return 0;
        return x->patience_ends > 0 ? usec_sub(x->patience_ends, loop_now(q->http->p.loop))
                                    : q->config->route.queue_wait;
}

/* A place in the line, if a key frees in time; `frees_in` as key_queue_join() takes it. */
static bool queue_join(Exchange *x, usec_t frees_in, usec_t span) {
        Http *h = x->request->http;
        usec_t patience = patience_left(x);

        if (patience == 0 || span > patience ||
            !key_queue_join(h->queue, x->target.model, x->target.translation->gemini.n, frees_in, patience,
                       &x->place))
                return false;
        x->patience_ends = usec_add(loop_now(h->p.loop), patience);
        /* Whoever has said no has also said until when: after that it is as good as any. */
        x->n_tried = 0;
        x->state = EXCHANGE_QUEUED;
        return true;
}

/* Nobody goes past those who wait already; who has had his turn tries on. */
static bool queue_behind(Exchange *x) {
        const KeyQueueModel *others = key_queue_find(x->request->http->queue, x->target.model);

        return others && x->n_tried == 0 && !key_queue_place_is_taken(&x->place) &&
               queue_join(x, USEC_INFINITY, key_queue_span(others));
}

static bool queue_after(Exchange *x, const PoolRefusal *refusal) {
        usec_t span;

        if (refusal->available_at == USEC_INFINITY || x->request->config->route.queue_wait == 0)
                return false;
        span = usec_sub(refusal->available_at, clock_realtime());
        return queue_join(x, span, span);
}

/* --- FALLBACK_MODELS --- */

/* Another model is no help against what is wrong with the keys as such, or with the request. */
static bool is_of_model(const Verdict *v) {
        switch (verdict_rule(v->class)->fault) {
        case FAULT_MODEL:
        case FAULT_KEY_MODEL:
        case FAULT_PROJECT_MODEL:
                return true;
        default:
                return false;
        }
}

/* The pool's refusal, or (NULL) the attempt's verdict is the reason to turn to another model. True if there
 * is one, and it has been tried or waited for. */
static bool turn_elsewhere(Exchange *x, const PoolRefusal *refusal) {
        Request *q = x->request;
        const char *why = refusal ? "exhausted" : verdict_rule(x->attempt->verdict.class)->name;

        if (!x->target.fallback)
                return false;
        if (!x->asked) {
                x->asked = malloc(sizeof(ApiError));
                if (!x->asked)
                        return false;
                exchange_error(x, refusal, x->asked);
        }
        exchange_reset(x);
        if (!target_fall_back(q, &x->target))
                return false;
        if (!q->fallback)
                q->fallback = why;
        x->n_tried = 0; /* ATTEMPTS_MAX for each model */
        x->attempt->verdict.class = VERDICT_OK;
        exchange_try(x);
        return true;
}

static void exchange_refused(Exchange *x, const PoolRefusal *refusal) {
        if (queue_after(x, refusal))
                return;
        key_queue_leave(x->request->http->queue, &x->place);
        /* Keys are left, but not for this request again: then their word counts. */
        if (x->n_tried > 0 && refusal->n_keys[POOL_USABLE] > 0) {
                if (!is_of_model(&x->attempt->verdict) || !turn_elsewhere(x, NULL))
                        exchange_fail(x, NULL);
        } else if (!turn_elsewhere(x, refusal))
                exchange_fail(x, refusal);
}

void exchange_try(Exchange *x) {
        PoolRefusal refusal;
        int r;

        if (queue_behind(x))
                return;
        x->state = EXCHANGE_ATTEMPTING;
        r = attempt_pick(x->attempt, x->tried, x->n_tried, verdict_rule(x->attempt->verdict.class)->backoff,
                         &refusal);
        if (r == POOL_E_EXHAUSTED)
                return exchange_refused(x, &refusal);
        key_queue_leave(x->request->http->queue, &x->place);
        if (x->attempt->lease.key)
                x->tried[x->n_tried++] = x->attempt->lease.key;
        if (r < 0 || attempt_start(x->attempt) < 0) {
                verdict_init(&x->attempt->verdict, VERDICT_INTERNAL, 0,
                             "gemgate could not start the request upstream.");
                exchange_fail(x, NULL);
                return;
        }
        exchange_hedge_arm(x);
}

/* The attempt has failed, and the client has no byte. */
void exchange_go_on(Exchange *x) {
        PoolRefusal refusal;

        if (x->late)
                return exchange_fail(x, NULL);
        if (may_try_again(x)) {
                exchange_reset(x);
                if (verdict_rule(x->attempt->verdict.class)->backoff && wait_begin(x) >= 0)
                        x->state = EXCHANGE_WAITING;
                else
                        exchange_try(x);
                return;
        }
        /* The tries are spent, and so was the last key: then there is something to wait for. */
        if (verdict_rule(x->attempt->verdict.class)->is_quota && patience_left(x) > 0 &&
            pool_is_exhausted(x->request->http->p.pool, x->target.model, clock_realtime(), &refusal) &&
            queue_after(x, &refusal))
                return exchange_reset(x);
        if (!is_of_model(&x->attempt->verdict) || !turn_elsewhere(x, NULL))
                exchange_fail(x, NULL);
}
