/* SPDX-License-Identifier: MIT */
#pragma once

/* One HTTP/1.1 request in memory. The head is cut into strings in place, so it must outlive
 * this. */

#include "base/buf.h"

typedef struct Request Request;
typedef struct ChunkDecoder ChunkDecoder;

#define REQUEST_HEADERS_MAX 64U
#define REQUEST_HEAD_MAX    (64U << 10)
#define REQUEST_BODY_MAX    (256U << 20) /* the real API takes 100 MB and more */

struct Request {
        char *method;
        char *path;  /* still percent-encoded */
        char *query; /* "" if there is none; still percent-encoded */
        struct {
                char *name;
                char *value;
        } headers[REQUEST_HEADERS_MAX];
        unsigned n_headers;
        bool http10;
        bool keep_alive;
        bool expects_continue;
        bool chunked;
        uint64_t length; /* Content-Length */
        const char *body;
        size_t n_body;
        struct SimIncoming *incoming; /* of a body that was passed on; NULL: `body` */
};

struct ChunkDecoder {
        enum {
                CHUNK_SIZE,
                CHUNK_DATA,
                CHUNK_DATA_END,
                CHUNK_TRAILER,
        } state;
        uint64_t left;
};

/* head: n bytes, the empty line at its end included. -EBADMSG, -E2BIG (too many headers). */
int request_parse_head(Request *q, char *head, size_t n);

const char *request_header(const Request *q, const char *name); /* NULL if absent */

/* The decoded parameter of the query; 0 and NULL if it is absent. */
int request_param(const Request *q, const char *name, char **ret);

/* Takes from `in` what it can, appends the content to `body`. 1: the body is complete, 0: more is needed. */
int chunk_decode(ChunkDecoder *d, Buf *in, Buf *body);
