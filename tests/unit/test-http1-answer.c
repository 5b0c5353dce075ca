/* SPDX-License-Identifier: MIT */

/* Answers of HTTP/1.1: what is in them, and what is a fault; the bytes whole, and cut at every byte. */

#include "test.h"

#include "base/buf.h"
#include "base/limits-http-client.h"
#include "base/text.h"
#include "io/http1-answer.h"

/* What the parser has reported, as a text: `<name: value>` for a header, `[200]` for the head, the bytes of
 * the body as they are. */
typedef struct Reader {
        Http1Answer a;
        Buf out, rest;
        Http1AnswerStep last;
        bool to_head;
} Reader;

static void reader_init(Reader *r, bool to_head) {
        *r = (Reader){ .out = BUF_INIT(1 << 24), .rest = BUF_INIT(1 << 24) };
        http1_answer_init(&r->a, to_head);
}

static void reader_done(Reader *r) {
        buf_done(&r->out);
        buf_done(&r->rest);
}

/* Feeds a piece as a connection does: behind what the parser has left. */
static void feed(Reader *r, const char *p, size_t n) {
        _cleanup_free_ char *copy = NULL;
        Http1Bytes rest, text;

        assert_int_equal(buf_append(&r->rest, p, n), 0);
        copy = malloc(r->rest.n + 1); /* exact, so that a sanitizer sees what is read behind its end */
        assert_non_null(copy);
        memcpy(copy + 1, buf_data(&r->rest), r->rest.n);
        rest = (Http1Bytes){ copy + 1, r->rest.n };
        do {
                size_t before = rest.n;

                r->last = http1_answer_next(&r->a, &rest, &text);
                assert_true(rest.n <= before);
                if (r->last == HTTP1_ANSWER_HEADER)
                        assert_true(buf_printf(&r->out, "<%.*s>", (int) text.n, text.p) == 0);
                else if (r->last == HTTP1_ANSWER_HEAD)
                        assert_true(buf_printf(&r->out, "[%d]", r->a.status) == 0);
                else if (r->last == HTTP1_ANSWER_DATA) {
                        assert_true(text.n > 0);
                        assert_int_equal(buf_append(&r->out, text.p, text.n), 0);
                }
        } while (r->last != HTTP1_ANSWER_MORE && r->last != HTTP1_ANSWER_END &&
                 r->last != HTTP1_ANSWER_FAULT);
        buf_consume(&r->rest, r->rest.n - rest.n);
}

typedef struct Row {
        const char *bytes;
        size_t n;
        const char *out; /* what is reported until the end, or the fault */
        enum {
                ENDS,      /* complete, and the connection lasts */
                ENDS_CLOSE, /* complete, and the connection does not last */
                ENDS_EOF,  /* complete with the end of the connection */
                OPEN,      /* more is needed */
                FAULT,
        } end;
        const char *fault;
        size_t n_behind; /* bytes behind the end */
        bool to_head;
} Row;

static void compare(const Row *row, size_t i, size_t cut, Reader *r) {
        const char *out = buf_cstr(&r->out);
        Http1AnswerStep step = r->last;
        bool is_closed = http1_answer_close(&r->a);

        if (!streq(strempty(out), row->out) || !streq(strempty(r->a.fault), strempty(row->fault)) ||
            (step == HTTP1_ANSWER_FAULT) != (row->end == FAULT) ||
            (step == HTTP1_ANSWER_END) != (row->end == ENDS || row->end == ENDS_CLOSE) ||
            is_closed != (row->end == ENDS || row->end == ENDS_CLOSE || row->end == ENDS_EOF))
                fail_msg("row %zu, cut at %zu: `%s`, step %d, fault `%s`", i, cut, strempty(out), (int) step,
                         strempty(r->a.fault));
        if (row->end == ENDS || row->end == ENDS_CLOSE || row->end == ENDS_EOF) {
                assert_int_equal(r->a.lasts, row->end == ENDS);
                assert_int_equal(r->rest.n, row->n_behind);
        }
}

