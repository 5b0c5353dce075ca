/* SPDX-License-Identifier: MIT */
#pragma once

/* The wait that an error asks for. Google names it in RetryInfo and in its message, other programs in front
 * of Google in their own ways. */

#include <json-c/json.h>

#include "core/verdict.h"

#define DELAY_HEADER_MAX USEC_PER_DAY /* no quota is spent for longer */

/* True if there is one. */
bool gemini_delay_of_message(const char *message, usec_t *ret);
bool gemini_delay_of_member(struct json_object *delay, usec_t *ret); /* NULL: none */

/* Retry-After (0: none), which counts if the body names no wait. */
void gemini_delay_add_header(Verdict *v, usec_t delay);
