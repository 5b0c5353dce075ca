/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Replies. Each has the headers that all replies have: the request's id, the time that it took, the model
 * that answered. A request is answered once: a second reply is dropped. A reply takes over the body, and
 * leaves it empty.
 */

#include "base/buf.h"
#include "dialect/api-error.h"
#include "io/http-request.h"
#include "server/forward.h"

#define REPLY_JSON "application/json"

void request_reply(Request *q, int status, const char *content_type, Buf *body);

/* The same, with further headers: 5 at most. */
void request_reply_with(Request *q, int status, const char *content_type, const HttpHeader *headers,
                        size_t n_headers, Buf *body);

/* An error in the form of the request's route. */
void request_reply_error(Request *q, const ApiError *e);
void request_reply_error_with(Request *q, const ApiError *e, const HttpHeader *headers, size_t n_headers);
void request_fail(Request *q, int status, const char *param, const char *fmt, ...) _printf_(4, 5);

/* Begins a stream with status 200. */
int request_stream(Request *q, const char *content_type);

/* Begins one with further headers, 6 at most; HTTP_SIZE_UNKNOWN: in chunks. */
int request_stream_with(Request *q, int status, const char *content_type, const HttpHeader *headers,
                        size_t n_headers, uint64_t size);