static void check(const Row *rows, size_t n_rows) {
        for (size_t i = 0; i < n_rows; i++) {
                const Row *row = &rows[i];
                Reader r;

                for (size_t cut = 0; cut <= row->n; cut++) {
                        reader_init(&r, row->to_head);
                        feed(&r, row->bytes, cut);
                        if (r.last != HTTP1_ANSWER_FAULT)
                                feed(&r, row->bytes + cut, row->n - cut);
                        compare(row, i, cut, &r);
                        reader_done(&r);
                }
                reader_init(&r, row->to_head);
                for (size_t k = 0; k < row->n && r.last != HTTP1_ANSWER_FAULT; k++)
                        feed(&r, row->bytes + k, 1);
                compare(row, i, SIZE_MAX, &r);
                reader_done(&r);
        }
}

#define ROW(bytes, ...) { bytes, sizeof(bytes) - 1, __VA_ARGS__ }
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define C "<Transfer-Encoding: chunked>[200]"

static const char begin[] = "it does not begin with HTTP/1.1 or HTTP/1.0";
static const char status[] = "its status is not a number of three digits";
static const char lf[] = "a line ends with LF alone";
static const char cr[] = "a CR that is not at the end of a line";
static const char header[] = "a header is not `name: value`";
static const char fold[] = "a header that continues on the next line";
static const char number[] = "Content-Length is not a number";
static const char differ[] = "several Content-Lengths that differ";
static const char coding[] = "the only Transfer-Encoding taken is chunked";
static const char both[] = "Content-Length and Transfer-Encoding do not go together";
static const char size[] = "the size of a chunk is not a hexadecimal number";
static const char digits[] = "the size of a chunk has more than 16 digits";
static const char extension[] = "a control character in the extension of a chunk";
static const char longer[] = "a chunk is longer than its size";

static void test_first_lines(void **state _unused_) {
        static const Row rows[] = {
                ROW("", "", OPEN),
                ROW("HTTP/1.1 200 OK\r\n\r\n", "[200]", ENDS_EOF),
                ROW("HTTP/1.1 200 \r\n\r\n", "[200]", ENDS_EOF),
                ROW("HTTP/1.1 200\r\n\r\n", "[200]", ENDS_EOF),
                ROW("HTTP/1.1 999 a b \xe9\tc\r\n\r\n", "[999]", ENDS_EOF),
                ROW("HTTP/1.0 200 OK\r\n\r\nx", "[200]x", ENDS_EOF),
                ROW("HTTP/1.2 200 OK\r\n\r\n", "", FAULT, begin),
                ROW("HTTP/1.10 200 OK\r\n\r\n", "", FAULT, begin),
                ROW("HTTP/2 200\r\n\r\n", "", FAULT, begin),
                ROW("http/1.1 200 OK\r\n\r\n", "", FAULT, begin),
                ROW(" HTTP/1.1 200 OK\r\n\r\n", "", FAULT, begin),
                ROW("\r\nHTTP/1.1 200 OK\r\n\r\n", "", FAULT, begin),
                ROW("ICY 200 OK\r\n\r\n", "", FAULT, begin),
                ROW("{", "", FAULT, begin),
                ROW("\0\0\x12\4\0", "", FAULT, begin),
                ROW("HTTP/1.1\r\n\r\n", "", FAULT, begin),
                ROW("HTTP/1.1 20\r\n\r\n", "", FAULT, begin),
                ROW("HTTP/1.1\t200 OK\r\n\r\n", "", FAULT, begin),
                ROW("HTTP/1.1  200 OK\r\n\r\n", "", FAULT, status),
                ROW("HTTP/1.1 2000 OK\r\n\r\n", "", FAULT, status),
                ROW("HTTP/1.1 20x OK\r\n\r\n", "", FAULT, status),
                ROW("HTTP/1.1 +20 OK\r\n\r\n", "", FAULT, status),
                ROW("HTTP/1.1 099 OK\r\n\r\n", "", FAULT, status),
                ROW("HTTP/1.1 200 O\x01K\r\n\r\n", "", FAULT, "a control character in the first line"),
                ROW("HTTP/1.1 200 O\rK\r\n\r\n", "", FAULT, "a control character in the first line"),
                ROW("HTTP/1.1 200 O\0K\r\n\r\n", "", FAULT, "a control character in the first line"),
                ROW("HTTP/1.1 200 OK\n\r\n", "", FAULT, lf),
        };

        check(rows, ELEMENTSOF(rows));
}

