/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A question to Google that counts as no request of any model: about files, cached contents, the list of
 * models. It runs the loop of upstream.h: it tries another key where the verdict allows it, and ends once.
 * An UpstreamBatch asks many questions of one client request, a few at a time.
 */

#include "pool/binding.h"
#include "server/request.h"
#include "server/upstream.h"

typedef struct UpstreamQuery UpstreamQuery;

enum {
        _UPSTREAM_E_SUCCESS,
        UPSTREAM_E_ENDED, /* the query has ended already, and done() will not be called */
};

typedef struct UpstreamQueryOps {
        /* A try begins: forget what the one before has brought; or NULL. */
        void (*begin)(UpstreamQuery *w);
        /* An answer, which is not kept then. It may set w->verdict where the answer is none. < 0 ends the
         * try. NULL: it is kept in w->answer. */
        int (*event)(UpstreamQuery *w, const char *json, size_t n);
        /* A line of the answer's head; or NULL. */
        void (*header)(UpstreamQuery *w, const char *line, size_t n);
        /* The query has ended: w->verdict is the outcome. The lease is held until upstream_query_end(). */
        void (*done)(UpstreamQuery *w);
} UpstreamQueryOps;

struct UpstreamQuery {
        const UpstreamQueryOps *ops;
        Http *http;
        Request *request; /* whose log line and headers it concerns; or NULL */

        /* the question */
        const char *subject; /* in the error, if there is no key */
        GeminiMethod method;
        const char *page_token;
        char pinned[BINDING_NAME_MAX + 1]; /* only a key of the project that has this name; "": any key */
        const char *verb;
        Buf path;                        /* behind the base URL */
        char *content_type;              /* a header line, owned; NULL: JSON */
        char *headers[ENGINE_HEADERS_MAX]; /* owned */
        size_t n_headers;
        const char *body; /* borrowed */
        size_t n_body;

        /* what has come of it */
        UpstreamTries tries;
        UpstreamCall call;
        Timer *pause;
        bool ended;
        Verdict verdict;
        bool refused; /* no key was to be had: see the error */
        ApiError error;
        Buf answer;
};

/* `q` may be NULL. */
void upstream_query_init(UpstreamQuery *w, const UpstreamQueryOps *ops, Http *h, Request *q);

/* 0, and done() will be called; or UPSTREAM_E_ENDED, and w->verdict is the outcome. */
int upstream_query_start(UpstreamQuery *w);

/* From done(), after VERDICT_OK: asks the next question (the next page) with the same key. Results as for
 * upstream_query_start(). */
int upstream_query_continue(UpstreamQuery *w);

void upstream_query_error(const UpstreamQuery *w, const char *subject, ApiError *ret);

static inline bool upstream_query_is_under_way(const UpstreamQuery *w) {
        return w->call.call || w->pause;
}

/* Gives the key back, with the verdict, or with `class` if the query has not ended; frees what the query
 * holds, but not the query. May be called twice. */
void upstream_query_end(UpstreamQuery *w, VerdictClass class);

/* --- many questions --- */

#define UPSTREAM_PARALLEL 8U

typedef struct UpstreamBatch UpstreamBatch;

typedef struct UpstreamBatchOps {
        /* Initialises the next question, but for its ops; false: there are no more. */
        bool (*ask)(UpstreamBatch *b, UpstreamQuery *w, size_t index);
        /* A question has ended. False: the owner has ended the batch, and freed it, perhaps. */
        bool (*ended)(UpstreamBatch *b, UpstreamQuery *w, size_t index);
        /* All have ended. The owner may free the batch, or have more questions and run it again. */
        void (*drained)(UpstreamBatch *b);
} UpstreamBatchOps;

/* All zero, but for the ops: nothing is asked. */
struct UpstreamBatch {
        const UpstreamBatchOps *ops;
        size_t next, n_under_way;
        struct UpstreamBatchItem {
                UpstreamQuery query;
                UpstreamBatch *batch; /* NULL: free */
                size_t index;         /* of the question */
        } items[UPSTREAM_PARALLEL];
};

void upstream_batch_run(UpstreamBatch *b); /* from question 0 on; the owner may be gone when it returns */
void upstream_batch_end(UpstreamBatch *b, VerdictClass class); /* may be called twice */
