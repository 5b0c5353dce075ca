/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json/copy.h"
#include "base/limits-responses.h"
#include "base/text.h"
#include "core/response-store.h"
#include "server/http.h"
#include "server/missing.h"
#include "server/reply.h"
#include "server/routes.h"
#include "server/stored-responses.h"

#define ITEMS "/input_items"
#define CANCEL "/cancel"
#define PAGE_DEFAULT 20U
#define PAGE_MAX 100U
#define ITEM_ID_MAX 96U

static int refuse(ApiError *e, int status, const char *param, const char *message) {
        api_error_set(e, status, param, "%s", message);
        return HANDLER_E_REFUSED;
}

static int refuse_missing(ApiError *e) {
        return refuse(e, 404, "response_id", "There is no such response, or it is not kept any more.");
}

/* The response that the path names; `rest`: what is behind its id. */
static int find_name(Request *q, ResponseName *ret, const char **ret_rest, ApiError *ret_error) {
        size_t n = strcspn(q->rest, "/"), digits = strlen("resp_") + RESPONSE_ID_DIGITS;
        char id[sizeof("resp_") + RESPONSE_ID_DIGITS];

        if (q->config->route.responses == RESPONSE_KEEP_OFF)
                return refuse(ret_error, 404, "response_id",
                              "Responses are not kept: RESPONSES_STORE is off.");
        if (n != digits || !startswith(q->rest, "resp_"))
                return refuse_missing(ret_error);
        text_copy(id, sizeof(id), q->rest);
        if (!response_name_parse(q->token ? q->token->id : 0, id, ret))
                return refuse_missing(ret_error);
        *ret_rest = q->rest + n;
        return 0;
}

static int load(Request *q, const ResponseName *name, Buf *input, Buf *response, ApiError *ret_error) {
        int r = response_store_get(q->http->p.responses, name, clock_realtime(), input, response);

        return r == -ENOENT ? refuse_missing(ret_error) : r;
}

static int refuse_path(Request *q, ApiError *e) {
        const char *method = http_request_method(q->io);
        char right[MISSING_PATH_MAX + 1];

        (void) missing_find(method, q->path, right);
        missing_set_error(e, method, q->path, right);
        return HANDLER_E_REFUSED;
}

/* --- the items of its input --- */

typedef struct Page {
        uint64_t limit;
        bool ascending;
        const char *after; /* an item's id; NULL: from the first */
} Page;

static int read_page(Request *q, Page *ret, ApiError *ret_error) {
        const char *limit = http_request_argument(q->io, "limit"),
                   *order = http_request_argument(q->io, "order");
        Page p = { .limit = PAGE_DEFAULT, .after = http_request_argument(q->io, "after") };

        if (limit) {
                char *end;

                p.limit = strtoul(limit, &end, 10);
                if (!*limit || *end || p.limit < 1 || p.limit > PAGE_MAX)
                        return refuse(ret_error, 400, "limit", "limit must be between 1 and 100");
        }
        if (order && !streq(order, "asc") && !streq(order, "desc"))
                return refuse(ret_error, 400, "order", "order must be asc or desc");
        p.ascending = order && streq(order, "asc");
        *ret = p;
        return 0;
}

/* The client's id of an item, or one that is made of its place. */
static void id_of(JsonView item, const char *response_id, size_t i, char ret[static ITEM_ID_MAX]) {
        JsonView id = json_view_get(item, "id");

        json_view_copy(id, ret, ITEM_ID_MAX);
        if (!ret[0] || !json_view_equals(id, ret))
                (void) snprintf(ret, ITEM_ID_MAX, "in_%s%04zx", response_id, i);
}

/* What a client may leave out is there. */
static void write_item(JsonView item, const char *id, JWriter *w) {
        JsonView type = json_view_get(item, "type"), content = json_view_get(item, "content"), name, v;
        bool is_message = json_view_is_null(type) || json_view_equals(type, "message");
        bool is_answer = json_view_equals(json_view_get(item, "role"), "assistant");
        JsonCursor c = json_enter(item);

        jwrite_object(w, NULL);
        jwrite_string(w, "id", id);
        if (json_view_is_null(type))
                jwrite_string(w, "type", "message");
        if (is_message && json_view_is_null(json_view_get(item, "status")))
                jwrite_string(w, "status", "completed");
        while (json_next(&c, &name, &v)) {
                if (json_view_equals(name, "id") || (json_view_equals(name, "type") && json_view_is_null(v)))
                        continue;
                if (is_message && json_view_equals(name, "content") && json_view_is(content, '"')) {
                        jwrite_array(w, "content");
                        jwrite_object(w, NULL);
                        jwrite_string(w, "type", is_answer ? "output_text" : "input_text");
                        json_copy_value(w, "text", content);
                        if (is_answer)
                                jwrite_raw(w, "annotations", "[]");
                        jwrite_end(w);
                        jwrite_end(w);
                        continue;
                }
                json_copy_name(w, name);
                json_copy_value(w, NULL, v);
        }
        jwrite_end(w);
}

