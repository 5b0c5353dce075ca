/* SPDX-License-Identifier: MIT */

/*
 * Gemini's stream as a response, cut at each byte. In two pieces it gives the same bytes as in one. If it
 * breaks off there, the answer ends only if it was complete. Events are numbered, items come one after the
 * other, and the last event has what the others had.
 */

#include <errno.h>

#include "base/text.h"
#include "core/sse.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

#define OUT_MAX (16U << 20)
#define CUT_MAX 4096U /* bytes of an input that is cut: the time grows with the square */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char request[] = "{\"model\":\"gemini-3.8-flash\",\"stream\":true,"
                              "\"reasoning\":{\"summary\":\"auto\"},"
                              "\"include\":[\"reasoning.encrypted_content\"],"
                              "\"tools\":[{\"type\":\"function\",\"name\":\"look up\"},"
                              "{\"type\":\"code_interpreter\"},{\"type\":\"custom\",\"name\":\"c\"},"
                              "{\"type\":\"tool_search\",\"execution\":\"client\"},"
                              "{\"type\":\"local_shell\"},"
                              "{\"type\":\"shell\"},{\"type\":\"apply_patch\"},{\"type\":\"namespace\","
                              "\"name\":\"n\",\"tools\":[{\"type\":\"function\",\"name\":\"f\"}]}],"
                              "\"input\":\"Hi\"}";

static void check(bool good) {
        if (!good)
                abort();
}

/* --- what the client gets --- */

typedef struct Reader {
        bool has_ended, is_open;
        uint64_t n_events, n_items;
} Reader;

static void take_item(Reader *r, struct json_object *o, bool added) {
        struct json_object *item = json_get(o, "item");

        check(r->is_open != added && json_object_get_uint64(json_get(o, "output_index")) == r->n_items);
        check(json_get_string(item, "id") && json_get_string(item, "type"));
        r->is_open = added;
        if (!added)
                r->n_items++;
}

static void take_event(Reader *r, const char *name, const char *s, size_t n) {
        _cleanup_json_ struct json_object *o = NULL;

        check(json_parse(s, n, &o) == 0 && !r->has_ended);
        check(streq(strempty(json_get_string(o, "type")), name));
        check(json_object_get_uint64(json_get(o, "sequence_number")) == r->n_events);
        check((r->n_events == 0) == streq(name, "response.created"));
        check((r->n_events == 1) == streq(name, "response.in_progress"));
        r->n_events++;
        if (streq(name, "response.output_item.added"))
                take_item(r, o, true);
        else if (streq(name, "response.output_item.done"))
                take_item(r, o, false);
        else if (streq(name, "response.completed") || streq(name, "response.incomplete")) {
                check(!r->is_open);
                check(json_array_length(json_get(json_get(o, "response"), "output")) == r->n_items);
                r->has_ended = true;
        } else if (json_get_string(o, "item_id"))
                check(r->is_open && json_object_get_uint64(json_get(o, "output_index")) == r->n_items);
}

static void check_output(const Buf *out, bool is_whole) {
        const char *s = out->n > 0 ? buf_data(out) : "", *end = s + out->n;
        Reader r = {};

        check(text_is_utf8(s, out->n));
        while (s < end) {
                const char *stop = memmem(s, (size_t) (end - s), "\n\n", 2), *line;
                char name[64];

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
        check(dialect_openai_responses.request(&context, request, strlen(request), &ret->t, &e) == 0);
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
        static const char *const ends[] = { "event: response.completed\n", "event: response.incomplete\n" };

        for (size_t i = 0; s->out.n > 0 && i < ELEMENTSOF(ends); i++)
                if (memmem(buf_data(&s->out), s->out.n, ends[i], strlen(ends[i])))
                        return true;
        return false;
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
