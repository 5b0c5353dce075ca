/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call to Google that counts on no model: for files, batches, the list of models. It runs the
 * loop of upstream.h: it tries another key if the verdict allows it, and ends exactly once. An
 * UpstreamBatch runs many queries of one client request, a few at a time.
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
        /* A try begins: discard the data of the previous one; or NULL. */
        void (*begin)(UpstreamQuery *q);
        /* Receives the answer. It may set q->verdict if the answer is not valid. < 0 ends the try. NULL: the
         * answer is kept in q->answer. */
        int (*event)(UpstreamQuery *q, const char *json, size_t n);
        /* A line of the answer's head; or NULL. */
        void (*header)(UpstreamQuery *q, const char *line, size_t n);
        /* As those of EngineSink, one of them at most; or NULL. When bytes have passed through, no other key
         * is tried. */
        ssize_t (*read)(UpstreamQuery *q, char *p, size_t n);
        int (*piece)(UpstreamQuery *q, int status, const char *p, size_t n);
        /* The query has ended: q->verdict is the outcome. The lease is held until upstream_query_end(). */
        void (*done)(UpstreamQuery *q);
} UpstreamQueryOps;

struct UpstreamQuery {
        const UpstreamQueryOps *ops;
        Http *http;
        Request *request; /* for its log line and headers; or NULL */

        /* the call */
        const char *subject; /* what it is for, in the log and in the error */
        GeminiMethod method;
        const char *page_token;
        char pinned[BINDING_NAME_MAX + 1]; /* only a key of the project that has this name; "": any key */
        const char *verb;
        bool may_be_empty; /* its answer */
        bool may_be_nameless; /* its answer: gemini_resource_check() */
        Buf path;                        /* after the base URL */
        char *content_type;              /* a header line, owned; NULL: JSON */
        char *headers[ENGINE_HEADERS_MAX]; /* owned */
        size_t n_headers;
        const char *body; /* borrowed; NULL: none, or that of ops->read */
        size_t n_body;    /* with ops->read: SIZE_MAX if the length is not known */

        /* the result */
        UpstreamTries tries;
        UpstreamCall call;
        Timer *pause;
        bool ended;
        bool begun; /* bytes have passed through ops->read or ops->piece */
        Verdict verdict;
        PoolRefusal refusal; /* if `refused` */
        bool refused; /* no key was available: see the error */
        ApiError error;
        Buf answer;
};

/* `request` may be NULL. */
void upstream_query_init(UpstreamQuery *q, const UpstreamQueryOps *ops, Http *h, Request *request);

/* 0, and done() will be called; or UPSTREAM_E_ENDED, and q->verdict is the outcome. */
int upstream_query_start(UpstreamQuery *q);

/* From done(), after VERDICT_OK: makes the next call (the next page) with the same key. Results as for
 * upstream_query_start(). */
int upstream_query_continue(UpstreamQuery *q);

void upstream_query_error(const UpstreamQuery *q, const char *subject, ApiError *ret);

static inline bool upstream_query_is_under_way(const UpstreamQuery *q) {
        return q->call.call || q->pause;
}

/* Gives the key back, with the verdict, or with `class` if the query has not ended; frees what the query
 * holds, but not the query. May be called twice. */
void upstream_query_end(UpstreamQuery *q, VerdictClass class);

/* --- batches --- */

#define UPSTREAM_PARALLEL 8U

typedef struct UpstreamBatch UpstreamBatch;

typedef struct UpstreamBatchOps {
        /* Initialises the next query, except its ops; false: there are no more. */
        bool (*ask)(UpstreamBatch *b, UpstreamQuery *q, size_t index);
        /* A query has ended. False: the owner has ended the batch, and perhaps freed it. */
        bool (*ended)(UpstreamBatch *b, UpstreamQuery *q, size_t index);
        /* All have ended. The owner may free the batch, or run it again with more queries. */
        void (*drained)(UpstreamBatch *b);
} UpstreamBatchOps;

/* All zero, except the ops: no query runs. */
struct UpstreamBatch {
        const UpstreamBatchOps *ops;
        size_t next, n_under_way;
        struct UpstreamBatchItem {
                UpstreamQuery query;
                UpstreamBatch *batch; /* NULL: free */
                size_t index;         /* of the query */
        } items[UPSTREAM_PARALLEL];
};

void upstream_batch_run(UpstreamBatch *b); /* from query 0 on; the owner may be freed when it returns */
void upstream_batch_end(UpstreamBatch *b, VerdictClass class); /* may be called twice */