/* Writes a page of the list. */
static void write_items(const JsonView *items, size_t n, const Page *p, const char *digits, JWriter *w) {
        char id[ITEM_ID_MAX], first[ITEM_ID_MAX] = "", last[ITEM_ID_MAX] = "";
        size_t n_written = 0, k = 0;
        bool has_begun = !p->after;

        jwrite_object(w, NULL);
        jwrite_string(w, "object", "list");
        jwrite_array(w, "data");
        for (; k < n; k++) {
                size_t i = p->ascending ? k : n - 1 - k;

                if (has_begun && n_written == p->limit)
                        break;
                id_of(items[i], digits, i, id);
                if (!has_begun) {
                        has_begun = streq(id, p->after);
                        continue;
                }
                write_item(items[i], id, w);
                if (n_written++ == 0)
                        text_copy(first, sizeof(first), id);
                text_copy(last, sizeof(last), id);
        }
        jwrite_end(w);
        jwrite_string(w, "first_id", n_written > 0 ? first : NULL);
        jwrite_string(w, "last_id", n_written > 0 ? last : NULL);
        jwrite_bool(w, "has_more", k < n);
        jwrite_end(w);
}

static int list_items(Request *q, const ResponseName *name, ApiError *ret_error) {
        _cleanup_buf_ Buf input = BUF_INIT(RESPONSE_BYTES_MAX), list = BUF_INIT(4 * RESPONSE_BYTES_MAX);
        _cleanup_free_ JsonView *items = NULL;
        char digits[RESPONSE_ID_DIGITS + 1];
        size_t n = 0, n_allocated = 0;
        JWriter w = JWRITER_INIT(&list);
        JsonCursor c;
        JsonView v;
        Page p;
        int r;

        r = read_page(q, &p, ret_error);
        if (r == 0)
                r = load(q, name, &input, NULL, ret_error);
        if (r != 0)
                return r;
        c = json_enter_array(json_view(buf_data(&input), input.n));
        while (json_next(&c, NULL, &v)) {
                if (n == n_allocated) {
                        size_t more = n > 0 ? 2 * n : 32;
                        JsonView *grown = reallocarray(items, more, sizeof(JsonView));

                        if (!grown)
                                return -ENOMEM;
                        items = grown;
                        n_allocated = more;
                }
                items[n++] = v;
        }
        text_copy(digits, sizeof(digits), q->rest + strlen("resp_"));
        write_items(items, n, &p, digits, &w);
        if (list.error < 0)
                return list.error;
        request_reply(q, 200, REPLY_JSON, &list);
        return 0;
}

/* --- the routes --- */

int stored_response_get(Request *q, ApiError *ret_error) {
        _cleanup_buf_ Buf response = BUF_INIT(RESPONSE_BYTES_MAX);
        const char *rest, *stream = http_request_argument(q->io, "stream");
        ResponseName name;
        int r;

        r = find_name(q, &name, &rest, ret_error);
        if (r != 0)
                return r;
        if (streq(rest, ITEMS))
                return list_items(q, &name, ret_error);
        if (*rest)
                return refuse_path(q, ret_error);
        if (stream && strcaseeq(stream, "true"))
                return refuse(ret_error, 400, "stream",
                              "stream must be false: the response has ended, and its events are not kept");
        r = load(q, &name, NULL, &response, ret_error);
        if (r != 0)
                return r;
        request_reply(q, 200, REPLY_JSON, &response);
        return 0;
}

int stored_response_delete(Request *q, ApiError *ret_error) {
        Buf answer = BUF_INIT(1024);
        JWriter w = JWRITER_INIT(&answer);
        ResponseName name;
        const char *rest;
        int r;

        r = find_name(q, &name, &rest, ret_error);
        if (r != 0)
                return r;
        if (*rest)
                return refuse_path(q, ret_error);
        if (!response_store_drop(q->http->p.responses, &name))
                return refuse_missing(ret_error);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "id", q->rest);
        jwrite_string(&w, "object", "response");
        jwrite_bool(&w, "deleted", true);
        jwrite_end(&w);
        request_reply(q, 200, REPLY_JSON, &answer);
        return 0;
}

/* Nothing runs in the background, so there is nothing to cancel. */
int stored_response_post(Request *q, ApiError *ret_error) {
        ResponseName name;
        const char *slash = strchr(q->rest, '/'), *rest;
        int r;

        if (!slash || !streq(slash, CANCEL)) /* whatever the id is */
                return refuse_path(q, ret_error);
        r = find_name(q, &name, &rest, ret_error);
        if (r != 0)
                return r;
        r = load(q, &name, NULL, NULL, ret_error);
        if (r != 0)
                return r;
        return refuse(ret_error, 400, "response_id",
                      "Only a response with background=true can be cancelled, and this one has ended.");
}
