/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An engine turns a Gemini request into Gemini events, asynchronously. One EngineCall is one attempt with
 * one key. The sink hears event() for each GenerateContentResponse (the whole answer when not streaming),
 * then done() once; freeing the call before that cancels it and nothing more is heard.
 */

#include "base/secret.h"
#include "core/verdict.h"

typedef struct Engine Engine;
typedef struct EngineCall EngineCall;

typedef enum EngineMethod {
        ENGINE_GENERATE,        /* POST models/M:generateContent */
        ENGINE_STREAM_GENERATE, /* POST models/M:streamGenerateContent?alt=sse */
        ENGINE_COUNT_TOKENS,    /* POST models/M:countTokens */
        ENGINE_LIST_MODELS,     /* GET models?pageSize=1000 */
        _ENGINE_METHOD_MAX,
} EngineMethod;

typedef struct EngineRequest {
        EngineMethod method;
        const char *model; /* a valid name; NULL for ENGINE_LIST_MODELS */
        const char *page_token; /* ENGINE_LIST_MODELS: or NULL */
        const char *body;  /* borrowed until done() or free */
        size_t n_body;
        Secret *key;       /* referenced as long as the call lives */
} EngineRequest;

typedef struct EngineSink {
        /* A GenerateContentResponse (or count, or list). The bytes are gone when it returns. < 0 ends the
         * call with VERDICT_INTERNAL. May call engine_call_pause(); must not free the call. */
        int (*event)(const char *json, size_t n, void *userdata);
        /* The end: VERDICT_OK for a clean end of the HTTP exchange (whether the answer is complete is the
         * dialect's to say). The call is to be freed from here on; freeing it inside is fine. */
        void (*done)(const Verdict *v, void *userdata);
} EngineSink;

/* Starts; nothing is heard before it returns. */
int engine_start(Engine *e, const EngineRequest *request, const EngineSink *sink, void *userdata,
                 EngineCall **ret);
EngineCall *engine_call_free(EngineCall *c);
DEFINE_CLEANUP(EngineCall *, engine_call_free);

/* Back-pressure: while paused no event comes, and no idle time-out runs. */
void engine_call_pause(EngineCall *c, bool paused);
