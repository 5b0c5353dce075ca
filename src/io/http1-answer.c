/* SPDX-License-Identifier: MIT */

/*
 * The framing of an answer is decided once, at the end of its head; afterwards the state is the function
 * that reads the body. Two programs that find the end of an answer at different bytes would let a server, or
 * a proxy before it, put an answer under another request. So it is a fault:
 *
 *   - A line that ends with LF alone, a line that continues on the next one (obsolete line folding), a
 *     control character other than a tab in a line, a header whose name is not a token.
 *   - Content-Length beside Transfer-Encoding, Content-Lengths that differ, one that is not a number of 64
 *     bits; any other Transfer-Encoding than `chunked`, or one in HTTP/1.0.
 *   - A chunk's size with anything but 1 to 16 hexadecimal digits, and data that CR LF does not follow.
 *   - 101, unless another protocol was asked for. An interim answer (1xx) that announces a body.
 *
 * Interim heads are read like any other and thrown away, likewise trailers. An answer to HEAD, a 204 and a
 * 304 have no body, whatever their head announces.
 *
 * Heads and trailers are read in whole lines: an incomplete one is left to the caller, which gives it again
 * with more behind it. Its first `n_seen` bytes have no LF and are not searched again, so a line that comes
 * byte by byte takes linear time. In chunks every byte is read as it comes.
 *
 * Sizes and extensions of chunks carry no data. Each chunk may have 16 bytes of them, and two for each byte
 * of data; what goes beyond adds up, and has a ceiling. So an answer has no largest size, but what comes
 * with it has.
 */

#include <string.h>

#include "base/limits-http-client.h"
#include "base/text.h"
#include "io/http-framing.h"
#include "io/http1-answer.h"

#define AGAIN (-1) /* the state has changed, and its function reads on */

static int fail(Http1Answer *a, const char *fault) {
        a->fault = fault;
        a->state = HTTP1_ANSWER_AT_FAULT;
        return HTTP1_ANSWER_FAULT;
}

static void take(Http1Bytes *b, size_t n) {
        b->p += n;
        b->n -= n;
}

/* --- lines --- */

/* Of eight bytes: is there one below 0x20, or 0x7f? */
static bool word_has_control(const char *p) {
        const uint64_t ones = UINT64_MAX / 255, tops = ones * 0x80;
        uint64_t x, y;

        memcpy(&x, p, 8);
        y = x ^ (ones * 0x7f);
        return (((x - ones * 0x20) & ~x) | ((y - ones) & ~y)) & tops;
}

static bool may_have_control(const char *p, size_t n) {
        if (n < 8)
                return true;
        for (size_t i = 0; i + 8 < n; i += 8)
                if (word_has_control(p + i))
                        return true;
        return word_has_control(p + n - 8);
}