static void test_headers(void **state _unused_) {
        static const Row rows[] = {
                ROW(OK "A: b\r\nc:\r\nD:\te \xff \r\n\r\n", "<A: b><c:><D:\te \xff>[200]", ENDS_EOF),
                ROW(OK "A: 12345678\t9\x7f\r\n\r\n", "", FAULT, header),
                ROW(OK "A: 1234567\t\t890123\r\n\r\n", "<A: 1234567\t\t890123>[200]", ENDS_EOF),
                ROW(OK "A: b\r\n c\r\n\r\n", "<A: b>", FAULT, fold),
                ROW(OK "A: b\r\n\tc\r\n\r\n", "<A: b>", FAULT, fold),
                ROW(OK " A: b\r\n\r\n", "", FAULT, fold),
                ROW(OK "A : b\r\n\r\n", "", FAULT, header),
                ROW(OK "A\t: b\r\n\r\n", "", FAULT, header),
                ROW(OK "A b: c\r\n\r\n", "", FAULT, header),
                ROW(OK ": b\r\n\r\n", "", FAULT, header),
                ROW(OK "A\r\n\r\n", "", FAULT, header),
                ROW(OK "A(b): c\r\n\r\n", "", FAULT, header),
                ROW(OK "\xc3\xa9: c\r\n\r\n", "", FAULT, header),
                ROW(OK "A: b\rC: d\r\n\r\n", "", FAULT, header),
                ROW(OK "A: b\r\r\n\r\n", "", FAULT, header),
                ROW(OK "A: b\0\r\n\r\n", "", FAULT, header),
                ROW(OK "A: b\x1b[0m\r\n\r\n", "", FAULT, header),
                ROW(OK "A: b\nC: d\r\n\r\n", "", FAULT, lf),
                ROW(OK "A: b\r\n\n", "<A: b>", FAULT, lf),
                ROW(OK "\n", "", FAULT, lf),
                ROW(OK "A: b\r\n\r", "<A: b>", OPEN),
        };

        check(rows, ELEMENTSOF(rows));
}

static void test_lengths(void **state _unused_) {
        static const Row rows[] = {
                ROW(OK "Content-Length: 3\r\n\r\nabc", "<Content-Length: 3>[200]abc", ENDS),
                ROW(OK "content-length:3\t \r\n\r\n\r\n\n", "<content-length:3>[200]\r\n\n", ENDS),
                ROW(OK "Content-Length: 3\r\n\r\nabcHTTP", "<Content-Length: 3>[200]abc", ENDS, NULL, 4),
                ROW(OK "Content-Length: 3\r\n\r\nab", "<Content-Length: 3>[200]ab", OPEN),
                ROW(OK "Content-Length: 0\r\n\r\n", "<Content-Length: 0>[200]", ENDS),
                ROW(OK "Content-Length: 003\r\nContent-Length: 3\r\n\r\nabc",
                    "<Content-Length: 003><Content-Length: 3>[200]abc", ENDS),
                ROW(OK "Content-Length: 18446744073709551615\r\n\r\nab",
                    "<Content-Length: 18446744073709551615>[200]ab", OPEN),
                ROW(OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", "<Content-Length: 3>", FAULT,
                    differ),
                ROW(OK "Content-Length: 0\r\nContent-Length: 4\r\n\r\n", "<Content-Length: 0>", FAULT,
                    differ),
                ROW(OK "Content-Length: 18446744073709551616\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: 99999999999999999999\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: 3, 3\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: +3\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: -3\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: 0x3\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: 3 4\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: 3.0\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length:\r\n\r\n", "", FAULT, number),
                ROW(OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "<Content-Length: 3><Transfer-Encoding: chunked>", FAULT, both),
                ROW(OK "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
                    "<Transfer-Encoding: chunked><Content-Length: 0>", FAULT, both),
                ROW(OK "Transfer-Encoding: gzip\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: identity\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: gzip, chunked\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: chunked, chunked\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: xchunked\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: \"chunked\"\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: chunked;q=1\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: \x0b" "chunked\r\n\r\n", "", FAULT, header),
                ROW(OK "Transfer-Encoding:\r\n\r\n", "", FAULT, coding),
                ROW(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "<Transfer-Encoding: chunked>", FAULT, coding),
                ROW("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "<Transfer-Encoding: chunked>",
                    FAULT, "HTTP/1.0 has no Transfer-Encoding"),
        };

        check(rows, ELEMENTSOF(rows));
}

