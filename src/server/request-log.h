/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One line a request, when it has ended; its level tells the outcome: info when it was answered (also that
 * it was wrong), a warning when Gemini or the pool could not, an error when gemgate could not. What a
 * stranger can cause without a token is limited, each kind for itself. /
 */

#include "server/http.h"

int request_log_new(Loop *loop, RequestLog **ret);
RequestLog *request_log_free(RequestLog *l);
DEFINE_CLEANUP(RequestLog *, request_log_free);

void request_log(RequestLog *l, Request *q, bool complete);
void request_log_body(Request *q); /* LOG_BODIES */
