/* SPDX-License-Identifier: MIT */

/* Answers, fed whole and in pieces, must have the same headers, bodies, ends and faults. The first byte is
 * the length of the pieces; the lowest bit of the second: the request was HEAD. What follows the end of an
 * answer is read as the next one. */

#include <string.h>

#include "base/buf.h"
#include "base/limits-http-client.h"
#include "io/http1-answer.h"

#define INPUT_MAX (1U << 17)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
        if (!holds)
                abort();
}

static void report(Http1AnswerStep step, const Http1Answer *a, const Http1Bytes *text, Buf *out) {
        if (step == HTTP1_ANSWER_HEADER) {
                must(http1_is_header(text->p, text->n) && a->status >= 200);
                (void) buf_puts(out, "<");
                (void) buf_append(out, text->p, text->n);
        } else if (step == HTTP1_ANSWER_HEAD)
                (void) buf_printf(out, "[%d %d]", a->status, a->lasts);
        else if (step == HTTP1_ANSWER_DATA) {
                must(text->n > 0);
                (void) buf_append(out, text->p, text->n);
        } else if (step == HTTP1_ANSWER_END)
                (void) buf_puts(out, "|");
}

/* Reads all answers that are in `rest`, up to a fault. Returns how many bytes are left. */
static size_t read_answers(Http1Answer *a, Http1Bytes rest, bool to_head, Buf *out) {
        for (;;) {
                size_t before = rest.n;
                Http1AnswerStep step;
                Http1Bytes text = {};

                step = http1_answer_next(a, &rest, &text);
                must(rest.n <= before && (!a->fault) == (step != HTTP1_ANSWER_FAULT));
                report(step, a, &text, out);
                if (step == HTTP1_ANSWER_MORE || step == HTTP1_ANSWER_FAULT ||
                    (step == HTTP1_ANSWER_END && rest.n == 0))
                        return rest.n;
                if (step == HTTP1_ANSWER_END)
                        http1_answer_init(a, to_head);
        }
}

static Http1Answer run(const char *p, size_t n, size_t piece, bool to_head, Buf *out) {
        _cleanup_buf_ Buf rest = BUF_INIT(2 * INPUT_MAX);
        Http1Answer a;

        http1_answer_init(&a, to_head);
        for (size_t at = 0, k; !a.fault && at < n; at += k) {
                size_t left;
                char *copy;

                k = MIN(piece, n - at);
                (void) buf_append(&rest, p + at, k);
                if (a.state == HTTP1_ANSWER_AT_END)
                        http1_answer_init(&a, to_head);
                /* In a separate allocation, freed before the next one. */
                copy = malloc(rest.n);
                if (!copy)
                        abort();
                memcpy(copy, buf_data(&rest), rest.n);
                left = read_answers(&a, (Http1Bytes){ copy, rest.n }, to_head, out);
                free(copy);
                must(a.fault || left <= HTTP_ANSWER_HEAD_MAX);
                buf_consume(&rest, rest.n - left);
        }
        return a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buf_ Buf whole = BUF_INIT(1 << 22), torn = BUF_INIT(1 << 22);
        const char *p = (const char *) data + 2;
        Http1Answer a, b;

        if (size < 3 || size > INPUT_MAX)
                return 0;
        a = run(p, size - 2, size, data[1] & 1, &whole);
        b = run(p, size - 2, 1U + data[0] % 64, data[1] & 1, &torn);
        must(a.fault == b.fault && a.state == b.state && a.status == b.status && a.left == b.left);
        must(a.lasts == b.lasts && http1_answer_close(&a) == http1_answer_close(&b));
        must(whole.n == torn.n && (whole.n == 0 || memcmp(buf_data(&whole), buf_data(&torn), whole.n) == 0));
        return 0;
}
