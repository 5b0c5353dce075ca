/* SPDX-License-Identifier: MIT */

/*
 * POST /v1beta/models/{model}:{method}: Gemini's own protocol, for clients that speak it (Google's SDKs, the
 * Gemini CLI).
 *
 * Nothing is translated. The bytes of the client's body go upstream unchanged, and Gemini's bytes go back
 * unchanged, including unknown fields, the spelling of numbers, the order of members and repeated members.
 * The dialect only reads them: it checks strictly that the body is one JSON object (without a tree, because
 * it may hold a video), and takes from the answer what failover, the pool and the log need.
 *
 * A streamed answer is always requested as server-sent events. With `?alt=sse` they are passed on in
 * Google's framing, `data: {…}` CRLF CRLF, without [DONE] and comments: Google's SDKs treat a line that
 * does not begin with `data: ` as part of an error. Without it they become the JSON array that Google
 * streams,
 *
 *     [{…}
 *     ,
 *     {…}
 *     ]
 *
 * Pieces without content are held back until one has content, because until then another key may be tried. A
 * finishReason without content is an answer here, for any reason: clients of this protocol read the reason
 * themselves.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/answer.h"
#include "dialect/error-shape.h"
#include "dialect/gemini/event.h"
#include "dialect/gemini/native.h"
#include "dialect/gemini/resource.h"
#include "dialect/json.h"
#include "dialect/part.h"

#define WORD_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
#define HELD_MAX   (64U << 10) /* of pieces without content; beyond, no other key is tried */

/* How a stream is framed. */
static const struct {
        const char *type;
        const char *first, *next; /* before a piece */
        const char *behind;       /* each piece */
        const char *end;          /* of the stream */
} framings[] = {
        { "text/event-stream", "data: ", "data: ", "\r\n\r\n", "" },
        { "application/json", "[", ",\r\n", "\n", "]" },
};

enum { FRAMING_SSE, FRAMING_ARRAY };

typedef struct Native {
        Translation t;
        unsigned framing;
        bool has_piece;                     /* streaming: one was framed, held back or not */
        bool has_sent;                      /* streaming: bytes have gone to the client */
        bool must_finish;                   /* as in DialectContext */
        char finish[FINISH_REASON_MAX + 1]; /* the first candidate's, or why the prompt was blocked */
        Answer answer;
        Buf held; /* streaming: the pieces before the first with content; else the answer */
        char *path, *names; /* of the translation; or NULL */
        char *made;         /* the same */
} Native;

static Native *native_free(Native *n) {
        if (!n)
                return NULL;
        buf_done(&n->t.gemini);
        buf_done(&n->held);
        free(n->path);
        free(n->names);
        free(n->made);
        free(n);
        return NULL;
}
DEFINE_CLEANUP(Native *, native_free);

/* --- the request --- */

#define refuse(e, status, param, ...) (api_error_set(e, status, param, __VA_ARGS__), DIALECT_E_REFUSED)

static int read_path(const char *rest, Native *n, ApiError *ret_error) {
        ModelName name;
        size_t n_model;

        /* The error does not repeat the method, because a key may have been pasted into the path. */
        if (gemini_method_of_path(rest, &n_model, &n->t.method) < 0)
                return refuse(ret_error, 404, NULL,
                              "The methods served here are models/{model}:generateContent, "
                              ":streamGenerateContent, :countTokens, :embedContent, "
                              ":batchEmbedContents, :predict, :predictLongRunning, "
                              ":batchGenerateContent and :asyncBatchEmbedContent.");
        if (model_name_parse(rest, n_model, &name) < 0)
                return refuse(ret_error, 400, "model",
                              "The model in the path is not the name of one: [A-Za-z0-9._-]{1,%u}.",
                              MODEL_NAME_MAX);
        if (name.cli)
                return refuse(ret_error, 400, "model",
                              "The model cli/%s cannot be asked for here: this route is Gemini's own API.",
                              name.name);
        if (memchr(rest, '/', n_model)) /* models/models/x */
                return refuse(ret_error, 400, "model", "The model in the path has a `models/` too many: %s.",
                              name.name);

        text_copy(n->t.model, sizeof(n->t.model), name.name);
        return 0;
}

/* A model that is not one of Google's: its path has another beginning, and no other model can serve it. */
static int set_path(Native *n, const char *kind) {
        if (asprintf(&n->path, "/v1beta/%s%s:%s%s", kind, n->t.model, gemini_method_name(n->t.method),
                     translation_streams(&n->t) ? "?alt=sse" : "") < 0) {
                n->path = NULL;
                return -ENOMEM;
        }
        n->t.native.path = n->path;
        n->t.native.is_fixed = true;
        if (!streq(kind, BINDING_TUNED))
                return 0;
        if (asprintf(&n->names, "%s%s", kind, n->t.model) < 0) {
                n->names = NULL;
                return -ENOMEM;
        }
        n->t.native.names = n->names;
        return 0;
}

