/* SPDX-License-Identifier: MIT */

/* GET /admin/requests: the requests under way, except this one. */

#include "server/admin/internal.h"
#include "server/admin/manage.h"
#include "server/reply.h"
#include "server/request-list.h"

static void write_request(const RequestView *v, void *userdata) {
        JWriter *w = userdata;

        jwrite_object(w, NULL);
        jwrite_string(w, "id", v->id);
        jwrite_string(w, "client", v->client);
        jwrite_string(w, "route", v->route);
        jwrite_string(w, "model", v->model);
        jwrite_string(w, "state", v->state);
        jwrite_fixed(w, "age", (double) v->age / (double) USEC_PER_SEC, 3);
        jwrite_string(w, "key", v->key);
        jwrite_string(w, "key_name", v->key_name);
        jwrite_uint(w, "attempts", v->attempts);
        jwrite_uint(w, "bytes", v->bytes);
        jwrite_end(w);
}

int manage_requests(Request *q, ApiError *ret_error _unused_) {
        _cleanup_buf_ Buf body = BUF_INIT(MANAGE_ANSWER_MAX);
        JWriter w = JWRITER_INIT(&body);
        size_t n;

        jwrite_object(&w, NULL);
        jwrite_array(&w, "requests");
        n = request_list_each(q->http, q, write_request, &w);
        jwrite_end(&w);
        jwrite_uint(&w, "total", n);
        jwrite_end(&w);
        request_reply(q, 200, REPLY_JSON, &body);
        return 0;
}
