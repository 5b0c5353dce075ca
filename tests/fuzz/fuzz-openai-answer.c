/* SPDX-License-Identifier: MIT */

/*
 * Gemini's stream as a chat answer, cut at each byte. In two pieces it gives the same bytes as in one. If it
 * breaks off there, the answer ends only if it was complete. Every chunk is JSON; the calls of a choice have
 * ids of their kind, a name, and arguments that are JSON.
 */

#include <errno.h>

#include "base/text.h"
#include "core/sse.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

#define OUT_MAX   (16U << 20)
#define CUT_MAX   4096U /* bytes of an input that is cut: the time grows with the square */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char request[] = "{\"model\":\"gemini-3.8-flash\",\"stream\":true,"
                              "\"reasoning_effort\":\"high\","
                              "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"look up\"}}],"
                              "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

static void check(bool good) {
        if (!good)
                abort();
}

/* --- what the client gets --- */

typedef struct Calls {
        unsigned n;
        Buf arguments;
} Calls;

static void end_call(Calls *c) {
        _cleanup_json_ struct json_object *o = NULL;

        if (c->n == 0)
                return;
        check(json_parse(buf_data(&c->arguments), c->arguments.n, &o) == 0);
        check(json_object_is_type(o, json_type_object));
        buf_clear(&c->arguments);
}

static void take_call(Calls *c, struct json_object *call) {
        struct json_object *function = json_get(call, "function");
        const char *id = json_get_string(call, "id"), *arguments = json_get_string(function, "arguments");

        check(json_get_typed(call, "index", json_type_int) && arguments);
        if (id) { /* the first delta of the next call */
                end_call(c);
                check(json_object_get_uint64(json_get(call, "index")) == c->n++);
                check(strlen(id) >= 1 && strlen(id) <= 40);
                check(json_get_string(function, "name") && !*arguments);
        } else
                check(json_object_get_uint64(json_get(call, "index")) + 1 == c->n);
        (void) buf_puts(&c->arguments, arguments);
}

static void take_chunk(Calls *calls, const char *s, size_t n) {
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *choices, *list;

        check(json_parse(s, n, &o) == 0);
        choices = json_get(o, "choices");
        check(choices || json_get(o, "error"));
        for (size_t i = 0; i < json_array_length(choices); i++) {
                struct json_object *choice = json_object_array_get_idx(choices, i);
                uint64_t index = json_object_get_uint64(json_get(choice, "index"));

                check(index < CANDIDATES_MAX);
                list = json_get(json_get(choice, "delta"), "tool_calls");
                for (size_t k = 0; k < json_array_length(list); k++)
                        take_call(&calls[index], json_object_array_get_idx(list, k));
        }
}

static void check_output(const Buf *out, bool is_whole) {
        Calls calls[CANDIDATES_MAX] = {};
        const char *s = out->n > 0 ? buf_data(out) : "", *end = s + out->n;
        bool done = false;

        for (size_t i = 0; i < CANDIDATES_MAX; i++)
                calls[i].arguments = BUF_INIT(OUT_MAX);
        check(text_is_utf8(s, out->n));
        while (s < end) {
                const char *stop = memmem(s, (size_t) (end - s), "\n\n", 2);

                check(stop && startswith(s, "data: ") && !done);
                s += strlen("data: ");
                if (startswith(s, "[DONE]"))
                        done = true;
                else
                        take_chunk(calls, s, (size_t) (stop - s));
                s = stop + 2;
        }
        check(done == is_whole);
        for (size_t i = 0; i < CANDIDATES_MAX; i++) {
                end_call(&calls[i]);
                buf_done(&calls[i].arguments);
        }
}

/* --- the stream --- */

typedef struct Stream {
        Sse sse;
        Translation *t;
        Buf out;
        Verdict v;
        bool is_settled;
} Stream;

static int on_event(const char *data, size_t n, void *userdata) {
        Stream *s = userdata;
        int r = translation_event(s->t, data, n, &s->out, &s->v);

        return r == DIALECT_E_LATE ? 0 : r > 0 ? -EBADMSG : r;
}

/* The bytes in two pieces, and perhaps no more than the first. */
static void run(const char *p, size_t n, size_t cut, bool breaks_off, Stream *ret) {
        static const DialectContext context = { .default_model = "m", .request_id = "req-1" };
        ApiError e;
        int r;

        *ret = (Stream){ .out = BUF_INIT(OUT_MAX) };
        verdict_init(&ret->v, VERDICT_CUT, 200, NULL);
        sse_init(&ret->sse, 1U << 20, 1U << 16);
        check(dialect_openai_chat.request(&context, request, strlen(request), &ret->t, &e) == 0);
        r = sse_feed(&ret->sse, p, cut, on_event, ret);
        if (r == 0 && !breaks_off)
                r = sse_feed(&ret->sse, p + cut, n - cut, on_event, ret);
        if (r == 0 && !breaks_off)
                r = sse_end(&ret->sse, on_event, ret);
        if (r == 0)
                verdict_init(&ret->v, breaks_off ? VERDICT_CUT : VERDICT_OK, 200, NULL);
        ret->is_settled = translation_is_settled(ret->t);
        r = translation_end(ret->t, &ret->out, &ret->v);
        check(r >= 0);
}

static void done(Stream *s) {
        translation_free(s->t);
        sse_done(&s->sse);
        buf_done(&s->out);
}

static bool ends_well(const Stream *s) {
        const char *end = "data: [DONE]\n\n";

        return s->out.n >= strlen(end) &&
               memcmp(buf_data(&s->out) + s->out.n - strlen(end), end, strlen(end)) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *p = (const char *) data;
        Stream whole, other;

        run(p, size, size, false, &whole);
        check_output(&whole.out, ends_well(&whole));
        for (size_t cut = 0; cut < size && size <= CUT_MAX; cut++) {
                run(p, size, cut, false, &other);
                check(other.out.n == whole.out.n &&
                      (other.out.n == 0 ||
                       memcmp(buf_data(&other.out), buf_data(&whole.out), other.out.n) == 0));
                done(&other);

                run(p, size, cut, true, &other);
                check(!ends_well(&other) || other.is_settled);
                check_output(&other.out, ends_well(&other));
                done(&other);
        }
        done(&whole);
        return 0;
}
