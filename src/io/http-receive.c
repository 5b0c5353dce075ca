/* SPDX-License-Identifier: MIT */

/*
 * A request as it arrives. libmicrohttpd calls http_receive_line() for its first line; http_receive() when
 * the headers are complete, for each piece of the body, at its end, and after each resumption; and
 * http_receive_end() once.
 */

#include "base/limits.h"
#include "io/http-body.h"
#include "io/http-head.h"
#include "io/http-park.h"
#include "io/http-pass.h"
#include "io/http-receive.h"
#include "io/http-wire.h"

static enum MHD_Result request_answer(HttpRequest *r) {
        HttpServer *s = r->connection->server;
        enum MHD_Result ok;

        if (r->gone || r->failed)
                return MHD_NO;
        if (r->replied && !r->queued) {
                if (!r->upgrade_fn && (s->quiesced || r->connection->guest || http_request_chunk_fault(r)))
                        (void) MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONNECTION, "close");
                ok = MHD_queue_response(r->connection->mhd, (unsigned) r->status, r->response);
                MHD_destroy_response(r->response);
                r->response = NULL;
                r->queued = true;
                return ok;
        }
        if (!r->bodied)
                return MHD_YES;
        if (r->connection->hup) {
                /* The client hung up before its request was complete, and there is no answer yet. */
                http_request_gone(r);
                return MHD_NO;
        }
        r->suspended = r->connection->answers = true;
        MHD_suspend_connection(r->connection->mhd);
        return MHD_YES;
}

static HttpRequest *request_new(HttpConnection *c, const char *method, const char *path) {
        HttpRequest *r;

        r = malloc(sizeof(HttpRequest));
        if (!r)
                return NULL;
        *r = (HttpRequest){
                .connection = c,
                .method = method,
                .path = http_head_path(path),
                .started = clock_monotonic(),
                .body = BUF_INIT(SIZE_MAX / 2), /* bounded by body_max */
                .out = BUF_INIT(STREAM_BUFFER_MAX),
        };
        c->request = r;
        c->server->n_requests++;
        return r;
}

HttpConnection *http_connection_of(struct MHD_Connection *mhd) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        return info ? info->socket_context : NULL;
}

/* MHD's first callback for a request. */
void *http_receive_line(void *cls _unused_, const char *uri _unused_, struct MHD_Connection *mhd) {
        HttpConnection *c = http_connection_of(mhd);

        if (c) {
                c->has_sent = c->begun = true;
                c->shard->n_events++;
        }
        return NULL;
}

enum MHD_Result http_receive(void *cls, struct MHD_Connection *mhd, const char *path, const char *method,
                             const char *version, const char *data, size_t *n_data,
                             void **context) {
        HttpServer *s = cls;
        HttpRequest *r = *context;

        if (!r) {
                HttpConnection *c = http_connection_of(mhd);

                if (!c || c->cut)
                        return MHD_NO;
                c->shard->n_events++;
                c->begun = false;
                r = request_new(c, method, path);
                if (!r)
                        return MHD_NO;
                *context = r;
                http_head_check(r, version);
                http_wire_head(r);
                r->headed = true;
                s->ops.head(r, s->userdata);
                if (!r->replied && http_request_chunk_fault(r)) {
                        http_body_drop(r);
                        r->body_fault = HTTP_BODY_MALFORMED;
                        r->bodied = true;
                        s->ops.body(r, s->userdata);
                }
                r->direct = r->passes && !r->bodied && !r->replied;
                if (!r->replied)
                        return MHD_YES;
                timeout_stop(&c->due);
                return request_answer(r);
        }
        r->connection->shard->n_events++;
        if (*n_data > 0 && r->passes)
                return http_pass_receive(r, data, n_data);
        if (*n_data > 0) {
                if (!http_body_receive(r, data, *n_data))
                        return MHD_NO;
                *n_data = 0;
                return MHD_YES;
        }
        if (r->lingers)
                return MHD_NO;
        if (!r->bodied) {
                timeout_stop(&r->connection->due);
                r->bodied = true;
                r->direct = false;
                (r->passes ? s->ops.piece : s->ops.body)(r, s->userdata);
        }
        return request_answer(r);
}

void http_receive_end(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_RequestTerminationCode code) {
        HttpServer *s = cls;
        HttpConnection *c = http_connection_of(mhd);
        HttpRequest *r = *context;
        bool may_park;

        if (c) {
                c->shard->n_events++;
                if (c->shard->unanswered && !c->cut)
                        http_connection_refuse(c, 431, s->params.head_too_large);
                c->shard->unanswered = false;
                c->begun = c->sends = false; /* also if MHD itself refused it */
        }
        if (c && code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
                http_shard_drop(c);
        if (!r)
                return;
        timeout_stop(&r->connection->due);
        *context = NULL;
        r->connection->request = NULL;
        r->connection->answers = false;
        s->ops.end(r, code == MHD_REQUEST_TERMINATED_COMPLETED_OK || r->lingers, s->userdata);
        s->n_requests--;
        s->n_admitted -= r->admitted;
        if (r->response)
                MHD_destroy_response(r->response);
        http_body_drop(r);
        buf_done(&r->out);
        free(r->whole);
        may_park = code == MHD_REQUEST_TERMINATED_COMPLETED_OK && r->lasts && r->bodied;
        free(r);
        http_wire_end(c);
        if (may_park)
                http_park(c);
}