static void test_no_body(void **state _unused_) {
        static const Row rows[] = {
                ROW("HTTP/1.1 204 No Content\r\n\r\n", "[204]", ENDS),
                ROW("HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n", "<Content-Length: 0>[204]", ENDS),
                ROW("HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\nabc", "<Content-Length: 3>[204]", ENDS_CLOSE,
                    NULL, 3),
                ROW("HTTP/1.1 304 X\r\nContent-Length: 3\r\n\r\n", "<Content-Length: 3>[304]", ENDS),
                ROW(OK "Content-Length: 3\r\n\r\n", "<Content-Length: 3>[200]", ENDS, .to_head = true),
                ROW(CHUNKED, C, ENDS, .to_head = true),
                ROW(OK "\r\n", "[200]", ENDS, .to_head = true),
                ROW("HTTP/1.0 200 OK\r\n\r\n", "[200]", ENDS_CLOSE, .to_head = true),
                ROW(OK "Content-Length: a\r\n\r\n", "", FAULT, number, .to_head = true),
        };

        check(rows, ELEMENTSOF(rows));
}

static void test_chunks(void **state _unused_) {
        static const Row rows[] = {
                ROW(CHUNKED "3\r\nabc\r\n0\r\n\r\n", C "abc", ENDS),
                ROW(CHUNKED "3\r\nabc\r\n00\r\n\r\nHT", C "abc", ENDS, NULL, 2),
                ROW(CHUNKED "a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n", C "0123456789abcdefghij",
                    ENDS),
                ROW(CHUNKED "3;a=b;c=\"\t\xe9\"\r\na\r\n\r\n0;x\r\n\r\n", C "a\r\n", ENDS),
                ROW(CHUNKED "0000000000000003\r\nabc\r\n0\r\n\r\n", C "abc", ENDS),
                ROW(CHUNKED "FFFFFFFFFFFFFFFF\r\nabc", C "abc", OPEN),
                ROW(CHUNKED "3\r\nabc\r\n", C "abc", OPEN),
                ROW(CHUNKED "0\r\n", C, OPEN),
                ROW(CHUNKED "00000000000000003\r\nabc\r\n", C, FAULT, digits),
                ROW(CHUNKED "+3\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "-3\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "0x3\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED " 3\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "3 \r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "3\t;a\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "3g\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED ";a\r\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "3\nabc\r\n", C, FAULT, size),
                ROW(CHUNKED "3\rabc\r\n", C, FAULT, cr),
                ROW(CHUNKED "3;a\nabc\r\n", C, FAULT, extension),
                ROW(CHUNKED "3;\0\r\nabc\r\n", C, FAULT, extension),
                ROW(CHUNKED "3;a\rb\r\nabc\r\n", C, FAULT, cr),
                ROW(CHUNKED "3\r\nabcd\r\n", C "abc", FAULT, longer),
                ROW(CHUNKED "3\r\nabc\n0\r\n\r\n", C "abc", FAULT, longer),
                ROW(CHUNKED "3\r\nabc\r0\r\n\r\n", C "abc", FAULT, cr),
                ROW(CHUNKED "3\r\nabc0\r\n\r\n", C "abc", FAULT, longer),
        };

        check(rows, ELEMENTSOF(rows));
}

