/* SPDX-License-Identifier: MIT */

/*
 * A head is written without printf(), which would be a third of the work. Each part is checked where it is
 * written: a line's end within it would begin another header, or another request.
 *
 * A body that is not held goes out in pieces, with Content-Length if its length is known, or else in chunks.
 * `Expect: 100-continue` is never sent: it would cost a round trip, and a server that refuses the request
 * can answer at any time.
 */

#include <errno.h>

#include "base/limits-http-client.h"
#include "base/text.h"
#include "io/http-framing.h"
#include "io/http1-answer.h"
#include "io/http1-request.h"

#define SIZE_LINE "0000\r\n" /* of a chunk: always four digits, so that the data has its place before */

static_assert(HTTP_CLIENT_PIECE_MAX <= 0xffff, "the size of a chunk has four digits");

/* --- heads --- */

static void put_line(Buf *b, const char *s, size_t n) {
        (void) buf_append(b, s, n);
        (void) buf_append(b, "\r\n", 2);
}

static int put_first_lines(const HttpWork *w, Buf *b) {
        static const char rest[] = "\r\nUser-Agent: gemgate/" GEMGATE_VERSION "\r\nAccept: */*\r\n";

        if (!http_is_token(w->method, strlen(w->method)) || strnull(w->target) ||
            !http_is_visible(w->target) || !http_is_visible(w->authority))
                return -EINVAL;
        (void) buf_puts(b, w->method);
        (void) buf_putc(b, ' ');
        (void) buf_puts(b, w->target);
        (void) buf_puts(b, " HTTP/1.1\r\nHost: ");
        (void) buf_puts(b, w->authority);
        return buf_append(b, rest, sizeof(rest) - 1);
}

static int put_header(Buf *b, const char *line) {
        size_t n = strlen(line);

        if (!http1_is_header(line, n))
                return -EINVAL;
        put_line(b, line, n);
        return b->error;
}

/* Its bytes are visible ones: see secret_new(). */
static int put_secret(const HttpWork *w, Buf *b) {
        size_t n = strlen(w->p.secret_header);

        if (!http_is_token(w->p.secret_header, n))
                return -EINVAL;
        (void) buf_append(b, w->p.secret_header, n);
        (void) buf_append(b, ": ", 2);
        put_line(b, secret_reveal(w->p.secret), secret_length(w->p.secret));
        return b->error;
}

static void put_length(Buf *b, size_t n) {
        char digits[TEXT_DECIMAL_MAX];

        (void) buf_puts(b, "Content-Length: ");
        put_line(b, digits, text_decimal(n, digits));
}

static int put_frame(const HttpWork *w, Buf *b) {
        static const char chunked[] = "Transfer-Encoding: chunked";
        static const char type[] = "Content-Type: application/json";
        size_t length;
        int r;

        if (http_work_has_body(w)) {
                r = w->p.content_type ? put_header(b, w->p.content_type) :
                                        (put_line(b, type, sizeof(type) - 1), b->error);
                if (r < 0)
                        return r;
        }
        if (http_work_length(w, &length))
                put_length(b, length);
        else if (http_work_has_body(w))
                put_line(b, chunked, sizeof(chunked) - 1);
        return b->error;
}

int http1_request_head(const HttpWork *w, Buf *ret) {
        int r;

        r = put_first_lines(w, ret);
        if (r < 0)
                return r;
        if (w->p.secret) {
                r = put_secret(w, ret);
                if (r < 0)
                        return r;
        }
        assert(w->p.n_headers <= HTTP_CALL_HEADERS_MAX);
        for (size_t i = 0; i < w->p.n_headers; i++) {
                r = put_header(ret, w->p.headers[i]);
                if (r < 0)
                        return r;
        }
        r = put_frame(w, ret);
        if (r < 0)
                return r;
        return buf_append(ret, "\r\n", 2);
}

/* --- bodies that are not held --- */

static void write_size(char *p, size_t n) {
        for (size_t i = 4; i-- > 0; n >>= 4)
                p[i] = "0123456789abcdef"[n & 0xf];
}

int http1_request_piece(HttpWork *w, Buf *ret) {
        bool is_chunked = w->p.n_body == SIZE_MAX;
        size_t n = MIN((size_t) HTTP_CLIENT_PIECE_MAX, w->p.n_body - w->n_body_sent), before = ret->n;
        ssize_t k;
        int r;

        if (n == 0)
                return 0;
        r = buf_reserve(ret, strlen(SIZE_LINE) + n + strlen("\r\n"));
        if (r < 0)
                return r;
        if (is_chunked)
                (void) buf_puts(ret, SIZE_LINE);
        k = http_work_read(w, buf_data(ret) + ret->n, n);
        if (k <= 0) {
                ret->n = before;
                if (k < 0)
                        return (int) k;
                return is_chunked ? buf_puts(ret, "0\r\n\r\n") : -ENODATA;
        }
        assert((size_t) k <= n);
        ret->n += (size_t) k;
        w->n_body_sent += (size_t) k;
        if (is_chunked) {
                write_size(buf_data(ret) + before, (size_t) k);
                return buf_puts(ret, "\r\n") < 0 ? ret->error : 1;
        }
        return w->n_body_sent < w->p.n_body;
}
