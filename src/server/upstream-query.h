/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One question to Google that counts as no request of any model: a leased key, the engine's call, what came
 * back. It tries another key where that helps, and says once that it is over.
 */

#include "engine/engine.h"
#include "pool/binding.h"
#include "server/request.h"

typedef struct UpstreamQuery UpstreamQuery;

struct UpstreamQuery {
        Request *request;
        char pinned[BINDING_NAME_MAX + 1]; /* the project's own; "": any key */
        const char *verb;
        Buf path;           /* behind the base URL */
        char *content_type; /* a header line, owned; NULL: JSON */
        char *headers[8];   /* owned */
        size_t n_headers;
        const char *body; /* borrowed */
        size_t n_body;
        bool once; /* what was begun must not be asked for twice */
        void (*header)(UpstreamQuery *w, const char *line, size_t n);
        /* Has to call upstream_query_end(). w->verdict is the outcome; with VERDICT_OK the answer is
         * there. */
        void (*done)(UpstreamQuery *w);

        Lease lease; /* until upstream_query_end() */
        EngineCall *call;
        PoolKey *tried[TRIES_DEAR_MAX];
        size_t n_tried;
        bool ended;
        Verdict verdict;
        bool refused; /* no key was to be had: see the error */
        ApiError error;
        Buf answer;
};

void upstream_query_init(UpstreamQuery *w, Request *q);
void upstream_query_start(UpstreamQuery *w); /* may be done when it returns */
void upstream_query_error(const UpstreamQuery *w, const char *subject, ApiError *ret);

/* Gives the key back, with what came of it, or with `class` if nothing has yet; frees what it holds, but not
 * itself. May be called twice. */
void upstream_query_end(UpstreamQuery *w, VerdictClass class);
