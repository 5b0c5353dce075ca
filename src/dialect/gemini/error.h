/* SPDX-License-Identifier: MIT */
#pragma once

/* Google's error bodies, classed. See dialect/gemini/error.c for the table. */

#include "base/secret.h"
#include "core/verdict.h"

/*
 * Classes an upstream answer that is an error: `status` HTTP (200 or 0: the body says it itself, as in a
 * stream), the body may be JSON, an array, HTML, or nothing. By details first, then message, then status.
 * `key` (may be NULL) is scrubbed out of what is kept.
 */
void gemini_error_classify(int status, const char *body, size_t n, const Secret *key, Verdict *ret);

/* For those who know how many tokens the request itself has: a throttle on input tokens that is smaller
 * than the request will never pass, so it becomes VERDICT_TOO_LARGE. */
void gemini_error_weigh(Verdict *v, uint64_t request_tokens);
