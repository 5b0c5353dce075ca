/* SPDX-License-Identifier: MIT */

/*
 * Gemini's stream as Anthropic's, cut at each byte. In two pieces it gives the same bytes as in one. If it
 * breaks off there, the answer ends only if it was complete. Events are in order, blocks one after the
 * other; the input of a tool is JSON.
 */

#include <errno.h>

#include "base/text.h"
#include "core/sse.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

#define OUT_MAX (16U << 20)
#define CUT_MAX 4096U /* bytes of an input that is cut: the time grows with the square */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char request[] = "{\"model\":\"gemini-4-flash\",\"stream\":true,\"max_tokens\":9,"
                              "\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":1024},"
                              "\"tools\":[{\"name\":\"look up\"},{\"type\":\"web_search_20250305\","
                              "\"name\":\"web_search\"}],"
                              "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

static void check(bool good) {
        if (!good)
                abort();
}

/* --- what the client gets --- */

typedef struct Reader {
        bool has_begun, has_delta, has_ended, is_open;
        uint64_t n; /* blocks */
        Buf input;
} Reader;

static void take_start(Reader *r, struct json_object *o) {
        struct json_object *block = json_get(o, "content_block");

        check(r->has_begun && !r->is_open && !r->has_delta);
        check(json_object_get_uint64(json_get(o, "index")) == r->n++);
        check(json_get_string(block, "type"));
        r->is_open = true;
        buf_clear(&r->input);
}

static void take_delta(Reader *r, struct json_object *o) {
        const char *input = json_get_string(json_get(o, "delta"), "partial_json");

        check(r->is_open && json_object_get_uint64(json_get(o, "index")) + 1 == r->n);
        check(json_get_string(json_get(o, "delta"), "type"));
        if (input)
                (void) buf_puts(&r->input, input);
}

static void take_stop(Reader *r, struct json_object *o) {
        _cleanup_json_ struct json_object *input = NULL;

        check(r->is_open && json_object_get_uint64(json_get(o, "index")) + 1 == r->n);
        r->is_open = false;
        if (r->input.n == 0)
                return;
        check(json_parse(buf_data(&r->input), r->input.n, &input) == 0);
        check(json_object_is_type(input, json_type_object));
}

static void take_event(Reader *r, const char *name, const char *s, size_t n) {
        _cleanup_json_ struct json_object *o = NULL;

        check(json_parse(s, n, &o) == 0 && !r->has_ended);
        check(streq(strempty(json_get_string(o, "type")), name));
        if (streq(name, "message_start")) {
                check(!r->has_begun);
                r->has_begun = true;
        } else if (streq(name, "content_block_start"))
                take_start(r, o);
        else if (streq(name, "content_block_delta"))
                take_delta(r, o);
        else if (streq(name, "content_block_stop"))
                take_stop(r, o);
        else if (streq(name, "message_delta")) {
                check(r->has_begun && !r->is_open && !r->has_delta);
                check(json_get_string(json_get(o, "delta"), "stop_reason"));
                r->has_delta = true;
        } else if (streq(name, "message_stop")) {
                check(r->has_delta);
                r->has_ended = true;
        } else
                check(streq(name, "ping"));
}

static void check_output(const Buf *out, bool is_whole) {
        const char *s = out->n > 0 ? buf_data(out) : "", *end = s + out->n;
        Reader r = { .input = BUF_INIT(OUT_MAX) };

        check(text_is_utf8(s, out->n));
        while (s < end) {
                const char *stop = memmem(s, (size_t) (end - s), "\n\n", 2), *line;
                char name[32];

                check(stop && startswith(s, "event: "));
                s += strlen("event: ");
                line = memchr(s, '\n', (size_t) (stop - s));
                check(line && (size_t) (line - s) < sizeof(name) && startswith(line, "\ndata: "));
                memcpy(name, s, (size_t) (line - s));
                name[line - s] = 0;
                s = line + strlen("\ndata: ");
                take_event(&r, name, s, (size_t) (stop - s));
                s = stop + 2;
        }
        check(r.has_ended == is_whole);
        buf_done(&r.input);
}

/* --- the stream --- */

typedef struct Stream {
        Sse sse;
        Translation *t;
        Buf out;
        Verdict v;
        bool is_settled;
        int r;
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
        check(dialect_anthropic_messages.request(&context, request, strlen(request), &ret->t, &e) == 0);
        r = sse_feed(&ret->sse, p, cut, on_event, ret);
        if (r == 0 && !breaks_off)
                r = sse_feed(&ret->sse, p + cut, n - cut, on_event, ret);
        if (r == 0 && !breaks_off)
                r = sse_end(&ret->sse, on_event, ret);
        if (r == 0)
                verdict_init(&ret->v, breaks_off ? VERDICT_CUT : VERDICT_OK, 200, NULL);
        ret->is_settled = translation_is_settled(ret->t);
        ret->r = translation_end(ret->t, &ret->out, &ret->v);
        check(ret->r >= 0);
        if (ret->r == DIALECT_E_MORE) /* the next answer is the same */
                ret->t->dialect->reset(ret->t);
}

static void done(Stream *s) {
        translation_free(s->t);
        sse_done(&s->sse);
        buf_done(&s->out);
}

static bool ends_well(const Stream *s) {
        const char *end = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

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