static void test_trailers(void **state _unused_) {
        static const Row rows[] = {
                ROW(CHUNKED "0\r\nA: b\r\nContent-Length: 5\r\n\r\nx", C, ENDS, NULL, 1),
                ROW(CHUNKED "0\r\nA: b\r\n c\r\n\r\n", C, FAULT, fold),
                ROW(CHUNKED "0\r\nA\r\n\r\n", C, FAULT, header),
                ROW(CHUNKED "0\r\nA: \0\r\n\r\n", C, FAULT, header),
                ROW(CHUNKED "0\r\nA: b\n\r\n", C, FAULT, lf),
                ROW(CHUNKED "0\r\n\n", C, FAULT, lf),
                ROW(CHUNKED "0\r\n\rX", C, OPEN),
                ROW(CHUNKED "0\r\n\rX\n", C, FAULT, lf),
                ROW(CHUNKED "0\r\nA: b\r\n", C, OPEN),
        };

        check(rows, ELEMENTSOF(rows));
}

static void test_interim(void **state _unused_) {
        static const Row rows[] = {
                ROW("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: a\r\nConnection: close\r\n\r\n"
                    "HTTP/1.1 102\r\nContent-Length: 0\r\n\r\n" OK "Content-Length: 1\r\n\r\na",
                    "<Content-Length: 1>[200]a", ENDS),
                ROW("HTTP/1.1 100 Continue\r\n\r\n", "", OPEN),
                ROW("HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n", "", FAULT,
                    "it changes to a protocol that was not asked for"),
                ROW("HTTP/1.1 100 X\r\nContent-Length: 3\r\n\r\nabc", "", FAULT,
                    "an interim answer has no body"),
                ROW("HTTP/1.1 100 X\r\nTransfer-Encoding: chunked\r\n\r\n", "", FAULT,
                    "an interim answer has no body"),
                ROW("HTTP/1.1 100 X\r\nA\r\n\r\n", "", FAULT, header),
                ROW("HTTP/1.1 100 X\r\n\r\nabc", "", FAULT, begin),
        };

        check(rows, ELEMENTSOF(rows));
}

static void test_lasting(void **state _unused_) {
        static const Row rows[] = {
                ROW(OK "Connection: close\r\nContent-Length: 0\r\n\r\n",
                    "<Connection: close><Content-Length: 0>[200]", ENDS_CLOSE),
                ROW(OK "Connection: a,\tCLOSE , b\r\nContent-Length: 0\r\n\r\n",
                    "<Connection: a,\tCLOSE , b><Content-Length: 0>[200]", ENDS_CLOSE),
                ROW(OK "connection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                    "<connection: keep-alive><Connection: close><Content-Length: 0>[200]", ENDS_CLOSE),
                ROW(OK "Connection: closed,,\r\nContent-Length: 0\r\n\r\n",
                    "<Connection: closed,,><Content-Length: 0>[200]", ENDS),
                ROW("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "<Content-Length: 0>[200]", ENDS_CLOSE),
                ROW("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n",
                    "<Connection: Keep-Alive><Content-Length: 0>[200]", ENDS),
                ROW("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nabc",
                    "<Connection: keep-alive>[200]abc", ENDS_EOF),
                ROW("HTTP/1.1 401 X\r\nConnection: close\r\n\r\nab", "<Connection: close>[401]ab", ENDS_EOF),
        };

        check(rows, ELEMENTSOF(rows));
}

/* --- ceilings --- */

#define X10  "xxxxxxxxxx"
#define X40  X10 X10 X10 X10
#define X100 X40 X40 X10 X10

/* Feeds `begin`, and `again` until the answer has a fault or `max` bytes were fed, `piece` bytes at a time.
 * Returns how many bytes were fed. */
static size_t flood(const char *first, const char *again, size_t max, size_t piece, const char **ret_fault) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 26);
        size_t at = 0;
        Reader r;

        assert_int_equal(buf_puts(&b, first), 0);
        while (b.n < max)
                assert_int_equal(buf_puts(&b, again), 0);
        reader_init(&r, false);
        while (at < b.n && r.last != HTTP1_ANSWER_FAULT) {
                size_t n = MIN(piece, b.n - at);

                feed(&r, buf_data(&b) + at, n);
                at += n;
                buf_clear(&r.out);
                assert_true(r.rest.n <= HTTP_ANSWER_HEAD_MAX || r.last == HTTP1_ANSWER_FAULT);
        }
        *ret_fault = r.a.fault;
        reader_done(&r);
        return at;
}

