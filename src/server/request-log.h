/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes one line for each request when it has ended. Its level is the outcome: info if the request was
 * answered (also with an error of the client's), warning if Gemini or the pool failed, error if gemgate
 * failed. Lines that a client without a token can cause are limited, each kind separately.
 */

#include "server/request.h"

int request_log_new(Loop *loop, RequestLog **ret);
RequestLog *request_log_free(RequestLog *l);
DEFINE_CLEANUP(RequestLog *, request_log_free);

void request_log(RequestLog *l, Request *q, bool complete);
void request_log_refused(RequestLog *l, int status); /* by libmicrohttpd: not a request */
void request_log_body(Request *q); /* LOG_BODIES */
