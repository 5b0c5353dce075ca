/* SPDX-License-Identifier: MIT */
#pragma once

/* Classifies Google's error bodies; dialect/gemini/error.c has the table. */

#include "base/secret.h"
#include "core/verdict.h"

/*
 * Classifies an upstream answer that is an error. `status` is HTTP's (200 or 0: the body has it, as in a
 * stream); the body may be JSON, an array, HTML, or empty. Details come first, then message, then status.
 * `key` (may be NULL) is removed from the texts that are kept.
 */
void gemini_error_classify(int status, const char *body, size_t n, const Secret *key, Verdict *ret);

/* For a caller that knows the number of tokens in the request: a minute's quota of input tokens that is
 * smaller than the request can never allow it, so the verdict becomes VERDICT_TOO_LARGE. */
void gemini_error_weigh(Verdict *v, uint64_t request_tokens);
