/* SPDX-License-Identifier: MIT */

/*
 * GET /v1beta/files, /v1beta/batches and so on: lists only the objects of this token, from all projects.
 * Google's own lists would show those of all tokens, so they are not used. A page is a number of the names
 * that are bound for the token, in their order, and each is fetched separately, a few at a time. Names that
 * Google no longer has are left out, and their bindings are dropped. So the cost of a page depends only on
 * its own size; the token of the next page is the last name.
 */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/gemini/argument.h"
#include "dialect/gemini/kind.h"
#include "server/files/front.h"
#include "server/files/internal.h"
#include "server/files/list-filter.h"
#include "server/files/made.h"
#include "server/http.h"
#include "server/reply.h"

static void free_names(Resource *r) {
        for (size_t i = 0; r->list.found && i < r->list.names.n; i++)
                buf_done(&r->list.found[i]);
        free(r->list.found);
        free(r->list.names.names);
        r->list.found = NULL;
        r->list.names = (BindingNames){};
}

void resource_list_drop(Resource *r, VerdictClass class) {
        upstream_batch_end(&r->list.batch, class);
        free_names(r);
        buf_done(&r->list.lost);
}

static void fail(Resource *r, const ApiError *e) {
        Request *q = r->request;

        (void) resource_free(r);
        request_reply_error(q, e);
}

static void fail_memory(Resource *r) {
        ApiError e;

        api_error_set(&e, 500, NULL, "Out of memory.");
        fail(r, &e);
}

static int gather(Resource *r, const char *after);

static Resource *list_of(UpstreamBatch *b) {
        return CONTAINER_OF(b, Resource, list.batch);
}

static bool ask(UpstreamBatch *b, UpstreamQuery *query, size_t index) {
        Resource *r = list_of(b);
        const char *name, *google;

        if (index >= r->list.names.n)
                return false;
        name = r->list.names.names[index];
        upstream_query_init(query, NULL, r->request->http, r->request);
        query->verb = "GET";
        query->subject = r->query.subject;
        memcpy(query->pinned, name, strlen(name) + 1);
        google = pool_bound_upstream(r->request->http->p.pool, name, day_clock_now());
        (void) buf_printf(&query->path, "/v1beta/%s", google ?: name);
        return true;
}

/* Either spelling is taken everywhere. */
static const char *argument(Request *q, const char *name, const char *snake) {
        return http_request_argument(q->io, name) ?: http_request_argument(q->io, snake);
}

/* A list of what can be reached, with the names of what cannot. */
static bool takes_a_part(Request *q, const GeminiPath *row) {
        return gemini_argument(row, "returnPartialSuccess") == GEMINI_ARGUMENT_OWN &&
               streq_ptr(argument(q, "returnPartialSuccess", "return_partial_success"), "true");
}

static bool ended(UpstreamBatch *b, UpstreamQuery *query, size_t index) {
        Resource *r = list_of(b);
        const char *name = r->list.names.names[index];
        ApiError e;

        if (query->verdict.class != VERDICT_OK && query->verdict.class != VERDICT_RESOURCE) {
                if (takes_a_part(r->request, r->row)) {
                        (void) buf_printf(&r->list.lost, "%s\"%s\"", r->list.lost.n > 0 ? "," : "", name);
                        return true;
                }
                upstream_query_error(query, name, &e);
                fail(r, &e);
                return false;
        }
        if (query->verdict.class == VERDICT_RESOURCE)
                pool_unbind_name(r->request->http->p.pool, name);
        else {
                made_learn(query, r->row->kind, NULL);
                r->list.found[index] = query->answer;
                query->answer = BUF_INIT(0);
        }
        return true;
}

