/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/json/write.h"
#include "base/text.h"
#include "sim-continue.h"
#include "sim-event.h"
#include "sim-json.h"
#include "sim-parts.h"
#include "sim-sample.h"

#define JSON_TYPE        "application/json; charset=UTF-8"
#define ANSWER_BYTES_MAX (256U << 20)
#define BIG_PLAIN_MAX    (128U << 20)
#define BIG_PIECE        (16U << 10)
#define BIG_PIECE_MAX    (16U << 20)
#define STREAM_CHUNKS    3U      /* the default of a text */
#define CHUNKS_MAX       100000U /* that are made beforehand */
#define MEDIA_TOKENS     258U    /* of a picture or a sound */

#define SIMULATED_HEAD "This answer is simulated by gemini-sim; no model has seen the question."

int answer_new(unsigned status, AnswerForm form, const char *type, Answer **ret) {
        Answer *a = calloc(1, sizeof(*a));

        if (!a)
                return -ENOMEM;
        a->n_ref = 1;
        a->status = status;
        a->form = form;
        a->type = type;
        a->bytes = BUF_INIT(ANSWER_BYTES_MAX);
        *ret = a;
        return 0;
}

Answer *answer_ref(Answer *a) {
        a->n_ref++;
        return a;
}

Answer *answer_unref(Answer *a) {
        if (!a || --a->n_ref > 0)
                return NULL;
        buf_done(&a->bytes);
        free(a->own_type);
        free(a->header);
        free(a->ends);
        free(a);
        return NULL;
}

void answer_close_piece(Answer *a) {
        if (a->n == a->n_allocated) {
                size_t n = MAX(a->n_allocated * 2, 4U);
                size_t *ends = realloc(a->ends, n * sizeof(*ends));

                if (!ends) {
                        a->error = -ENOMEM;
                        return;
                }
                a->ends = ends;
                a->n_allocated = n;
        }
        a->ends[a->n++] = a->bytes.n;
        if (a->bytes.error < 0)
                a->error = a->bytes.error;
}

uint64_t answer_pieces(const Answer *a) {
        return a->repeat > 0 ? a->n - 1 + a->repeat : a->n;
}

void answer_piece(const Answer *a, uint64_t i, const char **ret, size_t *ret_n) {
        size_t start;

        if (a->repeat > 0 && i > a->repeated)
                i = i < a->repeated + a->repeat ? a->repeated : i - a->repeat + 1;
        start = i > 0 ? a->ends[i - 1] : 0;
        *ret = buf_data(&a->bytes) + start;
        *ret_n = a->ends[i] - start;
}

/* --- a text --- */

/* The end of a piece that may not be in the middle of a character. */
static size_t boundary(const char *s, size_t n, size_t at) {
        while (at < n && ((unsigned char) s[at] & 0xC0) == 0x80)
                at++;
        return at;
}

/* Cuts the text where a stop sequence begins, or where the tokens are used up; returns the finishReason. */
static const char *shorten(const Prompt *p, const char *text, size_t *n) {
        for (unsigned i = 0; i < p->n_stops; i++) {
                const char *at = *p->stops[i] ? memmem(text, *n, p->stops[i], strlen(p->stops[i])) : NULL;

                if (at)
                        *n = (size_t) (at - text);
        }
        if (p->max_tokens < prompt_tokens_of(*n)) {
                size_t end = p->max_tokens * 4;

                while (end > 0 && ((unsigned char) text[end] & 0xC0) == 0x80)
                        end--;
                *n = end;
                return "MAX_TOKENS";
        }
        return "STOP";
}

/* The text in pieces that are as even as its characters allow. */
static void compose_pieces(Answer *a, const Action *action, const AnswerAsk *ask, const Usage *usage,
                           uint64_t chunks, Piece last) {
        const char *text = last.text;
        size_t n = last.n, from = 0;

        for (uint64_t i = 1; i < chunks; i++) {
                size_t to = boundary(text, n, n * i / chunks);

                event_write(a, action, ask, usage,
                            &(Piece){ .text = text + from,
                                      .n = to - from,
                                      .tokens = usage->candidates * i / chunks,
                                      .thoughts = usage->thoughts });
                from = to;
        }
        last.text += from;
        last.n -= from;
        event_write(a, action, ask, usage, &last);
}

/* What is to be answered in this hop: a part of the text, which all hops divide among them. */
static void take_hop(const Action *action, const AnswerAsk *ask, const char **text, size_t *n) {
        size_t from, to;

        if (action->hops == 0)
                return;
        from = boundary(*text, *n, *n * ask->hop / action->hops);
        to = boundary(*text, *n, *n * (ask->hop + 1) / action->hops);
        *text += from;
        *n = to - from;
}