/* Other than a tab. */
static bool has_control(const char *p, size_t n) {
        if (!may_have_control(p, n))
                return false;
        for (size_t i = 0; i < n; i++)
                if (((unsigned char) p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f)
                        return true;
        return false;
}

/* The length of a header's name; 0: the line is not `name: value`. */
static size_t header_name(const char *line, size_t n) {
        size_t k = http_token_length(line, n);

        return k < n && line[k] == ':' && !has_control(line + k, n - k) ? k : 0;
}

bool http1_is_header(const char *line, size_t n) {
        return header_name(line, n) > 0;
}

/* A line without its end. `max`: with its end. */
static int take_line(Http1Answer *a, Http1Bytes *rest, size_t max, const char *too_long, Http1Bytes *ret) {
        const char *lf = rest->n > a->n_seen ? memchr(rest->p + a->n_seen, '\n', rest->n - a->n_seen) : NULL;
        size_t n = lf ? (size_t) (lf - rest->p) + 1 : rest->n;

        if (n > max)
                return fail(a, too_long);
        if (!lf) {
                a->n_seen = n;
                return HTTP1_ANSWER_MORE;
        }
        if (n < 2 || lf[-1] != '\r')
                return fail(a, "a line ends with LF alone");
        *ret = (Http1Bytes){ rest->p, n - 2 };
        a->n_seen = 0;
        take(rest, n);
        return AGAIN;
}

static int take_head_line(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret) {
        size_t before = rest->n;
        int r;

        r = take_line(a, rest, HTTP_ANSWER_HEAD_MAX - a->n_head, "the head is too long", ret);
        a->n_head += before - rest->n;
        return r;
}

static const char *header_fault(const Http1Bytes *line) {
        if (*line->p == ' ' || *line->p == '\t')
                return "a header that continues on the next line";
        return "a header is not `name: value`";
}

/* --- the first line --- */

static int read_status(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret _unused_) {
        static const char begin[] = "HTTP/1.";
        Http1Bytes line;
        const char *s;
        int r;

        /* Before the line is complete: what is not HTTP may have no lines. */
        if (memcmp(rest->p, begin, MIN(rest->n, strlen(begin))) != 0)
                return fail(a, "it does not begin with HTTP/1.1 or HTTP/1.0");
        r = take_head_line(a, rest, &line);
        if (r != AGAIN)
                return r;
        s = line.p + strlen(begin);
        if (line.n < strlen("HTTP/1.1 200") || (*s != '0' && *s != '1') || s[1] != ' ')
                return fail(a, "it does not begin with HTTP/1.1 or HTTP/1.0");
        a->is_1_0 = *s == '0';
        s += 2;
        if (!text_in_charset(s, 3, TEXT_DIGITS) || *s == '0' ||
            (line.n > strlen("HTTP/1.1 200") && s[3] != ' '))
                return fail(a, "its status is not a number of three digits");
        if (has_control(line.p, line.n))
                return fail(a, "a control character in the first line");
        a->status = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
        a->n_lines = 0;
        a->left = 0;
        a->has_length = a->is_chunked = a->has_close = a->has_keep_alive = false;
        a->state = HTTP1_ANSWER_IN_HEADERS;
        return AGAIN;
}

/* --- headers --- */

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static void trim(Http1Bytes *b) {
        while (b->n > 0 && is_blank(*b->p))
                take(b, 1);
        while (b->n > 0 && is_blank(b->p[b->n - 1]))
                b->n--;
}

static bool is(const Http1Bytes *b, const char *s) {
        return b->n == strlen(s) && strncasecmp(b->p, s, b->n) == 0;
}

static const char *on_length(Http1Answer *a, Http1Bytes value) {
        uint64_t length = 0;

        if (value.n == 0)
                return "Content-Length is not a number";
        for (size_t i = 0; i < value.n; i++) {
                unsigned digit = (unsigned) (unsigned char) value.p[i] - '0';

                if (digit > 9 || length > (UINT64_MAX - digit) / 10)
                        return "Content-Length is not a number";
                length = length * 10 + digit;
        }
        if (a->has_length && a->left != length)
                return "several Content-Lengths that differ";
        a->has_length = true;
        a->left = length;
        return NULL;
}

static const char *on_encoding(Http1Answer *a, Http1Bytes value) {
        if (a->is_chunked || !is(&value, "chunked"))
                return "the only Transfer-Encoding taken is chunked";
        a->is_chunked = true;
        return NULL;
}

static const char *on_connection(Http1Answer *a, Http1Bytes value) {
        while (value.n > 0) {
                const char *comma = memchr(value.p, ',', value.n);
                Http1Bytes option = { value.p, comma ? (size_t) (comma - value.p) : value.n };

                take(&value, option.n + (comma ? 1 : 0));
                trim(&option);
                a->has_close = a->has_close || is(&option, "close");
                a->has_keep_alive = a->has_keep_alive || is(&option, "keep-alive");
        }
        return NULL;
}

static const char *look_at_header(Http1Answer *a, Http1Bytes line, size_t n_name) {
        static const struct {
                const char *name;
                size_t n;
                const char *(*fn)(Http1Answer *a, Http1Bytes value);
        } rows[] = {
                { "connection", sizeof("connection") - 1, on_connection },
                { "content-length", sizeof("content-length") - 1, on_length },
                { "transfer-encoding", sizeof("transfer-encoding") - 1, on_encoding },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (n_name == rows[i].n && strncasecmp(line.p, rows[i].name, n_name) == 0) {
                        take(&line, n_name + 1);
                        trim(&line);
                        return rows[i].fn(a, line);
                }
        return NULL;
}

static void begin_chunk(Http1Answer *a) {
        a->state = HTTP1_ANSWER_IN_SIZE;
        a->left = 0;
        a->n_digits = 0;
}

static bool is_final(const Http1Answer *a) {
        return a->status >= 200 || (a->status == 101 && a->to_upgrade);
}

static int end_head(Http1Answer *a) {
        bool has_body = a->is_chunked || (a->has_length && a->left > 0);

        if (a->is_chunked && a->has_length)
                return fail(a, "Content-Length and Transfer-Encoding do not go together");
        if (a->is_chunked && a->is_1_0)
                return fail(a, "HTTP/1.0 has no Transfer-Encoding");
        if (a->status == 101 && (!a->to_upgrade || a->is_1_0))
                return fail(a, "it changes to a protocol that was not asked for");
        if (a->status < 200 && has_body)
                return fail(a, "an interim answer has no body");
        if (a->status == 101) {
                a->lasts = false;
                a->state = HTTP1_ANSWER_AT_END;
                return HTTP1_ANSWER_HEAD;
        }
        if (a->status < 200) {
                a->state = HTTP1_ANSWER_IN_STATUS;
                return AGAIN;
        }

        a->lasts = !a->has_close && (!a->is_1_0 || a->has_keep_alive);
        if (a->to_head || a->status == 304)
                a->state = HTTP1_ANSWER_AT_END;
        else if (a->status == 204) {
                a->lasts = a->lasts && !has_body; /* it may come nevertheless */
                a->state = HTTP1_ANSWER_AT_END;
        } else if (a->is_chunked)
                begin_chunk(a);
        else if (a->has_length)
                a->state = a->left > 0 ? HTTP1_ANSWER_IN_LENGTH : HTTP1_ANSWER_AT_END;
        else {
                a->lasts = false;
                a->state = HTTP1_ANSWER_IN_REST;
        }
        return HTTP1_ANSWER_HEAD;
}

static int read_headers(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret) {
        const char *fault;
        Http1Bytes line;
        size_t n_name;
        int r;

        r = take_head_line(a, rest, &line);
        if (r != AGAIN)
                return r;
        if (line.n == 0)
                return end_head(a);
        if (++a->n_lines > HTTP_ANSWER_LINES_MAX)
                return fail(a, "the head has too many lines");
        n_name = header_name(line.p, line.n);
        fault = n_name > 0 ? look_at_header(a, line, n_name) : header_fault(&line);
        if (fault)
                return fail(a, fault);
        if (!is_final(a))
                return AGAIN;
        while (is_blank(line.p[line.n - 1])) /* the colon is none */
                line.n--;
        *ret = line;
        return HTTP1_ANSWER_HEADER;
}

/* --- bodies without chunks --- */

/* `left` bytes, and then the next state. */
static int read_counted(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret, Http1AnswerState next) {
        if (rest->n == 0)
                return HTTP1_ANSWER_MORE;
        *ret = (Http1Bytes){ rest->p, MIN(rest->n, a->left) };
        take(rest, ret->n);
        a->left -= ret->n;
        if (a->left == 0)
                a->state = next;
        return HTTP1_ANSWER_DATA;
}

static int read_length(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret) {
        return read_counted(a, rest, ret, HTTP1_ANSWER_AT_END);
}

static int read_rest(Http1Answer *a _unused_, Http1Bytes *rest, Http1Bytes *ret) {
        if (rest->n == 0)
                return HTTP1_ANSWER_MORE;
        *ret = *rest;
        take(rest, rest->n);
        return HTTP1_ANSWER_DATA;
}

/* --- chunks --- */

static int read_size(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret _unused_) {
        for (; rest->n > 0; take(rest, 1)) {
                int digit = text_unhex(*rest->p);

                if (digit < 0)
                        break;
                if (++a->n_digits > 16)
                        return fail(a, "the size of a chunk has more than 16 digits");
                a->left = a->left << 4 | (unsigned) digit;
        }
        if (rest->n == 0)
                return HTTP1_ANSWER_MORE;
        if (a->n_digits == 0 || (*rest->p != '\r' && *rest->p != ';'))
                return fail(a, "the size of a chunk is not a hexadecimal number");
        a->state = *rest->p == '\r' ? HTTP1_ANSWER_IN_SIZE_LF : HTTP1_ANSWER_IN_EXTENSION;
        a->n_waste += a->n_digits + 2;
        take(rest, 1);
        return AGAIN;
}

static int read_extension(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret _unused_) {
        for (; rest->n > 0; take(rest, 1)) {
                if (*rest->p == '\r') {
                        a->state = HTTP1_ANSWER_IN_SIZE_LF;
                        take(rest, 1);
                        return AGAIN;
                }
                if (has_control(rest->p, 1))
                        return fail(a, "a control character in the extension of a chunk");
                if (++a->n_waste > HTTP_ANSWER_WASTE_MAX)
                        return fail(a, "the extensions of the chunks are too long");
        }
        return HTTP1_ANSWER_MORE;
}

static int read_size_lf(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret _unused_) {
        if (rest->n == 0)
                return HTTP1_ANSWER_MORE;
        if (*rest->p != '\n')
                return fail(a, "a CR that is not at the end of a line");
        take(rest, 1);
        a->n_waste -= (unsigned) MIN(16 + 2 * MIN(a->left, (uint64_t) HTTP_ANSWER_WASTE_MAX), a->n_waste);
        a->state = a->left > 0 ? HTTP1_ANSWER_IN_CHUNK : HTTP1_ANSWER_IN_TRAILERS;
        return AGAIN;
}

static int read_chunk(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret) {
        return read_counted(a, rest, ret, HTTP1_ANSWER_IN_CHUNK_CR);
}

static int read_chunk_cr(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret _unused_) {
        if (rest->n == 0)
                return HTTP1_ANSWER_MORE;
        if (*rest->p != '\r')
                return fail(a, "a chunk is longer than its size");
        take(rest, 1);
        a->state = HTTP1_ANSWER_IN_CHUNK_LF;
        return AGAIN;
}

static int read_chunk_lf(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret _unused_) {
        if (rest->n == 0)
                return HTTP1_ANSWER_MORE;
        if (*rest->p != '\n')
                return fail(a, "a CR that is not at the end of a line");
        take(rest, 1);
        begin_chunk(a);
        return AGAIN;
}

static int read_trailers(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret _unused_) {
        size_t before = rest->n;
        Http1Bytes line;
        int r;

        r = take_line(a, rest, HTTP_ANSWER_TRAILERS_MAX - a->n_trailers, "the trailers are too long", &line);
        a->n_trailers += (unsigned) (before - rest->n);
        if (r != AGAIN)
                return r;
        if (line.n == 0) {
                a->state = HTTP1_ANSWER_AT_END;
                return AGAIN;
        }
        return http1_is_header(line.p, line.n) ? AGAIN : fail(a, header_fault(&line));
}

/* --- all --- */

static int read_nothing(Http1Answer *a, Http1Bytes *rest _unused_, Http1Bytes *ret _unused_) {
        return a->state == HTTP1_ANSWER_AT_END ? HTTP1_ANSWER_END : HTTP1_ANSWER_FAULT;
}

void http1_answer_init(Http1Answer *a, bool to_head) {
        *a = (Http1Answer){ .to_head = to_head };
}

Http1AnswerStep http1_answer_next(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret) {
        static int (*const read[_HTTP1_ANSWER_STATE_MAX])(Http1Answer *, Http1Bytes *, Http1Bytes *) = {
                [HTTP1_ANSWER_IN_STATUS] = read_status,
                [HTTP1_ANSWER_IN_HEADERS] = read_headers,
                [HTTP1_ANSWER_IN_LENGTH] = read_length,
                [HTTP1_ANSWER_IN_REST] = read_rest,
                [HTTP1_ANSWER_IN_SIZE] = read_size,
                [HTTP1_ANSWER_IN_EXTENSION] = read_extension,
                [HTTP1_ANSWER_IN_SIZE_LF] = read_size_lf,
                [HTTP1_ANSWER_IN_CHUNK] = read_chunk,
                [HTTP1_ANSWER_IN_CHUNK_CR] = read_chunk_cr,
                [HTTP1_ANSWER_IN_CHUNK_LF] = read_chunk_lf,
                [HTTP1_ANSWER_IN_TRAILERS] = read_trailers,
                [HTTP1_ANSWER_AT_END] = read_nothing,
                [HTTP1_ANSWER_AT_FAULT] = read_nothing,
        };
        int step;

        do
                step = read[a->state](a, rest, ret);
        while (step == AGAIN);
        return (Http1AnswerStep) step;
}

bool http1_answer_close(Http1Answer *a) {
        if (a->state == HTTP1_ANSWER_IN_REST)
                a->state = HTTP1_ANSWER_AT_END;
        return a->state == HTTP1_ANSWER_AT_END;
}