/* Google's own arguments may have a `$` before their names, and clients may escape that. */
static const char *find_alt(const DialectContext *c) {
        static const char *const names[] = { "alt", "$alt", "%24alt" };
        const char *alt = NULL;

        for (size_t i = 0; !alt && i < ELEMENTSOF(names); i++)
                alt = dialect_argument(c, names[i]);
        return alt;
}

static int read_alt(const DialectContext *c, Native *n, ApiError *ret_error) {
        const char *alt = find_alt(c);
        bool sse = streq_ptr(alt, "sse");

        if (sse && !translation_streams(&n->t))
                return refuse(ret_error, 400, "alt", "alt=sse goes with streamGenerateContent only.");
        if (alt && !sse && !streq(alt, "json"))
                return refuse(ret_error, 400, "alt", "alt is `sse` or `json`.");
        n->framing = sse ? FRAMING_SSE : FRAMING_ARRAY;
        n->t.stream_type = framings[n->framing].type;
        return 0;
}

static int check_body(const char *body, size_t n, ApiError *ret_error) {
        const char *why = json_fault(body, n);

        if (why)
                return refuse(ret_error, 400, NULL, "The request body is not JSON: %s.", why);
        if (json_first(body, n) != '{')
                return refuse(ret_error, 400, NULL, "The request body must be a JSON object.");
        return 0;
}

/* `kind`: of a model that is not one of Google's; NULL: it is. */
static int request_of(const Dialect *d, const char *kind, const DialectContext *c, const char *body,
                      size_t n, Translation **ret, ApiError *ret_error) {
        _cleanup_(native_freep) Native *native = NULL;
        int r;

        native = calloc(1, sizeof(Native));
        if (!native)
                return -ENOMEM;
        native->t.dialect = d;
        native->t.opaque = true;
        native->must_finish = c->must_finish;
        native->t.gemini = BUF_INIT(n);
        native->held = BUF_INIT(UPSTREAM_ANSWER_MAX);

        r = read_path(strempty(c->path_rest), native, ret_error);
        if (r == 0 && kind)
                r = set_path(native, kind);
        if (r != 0)
                return r;
        native->t.native.once = native->t.method == GEMINI_PREDICT_LONG;
        r = read_alt(c, native, ret_error);
        if (r != 0)
                return r;
        r = check_body(body, n, ret_error);
        if (r != 0)
                return r;
        r = buf_append(&native->t.gemini, body, n);
        if (r < 0)
                return r;
        *ret = &TAKE_PTR(native)->t;
        return 0;
}

static int native_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                          ApiError *ret_error) {
        return request_of(&dialect_gemini, NULL, c, body, n, ret, ret_error);
}

static int tuned_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                         ApiError *ret_error) {
        return request_of(&dialect_gemini_tuned, BINDING_TUNED, c, body, n, ret, ret_error);
}

static int dynamic_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                           ApiError *ret_error) {
        return request_of(&dialect_gemini_dynamic, "dynamic/", c, body, n, ret, ret_error);
}

/* --- the answer --- */

static void open_piece(Native *n, Buf *out) {
        (void) buf_puts(out, n->has_piece ? framings[n->framing].next : framings[n->framing].first);
        n->has_piece = true;
}

static void close_piece(const Native *n, Buf *out) {
        (void) buf_puts(out, framings[n->framing].behind);
}

static void release_held(Native *n, Buf *out) {
        if (n->held.n > 0)
                (void) buf_append(out, buf_data(&n->held), n->held.n);
        buf_done(&n->held);
}

/* An event with several data lines is passed on with several. */
static void write_piece(Native *n, const char *json, size_t size, Buf *out) {
        const char *lf;

        open_piece(n, out);
        while (n->framing == FRAMING_SSE && (lf = memchr(json, '\n', size))) {
                (void) buf_append(out, json, (size_t) (lf - json));
                (void) buf_puts(out, "\r\ndata: ");
                size -= (size_t) (lf - json) + 1;
                json = lf + 1;
        }
        (void) buf_append(out, json, size);
        close_piece(n, out);
}

static void note_finish(Native *n, const char *word) {
        size_t k = strlen(word);

        if (!n->finish[0] && k < sizeof(n->finish) && text_in_charset(word, k, WORD_CHARS))
                memcpy(n->finish, word, k + 1);
}

/* True if it has any content except empty text. In one piece, a candidate with any part has content. */
static bool note_candidate(Native *n, GeminiCandidate *c) {
        AnswerCandidate *candidate = answer_note_candidate(&n->answer, c);
        bool has_content = false, has_parts = false, has_thoughts = false;
        GeminiPart part;

        while (!has_content && gemini_part_next(&c->parts, &part)) {
                has_parts = true;
                has_content = !part.is_thought && gemini_part_has_content(&part);
                has_thoughts = has_thoughts || (part.is_thought && gemini_part_has_content(&part));
        }
        if (candidate && has_content)
                answer_note_content(&n->answer, candidate);
        else if (candidate && (has_thoughts || (has_parts && !translation_streams(&n->t))))
                candidate->has_content = true; /* thoughts after the end do not reopen the answer */
        if (c->finish_reason[0])
                note_finish(n, c->finish_reason);
        return has_content || has_thoughts;
}

