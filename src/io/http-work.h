/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A call on its way through a connection of gemgate's own. The pool owns it and lends it to one connection
 * (http1.h, http2.h), which calls these functions; http-work.c implements them. None of them frees the work
 * or its connection: the caller's done() comes at the end of the turn.
 */

#include "base/text.h"
#include "io/http-client.h"

typedef struct HttpWork HttpWork;

typedef enum HttpWorkEnd {
        HTTP_WORK_COMPLETE,
        HTTP_WORK_BROKEN,  /* the connection or stream ended before the answer, or it is not valid HTTP */
        HTTP_WORK_ABORTED, /* http_work_header() or http_work_data() failed */
        HTTP_WORK_UNSENT,  /* certainly not processed: no byte was sent, or the server refused the stream */
        HTTP_WORK_STALE,   /* HTTP/1.1: a kept connection ended, and no byte of an answer had come */
} HttpWorkEnd;

struct HttpWork {
        HttpCall call;          /* the interface's part */
        HttpCallParams p;       /* what it points at lives as long as the call */
        const char *method;     /* `POST` */
        const char *scheme;     /* `https` */
        const char *authority;  /* `host[:port]` */
        const char *target;     /* `/path?query` */
        void *connection;       /* that carries it; NULL: it waits, or has ended */
        List link;              /* of the connection's works, or the pool's */
        size_t n_body_sent;     /* the connection's */
        int32_t stream;         /* likewise, at HTTP/2 */
        int status;             /* of the final head; 0: none so far */
        bool paused;            /* the connection stops reading for it as soon as it can */
};

/* The body is not held, but comes from http_work_read(). */
static inline bool http_work_is_read(const HttpWork *w) {
        return w->call.ops.read && !w->p.body;
}

static inline bool http_work_has_body(const HttpWork *w) {
        return w->p.body || w->call.ops.read;
}

/* The request's Content-Length. False: it has none. Servers refuse a POST, PUT or PATCH without one. */
static inline bool http_work_length(const HttpWork *w, size_t *ret) {
        *ret = http_work_has_body(w) ? w->p.n_body : 0;
        return http_work_has_body(w) ? *ret != SIZE_MAX
                                     : streq(w->method, "POST") || streq(w->method, "PUT") ||
                                               streq(w->method, "PATCH");
}

void http_work_sent(HttpWork *w); /* the first byte is about to be written */

/* `name: value` of the final head, without the line's end; no status line, no trailer. < 0: end it with
 * HTTP_WORK_ABORTED. */
int http_work_header(HttpWork *w, const char *line, size_t n);
int http_work_head(HttpWork *w, int status); /* the final head is complete; never with a status of 1xx */

/* Bytes of the body. While it is paused, the work keeps them; how many there can be, the connection bounds.
 * < 0: end it with HTTP_WORK_ABORTED. */
int http_work_data(HttpWork *w, const char *p, size_t n);

/* Of a body that is not held: up to n bytes; 0: its end; -EAGAIN: none now, and the connection's
 * ..._continue() is called when there are more; another error ends it with HTTP_WORK_ABORTED. */
ssize_t http_work_read(HttpWork *w, char *p, size_t n);

/* A Retry-After: a number of seconds or a date; 0: neither. */
usec_t http_retry_after(const char *value, size_t n);
/* Why there is no answer, for people: on one line, without the secret. Behind `proxy`; NULL: none. */
void http_cause(char ret[static HTTP_CAUSE_MAX], const char *words, const Proxy *proxy,
                const Secret *secret);

/* The connection has forgotten it. `cause`: why it is not complete, in one line without secrets; NULL if it
 * is. */
void http_work_end(HttpWork *w, HttpWorkEnd end, const char *cause);