static void test_ceilings(void **state _unused_) {
        static const char extensions[] = "the extensions of the chunks are too long";
        static const struct {
                const char *first, *again;
                size_t max;
                const char *fault; /* NULL: no ceiling */
        } rows[] = {
                { OK, "x", HTTP_ANSWER_HEAD_MAX, "the head is too long" },
                { OK "a: ", "x", HTTP_ANSWER_HEAD_MAX, "the head is too long" },
                { OK, "a: " X100 X100 X100 X100 "\r\n", HTTP_ANSWER_HEAD_MAX, "the head is too long" },
                { OK, "a: b\r\n", 6 * HTTP_ANSWER_LINES_MAX + 64, "the head has too many lines" },
                { "", "HTTP/1.1 100 Continue\r\n\r\n", HTTP_ANSWER_HEAD_MAX, "the head is too long" },
                { CHUNKED "0\r\n", "a: b\r\n", HTTP_ANSWER_TRAILERS_MAX + 128, "the trailers are too long" },
                { CHUNKED "0\r\na: ", "b", HTTP_ANSWER_TRAILERS_MAX + 128, "the trailers are too long" },
                { CHUNKED "1;", "x", HTTP_ANSWER_WASTE_MAX + 128, extensions },
                { CHUNKED, "1;" X40 "\r\nx\r\n", 2 * HTTP_ANSWER_WASTE_MAX + 4096, extensions },
                { CHUNKED, "1\r\nx\r\n", 1 << 19, NULL },
                { CHUNKED, "0000000000000001\r\nx\r\n", 1 << 19, NULL },
                { CHUNKED, "1;0123456789\r\nx\r\n", 1 << 19, NULL },
                { OK "Connection: close\r\n\r\n", "x", 1 << 19, NULL },
        };
        static const size_t pieces[] = { 1, 7, 4096, SIZE_MAX };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                for (size_t k = 0; k < ELEMENTSOF(pieces); k++) {
                        size_t n_fed, n = rows[i].fault ? 1 << 19 : rows[i].max;
                        const char *fault;

                        n_fed = flood(rows[i].first, rows[i].again, n, pieces[k], &fault);
                        if (!streq(strempty(fault), strempty(rows[i].fault)))
                                fail_msg("row %zu: `%s`", i, strempty(fault));
                        if (fault && pieces[k] <= 4096)
                                assert_true(n_fed <= rows[i].max + 4096);
                }
}

/* What is as long as it may be. */
static void test_longest(void **state _unused_) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        Reader r;

        assert_int_equal(buf_puts(&b, OK "Content-Length: 0\r\na: "), 0);
        while (b.n < HTTP_ANSWER_HEAD_MAX - 4)
                assert_int_equal(buf_putc(&b, 'x'), 0);
        assert_int_equal(buf_puts(&b, "\r\n\r\n"), 0);
        for (size_t piece = 1; piece <= b.n; piece = piece * 17 + 2) {
                reader_init(&r, false);
                for (size_t at = 0; at < b.n; at += piece)
                        feed(&r, buf_data(&b) + at, MIN(piece, b.n - at));
                assert_int_equal(r.last, HTTP1_ANSWER_END);
                assert_int_equal(r.a.n_head, HTTP_ANSWER_HEAD_MAX);
                reader_done(&r);
        }

        buf_clear(&b);
        assert_int_equal(buf_puts(&b, OK "Content-Length: 0\r\n"), 0);
        for (unsigned i = 1; i < HTTP_ANSWER_LINES_MAX; i++)
                assert_int_equal(buf_puts(&b, "a:\r\n"), 0);
        assert_int_equal(buf_puts(&b, "\r\n"), 0);
        reader_init(&r, false);
        feed(&r, buf_data(&b), b.n);
        assert_int_equal(r.last, HTTP1_ANSWER_END);
        reader_done(&r);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_lines), cmocka_unit_test(test_headers),
                cmocka_unit_test(test_lengths),     cmocka_unit_test(test_no_body),
                cmocka_unit_test(test_chunks),      cmocka_unit_test(test_trailers),
                cmocka_unit_test(test_interim),     cmocka_unit_test(test_lasting),
                cmocka_unit_test(test_ceilings),    cmocka_unit_test(test_longest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
