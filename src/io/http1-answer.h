/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Answers of HTTP/1.1 and HTTP/1.0: a pure incremental parser, for bytes in pieces of any size. It is strict
 * (RFC 9112): what another program could read in another way is a fault. Nothing is copied: headers and data
 * are slices of the bytes that were given. See http1-answer.c.
 */

#include "base/macros.h"

typedef enum Http1AnswerStep {
        HTTP1_ANSWER_MORE,   /* what is left has to be given again, with more bytes behind it */
        HTTP1_ANSWER_HEADER, /* `name: value` of the final head; `status` is known */
        HTTP1_ANSWER_HEAD,   /* the final head is complete */
        HTTP1_ANSWER_DATA,   /* bytes of the body */
        HTTP1_ANSWER_END,    /* the answer is complete; bytes that are left do not belong to it */
        HTTP1_ANSWER_FAULT,
} Http1AnswerStep;

typedef enum Http1AnswerState {
        HTTP1_ANSWER_IN_STATUS,
        HTTP1_ANSWER_IN_HEADERS,
        HTTP1_ANSWER_IN_LENGTH, /* a body of a given length */
        HTTP1_ANSWER_IN_REST,   /* a body that ends with the connection */
        HTTP1_ANSWER_IN_SIZE,   /* of a chunk */
        HTTP1_ANSWER_IN_EXTENSION,
        HTTP1_ANSWER_IN_SIZE_LF,
        HTTP1_ANSWER_IN_CHUNK,
        HTTP1_ANSWER_IN_CHUNK_CR,
        HTTP1_ANSWER_IN_CHUNK_LF,
        HTTP1_ANSWER_IN_TRAILERS,
        HTTP1_ANSWER_AT_END,
        HTTP1_ANSWER_AT_FAULT,
        _HTTP1_ANSWER_STATE_MAX,
} Http1AnswerState;

typedef struct Http1Bytes {
        const char *p;
        size_t n;
} Http1Bytes;

typedef struct Http1Answer {
        Http1AnswerState state;
        int status;        /* of the present head */
        const char *fault; /* static; NULL: none */
        uint64_t left;     /* bytes of the body or of the chunk */
        size_t n_seen;     /* bytes of an incomplete line, in which no LF was found */
        size_t n_head;     /* bytes of all heads, of the complete lines */
        unsigned n_lines;  /* of the present head */
        unsigned n_trailers, n_digits, n_waste;
        bool to_head;      /* set by the owner: the request was HEAD */
        bool to_upgrade;   /* the same: it asks for another protocol, so 101 is the end of HTTP */
        bool lasts;        /* with HTTP1_ANSWER_HEAD: the connection can carry another request afterwards */
        bool is_1_0, has_length, is_chunked, has_close, has_keep_alive; /* of the present head */
} Http1Answer;

void http1_answer_init(Http1Answer *a, bool to_head);

/* Takes the next step in the bytes of `rest`, and removes what was read from it. *ret: with
 * HTTP1_ANSWER_HEADER and HTTP1_ANSWER_DATA only. Goes on until HTTP1_ANSWER_MORE, _END or _FAULT, which
 * come again at each further call. */
Http1AnswerStep http1_answer_next(Http1Answer *a, Http1Bytes *rest, Http1Bytes *ret);

/* The connection has ended, properly. True if the answer is complete by it, or was before. */
bool http1_answer_close(Http1Answer *a);

/* `name: value`: the name is a token, the colon follows it, and the only control characters are tabs. */
bool http1_is_header(const char *line, size_t n);
