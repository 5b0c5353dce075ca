/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A dialect is a protocol of clients: pure functions between its form and Gemini's own JSON, the
 * hub. The exchange drives one Translation through
 *
 *     request() → event()* → finish()          (or stream_error() once bytes have gone out)
 *
 * without knowing the dialect. Without streaming, event() is called once, with the whole answer, and writes
 * nothing; finish() writes the client's answer. With streaming, event() writes the translation of each
 * Gemini event.
 */

#include "dialect/api-error.h"
#include "dialect/context.h"
#include "dialect/gemini/event.h"
#include "dialect/gemini/method.h"
#include "dialect/gemini/native-call.h"

typedef struct Dialect Dialect;
typedef struct Translation Translation;

enum {
        _DIALECT_E_SUCCESS,
        DIALECT_E_REFUSED, /* the client's request is at fault: see the ApiError */
        DIALECT_E_VERDICT, /* upstream sent no valid answer: see the Verdict */
        DIALECT_E_EMPTY,   /* finish() has written an empty answer: try another key first */
        DIALECT_E_BLAMED,  /* finish() has written an answer that Google cut off because of the account: the
                            * Verdict is for the pool; try another key first if the client has no byte */
        DIALECT_E_MORE,    /* finish() has written the next request to Translation.gemini: the answer needs
                            * another one. reset() follows, which from now on keeps what came before */
        DIALECT_E_LATE,    /* the answer was settled before this error: the Verdict is for the pool */
};

/* A 400 that names the field, or NULL. */
#define dialect_refuse(e, param, ...) (api_error_set(e, 400, param, __VA_ARGS__), DIALECT_E_REFUSED)

struct Translation {
        const Dialect *dialect;
        char model[MODEL_NAME_MAX + 1];  /* as requested, without prefix; the exchange resolves an alias */
        char served[MODEL_NAME_MAX + 1]; /* set by the exchange before the first event */
        bool cli;                        /* requested with the prefix `cli/` */
        usec_t timeout;                  /* the client's; 0: that of the settings */
        GeminiMethod method;             /* generate, stream, or count tokens */
        const Secret *key;       /* of the present event's attempt, for scrubbing; NULL: none; borrowed */
        uint64_t conversation;   /* hash_stable() of the client's name for it; 0: no name */
        const char *loss;        /* what of the request was left out, for the log; static; or NULL */
        bool opaque;             /* may hold media: its size is no measure of tokens */
        NativeCall native;       /* of Google's own protocol, beyond method and model */
        const char *stream_type, *answer_type; /* Content-Type; NULL: text/event-stream, application/json */
        Buf gemini;                /* GenerateContentRequest, JSON */
        Buf former; /* `gemini` of before: a hedge that has lost may send it until its turn ends */
        Buf signatures; /* where in `gemini` the members thoughtSignature begin: a size_t each */
        GeminiCounts counts;       /* Gemini's, of all events so far */
        Usage usage;               /* their sum */
        const char *finish_reason; /* in the dialect's words, for the log; NULL before the end; borrowed */
        unsigned settled; /* how many candidates have finished for good: answer.h */
        uint64_t n_asked; /* how many the request asks for; 0: not counted yet */
};

struct Dialect {
        const char *name; /* "openai-chat", as in the log */
        const char *ping;  /* keeps a silent stream alive; NULL: its clients do not understand any */
        const char *blank; /* instead, for clients that understand no pings; only with STREAM_OPEN_AFTER */
        bool key_argument; /* a token may come as `?key=`, too */
        bool is_chat;      /* served by the Gemini CLI if ENGINE=cli or `cli/` requires it */
        bool is_cli;       /* always served by the Gemini CLI */
        bool names_responses; /* a request may name what DialectContext.responses has */
        bool ends_failed;  /* stream_error() ends the stream; otherwise the connection is cut behind it */

        int (*request)(const DialectContext *c, const char *body, size_t n, Translation **ret,
                       ApiError *ret_error);
        int (*event)(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);
        int (*finish)(Translation *t, Buf *out, Verdict *ret_verdict);
        void (*stream_error)(Translation *t, const ApiError *e, Buf *out);
        /* Discards the answer so far: another attempt begins, and the client has no byte yet. */
        void (*reset)(Translation *t);
        /* Replaces refused thought signatures by the sentinel; false: none are there. NULL: they stay. */
        bool (*drop_signatures)(Translation *t);
        Translation *(*free)(Translation *t);
};

extern const Dialect dialect_openai_chat, dialect_openai_completions;
extern const Dialect dialect_openai_embeddings, dialect_openai_speech, dialect_openai_images;
extern const Dialect dialect_openai_responses, dialect_openai_input_tokens, dialect_openai_compact;
extern const Dialect dialect_openai_transcriptions, dialect_openai_translations;
extern const Dialect dialect_anthropic_messages, dialect_anthropic_count_tokens;
extern const Dialect dialect_run_gemini; /* of /run-gemini */
extern const Dialect dialect_gemini;

static inline bool translation_streams(const Translation *t) {
        return gemini_method_streams(t->method);
}

static inline bool translation_generates(const Translation *t) {
        return gemini_method_generates(t->method);
}

static inline bool translation_counts(const Translation *t) {
        return gemini_method_counts(t->method);
}

/* Like the dialect's event(). Once the answer is settled, an event that cannot be read is dropped, and an
 * error is DIALECT_E_LATE. */
int translation_event(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);

/* The attempt has ended with *verdict. An answer that is settled is good whatever the verdict is; one that
 * is not is good if the verdict is, and finish() agrees. *verdict becomes the answer's verdict. Returns what
 * finish() returned, or 0. */
int translation_end(Translation *t, Buf *out, Verdict *verdict);
bool translation_is_settled(const Translation *t);
void translation_change(Translation *t, Buf *request); /* takes the next request; *request is empty then */
void translation_count_asked(Translation *t); /* beforehand: the loop does not read a large request */

static inline Translation *translation_free(Translation *t) {
        return t ? t->dialect->free(t) : NULL;
}
DEFINE_CLEANUP(Translation *, translation_free);
