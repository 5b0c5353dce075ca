/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/gemini/resource.h"
#include "io/timer.h"
#include "server/files/named.h"
#include "server/http.h"
#include "server/upstream-query.h"
#include "server/upstream-trace.h"

#define PATH_MAX_BYTES 2000U

void upstream_query_init(UpstreamQuery *q, const UpstreamQueryOps *ops, Http *h, Request *request) {
        *q = (UpstreamQuery){ .ops = ops,
                              .http = h,
                              .request = request,
                              .method = GEMINI_RESOURCE,
                              .path = BUF_INIT(PATH_MAX_BYTES),
                              .answer = BUF_INIT(RESOURCE_ANSWER_MAX) };
        verdict_init(&q->verdict, VERDICT_OK, 0, NULL);
}

static const LogIds *ids_of(const UpstreamQuery *q) {
        return q->request ? &q->request->ids : &log_no_request;
}

static void trace_end(const UpstreamQuery *q) {
        upstream_trace_end(&q->call, ids_of(q), NULL, q->subject, loop_now(q->http->p.loop), &q->verdict);
}

static void report(UpstreamQuery *q) {
        LOG_FOR_REQUEST(ids_of(q));

        upstream_call_weigh(&q->call, q->http, &q->verdict);
        upstream_call_report(&q->call, q->http, &q->verdict, NULL);
}

static int end(UpstreamQuery *q) {
        q->ended = true;
        if (q->request)
                q->request->verdict = verdict_rule(q->verdict.class)->name;
        return UPSTREAM_E_ENDED;
}

/* --- a try --- */

/* The answer is passed on to a client: it must be what it claims to be, and show no key. */
static int keep_answer(UpstreamQuery *q, const char *json, size_t n) {
        const Secret *key = pool_key_secret(q->call.lease.key);

        buf_clear(&q->answer);
        if (!(n == 0 && q->may_be_empty) &&
            gemini_resource_check(json, n, !q->may_be_nameless, key, &q->verdict) != 0)
                return 0;
        (void) buf_append(&q->answer, json, n);
        if (buf_cstr(&q->answer))
                secret_scrub(buf_data(&q->answer), key);
        return q->answer.error;
}

static int query_on_event(const char *json, size_t n, void *userdata) {
        UpstreamQuery *q = userdata;

        return q->ops->event ? q->ops->event(q, json, n) : keep_answer(q, json, n);
}

static void query_on_header(const char *line, size_t n, void *userdata) {
        UpstreamQuery *q = userdata;

        if (q->ops->header)
                q->ops->header(q, line, n);
}

static ssize_t query_on_read(char *p, size_t n, void *userdata) {
        UpstreamQuery *q = userdata;
        ssize_t k = q->ops->read(q, p, n);

        if (k > 0) {
                q->begun = true;
                q->call.n_sent += (size_t) k;
        }
        return k;
}

static int query_on_piece(int status, const char *p, size_t n, void *userdata) {
        UpstreamQuery *q = userdata;

        q->begun = true;
        return q->ops->piece(q, status, p, n);
}

static int next(UpstreamQuery *q);

/* Such a call names no model: what is not found, or not open to this key, is what it asks for. The answer to
 * a HEAD has nothing in which Google could say so. */
static void weigh_resource(UpstreamQuery *q) {
        Verdict *v = &q->verdict;
        bool is_bare = streq_ptr(q->verb, "HEAD") && v->class == VERDICT_FOREIGN;

        if (q->method == GEMINI_RESOURCE &&
            ((v->class == VERDICT_REQUEST && v->status == 404) || (is_bare && v->status == 404) ||
             (v->class == VERDICT_FOREIGN && v->status == 403 &&
              (is_bare || streq(v->reason, "PERMISSION_DENIED")))))
                v->class = VERDICT_RESOURCE;
        if (q->request)
                named_weigh(q->request, v);
}

static void query_on_done(const Verdict *v, void *userdata) {
        UpstreamQuery *q = userdata;

        upstream_call_end(&q->call);
        if (v->class != VERDICT_OK) /* else the event may have a verdict about the answer */
                q->verdict = *v;
        else if (q->verdict.class == VERDICT_OK)
                q->verdict.status = v->status;
        weigh_resource(q);
        if (q->request) {
                request_note_verdict(q->request, q->verdict.class);
                verdicts_set_cause(&q->request->verdicts, q->verdict.cause);
        }
        trace_end(q);
        if (next(q) == UPSTREAM_E_ENDED)
                q->ops->done(q);
}

static const EngineSink *sink_of(const UpstreamQuery *q) {
        static const EngineSink held = {
                .event = query_on_event,
                .done = query_on_done,
                .header = query_on_header,
        };
        static const EngineSink up = {
                .event = query_on_event,
                .done = query_on_done,
                .header = query_on_header,
                .read = query_on_read,
        };
        static const EngineSink down = {
                .event = query_on_event,
                .done = query_on_done,
                .header = query_on_header,
                .piece = query_on_piece,
        };

        assert(!q->ops->read || !q->ops->piece);
        return q->ops->read ? &up : q->ops->piece ? &down : &held;
}

