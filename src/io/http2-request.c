/* SPDX-License-Identifier: MIT */

/* A request as HTTP/2's frames: its head at once, its body as the server's windows let it pass. */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "io/http-framing.h"
#include "io/http1-answer.h"
#include "io/http2-internal.h"

#define LINES_MAX (9U + HTTP_CALL_HEADERS_MAX)

typedef struct Head {
        nghttp2_nv lines[LINES_MAX];
        size_t n;
        size_t n_bytes;
} Head;

static void add(Head *h, const char *name, size_t n_name, const char *value, size_t n_value, uint8_t flags) {
        assert(h->n < LINES_MAX);
        h->lines[h->n++] = (nghttp2_nv){
                /* libnghttp2 copies both, and makes the letters of the name small in its copy. */
                .name = (uint8_t *) (uintptr_t) name,
                .value = (uint8_t *) (uintptr_t) value,
                .namelen = n_name,
                .valuelen = n_value,
                .flags = flags,
        };
        h->n_bytes += n_name + n_value;
}

static void add_text(Head *h, const char *name, const char *value) {
        add(h, name, strlen(name), value, strlen(value), NGHTTP2_NV_FLAG_NONE);
}

static int add_line(Head *h, const char *line) {
        const char *colon, *value;

        if (!http1_is_header(line, strlen(line)))
                return -EINVAL;
        colon = strchr(line, ':');
        value = colon + 1 + strspn(colon + 1, " \t");
        add(h, line, (size_t) (colon - line), value, strlen(value), NGHTTP2_NV_FLAG_NONE);
        return 0;
}

/* --- the body --- */

static ssize_t abort_body(Http2Stream *s) {
        http2_stream_end(s, HTTP_WORK_ABORTED, "The body of the request could not be read");
        http2_stream_reset(s);
        return NGHTTP2_ERR_DEFERRED;
}

static ssize_t read_body(Http2Stream *s, char *p, size_t n, bool *ret_end) {
        HttpWork *w = s->work;
        size_t left = w->p.n_body == SIZE_MAX ? SIZE_MAX : w->p.n_body - w->n_body_sent;
        ssize_t k = 0;

        n = MIN(n, left);
        if (!http_work_is_read(w)) {
                memcpy(p, w->p.body + w->n_body_sent, n);
                k = (ssize_t) n;
        } else if (n > 0)
                k = http_work_read(w, p, n);
        if (k == -EAGAIN)
                return NGHTTP2_ERR_DEFERRED;
        if (k < 0 || (size_t) k > n || !s->work)
                return abort_body(s);
        /* Fewer bytes than were promised: the server would wait for the others. */
        if (k == 0 && n > 0 && left != SIZE_MAX)
                return abort_body(s);
        w->n_body_sent += (size_t) k;
        *ret_end = left == SIZE_MAX ? k == 0 : (size_t) k == left;
        return k;
}

static ssize_t on_body(nghttp2_session *session _unused_, int32_t id _unused_, uint8_t *p, size_t n,
                       uint32_t *flags, nghttp2_data_source *source, void *userdata) {
        Http2Stream *s = source->ptr;
        Http2 *c = userdata;
        bool end = false;
        ssize_t k;

        if (!s->work) /* the RST_STREAM is on its way */
                return NGHTTP2_ERR_DEFERRED;
        k = read_body(s, (char *) p, n, &end);
        if (k < 0)
                return k;
        if (end)
                *flags |= NGHTTP2_DATA_FLAG_EOF;
        http2_meter_give(&c->meter, 4); /* the server answers with WINDOW_UPDATEs */
        return k;
}

/* --- the head --- */

static int make_head(const HttpWork *w, char digits[static TEXT_DECIMAL_MAX], Head *ret) {
        size_t length;
        int r;

        if (!http_is_visible(w->target) || !http_is_visible(w->authority))
                return -EINVAL;
        add_text(ret, ":method", w->method);
        add_text(ret, ":scheme", w->scheme);
        add_text(ret, ":authority", w->authority);
        add_text(ret, ":path", w->target);
        add_text(ret, "user-agent", "gemgate/" GEMGATE_VERSION);
        add_text(ret, "accept", "*/*");
        /* Never in HPACK's table, so that nothing can be learned of it by the lengths of others. */
        if (w->p.secret_header)
                add(ret, w->p.secret_header, strlen(w->p.secret_header), secret_reveal(w->p.secret),
                    secret_length(w->p.secret), NGHTTP2_NV_FLAG_NO_INDEX);
        if (http_work_has_body(w)) {
                r = add_line(ret, w->p.content_type ?: "content-type: application/json");
                if (r < 0)
                        return r;
        }
        if (http_work_length(w, &length))
                add(ret, "content-length", strlen("content-length"), digits, text_decimal(length, digits),
                    NGHTTP2_NV_FLAG_NONE);
        for (size_t i = 0; i < w->p.n_headers; i++) {
                r = add_line(ret, w->p.headers[i]);
                if (r < 0)
                        return r;
        }
        return ret->n_bytes > HTTP2_REQUEST_HEAD_MAX ? -E2BIG : 0;
}

int http2_request_submit(Http2Stream *s) {
        nghttp2_data_provider body = { .source.ptr = s, .read_callback = on_body };
        HttpWork *w = s->work;
        char digits[TEXT_DECIMAL_MAX];
        Head head = {};
        int r;

        r = make_head(w, digits, &head);
        if (r < 0)
                return r;
        r = nghttp2_submit_request(s->connection->session, NULL, head.lines, head.n,
                                   http_work_has_body(w) ? &body : NULL, s);
        if (r == NGHTTP2_ERR_NOMEM)
                return -ENOMEM;
        if (r == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) /* after 2^30 requests */
                return -EAGAIN;
        if (r < 0)
                return -EINVAL;
        s->id = r;
        return 0;
}
