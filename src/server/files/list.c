/* SPDX-License-Identifier: MIT */

/*
 * GET /v1beta/files and /v1beta/cachedContents: what this token has made, and nothing else, whichever
 * projects it is in. Google's own lists would show what all tokens have made, so they are not asked: a page
 * is so many of the names that are bound for the token, in their order, and each is asked for by itself, a
 * few at a time. What Google does not know any more is left out, and forgotten. So the work is that of what
 * is shown, however much others have; the token of the next page is the last name.
 */

#include <errno.h>
#include <string.h>

#include "base/json/check.h"
#include "base/text.h"
#include "server/files/internal.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/routes.h"

#define PAGE_FILES  10U /* Google's own */
#define PAGE_CACHES 50U

static void free_names(Resource *r) {
        for (size_t i = 0; r->list.found && i < r->list.names.n; i++)
                buf_done(&r->list.found[i]);
        free(r->list.found);
        free(r->list.names.names);
        r->list.found = NULL;
        r->list.names = (BindingNames){};
}

void resource_list_drop(Resource *r, VerdictClass class) {
        for (size_t i = 0; i < LIST_PARALLEL; i++)
                if (r->list.items[i].is_taken) {
                        r->list.items[i].is_taken = false;
                        upstream_query_end(&r->list.items[i].work, class);
                }
        free_names(r);
}

static void fail(Resource *r, const ApiError *e) {
        Request *q = r->list.request;

        resource_list_drop(r, VERDICT_CLIENT_GONE);
        (void) resource_free(r);
        request_reply_error(q, e);
}

static void fail_memory(Resource *r) {
        ApiError e;

        api_error_set(&e, 500, NULL, "Out of memory.");
        fail(r, &e);
}

static int gather(Resource *r, const char *after);
static void go_on(Resource *r);

static void answer(Resource *r) {
        Request *q = r->list.request;
        const char *kind = q->route->kind;
        _cleanup_buf_ Buf out = BUF_INIT(RESOURCE_LIST_MAX * RESOURCE_ANSWER_MAX);
        char last[BINDING_NAME_MAX + 1];
        bool more = r->list.names.more;
        size_t n = 0;
        int e;

        for (size_t i = 0; i < r->list.names.n; i++) {
                const Buf *b = &r->list.found[i];

                if (b->n == 0)
                        continue;
                if (n++ == 0)
                        (void) buf_printf(&out, "{\"%.*s\":[", (int) strlen(kind) - 1, kind);
                else
                        (void) buf_puts(&out, ",");
                (void) buf_append(&out, buf_data(b), b->n);
        }
        if (r->list.names.n > 0)
                memcpy(last, r->list.names.names[r->list.names.n - 1], sizeof(last));
        if (n == 0 && more) { /* an empty page is more than some clients can take */
                free_names(r);
                e = gather(r, last);
                if (e < 0)
                        return fail_memory(r);
                return go_on(r);
        }
        (void) buf_puts(&out, n > 0 ? "]" : "{");
        if (more)
                (void) buf_printf(&out, ",\"nextPageToken\":\"%s\"", last + strlen(kind));
        (void) buf_puts(&out, "}");
        free_names(r);
        (void) resource_free(r);
        request_reply(q, 200, REPLY_JSON, &out);
}

static void on_done(UpstreamQuery *w) {
        ListItem *item = CONTAINER_OF(w, ListItem, work);
        Resource *r = item->resource;
        const char *name = r->list.names.names[item->index];
        VerdictClass class = w->verdict.class;
        ApiError e;

        if (class != VERDICT_OK && class != VERDICT_RESOURCE) {
                upstream_query_error(w, name, &e);
                return fail(r, &e);
        }
        if (class == VERDICT_RESOURCE)
                pool_unbind_name(r->list.request->http->p.pool, name);
        else if (w->answer.n > 0 && buf_data(&w->answer)[0] == '{' &&
                 !json_check(buf_data(&w->answer), w->answer.n)) {
                resource_learn(w, false);
                r->list.found[item->index] = w->answer;
                w->answer = BUF_INIT(0);
        }
        item->is_taken = false;
        upstream_query_end(w, VERDICT_OK);
        r->list.n_under_way--;
        go_on(r);
}

static void ask(Resource *r, ListItem *item) {
        UpstreamQuery *w = &item->work;
        const char *name = r->list.names.names[r->list.next];

        upstream_query_init(w, r->list.request);
        item->resource = r;
        item->index = r->list.next++;
        item->is_taken = true;
        w->verb = "GET";
        w->done = on_done;
        memcpy(w->pinned, name, strlen(name) + 1);
        (void) buf_printf(&w->path, "/v1beta/%s", name);
        r->list.n_under_way++;
        upstream_query_start(w);
}

/* What is asked may be over before ask() returns, and the whole list with it: so one at a time, and only by
 * the outermost. */
static void go_on(Resource *r) {
        Request *q = r->list.request;

        if (r->list.is_going)
                return;
        r->list.is_going = true;
        while (r->list.next < r->list.names.n && r->list.n_under_way < LIST_PARALLEL) {
                for (size_t i = 0; i < LIST_PARALLEL; i++)
                        if (!r->list.items[i].is_taken) {
                                ask(r, &r->list.items[i]);
                                break;
                        }
                if (q->pending != r)
                        return;
        }
        r->list.is_going = false;
        if (r->list.n_under_way == 0)
                answer(r);
}

static int gather(Resource *r, const char *after) {
        Request *q = r->list.request;
        int e;

        e = pool_bound_names(q->http->p.pool, q->route->kind, q->token->secret, after, r->list.size,
                             clock_realtime(), &r->list.names);
        if (e < 0)
                return e;
        r->list.next = 0;
        r->list.found = calloc(r->list.names.n + 1, sizeof(Buf));
        return r->list.found ? 0 : -ENOMEM;
}

static bool read_size(Request *q, size_t *ret) {
        const char *text = http_request_argument(q->io, "pageSize");
        uint64_t size = streq(q->route->kind, BINDING_FILES) ? PAGE_FILES : PAGE_CACHES;

        if (!strnull(text) && text_parse_u64(text, &size) < 0)
                return false;
        if (size == 0)
                size = PAGE_FILES;
        *ret = (size_t) MIN(size, (uint64_t) RESOURCE_LIST_MAX);
        return true;
}

int resource_list(Request *q, ApiError *ret_error) {
        const char *kind = q->route->kind, *token = http_request_argument(q->io, "pageToken");
        char after[BINDING_NAME_MAX + 1] = "";
        _cleanup_(resource_freep) Resource *r = NULL;
        size_t size;
        int e;

        if (!read_size(q, &size)) {
                api_error_set(ret_error, 400, "pageSize", "pageSize must be a number.");
                return HANDLER_E_REFUSED;
        }
        if (!strnull(token)) {
                if (strlen(token) <= BINDING_ID_MAX) {
                        memcpy(after, kind, strlen(kind));
                        memcpy(after + strlen(kind), token, strlen(token) + 1);
                }
                if (!binding_name_is_valid(after, strlen(after))) {
                        api_error_set(ret_error, 400, "pageToken",
                                      "pageToken must be one that gemgate has given.");
                        return HANDLER_E_REFUSED;
                }
        }
        e = resource_new(q, &r);
        if (e < 0)
                return e;
        r->is_list = true;
        r->list.size = size;
        e = gather(r, after[0] ? after : NULL);
        if (e < 0)
                return e;
        go_on(TAKE_PTR(r));
        return 0;
}
