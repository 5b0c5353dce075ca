/* SPDX-License-Identifier: MIT */

/* Upstream's answer, one event a line: through the chat dialect, streamed and whole, and as an error body.
 * The client gets JSON, one object an event; the text of an error is one line. */

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "dialect/gemini/error.h"
#include "dialect/json.h"

#define OUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static void check_verdict(const Verdict *v) {
        check(v->class > VERDICT_OK && v->class < _VERDICT_CLASS_MAX);
        check(text_is_utf8(v->message, strlen(v->message)) && !strpbrk(v->message, "\r\n"));
        check(text_is_utf8(v->reason, strlen(v->reason)) && !strpbrk(v->reason, "\r\n"));
}

static void check_json(const char *s, size_t n) {
        _cleanup_json_ struct json_object *o = NULL;

        check(json_parse(s, n, &o) == 0);
        check(json_object_is_type(o, json_type_object));
}

/* Each event is `data: {…}` and an empty line; only the last may be [DONE]. */
static void check_stream(const char *s, size_t n, bool finished) {
        static const char done[] = "data: [DONE]\n\n";
        const char *end;

        if (!s)
                abort(); /* buf_cstr() has made it a string, if an empty one */
        end = s + n;
        if (finished) {
                check(n >= strlen(done) && memcmp(end - strlen(done), done, strlen(done)) == 0);
                end -= strlen(done);
        }
        while (s < end) {
                const char *stop = memmem(s, (size_t) (end - s), "\n\n", 2);

                if (!stop || !startswith(s, "data: "))
                        abort();
                check_json(s + strlen("data: "), (size_t) (stop - s) - strlen("data: "));
                s = stop + 2;
        }
}

static int answer(Translation *t, const char *s, size_t n, bool stream, Buf *out, Verdict *ret_verdict) {
        int r = 0;

        while (r == 0 && n > 0) {
                const char *line_end = stream ? memchr(s, '\n', n) : NULL;
                size_t k = line_end ? (size_t) (line_end - s) : n;

                r = translation_event(t, s, k, out, ret_verdict);
                if (r == DIALECT_E_LATE) {
                        check_verdict(ret_verdict);
                        r = 0;
                }
                check(stream || out->n == 0);
                k += line_end ? 1 : 0;
                s += k;
                n -= k;
        }
        return r == 0 ? t->dialect->finish(t, out, ret_verdict) : r;
}

static void run(const char *s, size_t n, bool stream) {
        static const DialectContext context = { .default_model = "gemini-3.8-flash", .request_id = "req-1" };
        static const char request[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],"
                                      "\"stream_options\":{\"include_usage\":true}}";
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX);
        Verdict v;
        ApiError e;
        int r;

        check(dialect_openai_chat.request(&context, request, strlen(request), &t, &e) == 0);
        t->method = stream ? GEMINI_STREAM : GEMINI_GENERATE;
        /* An answer that goes on is fed once more, up to the limit of hops. */
        while ((r = answer(t, s, n, stream, &out, &v)) == DIALECT_E_MORE) {
                check_json(buf_data(&t->gemini), t->gemini.n);
                t->dialect->reset(t);
        }
        if (r == DIALECT_E_EMPTY || r == DIALECT_E_BLAMED) {
                check_verdict(&v);
                r = 0;
        }
        check(r == 0 || r == DIALECT_E_VERDICT);
        if (r == DIALECT_E_VERDICT) {
                check_verdict(&v);
                api_error_from_verdict(&e, &v, t->model);
                check(e.status >= 400 && e.status != 401 && e.status != 403);
                if (stream)
                        t->dialect->stream_error(t, &e, &out);
                else
                        error_shape_openai.write(&e, "req-1", &out);
        }
        (void) buf_cstr(&out);
        check(out.error == 0 && text_is_utf8(buf_data(&out), out.n));
        if (stream)
                check_stream(buf_data(&out), out.n, r == 0);
        else
                check_json(buf_data(&out), out.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const int statuses[] = { 0, 200, 400, 403, 404, 429, 503 };
        const char *s = (const char *) data;

        run(s, size, true);
        run(s, size, false);
        for (size_t i = 0; i < ELEMENTSOF(statuses); i++) {
                Verdict v;

                gemini_error_classify(statuses[i], s, size, NULL, &v);
                check_verdict(&v);
        }
        return 0;
}
