/* SPDX-License-Identifier: MIT */
#pragma once

/* gemgate as its client sees it: the scheme and host of the URLs that clients get. */

#include "base/buf.h"
#include "server/request.h"

#define FRONT_HOST_MAX 255U

bool front_is_tls(Request *q);        /* the client uses TLS, according to a trusted proxy */
const char *front_host(Request *q);   /* of the client's request; NULL: it has none that can be used */

/* In an answer of Google's, which has been checked: the URLs of a file's content become gemgate's. Without
 * memory, or without a host, they stay. */
void front_rewrite(Request *q, Buf *answer);
