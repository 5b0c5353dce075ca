/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>

#include "base/text.h"
#include "sim-request.h"

#define CHUNK_LINE_MAX 4096U

const char *request_header(const Request *q, const char *name) {
        for (unsigned i = 0; i < q->n_headers; i++)
                if (strcaseeq(q->headers[i].name, name))
                        return q->headers[i].value;
        return NULL;
}

int request_param(const Request *q, const char *name, char **ret) {
        size_t n_name = strlen(name);
        const char *p = q->query;

        while (*p) {
                size_t n = strcspn(p, "&");

                if (n > n_name && p[n_name] == '=' && memcmp(p, name, n_name) == 0) {
                        _cleanup_free_ char *value = strndup(p + n_name + 1, n - n_name - 1);
                        int r;

                        if (!value)
                                return -ENOMEM;
                        r = text_percent_decode(value);
                        if (r < 0)
                                return r;
                        *ret = TAKE_PTR(value);
                        return 0;
                }
                p += n;
                p += *p == '&';
        }
        *ret = NULL;
        return 0;
}

/* METHOD SP target SP HTTP/1.x */
static int request_parse_line(Request *q, char *line) {
        char *target, *version;

        q->method = line;
        target = strchr(line, ' ');
        if (!target || target == line)
                return -EBADMSG;
        *target++ = 0;
        version = strchr(target, ' ');
        if (!version || *target != '/')
                return -EBADMSG;
        *version++ = 0;

        if (!startswith(version, "HTTP/1."))
                return -EBADMSG;
        q->http10 = streq(version, "HTTP/1.0");
        q->path = target;
        q->query = target + strcspn(target, "?");
        if (*q->query)
                *q->query++ = 0;
        return 0;
}

static int request_parse_framing(Request *q, const char *name, const char *value) {
        if (strcaseeq(name, "content-length")) {
                if (text_parse_u64(value, &q->length) < 0)
                        return -EBADMSG;
        } else if (strcaseeq(name, "transfer-encoding")) {
                if (!strcaseeq(value, "chunked"))
                        return -EBADMSG;
                q->chunked = true;
        } else if (strcaseeq(name, "connection")) {
                if (strcaseeq(value, "close"))
                        q->keep_alive = false;
                else if (strcaseeq(value, "keep-alive"))
                        q->keep_alive = true;
        } else if (strcaseeq(name, "expect"))
                q->expects_continue = strcaseeq(value, "100-continue");
        return 0;
}

int request_parse_head(Request *q, char *head, size_t n) {
        char *end = head + n, *line = head, *eol;
        int r;

        *q = (Request){};
        if (memchr(head, 0, n))
                return -EBADMSG;

        for (unsigned i = 0; line < end; i++, line = eol + 2) {
                char *colon;

                eol = memmem(line, (size_t) (end - line), "\r\n", 2);
                if (!eol)
                        return -EBADMSG;
                *eol = 0;
                if (eol == line)
                        break;
                if (i == 0) {
                        r = request_parse_line(q, line);
                        if (r < 0)
                                return r;
                        q->keep_alive = !q->http10;
                        continue;
                }

                colon = strchr(line, ':');
                if (!colon || colon == line)
                        return -EBADMSG;
                if (q->n_headers == REQUEST_HEADERS_MAX)
                        return -E2BIG;
                *colon = 0;
                q->headers[q->n_headers].name = line;
                q->headers[q->n_headers].value = text_strip(colon + 1);
                r = request_parse_framing(q, line, q->headers[q->n_headers].value);
                if (r < 0)
                        return r;
                q->n_headers++;
        }

        return q->method ? 0 : -EBADMSG;
}

/* The size of a chunk: hexadecimal digits, then perhaps an extension. */
static int chunk_parse_size(const char *line, size_t n, uint64_t *ret) {
        uint64_t size = 0;
        size_t i;

        for (i = 0; i < n && isxdigit((unsigned char) line[i]); i++) {
                char c = line[i];

                if (i == 8)
                        return -E2BIG;
                size = size << 4 | (uint64_t) (c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
        }
        if (i == 0 || (i < n && line[i] != ';' && line[i] != ' '))
                return -EBADMSG;
        *ret = size;
        return 0;
}

int chunk_decode(ChunkDecoder *d, Buf *in, Buf *body) {
        int r;

        for (;;) {
                const char *line = buf_data(in), *eol = NULL;
                size_t n = 0;

                if (in->n == 0)
                        return 0;

                if (d->state == CHUNK_DATA) {
                        n = MIN(d->left, in->n);
                        r = buf_append(body, line, n);
                        if (r < 0)
                                return r;
                        buf_consume(in, n);
                        d->left -= n;
                        if (d->left == 0)
                                d->state = CHUNK_DATA_END;
                        continue;
                }

                eol = memmem(line, in->n, "\r\n", 2);
                if (!eol)
                        return in->n > CHUNK_LINE_MAX ? -EBADMSG : 0;
                n = (size_t) (eol - line);

                switch (d->state) {
                case CHUNK_SIZE:
                        r = chunk_parse_size(line, n, &d->left);
                        if (r < 0)
                                return r;
                        d->state = d->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
                        break;
                case CHUNK_DATA_END:
                        if (n > 0)
                                return -EBADMSG;
                        d->state = CHUNK_SIZE;
                        break;
                default: /* a trailer, or the empty line that ends it all */
                        if (n == 0) {
                                buf_consume(in, 2);
                                *d = (ChunkDecoder){};
                                return 1;
                        }
                }
                buf_consume(in, n + 2);
        }
}