static void drained(UpstreamBatch *b) {
        Resource *r = list_of(b);
        Request *q = r->request;
        const GeminiKind *kind = gemini_kind(r->row->kind);
        _cleanup_buf_ Buf out = BUF_INIT(RESOURCE_LIST_MAX * RESOURCE_ANSWER_MAX);
        char last[BINDING_NAME_MAX + 1];
        bool more = r->list.names.more;
        size_t n = 0;
        int e;

        for (size_t i = 0; i < r->list.names.n; i++) {
                const Buf *found = &r->list.found[i];

                if (found->n == 0 || !list_filter_wants(q, r->row, found))
                        continue;
                if (n++ == 0)
                        (void) buf_printf(&out, "{\"%s\":[", kind->list);
                else
                        (void) buf_puts(&out, ",");
                (void) buf_append(&out, buf_data(found), found->n);
        }
        if (r->list.names.n > 0)
                memcpy(last, r->list.names.names[r->list.names.n - 1], sizeof(last));
        if (n == 0 && more && r->list.lost.n == 0) { /* some clients cannot handle an empty page */
                free_names(r);
                e = gather(r, last);
                if (e < 0)
                        return fail_memory(r);
                return upstream_batch_run(b);
        }
        (void) buf_puts(&out, n > 0 ? "]" : "{");
        if (r->list.lost.n > 0) {
                (void) buf_printf(&out, "%s\"unreachable\":[", n > 0 ? "," : "");
                (void) buf_append(&out, buf_data(&r->list.lost), r->list.lost.n);
                (void) buf_puts(&out, "]");
        }
        if (more)
                (void) buf_printf(&out, ",\"%s\":\"%s\"",
                                  kind->snake ? "next_page_token" : "nextPageToken",
                                  last + strlen(kind->kind));
        (void) buf_puts(&out, "}");
        (void) resource_free(r);
        front_rewrite(q, &out);
        request_reply(q, 200, REPLY_JSON, &out);
}

static const UpstreamBatchOps batch_ops = { .ask = ask, .ended = ended, .drained = drained };

static int gather(Resource *r, const char *after) {
        Request *q = r->request;
        int e;

        e = pool_bound_names(q->http->p.pool, r->row->kind, q->token->secret, after, r->list.size,
                             day_clock_now(), &r->list.names);
        if (e < 0)
                return e;
        r->list.found = calloc(r->list.names.n + 1, sizeof(Buf));
        return r->list.found ? 0 : -ENOMEM;
}

static bool read_size(Request *q, const GeminiKind *kind, size_t *ret) {
        const char *text = argument(q, "pageSize", "page_size");
        uint64_t size = kind->page;

        if (!strnull(text) && text_parse_u64(text, &size) < 0)
                return false;
        if (size == 0)
                size = kind->page;
        *ret = (size_t) MIN(size, (uint64_t) RESOURCE_LIST_MAX);
        return true;
}

int resource_list(Request *q, const GeminiPath *row, ApiError *ret_error) {
        const char *kind = row->kind, *token = argument(q, "pageToken", "page_token");
        char after[BINDING_NAME_MAX + 1] = "", name[BINDING_NAME_MAX + 1];
        _cleanup_(resource_freep) Resource *r = NULL;
        size_t size;
        int e;

        if (!gemini_path_name(row, q->path, name)) {
                api_error_set(ret_error, 400, NULL, "The path does not name a model.");
                return HANDLER_E_REFUSED;
        }
        e = list_filter_check(q, row, ret_error);
        if (e != 0)
                return e;
        if (!read_size(q, gemini_kind(kind), &size)) {
                api_error_set(ret_error, 400, "pageSize", "pageSize must be a number.");
                return HANDLER_E_REFUSED;
        }
        if (!strnull(token) && !binding_name_make(kind, token, strlen(token), after)) {
                api_error_set(ret_error, 400, "pageToken", "pageToken must be one that gemgate has given.");
                return HANDLER_E_REFUSED;
        }
        e = resource_new(q, &r);
        if (e < 0)
                return e;
        r->row = row;
        r->list.batch.ops = &batch_ops;
        r->list.size = size;
        r->list.lost = BUF_INIT(RESOURCE_LIST_MAX * (BINDING_NAME_MAX + sizeof("\"\",")));
        e = gather(r, after[0] ? after : NULL);
        if (e < 0)
                return e;
        upstream_batch_run(&TAKE_PTR(r)->list.batch);
        return 0;
}
