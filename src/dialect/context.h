/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/macros.h"
#include "core/chat-images.h"
#include "core/gemini-store.h"
#include "core/rules.h"

typedef struct ResponseStore ResponseStore;
typedef struct Vault Vault;

/* Input of a translation besides the body, so that it stays pure. Borrowed for the call only. A large body
 * is translated in a thread beside the loop: the functions here must not read what the loop changes. */
typedef struct DialectContext {
        const char *default_model; /* when the request names none */
        const char *request_id;    /* the base of an answer's id if Gemini sent no responseId */
        uint64_t created;          /* seconds since 1970 */
        uint64_t nonce;            /* another one for each request, so that ids are unique */
        const char *path_rest;     /* the path after the route's prefix, decoded; NULL: nothing */

        bool must_finish; /* a stream without a finishReason must not end well for this client */
        GeminiStore store;
        bool store_is_told; /* `store` is sent also if the client has none */
        ChatImages chat_images;
        /* A header, and a raw argument of the query, by name; NULL: the request has none. Called by
         * dialect_header() and dialect_argument(); without these functions there are none. */
        const char *(*header)(const char *name, void *request);
        const char *(*argument)(const char *name, void *request);
        void *request;

        /* Resolves a model's name, because some rules depend on the model; NULL: no aliases. */
        const char *(*resolve_model)(const char *name, void *userdata);
        void *userdata;
        const ModelRuleSet *rules; /* the operator's own; NULL: none. See dialect_rules() */
        Vault *vault; /* of thought signatures; or NULL; outlives the translation */
        ResponseStore *responses; /* NULL: none are kept; outlives the translation */
        uint64_t client;          /* whose responses: of its token */
} DialectContext;

/* The name that is sent to Gemini. */
static inline const char *dialect_model(const DialectContext *c, const char *name) {
        return c->resolve_model ? c->resolve_model(name, c->userdata) : name;
}

/* What the model of this name takes; `model` is from dialect_model(). */
static inline const ModelRules *dialect_rules(const DialectContext *c, const char *model) {
        return model_rules_find(c->rules, model);
}

static inline const char *dialect_header(const DialectContext *c, const char *name) {
        return c->header ? c->header(name, c->request) : NULL;
}

static inline const char *dialect_argument(const DialectContext *c, const char *name) {
        return c->argument ? c->argument(name, c->request) : NULL;
}
