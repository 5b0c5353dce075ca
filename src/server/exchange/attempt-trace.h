/* SPDX-License-Identifier: MIT */
#pragma once

/* The beginning and the end of an attempt, as probes and as lines at LOG_LEVEL=DEBUG: which key and
 * why that one, the verdict, the duration, and why Gemini could not be reached. */

#include "server/exchange/attempt.h"

void attempt_trace_begin(const Attempt *a);
void attempt_trace_end(const Attempt *a, const Verdict *v); /* while it has its lease */
