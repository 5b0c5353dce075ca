/* SPDX-License-Identifier: MIT */

/*
 * One key after another, for as long as Google has sent no message of the session: a try is a handshake and
 * setup. Its end is a verdict as of any request, and the rules of server/upstream decide what follows. A
 * session does not wait in the queue for keys (QUEUE_WAIT), and has no other model (FALLBACK_MODELS): its
 * client is connected, and sees at once that there is no key.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "base/trace.h"
#include "core/day-clock.h"
#include "dialect/gemini/error.h"
#include "pool/proxy.h"
#include "server/exchange/pin.h"
#include "server/files/made.h"
#include "server/live/internal.h"
#include "server/routes.h"
#include "server/upstream-trace.h"

#define URL_MAX         2048U
#define BYTES_PER_TOKEN 4U /* as of any request: the estimate until Google has counted */

static Http *http_of(const Live *l) {
        return l->request->http;
}

/* --- the verdict --- */

static const Secret *key_of(const Live *l) {
        return l->call.lease.key ? pool_key_secret(l->call.lease.key) : NULL;
}

static void report(Live *l, Verdict *v) {
        Request *q = l->request;
        LOG_FOR_REQUEST(&q->ids);

        secret_scrub(v->message, key_of(l));
        secret_scrub(v->reason, key_of(l));
        upstream_call_weigh(&l->call, http_of(l), v);
        request_note_verdict(q, v->class);
        verdicts_set_cause(&q->verdicts, v->cause);
        q->verdict = verdict_rule(v->class)->name;
        upstream_trace_end(&l->call, &q->ids, l->model, NULL, loop_now(http_of(l)->p.loop), v);
        upstream_call_report(&l->call, http_of(l), v, &q->usage);
}

void live_conclude(Live *l, VerdictClass class) {
        Verdict v;

        if (!l->call.lease.key)
                return;
        verdict_init(&v, class, class == VERDICT_OK ? 200 : 0, NULL);
        report(l, &v);
}

void live_drop_upstream(Live *l) {
        l->dial = l->dial ? l->sessions->io->dial_free(l->dial) : NULL;
        l->pause = timer_free(l->pause);
        l->upstream = l->upstream ? l->sessions->io->free(l->upstream) : NULL;
        l->upstream_ended = false;
}

/* --- the next try --- */

static void on_pause(void *userdata) {
        Live *l = userdata;

        l->pause = timer_free(l->pause);
        live_enter(l, LIVE_PICKING);
        live_pick(l);
}

/* False: there is no memory for it. */
static bool pause_begin(Live *l) {
        if (timer_new(http_of(l)->p.loop, upstream_pause(&l->tries), on_pause, l, &l->pause) < 0)
                return false;
        live_enter(l, LIVE_PAUSING);
        return true;
}

static void fail_start(Live *l) {
        ApiError e;

        live_conclude(l, VERDICT_INTERNAL);
        api_error_set(&e, 500, NULL, "gemgate could not start the session upstream.");
        live_fail(l, &e);
}

/* Google's refusal of the request itself goes to the client as it is. */
static void fail_by_verdict(Live *l) {
        const Verdict *v = &l->verdict;
        ApiError e;

        api_error_from_verdict(&e, v, l->model);
        if (l->end_code == 0 || verdict_rule(v->class)->fault != FAULT_REQUEST)
                return live_fail(l, &e);
        l->request->stream_error = e.status;
        live_end(l, l->end_code, v->message);
}

/* The try has ended before Google's first message. Nothing of it is left. */
static void try_failed(Live *l, Verdict *v) {
        UpstreamNext next;

        timeout_stop(&l->setup_due);
        live_drop_upstream(l);
        report(l, v);
        l->verdict = *v;
        upstream_call_count(&l->call, http_of(l), v, &l->tries);
        next = upstream_next(&l->tries, v);
        if (next == UPSTREAM_END)
                return fail_by_verdict(l);
        if (next == UPSTREAM_AFTER_PAUSE && pause_begin(l))
                return;
        l->tries.elsewhere = next == UPSTREAM_ANOTHER_PROJECT;
        live_enter(l, LIVE_PICKING);
        live_pick(l);
}

/* --- Gemini's side --- */

/* A handle that Google gives is the client's, and of the key's project. */
static void note_handle(Live *l, const char *handle) {
        char *last = l->handles[LIVE_HANDLES_KEPT - 1];

        if (streq(handle, l->handles[0]))
                return;
        if (*last)
                pool_unbind_name(http_of(l)->p.pool, last);
        memmove(l->handles[1], l->handles[0], sizeof(l->handles) - sizeof(l->handles[0]));
        text_copy(l->handles[0], sizeof(l->handles[0]), handle);
        made_bind_session(l->request, l->call.lease.key, handle);
}

