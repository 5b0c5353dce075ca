/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "io/timer.h"
#include "server/exchange/pin.h"
#include "server/files/resource.h"
#include "server/http.h"
#include "server/upstream-query.h"

#define PATH_MAX_BYTES 2000U

void upstream_query_init(UpstreamQuery *w, const UpstreamQueryOps *ops, Http *h, Request *q) {
        *w = (UpstreamQuery){ .ops = ops,
                              .http = h,
                              .request = q,
                              .method = GEMINI_RESOURCE,
                              .path = BUF_INIT(PATH_MAX_BYTES),
                              .answer = BUF_INIT(RESOURCE_ANSWER_MAX) };
        verdict_init(&w->verdict, VERDICT_OK, 0, NULL);
}

static const LogIds *ids_of(const UpstreamQuery *w) {
        return w->request ? &w->request->ids : NULL;
}

static void report(UpstreamQuery *w) {
        LOG_FOR_REQUEST(ids_of(w));

        upstream_call_report(&w->call, w->http, &w->verdict, NULL);
}

static int end(UpstreamQuery *w) {
        w->ended = true;
        if (w->request)
                w->request->verdict = verdict_rule(w->verdict.class)->name;
        return UPSTREAM_E_ENDED;
}

/* --- a try --- */

static int on_event(const char *json, size_t n, void *userdata) {
        UpstreamQuery *w = userdata;

        if (w->ops->event)
                return w->ops->event(w, json, n);
        buf_clear(&w->answer);
        return buf_append(&w->answer, json, n);
}

static void on_header(const char *line, size_t n, void *userdata) {
        UpstreamQuery *w = userdata;

        if (w->ops->header)
                w->ops->header(w, line, n);
}

static int next(UpstreamQuery *w);

static void on_done(const Verdict *v, void *userdata) {
        UpstreamQuery *w = userdata;

        w->call.call = engine_call_free(w->call.call);
        if (v->class != VERDICT_OK) /* else the event may have a verdict about the answer */
                w->verdict = *v;
        if (w->request) {
                request_note_verdict(w->request, w->verdict.class);
                verdicts_set_cause(&w->request->verdicts, w->verdict.cause);
        }
        if (next(w) == UPSTREAM_E_ENDED)
                w->ops->done(w);
}

static int call(UpstreamQuery *w) {
        static const EngineSink sink = { .event = on_event, .done = on_done, .header = on_header };
        const EngineResource resource = {
                .verb = w->verb,
                .path = buf_cstr(&w->path),
                .content_type = w->content_type,
                .headers = w->headers,
                .n_headers = w->n_headers,
        };

        verdict_init(&w->verdict, VERDICT_OK, 0, NULL);
        if (!resource.path || upstream_call_start(&w->call, w->http, w->http->p.engine,
                                                  &(EngineRequest){
                                                          .method = w->method,
                                                          .page_token = w->page_token,
                                                          .resource = resource.verb ? &resource : NULL,
                                                          .body = w->body,
                                                          .n_body = w->n_body,
                                                          .key = pool_key_secret(w->call.lease.key),
                                                          .id = w->request ? w->request->id : NULL,
                                                          .ids = ids_of(w),
                                                  },
                                                  &sink, w) < 0) {
                verdict_init(&w->verdict, VERDICT_INTERNAL, 0,
                             "gemgate could not start the request upstream.");
                return end(w);
        }
        return 0;
}

/* A key that was not tried; after an overload any key, because no key caused it. */
static int pick(UpstreamQuery *w, PoolRefusal *ret_refusal) {
        Pool *pool = w->http->p.pool;
        PoolProject *pinned = w->pinned[0] ? pool_bound_to(pool, w->pinned, clock_realtime()) : NULL;
        usec_t now = clock_realtime();
        int r;

        r = pool_pick_rotation_of(pool, pinned, upstream_tried(&w->tries), w->tries.n, now, &w->call.lease,
                                  ret_refusal);
        if (r == POOL_E_EXHAUSTED && w->tries.n > 0 && verdict_rule(w->verdict.class)->backoff)
                r = pool_pick_rotation_of(pool, pinned, NULL, 0, now, &w->call.lease, ret_refusal);
        return r;
}

