/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "core/verdict.h"
#include "server/exchange/pin.h"
#include "server/files/resource.h"
#include "server/http.h"
#include "server/upstream-query.h"

#define PATH_MAX_BYTES 2000U

void upstream_query_init(UpstreamQuery *w, Request *q) {
        *w = (UpstreamQuery){ .request = q,
                     .path = BUF_INIT(PATH_MAX_BYTES),
                     .answer = BUF_INIT(RESOURCE_ANSWER_MAX) };
        verdict_init(&w->verdict, VERDICT_OK, 0, NULL);
}

static int on_event(const char *json, size_t n, void *userdata) {
        UpstreamQuery *w = userdata;

        buf_clear(&w->answer);
        return buf_append(&w->answer, json, n);
}

static void on_header(const char *line, size_t n, void *userdata) {
        UpstreamQuery *w = userdata;

        if (w->header)
                w->header(w, line, n);
}

static void lease_end(UpstreamQuery *w, const Verdict *v) {
        LOG_FOR_REQUEST(&w->request->ids);

        if (w->lease.key)
                pool_report(w->request->http->p.pool, &w->lease, v, NULL, clock_realtime());
        w->lease = (Lease){};
}

/* What was not begun may be asked again; whether a call that fell silent has made something nobody knows. */
static bool may_try_again(const UpstreamQuery *w) {
        return verdict_rule(w->verdict.class)->another_key && w->n_tried < TRIES_DEAR_MAX &&
               !(w->once && w->verdict.class == VERDICT_TIMEOUT);
}

static void finish(UpstreamQuery *w) {
        w->ended = true;
        w->request->verdict = verdict_rule(w->verdict.class)->name;
        w->done(w);
}

static void on_done(const Verdict *v, void *userdata) {
        UpstreamQuery *w = userdata;

        w->verdict = *v;
        w->call = engine_call_free(w->call);
        request_note_verdict(w->request, v->class);
        verdicts_set_cause(&w->request->verdicts, v->cause);
        if (may_try_again(w)) {
                lease_end(w, &w->verdict);
                upstream_query_start(w);
                return;
        }
        finish(w);
}

void upstream_query_start(UpstreamQuery *w) {
        static const EngineSink sink = { .event = on_event, .done = on_done, .header = on_header };
        Http *h = w->request->http;
        PoolRefusal refusal;
        usec_t now = clock_realtime();
        LOG_FOR_REQUEST(&w->request->ids);

        if (pool_pick_rotation_of(h->p.pool, pin_project(w->request, w->pinned), w->tried, w->n_tried, now,
                             &w->lease, &refusal) != 0) {
                /* What the last key said is the better answer, if there was one. */
                w->refused = w->n_tried == 0;
                if (w->refused) {
                        api_error_from_refusal(&w->error, &refusal,
                                               w->pinned[0] ? w->pinned : "files and cached contents", now);
                        verdict_init(&w->verdict, VERDICT_INTERNAL, 0, NULL);
                }
                finish(w);
                return;
        }
        w->tried[w->n_tried++] = w->lease.key;
        w->request->attempts++;
        request_note_key(w->request, w->lease.key);
        if (!buf_cstr(&w->path) || engine_start(h->p.engine,
                                                &(EngineRequest){
                                                        .method = GEMINI_RESOURCE,
                                                        .resource =
                                                                &(EngineResource){
                                                                        .verb = w->verb,
                                                                        .path = buf_cstr(&w->path),
                                                                        .content_type = w->content_type,
                                                                        .headers = w->headers,
                                                                        .n_headers = w->n_headers,
                                                                },
                                                        .body = w->body,
                                                        .n_body = w->n_body,
                                                        .key = pool_key_secret(w->lease.key),
                                                        .id = w->request->id,
                                                        .ids = &w->request->ids,
                                                },
                                                &sink, w, &w->call) < 0) {
                verdict_init(&w->verdict, VERDICT_INTERNAL, 0,
                             "gemgate could not start the request upstream.");
                finish(w);
        }
}

void upstream_query_error(const UpstreamQuery *w, const char *subject, ApiError *ret) {
        if (w->refused)
                *ret = w->error;
        else
                api_error_from_verdict(ret, &w->verdict, subject);
        if (streq(ret->param, "model")) { /* what is not there is no model */
                ret->param[0] = 0;
                ret->code = NULL;
        }
}

void upstream_query_end(UpstreamQuery *w, VerdictClass class) {
        w->call = engine_call_free(w->call);
        if (!w->ended)
                verdict_init(&w->verdict, class, 0, NULL);
        lease_end(w, &w->verdict);
        for (size_t i = 0; i < w->n_headers; i++)
                free(w->headers[i]);
        w->n_headers = 0;
        free(TAKE_PTR(w->content_type));
        buf_done(&w->path);
        buf_done(&w->answer);
}
