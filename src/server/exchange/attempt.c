/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "base/trace.h"
#include "core/day-clock.h"
#include "pool/pick-preferred.h"
#include "dialect/gemini/error.h"
#include "server/exchange/internal.h"
#include "server/exchange/pin.h"
#include "server/files/named.h"
#include "server/http.h"
#include "server/upstream-trace.h"

/* A lower bound for a text's tokens, used only to recognize a request that can never fit into a minute's
 * quota. */
#define BYTES_PER_TOKEN_MOST 16U

/* The estimate until Gemini has counted. English text with its JSON has rather more bytes to a token,
 * Chinese three, an image many. */
#define BYTES_PER_TOKEN 4U

/* --- its verdict --- */

/* A verdict has room for long texts, which a good one has not: only another one is allocated. */
static const Verdict good = { .class = VERDICT_OK, .status = 200, .quota_value = VERDICT_NO_VALUE };

static void take_verdict(Attempt *a, const Verdict *v) {
        static const Verdict no_memory = {
                .class = VERDICT_INTERNAL,
                .quota_value = VERDICT_NO_VALUE,
                .message = "gemgate ran out of memory.",
        };

        if (v->class == VERDICT_OK) {
                a->verdict = &good;
                return;
        }
        a->own = a->own ?: malloc(sizeof(Verdict));
        if (!a->own) {
                a->verdict = &no_memory;
                return;
        }
        *a->own = *v;
        a->verdict = a->own;
}

void attempt_init(Attempt *a, Request *q, const Target *target) {
        a->request = q;
        a->target = target;
        a->verdict = &good;
}

void attempt_set_verdict(Attempt *a, VerdictClass class, const char *message) {
        Verdict v;

        verdict_init(&v, class, class == VERDICT_OK ? 200 : 0, message);
        take_verdict(a, &v);
}

/* --- the engine's callbacks --- */

static int attempt_on_event(const char *json, size_t n, void *userdata) {
        return exchange_on_event(userdata, json, n);
}

static void attempt_on_done(const Verdict *v, void *userdata) {
        Attempt *a = userdata;

        a->ended = true;
        if (!a->is_final)
                take_verdict(a, v); /* v may belong to the call */
        upstream_call_end(&a->upstream);
        exchange_on_done(a);
}

/* Called before attempt_on_done(), by an engine that picks the keys itself. */
static void attempt_on_served(const EngineServed *s, void *userdata) {
        Attempt *a = userdata;
        Request *q = a->request;

        q->attempts = s->attempts;
        text_copy(q->key_mask, sizeof(q->key_mask), s->key_mask);
        text_copy(q->key_name, sizeof(q->key_name), s->key_name);
        free(TAKE_PTR(a->refusal));
        if (!s->refusal)
                return;
        a->refusal = malloc(sizeof(ApiError)); /* without memory the verdict is the error */
        if (a->refusal)
                *a->refusal = *s->refusal;
}

/* Of the key, which a dialect does not know. */
static void scrub(const Attempt *a, char *text) {
        const PoolKey *key = a->upstream.lease.key;

        secret_scrub(text, key ? pool_key_secret(key) : NULL);
}

static void scrub_verdict(const Attempt *a, Verdict *v) {
        scrub(a, v->message);
        scrub(a, v->reason);
}

void attempt_keep_verdict(Attempt *a, Verdict *v) {
        scrub_verdict(a, v);
        take_verdict(a, v);
        a->is_final = true;
}

/* Of the key itself, its project or a quota: what a later request would meet, too. */
static bool blames(const Verdict *v) {
        switch (verdict_rule(v->class)->fault) {
        case FAULT_KEY_MODEL:
        case FAULT_KEY:
        case FAULT_PROJECT_MODEL:
        case FAULT_PROJECT:
                return true;
        default:
                return false;
        }
}

/* Without memory the pool does not learn of it. */
void attempt_keep_blame(Attempt *a, Verdict *v) {
        if (!blames(v))
                return;
        a->blame = a->blame ?: malloc(sizeof(Verdict));
        if (!a->blame)
                return;
        scrub_verdict(a, v);
        *a->blame = *v;
}

/* --- its beginning --- */

/* The preferred project of the conversation, for the first try only. */
static PoolProject *prefer(const Attempt *a, size_t n_tried) {
        Http *h = a->request->http;

        if (a->target->conversation == 0 || n_tried > 0)
                return NULL;
        return pool_prefer(h->p.pool, h->affinity, a->target->conversation);
}

