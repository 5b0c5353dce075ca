/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A dialect is a protocol that clients speak: pure functions between its form and Gemini's own JSON, the
 * hub. The exchange drives one Translation through
 *
 *     request() → event()* → finish()          (or stream_error() once bytes have gone out)
 *
 * and never knows which dialect it is. Not streaming, event() is called once, with the whole answer, writes
 * nothing, and finish() writes the client's answer; streaming, event() writes what each Gemini event
 * becomes.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "core/verdict.h"
#include "dialect/api-error.h"
#include "dialect/gemini/method.h"

typedef struct Dialect Dialect;
typedef struct Translation Translation;

enum {
        _DIALECT_E_SUCCESS,
        DIALECT_E_REFUSED, /* the client's request is at fault: see the ApiError */
        DIALECT_E_VERDICT, /* what came from upstream is no answer: see the Verdict */
};

/* What a translation needs to know from outside, so that it stays pure. Borrowed for the call only. */
typedef struct DialectContext {
        const char *default_model; /* when the request names none */
        const char *request_id;    /* ids of answers are made of it when Gemini sent no responseId */
        uint64_t created;          /* seconds since 1970 */
        const char *path_rest;     /* what stands behind the route's prefix, decoded; NULL: nothing */

        /* A header, and a raw argument of the query, by name; NULL: the request has none. Asked through
         * dialect_header() and dialect_argument(); without functions there are none. */
        const char *(*header)(const char *name, void *request);
        const char *(*argument)(const char *name, void *request);
        void *request;

        /* What model a name stands for, since some rules go by the model; NULL: every name for itself. */
        const char *(*resolve_model)(const char *name, void *userdata);
        void *userdata;
} DialectContext;

static inline const char *dialect_header(const DialectContext *c, const char *name) {
        return c->header ? c->header(name, c->request) : NULL;
}

static inline const char *dialect_argument(const DialectContext *c, const char *name) {
        return c->argument ? c->argument(name, c->request) : NULL;
}

struct Translation {
        const Dialect *dialect;
        char model[MODEL_NAME_MAX + 1];  /* as asked, prefix stripped; the exchange resolves an alias */
        char served[MODEL_NAME_MAX + 1]; /* set by the exchange before the first event */
        bool cli;                        /* asked with the prefix `cli/` */
        usec_t timeout;                  /* what the client gives it; 0: what the settings do */
        GeminiMethod method;             /* generate, stream, or count tokens */
        uint64_t conversation;   /* hash_stable() of what the client calls it; 0: it does not */
        bool opaque;             /* may hold media, whose size says nothing about tokens */
        const char *stream_type; /* Content-Type of the stream; NULL: text/event-stream */
        Buf gemini;                /* GenerateContentRequest, JSON */
        Usage usage;               /* the last that Gemini sent */
        const char *finish_reason; /* in the dialect's words, for the log; NULL before the end; borrowed */
        bool complete;             /* every candidate finished, or the prompt was blocked */
};

struct Dialect {
        const char *name; /* "openai-chat", as in the log */
        const char *ping;  /* what keeps a silent stream alive; NULL: nothing that its clients understand */
        bool key_argument; /* a token may come as `?key=`, too */
        bool is_chat;      /* served by way of the Gemini CLI if it is asked to: by ENGINE=cli or `cli/` */
        bool is_cli;       /* never served in another way */

        int (*request)(const DialectContext *c, const char *body, size_t n, Translation **ret,
                       ApiError *ret_error);
        int (*event)(Translation *t, const char *json, size_t n, Buf *out, Verdict *ret_verdict);
        int (*finish)(Translation *t, Buf *out, Verdict *ret_verdict);
        void (*stream_error)(Translation *t, const ApiError *e, Buf *out);
        /* Forgets what was heard from upstream: another attempt begins, and the client has no byte yet. */
        void (*reset)(Translation *t);
        Translation *(*free)(Translation *t);
};

extern const Dialect dialect_openai_chat;
extern const Dialect dialect_run_gemini; /* of /run-gemini */
extern const Dialect dialect_gemini;

static inline bool translation_streams(const Translation *t) {
        return gemini_method_streams(t->method);
}

static inline bool translation_generates(const Translation *t) {
        return gemini_method_generates(t->method);
}

static inline Translation *translation_free(Translation *t) {
        return t ? t->dialect->free(t) : NULL;
}
DEFINE_CLEANUP(Translation *, translation_free);