static void on_message(WebsocketKind kind, const char *p, size_t n, void *userdata) {
        Live *l = userdata;
        GeminiLiveAnswer a;

        if (l->state != LIVE_SETTING_UP && l->state != LIVE_OPEN)
                return;
        if (gemini_live_answer_read(p, n, &a) < 0)
                return fail_start(l);
        if (a.has_usage)
                usage_add(&l->request->usage, &a.usage);
        if (a.handle[0])
                note_handle(l, a.handle);
        if (l->state == LIVE_SETTING_UP) {
                LOG_FOR_REQUEST(&l->request->ids);

                pool_answering(http_of(l)->p.pool, &l->call.lease, day_clock_now());
                live_opened(l);
        }
        if (l->state == LIVE_OPEN)
                live_pass(l, kind, p, n);
}

static void on_drained(void *userdata) {
        Live *l = userdata;

        if (l->state == LIVE_OPEN)
                l->sessions->io->pause(l->client, false);
}

static void verdict_of_end(const Live *l, const WebsocketEnd *end, Verdict *ret) {
        switch (end->origin) {
        case WEBSOCKET_BY_PEER:
                gemini_live_classify(end->code, end->reason, key_of(l), ret);
                if (ret->class == VERDICT_OK && l->state == LIVE_SETTING_UP)
                        verdict_init(ret, VERDICT_OVERLOAD, 503,
                                     "Gemini has ended the session before it began.");
                break;
        case WEBSOCKET_BY_FAULT:
                verdict_init(ret, VERDICT_FOREIGN, 0, "Gemini's side broke the protocol of WebSockets.");
                break;
        default:
                verdict_init(ret, l->state == LIVE_OPEN ? VERDICT_CUT : VERDICT_UNREACHABLE, 0,
                             "The connection to Gemini broke off.");
        }
        text_copy(ret->cause, sizeof(ret->cause), end->cause);
}

static void open_ended(Live *l, const WebsocketEnd *end) {
        Verdict v;

        verdict_of_end(l, end, &v);
        report(l, &v);
        l->verdict = v;
        if (end->origin == WEBSOCKET_BY_PEER) {
                char reason[WEBSOCKET_REASON_MAX + 1];

                text_copy(reason, sizeof(reason), end->reason);
                secret_scrub(reason, NULL);
                if (v.class != VERDICT_OK)
                        l->request->stream_error = v.status;
                live_end(l, end->code, v.class == VERDICT_OK ? reason : v.message);
        } else
                fail_by_verdict(l);
}

static void on_closed(const WebsocketEnd *end, void *userdata) {
        Live *l = userdata;
        Verdict v;

        l->upstream_ended = true;
        switch (l->state) {
        case LIVE_SETTING_UP:
                l->end_code = end->origin == WEBSOCKET_BY_PEER ? end->code : 0;
                verdict_of_end(l, end, &v);
                return try_failed(l, &v);
        case LIVE_OPEN:
                l->end_code = 0;
                return open_ended(l, end);
        default:
                return live_settle(l);
        }
}

void live_on_setup_late(Live *l) {
        Verdict v;
        ApiError e;

        if (l->state == LIVE_WAITING) {
                api_error_set(&e, 408, NULL, "setup has not come in time.");
                return live_fail(l, &e);
        }
        l->end_code = 0;
        verdict_init(&v, VERDICT_TIMEOUT, 504, "Gemini has not answered setup in time.");
        try_failed(l, &v);
}

/* --- the dial --- */

static void verdict_of_answer(const Live *l, const WebsocketAnswer *a, Verdict *ret) {
        if (a->outcome == HTTP_OUTCOME_COMPLETE) {
                gemini_error_classify(a->status, a->body, a->n_body, key_of(l), ret);
                ret->retry_after = ret->retry_after ?: a->retry_after;
        } else {
                verdict_init(ret, VERDICT_UNREACHABLE, 0,
                             a->outcome == HTTP_OUTCOME_BROKEN ? "Gemini gave no answer."
                                                               : "Gemini could not be reached.");
                ret->is_own = a->outcome == HTTP_OUTCOME_LACKING;
        }
        text_copy(ret->cause, sizeof(ret->cause), a->cause);
}

static void on_dialled(Websocket *w, const WebsocketAnswer *a, void *userdata) {
        static const WebsocketOps ops = {
                .message = on_message,
                .drained = on_drained,
                .closed = on_closed,
        };
        Live *l = userdata;
        Verdict v;

        l->call.sent = a->sent > 0;
        l->call.first_byte = a->head;
        l->end_code = 0;
        if (!w) {
                verdict_of_answer(l, a, &v);
                return try_failed(l, &v); /* frees the dial */
        }
        l->dial = l->sessions->io->dial_free(l->dial);
        l->upstream = w;
        l->upstream_ended = false;
        l->sessions->io->start(w, &ops, l);
        live_enter(l, LIVE_SETTING_UP);
        timeout_start(l->sessions->setup_due, &l->setup_due);
        if (l->sessions->io->send(w, l->setup_kind, buf_data(&l->setup), l->setup.n) < 0)
                fail_start(l);
}