static void compose_text(Answer *a, const Action *action, const AnswerAsk *ask, const char *text, size_t n) {
        bool goes_on = ask->hop + 1 < action->hops;
        _cleanup_buf_ Buf token = BUF_INIT(4096);
        Piece piece, last;
        const char *finish;
        Usage usage;

        take_hop(action, ask, &text, &n);
        finish = shorten(ask->prompt, text, &n);
        usage = usage_of(action, ask, prompt_tokens_of(n) * ask->prompt->candidates);
        piece = (Piece){ .text = text, .n = n, .tokens = usage.candidates, .thoughts = usage.thoughts };
        last = piece;

        last.finish = action->finish ?: goes_on ? "CONTINUATION" : finish;
        last.signature = action->signature;
        if (goes_on) {
                continuation_write(ask->hop + 1, ask->request, &token);
                last.continuation = buf_cstr(&token);
        }

        if (a->form == ANSWER_PLAIN) {
                last.thought = action->thought;
                event_write(a, action, ask, &usage, &last);
                return;
        }
        if (action->thought)
                event_write(a, action, ask, &usage,
                            &(Piece){ .thought = action->thought, .thoughts = usage.thoughts });

        if (action->chunks > MAX(n, 1U)) { /* more than there are bytes: all of it, again and again */
                a->repeated = a->n;
                a->repeat = action->chunks - 1;
                event_write(a, action, ask, &usage, &piece);
                event_write(a, action, ask, &usage, &last);
                return;
        }
        compose_pieces(a, action, ask, &usage,
                       action->chunks > 0 ? MIN(action->chunks, CHUNKS_MAX) : MAX(MIN(n, STREAM_CHUNKS), 1U),
                       last);
}

/* A picture of one black pixel; a sound of six samples. */
static void compose_media(Answer *a, const Action *action, const AnswerAsk *ask) {
        static const char image[] =
                "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"
                "CAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==\"}}";
        static const char sound[] =
                "{\"inlineData\":{\"mimeType\":\"audio/L16;codec=pcm;rate=24000\","
                "\"data\":\"AAABAAIAAwAEAAUA\"}}";
        Usage usage = usage_of(action, ask, MEDIA_TOKENS);

        event_write(a, action, ask, &usage,
                    &(Piece){ .parts = ask->prompt->image ? image : sound,
                              .finish = action->finish ?: "STOP",
                              .tokens = usage.candidates });
}

/* A call of the function that must be called, with the arguments that it requires. */
static void compose_call(Answer *a, const Action *action, const AnswerAsk *ask) {
        json_object *declaration = ask->prompt->declaration,
                    *schema = json_member(declaration, "parametersJsonSchema", "parameters_json_schema")
                                      ?: json_member(declaration, "parameters", "parameters"),
                    *arguments = schema ? sample_of(schema) : NULL;
        _cleanup_free_ char *parts = NULL;
        Action call = *action;

        if (!json_object_is_type(arguments, json_type_object)) { /* those of a call always are */
                json_object_put(arguments);
                arguments = json_object_new_object();
        }
        a->error = parts_add_call(&parts,
                                  json_object_get_string(json_member(declaration, "name", "name")),
                                  json_object_to_json_string_ext(arguments, JSON_C_TO_STRING_PLAIN));
        json_object_put(arguments);
        if (a->error < 0)
                return;
        call.parts = parts;
        parts_compose(a, &call, ask);
}

static void compose_json(Answer *a, const Action *action, const AnswerAsk *ask) {
        json_object *o = ask->prompt->schema ? sample_of(ask->prompt->schema) : json_object_new_object();
        const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
                                                                     JSON_C_TO_STRING_NOSLASHESCAPE);

        compose_text(a, action, ask, text, strlen(text));
        json_object_put(o);
}

static void compose_default(Answer *a, const Action *action, const AnswerAsk *ask) {
        _cleanup_buf_ Buf text = BUF_INIT(4096);

        if (ask->prompt->image || ask->prompt->audio)
                return compose_media(a, action, ask);
        if (ask->prompt->declaration)
                return compose_call(a, action, ask);
        if (ask->prompt->json)
                return compose_json(a, action, ask);

        (void) buf_puts(&text, SIMULATED_HEAD);
        if (ask->prompt->n_last > 0)
                (void) buf_printf(&text, " You said: %.*s", (int) ask->prompt->n_last, ask->prompt->last);
        compose_text(a, action, ask, strempty(buf_cstr(&text)), text.n);
}

/* --- the others --- */

