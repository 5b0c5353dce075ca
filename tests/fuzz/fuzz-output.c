/* SPDX-License-Identifier: MIT */

/* Whatever the CLI writes: each resulting line is one JSON object within the ceiling, and input in pieces
 * gives the same as input in one piece. */

#include "base/job-protocol.h"
#include "base/text.h"
#include "runner/json.h"
#include "runner/output.h"

#define TOLD_MAX (64U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static void check_lines(const Buf *told) {
        const char *s = told->n > 0 ? buf_data(told) : "", *end = s + told->n;

        while (s < end) {
                _cleanup_json_ struct json_object *o = NULL;
                const char *stop = memchr(s, '\n', (size_t) (end - s));
                size_t n;

                if (!stop)
                        abort();
                check((size_t) (stop - s) < JOB_EVENT_MAX);
                check(json_parse_object(s, (size_t) (stop - s), &o) == 0);
                check(streq(json_get_string(o, "event", &n) ?: "", "text"));
                check(json_get_string(o, "text", &n) && n > 0 && n <= JOB_TEXT_MAX);
                s = stop + 1;
        }
}

static void run(const char *p, size_t n, size_t step, CliOutput *o, Buf *told) {
        output_init(o);
        while (n > 0) {
                size_t k = MIN(step, n);

                check(output_feed(o, p, k, told) == 0);
                p += k;
                n -= k;
        }
        check(output_end(o, told) == 0);
        check(text_is_utf8(o->message, strlen(o->message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(output_done) CliOutput whole, pieces;
        _cleanup_buf_ Buf a = BUF_INIT(TOLD_MAX), b = BUF_INIT(TOLD_MAX);

        run((const char *) data, size, size, &whole, &a);
        check_lines(&a);
        run((const char *) data, size, 1 + size % 7, &pieces, &b);
        check(a.n == b.n && (a.n == 0 || memcmp(buf_data(&a), buf_data(&b), a.n) == 0));
        check(whole.status == pieces.status && whole.messages == pieces.messages);
        check(whole.skipped == pieces.skipped && streq(whole.message, pieces.message));
        return 0;
}