/* The path is the client's, with its version: some of what sessions can do is in one of them alone. */
static int write_url(const Live *l, Buf *out) {
        return buf_printf(out, "%s%s", http_of(l)->p.config->gemini_base_url, l->request->route->path);
}

static int dial(Live *l) {
        _cleanup_buf_ Buf url = BUF_INIT(URL_MAX);
        PoolKey *key = l->call.lease.key;
        const Config *c = l->request->config;
        usec_t now;
        int r;

        r = write_url(l, &url);
        if (r < 0)
                return r;
        now = loop_now(http_of(l)->p.loop);
        l->call.project = pool_lease_project(&l->call.lease);
        l->call.started = now;
        l->call.began = l->call.began ?: now;
        l->call.first_byte = 0;
        l->call.sent = false;
        l->call.n_sent = l->setup.n;
        upstream_trace_begin(&l->call, &l->request->ids, l->model, NULL);
        return l->sessions->io->dial(http_of(l)->p.loop, http_of(l)->p.client,
                                     &(WebsocketDialParams){
                                             .url = buf_cstr(&url),
                                             .secret_header = "x-goog-api-key",
                                             .secret = pool_key_secret(key),
                                             .proxy = pool_key_proxy(http_of(l)->p.pool, key),
                                             .connect_timeout = c->connect_timeout,
                                             .answer_timeout = MIN(c->first_byte_timeout, LIVE_SETUP_TIME),
                                     },
                                     on_dialled, l, &l->dial);
}

/* --- the pick --- */

static int pick(Live *l, bool any, PoolRefusal *ret_refusal) {
        PoolProject *pinned = pin_project(l->request, l->pinned);
        const PoolRequest q = {
                .model = l->model,
                .exclude = upstream_tried(&l->tries),
                .n_exclude = any ? 0 : l->tries.n,
                .avoid = upstream_avoided(&l->tries),
                .pinned = pinned,
                .tokens = l->setup.n / BYTES_PER_TOKEN,
        };
        LOG_FOR_REQUEST(&l->request->ids);

        l->call.again = any;
        if (pinned && pinned == q.avoid)
                return POOL_E_EXHAUSTED;
        return pool_pick_for(http_of(l)->p.pool, &q, day_clock_now(), &l->call.lease, ret_refusal);
}

/* The last try's verdict is a better answer than the refusal, where keys are not the reason. */
static void refused(Live *l, const PoolRefusal *refusal) {
        const VerdictRule *rule = verdict_rule(l->verdict.class);
        char subject[MODEL_NAME_MAX + BINDING_NAME_MAX + 16];
        ApiError e;

        if (l->tries.n > 0 &&
            (rule->backoff || rule->fault == FAULT_MODEL || refusal->n_keys[POOL_USABLE] > 0))
                return fail_by_verdict(l);
        (void) snprintf(subject, sizeof(subject), "%s%s%s", l->model,
                        l->pinned[0] ? " with " : "", l->pinned[0] ? "what it names" : "");
        request_note_refusal(l->request, refusal);
        api_error_from_refusal(&e, refusal, subject, day_clock_now());
        live_fail(l, &e);
}

static void fail_models(Live *l) {
        ApiError e;

        api_error_set_busy(&e, "Too many models are in use: gemgate has no room for another.");
        live_fail(l, &e);
}

void live_pick(Live *l) {
        PoolRefusal refusal;
        int r;

        if (!upstream_tries_reserve(&l->tries))
                return fail_start(l);
        r = pick(l, false, &refusal);
        /* No key causes overload: without another key, the same one is used again. */
        if (r == POOL_E_EXHAUSTED && l->tries.n > 0 && verdict_rule(l->verdict.class)->backoff &&
            !l->tries.elsewhere)
                r = pick(l, true, &refusal);
        if (r == POOL_E_EXHAUSTED && l->tries.elsewhere) {
                l->tries.elsewhere = false;
                if (pause_begin(l))
                        return;
                return fail_start(l);
        }
        l->tries.elsewhere = false;
        if (r == POOL_E_EXHAUSTED)
                return refused(l, &refusal);
        if (r == -E2BIG)
                return fail_models(l);
        if (r < 0)
                return fail_start(l);
        upstream_tries_note(&l->tries, l->call.lease.key);
        l->request->attempts++;
        request_note_key(l->request, l->call.lease.key);
        if (dial(l) < 0)
                return fail_start(l);
        live_enter(l, LIVE_DIALLING);
}