/* N bytes of text. As a stream, the same event again and again; the last holds the rest. */
static void compose_big(Answer *a, const Action *action, const AnswerAsk *ask) {
        Usage usage = usage_of(action, ask, prompt_tokens_of(action->size));
        uint64_t n = MIN(action->size, BIG_PLAIN_MAX);
        Piece p = { .tokens = usage.candidates };
        _cleanup_free_ char *text = NULL;

        if (a->form != ANSWER_PLAIN)
                n = MIN(MAX(action->chunks > 0 ? action->size / action->chunks : BIG_PIECE, 1U),
                        BIG_PIECE_MAX);
        text = malloc(n);
        if (!text) {
                a->error = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < n; i++)
                text[i] = "0123456789abcdef"[i % 16];
        p.text = text;
        p.n = MIN(n, action->size);

        if (a->form != ANSWER_PLAIN && action->size > n) {
                a->repeat = (action->size - 1) / n;
                event_write(a, action, ask, &usage, &p);
                p.n = action->size - a->repeat * n;
        }
        p.finish = action->finish ?: "STOP";
        event_write(a, action, ask, &usage, &p);
}

static void compose_without_candidates(Answer *a, const Action *action, const AnswerAsk *ask) {
        Usage usage = usage_of(action, ask, 0);
        JWriter w = JWRITER_INIT(&a->bytes);

        jwrite_object(&w, NULL);
        if (action->content == CONTENT_BLOCKED) {
                jwrite_object(&w, "promptFeedback");
                jwrite_string(&w, "blockReason", action->text);
                jwrite_end(&w);
        }
        event_write_usage(&w, action, ask, &usage, usage.candidates, usage.thoughts);
        event_write_identity(&w, action, ask);
        jwrite_end(&w);
        answer_close_piece(a);
}

static void compose_given(Answer *a, const Action *action, const AnswerAsk *ask) {
        const char *s = action->text;

        if (action->content == CONTENT_JSON || *s == 0) {
                (void) buf_puts(&a->bytes, s);
                answer_close_piece(a);
                return;
        }
        while (*s) { /* one event a line; a plain answer can hold the first only */
                size_t n = strcspn(s, "\n");

                if (n > 0 && (a->form != ANSWER_PLAIN || a->n == 0)) {
                        (void) buf_append(&a->bytes, s, n);
                        answer_close_piece(a);
                }
                s += n + (s[n] == '\n');
        }
}

static void compose_error(Answer *a, const Action *action, const AnswerAsk *ask) {
        ErrorFacts facts = {
                .key = ask->key,
                .model = ask->model,
                .verb = ask->verb,
                .message = action->message,
                .retry = action->retry,
                .quota = action->quota,
                .code = (unsigned) action->code,
                .no_code = action->no_code,
                .array = action->array || ask->form == ANSWER_ARRAY, /* as Google does without alt=sse */
        };

        a->form = ANSWER_PLAIN;
        a->status = error_status(action->error, &facts);
        a->type = error_content_type(action->error);
        error_write(action->error, &facts, &a->bytes);
        answer_close_piece(a);
}

static void compose_status(Answer *a, const Action *action) {
        const char *body = strempty(action->text);

        a->form = ANSWER_PLAIN;
        a->status = (unsigned) action->status;
        a->type = strchr("{[", *body) && *body ? JSON_TYPE : "text/html; charset=UTF-8";
        (void) buf_puts(&a->bytes, body);
        answer_close_piece(a);
}

int answer_compose(const Action *action, const AnswerAsk *ask, Answer **ret) {
        _cleanup_(answer_unrefp) Answer *a = NULL;
        int r;

        r = answer_new(200, ask->form, ask->form == ANSWER_SSE ? "text/event-stream" : JSON_TYPE, &a);
        if (r < 0)
                return r;
        if (action->header && !(a->header = strdup(action->header)))
                return -ENOMEM;
        if (action->content_type && !(a->own_type = strdup(action->content_type)))
                return -ENOMEM;

        switch (action->content) {
        case CONTENT_DEFAULT:
                compose_default(a, action, ask);
                break;
        case CONTENT_TEXT:
                compose_text(a, action, ask, action->text, strlen(action->text));
                break;
        case CONTENT_PARTS:
                parts_compose(a, action, ask);
                break;
        case CONTENT_BIG:
                compose_big(a, action, ask);
                break;
        case CONTENT_EMPTY:
        case CONTENT_BLOCKED:
                compose_without_candidates(a, action, ask);
                break;
        case CONTENT_JSON:
        case CONTENT_SSE:
                compose_given(a, action, ask);
                break;
        case CONTENT_RAW:
                if (a->form != ANSWER_PLAIN)
                        a->form = ANSWER_RAW;
                (void) buf_puts(&a->bytes, action->text);
                answer_close_piece(a);
                break;
        case CONTENT_GARBAGE:
                (void) buf_puts(&a->bytes, "this is { no JSON");
                answer_close_piece(a);
                break;
        case CONTENT_ERROR:
                compose_error(a, action, ask);
                break;
        case CONTENT_STATUS:
                compose_status(a, action);
                break;
        default:
                return -EINVAL;
        }

        if (a->own_type)
                a->type = a->own_type;
        if (a->error < 0)
                return a->error;
        *ret = TAKE_PTR(a);
        return 0;
}