/* Google counts countTokens separately, so a key with a spent quota of the model can still serve it, and
 * the result is no judgement on that quota. */
static int pick(Attempt *a, const UpstreamTries *tries, bool any, PoolRefusal *ret_refusal) {
        Pool *pool = a->request->http->p.pool;
        PoolProject *pinned = pin_project(a->request, a->target->pinned);
        const PoolRequest q = {
                .model = a->target->model,
                .exclude = upstream_tried(tries),
                .n_exclude = any ? 0 : tries->n,
                .avoid = upstream_avoided(tries),
                .pinned = pinned,
                .prefer = pinned ? NULL : prefer(a, any ? 0 : tries->n),
                .spill = a->request->config->route.affinity_spill,
                .tokens = a->target->translation->gemini.n / BYTES_PER_TOKEN,
        };
        usec_t now = day_clock_now();
        LOG_FOR_REQUEST(&a->request->ids);

        if (pinned && pinned == q.avoid)
                return POOL_E_EXHAUSTED;
        if (!translation_counts(a->target->translation))
                return pool_pick_rotation_of(pool, &q, now, &a->upstream.lease, ret_refusal);
        return pool_pick_for(pool, &q, now, &a->upstream.lease, ret_refusal);
}

int attempt_pick(Attempt *a, const UpstreamTries *tries, bool again, PoolRefusal *ret_refusal) {
        int r;

        if (a->target->cli)
                return 0;
        a->upstream.again = false;
        r = pick(a, tries, false, ret_refusal);
        /* No key causes overload: without another key, the same one is used again. */
        if (r == POOL_E_EXHAUSTED && tries->n > 0 && again && !tries->elsewhere) {
                a->upstream.again = true;
                r = pick(a, tries, true, ret_refusal);
        }
        if (r == POOL_E_EXHAUSTED)
                trace(no_key, &a->request->ids, "model %s, %zu keys tried", a->target->model, tries->n);
        return r;
}

int attempt_pick_spare(Attempt *a, const Attempt *other) {
        const PoolRequest q = {
                .model = a->target->model,
                .tokens = a->target->translation->gemini.n / BYTES_PER_TOKEN,
        };
        LOG_FOR_REQUEST(&a->request->ids);

        return pool_pick_spare(a->request->http->p.pool, &q, &other->upstream.lease, day_clock_now(),
                               &a->upstream.lease);
}

int attempt_start(Attempt *a) {
        static const EngineSink sink = {
                .event = attempt_on_event,
                .done = attempt_on_done,
                .served = attempt_on_served,
        };
        const Target *target = a->target;
        const Translation *t = target->translation;
        const EngineResource resource = { .verb = t->native.verb,
                                          .path = t->native.path,
                                          .headers = &t->native.header,
                                          .n_headers = !!t->native.header };
        PoolKey *key = a->upstream.lease.key;
        Request *q = a->request;

        if (key) {
                q->attempts++;
                request_note_key(a->request, key);
                if (q->job)
                        job_tried(q->job, q->key_mask, q->key_name);
        }
        a->answering = a->ended = a->is_final = a->is_empty = a->has_more = false;
        upstream_trace_begin(&a->upstream, &q->ids, target->model, NULL);
        return upstream_call_start(&a->upstream, q->http, target->cli ? q->http->p.cli : q->http->p.engine,
                                   &(EngineRequest){
                                           .method = t->method,
                                           .model = target->model,
                                           .resource = t->native.path ? &resource : NULL,
                                           .body = buf_data(&t->gemini),
                                           .n_body = t->gemini.n,
                                           .key = key ? pool_key_secret(key) : NULL,
                                           .cli = target->split,
                                           .id = q->id,
                                           .ids = &q->ids,
                                           .timeout = t->timeout,
                                   },
                                   &sink, a);
}

/* --- its end --- */

static void note_verdict(Request *q, const Verdict *v) {
        request_note_verdict(q, v->class);
        verdicts_set_cause(&q->verdicts, v->cause);
        q->verdict = verdict_rule(v->class)->name;
}

static void note_usage(const Attempt *a) {
        a->request->usage = a->target->translation->usage;
        usage_add(&a->request->usage, &a->target->before);
}

