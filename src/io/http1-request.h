/* SPDX-License-Identifier: MIT */
#pragma once

/* The bytes of a request in HTTP/1.1, but for a body that is held. */

#include "base/buf.h"
#include "io/http-work.h"

/* Appends the head. -EINVAL: something in it is not what it must be, such as a header with a line's end. */
int http1_request_head(const HttpWork *w, Buf *ret);

/* Reads the next piece of a body that is not held, and appends it with its frame. 1: more follow; 0: it was
 * the last; -EAGAIN: none now; another error: the body cannot be sent. */
int http1_request_piece(HttpWork *w, Buf *ret);