/* {"predictions": …}, or an operation, which the client will ask for. That of a tuned model goes with the
 * model. */
static int note_prediction(Native *n, GeminiEvent *e) {
        char name[GEMINI_OPERATION_MAX + 1];
        JsonView v = json_view_get(e->root, "name");

        e->is_foreign = e->is_foreign && !json_view_is(v, '"') && !json_view_get(e->root, "predictions").p;
        if (n->t.method != GEMINI_PREDICT_LONG || !json_view_is(v, '"'))
                return 0;
        json_view_copy(v, name, sizeof(name));
        if (startswith(name, BINDING_TUNED))
                return 0;
        free(n->made);
        n->t.native.made = n->made = strdup(name);
        return n->made ? 0 : -ENOMEM;
}

static int native_event(Translation *t, const char *json, size_t size, Buf *out, Verdict *ret_verdict) {
        Native *n = CONTAINER_OF(t, Native, t);
        GeminiCandidate c;
        GeminiEvent e;
        bool has_content = false;
        int r;

        r = gemini_event_parse(json, size, &e, ret_verdict);
        if (r != 0)
                return r;

        if (t->method >= GEMINI_PREDICT && (r = note_prediction(n, &e)) < 0)
                return r;
        gemini_event_count(&e, &t->counts, &t->usage);
        answer_note_event(&n->answer, &e, t->key);
        if (e.block_reason[0])
                note_finish(n, e.block_reason);
        while (gemini_event_next(&e, &c))
                has_content = note_candidate(n, &c) || has_content;
        t->settled = answer_settled(&n->answer);
        if (!translation_streams(t))
                return buf_append(&n->held, json, size);

        if (!n->has_sent && (has_content || n->held.n + size > HELD_MAX)) {
                n->has_sent = true;
                release_held(n, out);
        }
        write_piece(n, json, size, n->has_sent ? out : &n->held);
        return out->error < 0 ? out->error : n->held.error;
}

/* --- the end --- */

static int native_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        Native *n = CONTAINER_OF(t, Native, t);

        /* A stream with content ends as it did upstream, also without a finishReason. */
        n->answer.must_finish = n->must_finish;
        if (!translation_generates(t) && answer_is_foreign(&n->answer, ret_verdict))
                return DIALECT_E_VERDICT;
        if (translation_generates(t) && (!n->has_sent || n->must_finish) &&
            !answer_judge(&n->answer, translation_streams(t), NULL, "", ret_verdict))
                return DIALECT_E_VERDICT;

        if (n->finish[0])
                t->finish_reason = n->finish;
        release_held(n, out);
        if (translation_streams(t))
                (void) buf_puts(out, framings[n->framing].end);
        if (out->error < 0 || !translation_generates(t))
                return out->error;
        return answer_blames(&n->answer, "", ret_verdict) ? DIALECT_E_BLAMED : 0;
}

static void native_stream_error(Translation *t, const ApiError *e, Buf *out) {
        Native *n = CONTAINER_OF(t, Native, t);

        open_piece(n, out);
        error_shape_google.write(e, NULL, out);
        close_piece(n, out);
        (void) buf_puts(out, framings[n->framing].end);
}

static void native_reset(Translation *t) {
        Native *n = CONTAINER_OF(t, Native, t);

        t->counts = (GeminiCounts){};
        t->usage = (Usage){};
        t->finish_reason = NULL;
        t->settled = 0;
        n->has_piece = n->has_sent = false;
        n->finish[0] = 0;
        answer_reset(&n->answer);
        buf_clear(&n->held);
}

static Translation *native_translation_free(Translation *t) {
        (void) native_free(CONTAINER_OF(t, Native, t));
        return NULL;
}

#define NATIVE(called, reads)                                                                               \
        {                                                                                                   \
                .name = called,                                                                             \
                .blank = "\r\n", /* between events, and between the values of a JSON array */               \
                .key_argument = true,                                                                       \
                .request = reads,                                                                           \
                .event = native_event,                                                                      \
                .finish = native_finish,                                                                    \
                .stream_error = native_stream_error,                                                        \
                .reset = native_reset,                                                                      \
                .free = native_translation_free,                                                            \
        }

const Dialect dialect_gemini = NATIVE("gemini", native_request);
const Dialect dialect_gemini_tuned = NATIVE("gemini", tuned_request);
const Dialect dialect_gemini_dynamic = NATIVE("gemini", dynamic_request);
