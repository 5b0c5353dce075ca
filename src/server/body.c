/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/limits.h"
#include "base/text.h"
#include "server/body.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/request-log.h"
#include "server/routes.h"

/* --- the head --- */

/* MAX_UPLOAD is that of a whole file: a piece of it has what is left behind its offset. Google refuses one
 * whose offset is not the number of bytes that it has. */
static uint64_t max_of_upload(const Request *q) {
        const char *offset = http_request_header(q->io, "X-Goog-Upload-Offset");
        uint64_t at = 0, max = q->config->max_upload;

        if (offset && text_parse_u64(offset, &at) == -ERANGE)
                at = max;
        return max - MIN(at, max);
}

/* A CLI's request is larger than the client's request, which MAX_BODY has limited already. */
static uint64_t max_of(const Request *q) {
        if (!route_takes_body(q->route))
                return HTTP_SKIPPED_BODY_MAX;
        if (q->route->flags & ROUTE_UPLOAD_TOKEN)
                return max_of_upload(q);
        if (q->route->flags & ROUTE_SMALL_BODY)
                return MIN(q->config->max_body, (uint64_t) HTTP_SMALL_BODY_MAX);
        return q->inner ? JOB_LINE_MAX : q->config->max_body;
}

static void note_encoding(const char *name, const char *value, void *userdata) {
        const char **encoding = userdata;

        if (value && *value && strcaseeq(name, "Content-Encoding") && !strcaseeq(value, "identity"))
                *encoding = value;
}

/* A compressed body would have to be unpacked under one more ceiling, and the SDKs send none. */
static int check_encoding(Request *q, ApiError *ret_error) {
        const char *encoding = NULL;

        if (!http_request_header(q->io, "Content-Encoding") || !route_takes_body(q->route))
                return 0;
        http_request_each_header(q->io, note_encoding, &encoding); /* there may be several */
        if (!encoding)
                return 0;
        api_error_set(ret_error, 415, NULL,
                      "The body must not be encoded: send it without Content-Encoding: %.*s.",
                      (int) text_utf8_prefix(encoding, 32), encoding);
        return HANDLER_E_REFUSED;
}

static int too_large(const Request *q, ApiError *ret_error) {
        if (q->route->flags & ROUTE_SMALL_BODY)
                api_error_set(ret_error, 413, NULL, "The body is larger than this path takes (%llu bytes).",
                              (unsigned long long) max_of(q));
        else if (q->route->flags & ROUTE_UPLOAD_TOKEN)
                api_error_set(ret_error, 413, NULL,
                              "The upload is larger than MAX_UPLOAD allows (%llu bytes).",
                              (unsigned long long) q->config->max_upload);
        else if (route_takes_body(q->route))
                api_error_set(ret_error, 413, NULL, "The body is larger than MAX_BODY allows (%llu bytes).",
                              (unsigned long long) max_of(q));
        else
                api_error_set(ret_error, 413, NULL, "A request like this has no body.");
        return HANDLER_E_REFUSED;
}

int body_check_head(Request *q, ApiError *ret_error) {
        uint64_t n;

        if (http_request_content_length(q->io, &n) && n > max_of(q))
                return too_large(q, ret_error);
        return check_encoding(q, ret_error);
}

/* --- the body --- */

static void set_no_room(ApiError *e) {
        api_error_set_busy(e, "Too many large requests at once (MAX_INFLIGHT_BYTES): try again.");
}

static bool is_passed(const Request *q) {
        uint64_t n;

        return q->route->flags & ROUTE_UPLOAD_TOKEN &&
               (!http_request_content_length(q->io, &n) || n > HTTP_SMALL_BODY_MAX);
}

/* The handler takes the body while it arrives. */
static void pass_body(Request *q) {
        ApiError e;

        if (http_request_pass_body(q->io, max_of(q)))
                return request_handle(q);
        set_no_room(&e);
        request_reply_error(q, &e);
}

void body_begin(Request *q) {
        uint64_t n;

        /* A client is its token. The bodies of CLI jobs, which have none, have the room of CLI_MAX_JOBS. */
        if (q->token || q->job)
                http_request_admit(q->io, q->token ? q->token->id : 0);
        if (is_passed(q))
                return pass_body(q);
        if (route_takes_body(q->route))
                return http_request_take_body(q->io, max_of(q));
        http_request_skip_body(q->io, max_of(q));
        if (http_request_header(q->io, "Transfer-Encoding") ||
            (http_request_content_length(q->io, &n) && n > 0))
                q->close = true;
}

/* Some editors and shells write one before JSON. A parser may ignore it (RFC 8259, 8.1); in a file that is
 * uploaded it is content. */
static void skip_byte_order_mark(Request *q) {
        static const char mark[3] = "\xEF\xBB\xBF";
        Buf *body = http_request_body(q->io);

        if (body->n >= sizeof(mark) && !(q->route->flags & ROUTE_UPLOAD_TOKEN) &&
            memcmp(buf_data(body), mark, sizeof(mark)) == 0)
                buf_consume(body, sizeof(mark));
}

void body_on_end(Request *q) {
        HttpRequest *io = q->io;
        ApiError e;

        switch (http_request_body_fault(io)) {
        case HTTP_BODY_TOO_LARGE:
                (void) too_large(q, &e);
                return request_reply_error(q, &e);
        case HTTP_BODY_NO_ROOM:
                set_no_room(&e);
                return request_reply_error(q, &e);
        case HTTP_BODY_MALFORMED:
                return request_fail(q, 400, NULL, "The chunks of the body are wrong: %s.",
                                    http_request_chunk_fault(io) ?: "a line is too long");
        case HTTP_BODY_LATE:
                return request_fail(q, 408, NULL, "The body arrived too slowly.");
        case HTTP_BODY_OK:
                break;
        }
        skip_byte_order_mark(q);
        if (q->config->log_bodies && !q->job) /* a CLI's request repeats that of its client */
                request_log_body(q);
        request_handle(q);
}
