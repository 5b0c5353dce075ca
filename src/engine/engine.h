/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An engine turns a Gemini request into Gemini events, asynchronously. One EngineCall is one attempt with
 * one key. The sink gets event() for each GenerateContentResponse (the whole answer when not streaming),
 * then done() once. Freeing the call before that cancels it, and the sink gets nothing more.
 */

#include <sys/types.h>

#include "base/log.h"
#include "base/proxy.h"
#include "base/secret.h"
#include "core/verdict.h"
#include "dialect/api-error.h"
#include "dialect/cli/request.h"
#include "dialect/gemini/method.h"

typedef struct Engine Engine;
typedef struct EngineCall EngineCall;

#define ENGINE_HEADERS_MAX 8U

/* A request whose path is not that of a method and a model: about a file, a batch, an interaction … The
 * strings live as long as the call. */
typedef struct EngineResource {
        const char *verb;         /* "GET", "POST", "PATCH", "DELETE"; NULL: POST */
        const char *path;         /* after the base URL, with a query; made of checked parts */
        const char *content_type; /* of the body, as a header line; NULL: JSON */
        char *const *headers;     /* more of them, as lines; ENGINE_HEADERS_MAX at most */
        size_t n_headers;
} EngineResource;

typedef struct EngineRequest {
        GeminiMethod method;
        const char *model;      /* a valid name; NULL for GEMINI_LIST_MODELS */
        const char *page_token; /* GEMINI_LIST_MODELS: or NULL */
        const EngineResource *resource; /* instead of the path of method and model; or NULL */
        const char *body;       /* borrowed until done() or free; NULL: none, or that of EngineSink.read */
        size_t n_body;          /* with EngineSink.read: SIZE_MAX if the length is not known */
        Proxy *proxy;   /* through which Gemini is reached; NULL: none; borrowed */
        Secret *key;    /* referenced as long as the call lives; NULL: the engine picks its keys itself */
        CliRequest *cli; /* `body` in the form of the Gemini CLI, which the call takes; NULL: not made yet */
        const char *id; /* of the client's request; needed without a key */
        const LogIds *ids; /* the same, for the log; lives as long as the call; or NULL */
        usec_t timeout; /* for the whole call, if it is shorter than the engine's own; 0: none */
} EngineRequest;

/* The outcome of a call by an engine that picks its keys itself. */
typedef struct EngineServed {
        const ApiError *refusal;         /* the answer to the client instead of the verdict; or NULL */
        const char *key_mask, *key_name; /* "" if there was none */
        unsigned attempts;
} EngineServed;

typedef struct EngineSink {
        /* A GenerateContentResponse (or count, or list). The bytes are valid only during the call. < 0 ends
         * the call with VERDICT_INTERNAL; -E2BIG ends it with VERDICT_CUT. May call engine_call_pause();
         * must not free the call. */
        int (*event)(const char *json, size_t n, void *userdata);
        /* The end. VERDICT_OK: the HTTP transfer ended cleanly (the dialect decides whether the answer is
         * complete). From here on the caller must free the call; it may do so inside. */
        void (*done)(const Verdict *v, void *userdata);
        /* Called right before done(), or inside engine_call_free() if that comes first, by an engine that
         * picks its keys itself; may be NULL. */
        void (*served)(const EngineServed *s, void *userdata);
        /* GEMINI_RESOURCE: a line of the answer's head; may be NULL. */
        void (*header)(const char *line, size_t n, void *userdata);
        /* GEMINI_RESOURCE: the next bytes of a body that is not held, as HttpCallOps.read. Then no time-out
         * runs before the end of the body. NULL: `body`. */
        ssize_t (*read)(char *p, size_t n, void *userdata);
        /* GEMINI_RESOURCE: bytes of an answer with status 200 or 206, as they come. NULL: event(). */
        int (*piece)(int status, const char *p, size_t n, void *userdata);
} EngineSink;

/* An engine and its calls begin with these. */
struct Engine {
        const struct EngineOps *ops;
};

struct EngineCall {
        Engine *engine;
        usec_t first_byte; /* CLOCK_MONOTONIC: of the answer; 0: none came */
        bool sent;         /* the request has left, or begun to */
};

typedef struct EngineOps {
        int (*start)(Engine *e, const EngineRequest *request, const EngineSink *sink, void *userdata,
                     EngineCall **ret);
        void (*pause)(EngineCall *c, bool paused);
        void (*more)(EngineCall *c); /* NULL: it has no EngineSink.read */
        void (*free)(EngineCall *c);
} EngineOps;

/* Starts the call; the sink gets nothing before it returns. */
static inline int engine_start(Engine *e, const EngineRequest *request, const EngineSink *sink,
                               void *userdata, EngineCall **ret) {
        return e->ops->start(e, request, sink, userdata, ret);
}

static inline EngineCall *engine_call_free(EngineCall *c) {
        if (c)
                c->engine->ops->free(c);
        return NULL;
}
DEFINE_CLEANUP(EngineCall *, engine_call_free);

/* Back-pressure: while paused the sink gets no event, and no idle time-out runs. */
static inline void engine_call_pause(EngineCall *c, bool paused) {
        c->engine->ops->pause(c, paused);
}

/* EngineSink.read has bytes, or the end. */
static inline void engine_call_more(EngineCall *c) {
        c->engine->ops->more(c);
}
