/* SPDX-License-Identifier: MIT */

/* Any bytes as a request for /run-gemini: refused with a message, or it can be split for the runner. And as
 * the events of a job, one a line, plain and streamed: the client gets JSON. */

#include "base/text.h"
#include "dialect/cli/request.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "dialect/json.h"

#define OUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const DialectContext context = { .default_model = "gemini-flash-latest", .request_id = "req-1" };

static void check(bool good) {
        if (!good)
                abort();
}

static void check_json(const char *s, size_t n) {
        _cleanup_json_ struct json_object *o = NULL;

        check(json_parse(s, n, &o) == 0);
        check(json_object_is_type(o, json_type_object));
}

static void check_stream(const char *s, size_t n) {
        const char *end = s + n;

        while (s < end) {
                const char *stop = memmem(s, (size_t) (end - s), "\n\n", 2);

                if (!stop || !startswith(s, "data: "))
                        abort();
                check_json(s + strlen("data: "), (size_t) (stop - s) - strlen("data: "));
                s = stop + 2;
        }
}

static void ask(const char *s, size_t n) {
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_(cli_request_done) CliRequest q = CLI_REQUEST_NULL;
        ApiError e;
        int r;

        r = dialect_run_gemini.request(&context, s, n, &t, &e);
        check(r == 0 || r == DIALECT_E_REFUSED);
        if (r == DIALECT_E_REFUSED) {
                check(e.status == 400 && e.message[0]);
                return;
        }
        check(t->model[0] && t->cli);
        check(cli_request_split(buf_data(&t->gemini), t->gemini.n, &q, &e) == 0);
        check(q.n_prompt > 0 && !q.dialogue && !q.asked);
}

static void answer(const char *s, size_t n, bool stream) {
        static const char request[] = "{\"command\":\"Hi\"}";
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX);
        ApiError e;
        Verdict v;
        int r = 0;

        check(dialect_run_gemini.request(&context, request, strlen(request), &t, &e) == 0);
        t->method = stream ? GEMINI_STREAM : GEMINI_GENERATE;
        while (r == 0 && n > 0) {
                const char *lf = memchr(s, '\n', n);
                size_t k = lf ? (size_t) (lf - s) : n;

                r = t->dialect->event(t, s, k, &out, &v);
                check(stream || out.n == 0);
                k += lf ? 1 : 0;
                s += k;
                n -= k;
        }
        if (r == 0)
                r = t->dialect->finish(t, &out, &v);
        check(r == 0 || r == DIALECT_E_VERDICT);
        if (r != 0) {
                api_error_from_verdict(&e, &v, t->model);
                if (stream)
                        t->dialect->stream_error(t, &e, &out);
                else
                        error_shape_plain.write(&e, "req-1", &out);
        }
        check(buf_cstr(&out) && text_is_utf8(buf_data(&out), out.n));
        if (stream)
                check_stream(buf_data(&out), out.n);
        else
                check_json(buf_data(&out), out.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *s = (const char *) data;

        ask(s, size);
        answer(s, size, false);
        answer(s, size, true);
        return 0;
}
