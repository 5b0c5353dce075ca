/* SPDX-License-Identifier: MIT */
#pragma once

/* One request of a client and the reply to it. Strings live as long as the request. */

#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "io/forward.h"

typedef struct HttpHeader {
        const char *name;
        const char *value;
} HttpHeader;

/* --- the request --- */
const char *http_request_method(const HttpRequest *r);
const char *http_request_path(const HttpRequest *r); /* raw: percent escapes as received, without the
                                                      * query */
const char *http_request_header(HttpRequest *r, const char *name);   /* the first of that name, or NULL */
const char *http_request_argument(HttpRequest *r, const char *name); /* of the query, raw, or NULL */

/* Calls f for each header, in order; `value` may be NULL. */
void http_request_each_header(HttpRequest *r, void (*f)(const char *name, const char *value, void *userdata),
                              void *userdata);

/* Calls f for each argument of the query, raw. */
void http_request_each_argument(HttpRequest *r,
                                void (*f)(const char *name, const char *value, void *userdata),
                                void *userdata);

/* All values of a header in order, joined by `, `; -ENODATA if there is none. */
int http_request_header_joined(HttpRequest *r, const char *name, Buf *ret);

/* What is wrong with the head (both Content-Length and Transfer-Encoding, a NUL byte …), or NULL. Such a
 * request must be refused with 400, because such requests are used for request smuggling. */
const char *http_request_head_fault(const HttpRequest *r);

/* The Content-Length of a head without a fault; false: it has none. */
bool http_request_content_length(const HttpRequest *r, uint64_t *ret);

struct sockaddr;
const struct sockaddr *http_request_peer(HttpRequest *r); /* NULL: a unix peer */
usec_t http_request_started(const HttpRequest *r);        /* CLOCK_MONOTONIC */

/* The client is a known one: the end of the daemon waits for its request. By the number its requests are
 * recognized where the room for bodies is shared out (io/http-room.h); 0: it has no share. */
void http_request_admit(HttpRequest *r, uint64_t client);

void http_request_set_userdata(HttpRequest *r, void *p);
void *http_request_userdata(const HttpRequest *r);

/* --- its body: one of these three, in head() --- */
void http_request_take_body(HttpRequest *r, uint64_t max);
void http_request_skip_body(HttpRequest *r, uint64_t max); /* nothing is kept, and it has the head's time */
/* It is passed on while it arrives: piece() is called instead of body(), unless it has a fault. The user
 * looks at its progress. A reply before its end goes at once. False: there is no room for it. */
bool http_request_pass_body(HttpRequest *r, uint64_t max);

Buf *http_request_body(HttpRequest *r); /* the user may empty it */

/* Of a body that is passed on: up to n bytes; 0: its end; -EAGAIN: none now. */
ssize_t http_request_read(HttpRequest *r, char *p, size_t n);
bool http_request_is_passed(const HttpRequest *r);
bool http_request_has_bytes(const HttpRequest *r); /* that wait for http_request_read() */

/* Counts n bytes at least as held, until the request ends: what it has led to may be longer than its body.
 * False: there is no room. */
bool http_request_hold(HttpRequest *r, uint64_t n);

typedef enum HttpBodyFault {
        HTTP_BODY_OK,
        HTTP_BODY_TOO_LARGE, /* above max: 413 */
        HTTP_BODY_NO_ROOM,   /* above the client's share of max_inflight: 503 */
        HTTP_BODY_MALFORMED, /* in chunks that cannot be read: 400 */
        HTTP_BODY_LATE,      /* too slow: 408 */
} HttpBodyFault;
HttpBodyFault http_request_body_fault(const HttpRequest *r);
const char *http_request_chunk_fault(const HttpRequest *r); /* static; NULL: its chunks are right so far */

/* --- the reply: one of the two, once --- */

#define HTTP_SIZE_UNKNOWN UINT64_MAX

/* Sends a whole reply. Takes the content of `body` (NULL: none). */
int http_request_reply(HttpRequest *r, int status, const HttpHeader *headers, size_t n_headers, Buf *body);

void http_request_cut(HttpRequest *r); /* closes the connection, although the reply is not sent */

/* A reply in pieces, of `size` bytes in all (HTTP_SIZE_UNKNOWN: in chunks): write into http_request_out(),
 * then flush; finish once. `clean` false cuts the connection, so that the client sees that the reply is
 * incomplete. */
int http_request_stream(HttpRequest *r, int status, const HttpHeader *headers, size_t n_headers,
                        uint64_t size);
Buf *http_request_out(HttpRequest *r);
void http_request_flush(HttpRequest *r);
void http_request_finish(HttpRequest *r, bool clean);

bool http_request_is_replied(const HttpRequest *r);
bool http_request_is_full(const HttpRequest *r); /* the stream's buffer is above the high mark */
uint64_t http_request_sent(const HttpRequest *r);     /* bytes of the reply's body that were sent */
usec_t http_request_progress(const HttpRequest *r);   /* when a piece of a whole reply was last taken */
usec_t http_request_first_byte(const HttpRequest *r); /* when the reply was begun; 0: not yet */