static int call(UpstreamQuery *q) {
        const EngineResource resource = {
                .verb = q->verb,
                .path = buf_cstr(&q->path),
                .content_type = q->content_type,
                .headers = q->headers,
                .n_headers = q->n_headers,
        };

        verdict_init(&q->verdict, VERDICT_OK, 0, NULL);
        upstream_trace_begin(&q->call, ids_of(q), NULL, q->subject);
        if (!resource.path || upstream_call_start(&q->call, q->http, q->http->p.engine,
                                                  &(EngineRequest){
                                                          .method = q->method,
                                                          .page_token = q->page_token,
                                                          .resource = resource.verb ? &resource : NULL,
                                                          .body = q->body,
                                                          .n_body = q->n_body,
                                                          .key = pool_key_secret(q->call.lease.key),
                                                          .id = q->request ? q->request->id : NULL,
                                                          .ids = ids_of(q),
                                                  },
                                                  sink_of(q), q) < 0) {
                verdict_init(&q->verdict, VERDICT_INTERNAL, 0,
                             "gemgate could not start the request upstream.");
                trace_end(q);
                return end(q);
        }
        return 0;
}

/* A key that was not tried; after an overload any key, because no key caused it. */
static int pick(UpstreamQuery *q, PoolRefusal *ret_refusal) {
        Pool *pool = q->http->p.pool;
        PoolProject *pinned = q->pinned[0] ? pool_bound_to(pool, q->pinned, day_clock_now()) : NULL;
        PoolRequest request = { .exclude = upstream_tried(&q->tries),
                                .n_exclude = q->tries.n,
                                .pinned = pinned,
                                .avoid = upstream_avoided(&q->tries) };
        usec_t now = day_clock_now();
        int r;

        q->call.again = false;
        r = pool_pick_rotation_of(pool, &request, now, &q->call.lease, ret_refusal);
        if (r == POOL_E_EXHAUSTED && q->tries.n > 0 && !request.avoid &&
            verdict_rule(q->verdict.class)->backoff) {
                q->call.again = true;
                request.n_exclude = 0;
                r = pool_pick_rotation_of(pool, &request, now, &q->call.lease, ret_refusal);
        }
        return r;
}

static void on_pause(void *userdata);

static bool pause_begin(UpstreamQuery *q) {
        return timer_new(q->http->p.loop, upstream_pause(&q->tries), on_pause, q, &q->pause) >= 0;
}

int upstream_query_start(UpstreamQuery *q) {
        LOG_FOR_REQUEST(ids_of(q));
        int r;

        assert(q->subject);

        if (!upstream_tries_reserve(&q->tries)) {
                verdict_init(&q->verdict, VERDICT_INTERNAL, 0,
                             "gemgate could not start the request upstream.");
                return end(q);
        }
        r = pick(q, &q->refusal);
        if (r == POOL_E_EXHAUSTED && q->tries.elsewhere) { /* no other project has a key: after a pause */
                q->tries.elsewhere = false;
                if (pause_begin(q))
                        return 0;
                r = pick(q, &q->refusal);
        }
        q->tries.elsewhere = false;
        if (r != 0) {
                /* The last key's verdict is the better answer, if there is one. */
                q->refused = q->tries.n == 0;
                if (q->refused) {
                        api_error_from_refusal(&q->error, &q->refusal, q->pinned[0] ? q->pinned : q->subject,
                                               day_clock_now());
                        verdict_init(&q->verdict, VERDICT_INTERNAL, 0, NULL);
                        if (q->request)
                                request_note_refusal(q->request, &q->refusal);
                }
                return end(q);
        }
        upstream_tries_note(&q->tries, q->call.lease.key);
        if (q->request) {
                q->request->attempts++;
                request_note_key(q->request, q->call.lease.key);
        }
        if (q->ops->begin)
                q->ops->begin(q);
        return call(q);
}

int upstream_query_continue(UpstreamQuery *q) {
        assert(q->ended && q->call.lease.key);

        q->ended = false;
        return call(q);
}

/* --- the next try --- */

static void on_pause(void *userdata) {
        UpstreamQuery *q = userdata;

        q->pause = timer_free(q->pause);
        if (upstream_query_start(q) == UPSTREAM_E_ENDED)
                q->ops->done(q);
}

/* A try has ended: another one follows, or the query has ended, too. */
static int next(UpstreamQuery *q) {
        UpstreamNext n;

        if (q->verdict.class == VERDICT_OK)
                return end(q);
        upstream_call_count(&q->call, q->http, &q->verdict, &q->tries);
        n = q->begun ? UPSTREAM_END : upstream_next(&q->tries, &q->verdict);
        if (n == UPSTREAM_END)
                return end(q);
        report(q);
        if (n == UPSTREAM_AFTER_PAUSE && pause_begin(q))
                return 0;
        q->tries.elsewhere = n == UPSTREAM_ANOTHER_PROJECT;
        return upstream_query_start(q);
}

/* --- its end --- */

void upstream_query_error(const UpstreamQuery *q, const char *subject, ApiError *ret) {
        if (q->refused)
                *ret = q->error;
        else
                api_error_from_verdict(ret, &q->verdict, subject);
        if (q->method == GEMINI_RESOURCE && streq(ret->param, "model")) { /* a file has no model */
                ret->param[0] = 0;
                ret->code = NULL;
        }
}

void upstream_query_end(UpstreamQuery *q, VerdictClass class) {
        bool under_way = q->call.call;

        q->pause = timer_free(q->pause);
        upstream_call_end(&q->call);
        if (!q->ended)
                verdict_init(&q->verdict, class, 0, NULL);
        if (under_way)
                trace_end(q);
        report(q);
        upstream_tries_done(&q->tries);
        for (size_t i = 0; i < q->n_headers; i++)
                free(q->headers[i]);
        q->n_headers = 0;
        free(TAKE_PTR(q->content_type));
        buf_done(&q->path);
        buf_done(&q->answer);
}

/* --- batches --- */

static void on_item_done(UpstreamQuery *q);

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

static void on_item_done(UpstreamQuery *q) {
        struct UpstreamBatchItem *item = CONTAINER_OF(q, struct UpstreamBatchItem, query);
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