int upstream_query_start(UpstreamQuery *w) {
        PoolRefusal refusal;
        LOG_FOR_REQUEST(ids_of(w));

        if (!upstream_tries_reserve(&w->tries)) {
                verdict_init(&w->verdict, VERDICT_INTERNAL, 0,
                             "gemgate could not start the request upstream.");
                return end(w);
        }
        if (pick(w, &refusal) != 0) {
                /* The last key's verdict is the better answer, if there is one. */
                w->refused = w->tries.n == 0;
                if (w->refused) {
                        api_error_from_refusal(&w->error, &refusal, w->pinned[0] ? w->pinned : w->subject,
                                               clock_realtime());
                        verdict_init(&w->verdict, VERDICT_INTERNAL, 0, NULL);
                }
                return end(w);
        }
        upstream_tries_note(&w->tries, w->call.lease.key);
        if (w->request) {
                w->request->attempts++;
                request_note_key(w->request, w->call.lease.key);
        }
        if (w->ops->begin)
                w->ops->begin(w);
        return call(w);
}

int upstream_query_continue(UpstreamQuery *w) {
        assert(w->ended && w->call.lease.key);

        w->ended = false;
        return call(w);
}

/* --- the next try --- */

static void on_pause(void *userdata) {
        UpstreamQuery *w = userdata;

        w->pause = timer_free(w->pause);
        if (upstream_query_start(w) == UPSTREAM_E_ENDED)
                w->ops->done(w);
}

/* A try has ended: another one follows, or the query has ended, too. */
static int next(UpstreamQuery *w) {
        UpstreamNext n;

        if (w->verdict.class == VERDICT_OK)
                return end(w);
        upstream_call_count(&w->call, w->http, &w->verdict, &w->tries);
        n = upstream_next(&w->tries, &w->verdict);
        if (n == UPSTREAM_END)
                return end(w);
        report(w);
        if (n == UPSTREAM_AFTER_PAUSE &&
            timer_new(w->http->p.loop, upstream_pause(&w->tries), on_pause, w, &w->pause) >= 0)
                return 0;
        return upstream_query_start(w);
}

/* --- its end --- */

void upstream_query_error(const UpstreamQuery *w, const char *subject, ApiError *ret) {
        if (w->refused)
                *ret = w->error;
        else
                api_error_from_verdict(ret, &w->verdict, subject);
        if (w->method == GEMINI_RESOURCE && streq(ret->param, "model")) { /* a file has no model */
                ret->param[0] = 0;
                ret->code = NULL;
        }
}

void upstream_query_end(UpstreamQuery *w, VerdictClass class) {
        w->pause = timer_free(w->pause);
        if (!w->ended)
                verdict_init(&w->verdict, class, 0, NULL);
        report(w);
        upstream_tries_done(&w->tries);
        for (size_t i = 0; i < w->n_headers; i++)
                free(w->headers[i]);
        w->n_headers = 0;
        free(TAKE_PTR(w->content_type));
        buf_done(&w->path);
        buf_done(&w->answer);
}

/* --- batches --- */

static void on_item_done(UpstreamQuery *w);

static const UpstreamQueryOps item_ops = { .done = on_item_done };

/* False: the batch was ended. */
static bool item_ended(UpstreamBatch *b, struct UpstreamBatchItem *item) {
        if (!b->ops->ended(b, &item->query, item->index))
                return false;
        upstream_query_end(&item->query, VERDICT_OK);
        item->batch = NULL;
        b->n_under_way--;
        return true;
}

static struct UpstreamBatchItem *free_item(UpstreamBatch *b) {
        for (size_t i = 0; i < ELEMENTSOF(b->items); i++)
                if (!b->items[i].batch)
                        return &b->items[i];
        return NULL;
}

/* A query that ends at once is handled here, in the loop, not in a callback. */
static void go_on(UpstreamBatch *b) {
        struct UpstreamBatchItem *item;

        while ((item = free_item(b)) && b->ops->ask(b, &item->query, b->next)) {
                item->query.ops = &item_ops;
                item->batch = b;
                item->index = b->next++;
                b->n_under_way++;
                if (upstream_query_start(&item->query) == UPSTREAM_E_ENDED && !item_ended(b, item))
                        return;
        }
        if (b->n_under_way == 0)
                b->ops->drained(b);
}

static void on_item_done(UpstreamQuery *w) {
        struct UpstreamBatchItem *item = CONTAINER_OF(w, struct UpstreamBatchItem, query);
        UpstreamBatch *b = item->batch;

        if (item_ended(b, item))
                go_on(b);
}

void upstream_batch_run(UpstreamBatch *b) {
        assert(b->n_under_way == 0);

        b->next = 0;
        go_on(b);
}

void upstream_batch_end(UpstreamBatch *b, VerdictClass class) {
        for (size_t i = 0; i < ELEMENTSOF(b->items); i++)
                if (b->items[i].batch) {
                        upstream_query_end(&b->items[i].query, class);
                        b->items[i].batch = NULL;
                }
        b->n_under_way = 0;
}
