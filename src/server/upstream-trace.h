/* SPDX-License-Identifier: MIT */
#pragma once

/* The beginning and the end of each call to Google, as probes and as lines at LOG_LEVEL=DEBUG: which key and
 * why that one, the verdict, the duration, and why Google could not be reached. */

#include "base/log.h"
#include "server/upstream.h"

/* `ids` belong to the client's request; log_no_request: gemgate calls for itself. `model` may be NULL: then
 * `subject` is what the call is for ("the list of models"). */
void upstream_trace_begin(const UpstreamCall *c, const LogIds *ids, const char *model, const char *subject);

/* Call it while `c` has its lease; `now` is the loop's time. */
void upstream_trace_end(const UpstreamCall *c, const LogIds *ids, const char *model, const char *subject,
                        usec_t now, const Verdict *v);