static void trace_end(const Attempt *a, const Verdict *v) {
        upstream_trace_end(&a->upstream, &a->request->ids, a->target->model, NULL,
                           loop_now(a->request->http->p.loop), v);
}

static void lease_end(Attempt *a, const Verdict *v) {
        LOG_FOR_REQUEST(&a->request->ids);

        upstream_call_report(&a->upstream, a->request->http, v, &a->target->translation->usage);
}

void attempt_answering(Attempt *a) {
        LOG_FOR_REQUEST(&a->request->ids);

        if (a->upstream.lease.key && !a->answering)
                pool_answering(a->request->http->p.pool, &a->upstream.lease, day_clock_now());
        a->answering = true;
}

/* A stream may be complete for HTTP but still lack its end, which only the dialect recognizes. */
void attempt_conclude(Attempt *a, int error) {
        Translation *t = a->target->translation;
        Request *q = a->request;
        bool is_kept;
        Verdict v;

        if (a->verdict->class == VERDICT_OK)
                verdict_init(&v, VERDICT_OK, 200, NULL);
        else
                v = *a->verdict;
        if (error == 0 && blames(&v) && translation_is_settled(t))
                attempt_keep_blame(a, &v);
        if (error == 0)
                error = translation_end(t, http_request_out(q->io), &v);
        if (error == DIALECT_E_VERDICT || error == DIALECT_E_BLAMED)
                scrub_verdict(a, &v);
        is_kept = error == DIALECT_E_EMPTY || (error == DIALECT_E_BLAMED && !translation_streams(t));
        a->is_empty = is_kept && !a->is_last;
        if (error == DIALECT_E_BLAMED && !a->is_empty)
                attempt_keep_blame(a, &v);
        a->has_more = error == DIALECT_E_MORE;
        if (error > 0 && error != DIALECT_E_VERDICT && !a->is_empty)
                verdict_init(&v, VERDICT_OK, 200, NULL);
        if (error < 0)
                verdict_init(&v, VERDICT_INTERNAL, 0, "gemgate ran out of memory.");
        gemini_error_weigh(&v, t->opaque ? 0 : t->gemini.n / BYTES_PER_TOKEN_MOST);
        named_weigh(q, &v);
        upstream_call_weigh(&a->upstream, q->http, &v);
        take_verdict(a, &v);
        note_verdict(q, &v);
        trace_end(a, &v);
        if (v.class == VERDICT_OK && a->upstream.lease.key && a->target->conversation != 0)
                pool_bind(q->http->affinity, a->target->conversation, &a->upstream.lease);
        note_usage(a);
        text_copy(q->finish_reason, sizeof(q->finish_reason), strempty(t->finish_reason));
        scrub(a, q->finish_reason);
        if (a->blame && v.class == VERDICT_OK) {
                upstream_call_weigh(&a->upstream, q->http, a->blame);
                lease_end(a, a->blame);
        } else
                lease_end(a, &v);
        free(TAKE_PTR(a->blame));
}

static bool is_under_way(const Attempt *a) {
        return a->upstream.call || a->upstream.lease.key;
}

void attempt_cancel(Attempt *a, VerdictClass class) {
        Verdict v;

        if (!is_under_way(a)) {
                free(TAKE_PTR(a->blame));
                return;
        }
        upstream_call_end(&a->upstream);
        verdict_init(&v, class, 0, NULL);
        note_usage(a);
        if (class == VERDICT_TIMEOUT)
                text_copy(v.cause, sizeof(v.cause), "REQUEST_DEADLINE is over");
        trace_end(a, &v);
        lease_end(a, a->blame ?: &v);
        free(TAKE_PTR(a->blame));
        note_verdict(a->request, &v);
}

void attempt_done(Attempt *a) {
        assert(!is_under_way(a));

        free(a->own);
        free(a->blame);
        free(a->refusal);
}

void attempt_drop(Attempt *a) {
        Verdict v;
        LOG_FOR_REQUEST(&a->request->ids);

        upstream_call_end(&a->upstream);
        free(TAKE_PTR(a->blame));
        if (!a->upstream.lease.key)
                return;
        verdict_init(&v, VERDICT_CLIENT_GONE, 0, NULL);
        trace_end(a, &v);
        upstream_call_report(&a->upstream, a->request->http, &v, NULL);
}
