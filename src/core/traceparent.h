/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The header `traceparent` (W3C Trace Context): VERSION-TRACE_ID-PARENT_ID-FLAGS, lower-case hex digits, as
 * in 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01. Only the trace id is used: it is what all
 * services that take part in one task have in common.
 */

#include "base/macros.h"

#define TRACEPARENT_LENGTH 55U
#define TRACE_ID_LENGTH    32U

/* NULL, and every value of another form, has no trace id: false. */
bool traceparent_parse(const char *s, char ret_trace_id[static TRACE_ID_LENGTH + 1]);
