/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The framing of HTTP/1: where each head and each body ends in the bytes that a client sends. A pure
 * incremental parser, for bytes in pieces of any size. It is strict (RFC 9112): what another program could
 * read in another way is a fault. See http-framing.c.
 */

#include "base/macros.h"

typedef enum HttpFramingState {
        HTTP_FRAMING_HEAD,     /* the first line and the headers */
        HTTP_FRAMING_HEAD_END, /* nothing more is read before http_framing_body() */
        HTTP_FRAMING_LENGTH,   /* a body of a given length */
        HTTP_FRAMING_SIZE,     /* the size of a chunk */
        HTTP_FRAMING_EXTENSION,
        HTTP_FRAMING_SIZE_LF,
        HTTP_FRAMING_DATA,
        HTTP_FRAMING_DATA_CR,
        HTTP_FRAMING_DATA_LF,
        HTTP_FRAMING_TRAILERS,
        _HTTP_FRAMING_MAX,
} HttpFramingState;

typedef struct HttpFraming {
        HttpFramingState state;
        const char *fault; /* static; NULL: none so far. Nothing behind it is read */
        uint64_t left;     /* bytes of the body, or of the chunk */
        size_t n_head;     /* bytes of the head, from its first line */
        size_t n_column;   /* bytes of the present line, without its end */
        unsigned n_blanks, n_ampersands; /* of the first line; the latter behind a question mark */
        unsigned n_digits, n_extensions, n_trailers;
        bool has_line;  /* the first line is complete */
        bool in_query;  /* of the first line */
        bool is_large;  /* the fault is the size */
        bool has_name;  /* of the present header */
        bool cr;        /* the last byte was the CR of a line's end */
        bool may_have_nul; /* the bytes that are being read */
        bool no_extensions; /* set by the owner: an extension of a chunk is a fault */
        bool whole_line; /* the same: a fault anywhere in the first line is that of no head */
} HttpFraming;

/* Begins at a head: a HttpFraming of zeros is right, too. */
void http_framing_init(HttpFraming *f);

/* Reads the bytes up to the end of a head, to a fault, or all. Returns how many were read; the byte at which
 * there is a fault, or one before it, is the first that is not. */
size_t http_framing_feed(HttpFraming *f, const char *p, size_t n);

/* After a head: the body that follows. A length of 0: none. */
void http_framing_body(HttpFraming *f, bool chunked, uint64_t length);

bool http_framing_in_body(const HttpFraming *f); /* also with a fault there */
/* A fault at the beginning of the first line; with whole_line, or of its size, anywhere in it. */
bool http_framing_has_no_method(const HttpFraming *f);

size_t http_token_length(const char *s, size_t n); /* of the token at s (RFC 9110, 5.6.2); 0: none */
bool http_is_token(const char *s, size_t n);       /* all of it: a method, the name of a header */
bool http_is_visible(const char *s); /* no control character and no blank: a target, an authority */
