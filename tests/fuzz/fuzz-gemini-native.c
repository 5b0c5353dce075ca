/* SPDX-License-Identifier: MIT */

/*
 * Gemini's own protocol, both ways. The input is `PATH-REST LF ALT LF` and a tail, which is first the
 * client's body and then upstream's answer, one event a line. Whatever it is, a request is refused with a
 * status, or it is a JSON object and passes byte for byte; and the answer is those events, framed, or none.
 */

#include "base/text.h"
#include "core/model.h"
#include "core/sse.h"
#include "dialect/dialect.h"
#include "dialect/error-shape.h"
#include "dialect/json.h"

#define OUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static bool equal(const Buf *b, const char *s, size_t n) {
        return b->error == 0 && b->n == n && (n == 0 || memcmp(buf_data(b), s, n) == 0);
}

static void check_error(const ApiError *e) {
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX);
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *error, *code;

        error_shape_google.write(e, "req-1", &out);
        check(buf_cstr(&out) && json_parse(buf_data(&out), out.n, &o) == 0);
        error = json_get(o, "error");
        code = json_get_typed(error, "code", json_type_int);
        check(code && json_object_get_int(code) == e->status);
        check(!strnull(json_get_string(error, "message")) && !strnull(json_get_string(error, "status")));
        check((e->status == 429) == (json_array_length(json_get(error, "details")) > 0));
}

static void check_request(const Translation *t, const DialectContext *c, const char *body, size_t n) {
        _cleanup_json_ struct json_object *o = NULL;
        ModelName name;

        check(equal(&t->gemini, body, n));
        check(json_parse(body, n, &o) == 0 && json_object_is_type(o, json_type_object));
        check(model_name_parse(t->model, strlen(t->model), &name) == 0 && streq(name.name, t->model));
        check(startswith(c->path_rest, t->model) && !t->cli && t->opaque);
        check(translation_counts(t) || t->method == GEMINI_COUNT_TOKENS);
        check(!streq_ptr(dialect_argument(c, "alt"), "sse") || translation_streams(t));
}

/* The bytes of a piece, as they must be. */
static void expect_piece(bool array, bool first, const char *s, size_t n, Buf *ret) {
        (void) buf_puts(ret, !array ? "data: " : first ? "[" : ",\r\n");
        (void) buf_append(ret, s, n);
        (void) buf_puts(ret, array ? "\n" : "\r\n\r\n");
}

static void run_lines(Translation *t, bool array, const char *s, size_t n) {
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX), expected = BUF_INIT(OUT_MAX), error = BUF_INIT(OUT_MAX);
        bool first = true;
        ApiError e;
        Verdict v;
        int r = 0;

        while (r == 0 && n > 0) {
                const char *line_end = memchr(s, '\n', n);
                size_t k = line_end ? (size_t) (line_end - s) : n;

                r = t->dialect->event(t, s, k, &out, &v);
                if (r == DIALECT_E_VERDICT && translation_is_settled(t)) {
                        r = 0; /* what translation_event() does */
                } else if (r == 0) {
                        expect_piece(array, first, s, k, &expected);
                        first = false;
                }
                check(out.n == 0 || equal(&out, buf_data(&expected), expected.n)); /* nothing, or all */
                k += line_end ? 1 : 0;
                s += k;
                n -= k;
        }
        if (r == 0)
                r = t->dialect->finish(t, &out, &v);
        if (r == DIALECT_E_BLAMED)
                r = 0;
        check(r == 0 || r == DIALECT_E_VERDICT);

        if (r == 0) {
                check(!first);
                (void) buf_puts(&expected, array ? "]" : "");
                check(equal(&out, buf_data(&expected), expected.n));
                return;
        }
        check(v.class > VERDICT_OK && v.class < _VERDICT_CLASS_MAX);
        api_error_from_verdict(&e, &v, t->model);
        check_error(&e);
        if (out.n == 0)
                return;
        t->dialect->stream_error(t, &e, &out);
        error_shape_google.write(&e, "req-1", &error);
        expect_piece(array, false, buf_data(&error), error.n, &expected);
        (void) buf_puts(&expected, array ? "]" : "");
        check(equal(&out, buf_data(&expected), expected.n));
}

typedef struct Heard {
        const char *s;
        size_t n;
        unsigned count;
} Heard;

static int on_event(const char *s, size_t n, void *userdata) {
        Heard *h = userdata;

        check(n == h->n && memcmp(s, h->s, n) == 0);
        h->count++;
        return 0;
}

/* The whole tail as one event. Streamed as server-sent events it is read back as the same, also if it has
 * several lines. */
static void run_whole(Translation *t, bool array, const char *s, size_t n) {
        _cleanup_buf_ Buf out = BUF_INIT(OUT_MAX);
        Heard heard = { s, n, 0 };
        Verdict v;
        Sse sse;
        int r;

        r = t->dialect->event(t, s, n, &out, &v);
        check(translation_streams(t) || out.n == 0);
        if (r == 0)
                r = t->dialect->finish(t, &out, &v);
        if (r == DIALECT_E_BLAMED)
                r = 0;
        check(r == 0 || r == DIALECT_E_VERDICT);
        if (r != 0)
                return;
        if (!translation_streams(t))
                check(equal(&out, s, n));
        else if (!array && !memchr(s, '\r', n)) { /* the parser in front of us leaves none */
                sse_init(&sse, OUT_MAX, OUT_MAX);
                check(sse_feed(&sse, buf_data(&out), out.n, on_event, &heard) == 0);
                check(sse_end(&sse, on_event, &heard) == 0 && sse.stray.n == 0);
                check(heard.count == 1);
                sse_done(&sse);
        }
}

static const char *cut_line(const char **s, size_t *n, char *ret, size_t size) {
        const char *end = memchr(*s, '\n', *n);
        size_t k = end ? (size_t) (end - *s) : *n;

        if (k >= size || memchr(*s, 0, k))
                return NULL;
        memcpy(ret, *s, k);
        ret[k] = 0;
        k += end ? 1 : 0;
        *s += k;
        *n -= k;
        return ret;
}

/* The query holds no argument but `alt`. */
static const char *argument_alt(const char *name, void *alt) {
        return streq(name, "alt") ? alt : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(translation_freep) Translation *t = NULL;
        char rest[512], alt[32];
        const char *s = (const char *) data;
        DialectContext c = { .request_id = "req-1" };
        ApiError e = {};
        bool array;
        int r;

        if (!cut_line(&s, &size, rest, sizeof(rest)) || !cut_line(&s, &size, alt, sizeof(alt)))
                return 0;
        c.path_rest = rest;
        c.argument = argument_alt;
        c.request = alt[0] ? alt : NULL;

        r = dialect_gemini.request(&c, size > 0 ? s : "", size, &t, &e);
        check(r == 0 || r == DIALECT_E_REFUSED);
        if (r == 0)
                check_request(t, &c, s, size);
        else {
                check(e.status == 400 || e.status == 404);
                check_error(&e);
        }

        t = translation_free(t);
        if (dialect_gemini.request(&c, "{}", 2, &t, &e) != 0)
                return 0;
        array = !streq(t->stream_type, "text/event-stream");
        if (translation_streams(t)) {
                run_lines(t, array, s, size);
                t->dialect->reset(t);
                check(t->settled == 0 && !t->finish_reason);
        }
        run_whole(t, array, s, size);
        return 0;
}
