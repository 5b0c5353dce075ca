/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An error on its way to a client, before an error shape formats it. One table turns verdicts into errors: a
 * fault of an upstream key never becomes the client's 401 or 403.
 */

#include "base/clock.h"
#include "pool/pool.h"
#include "core/verdict.h"

#define API_ERROR_MESSAGE_MAX (UPSTREAM_MESSAGE_MAX + 512U)

/* The code of a refused `thread`: Anthropic's form has it in its details. */
#define API_ERROR_THREAD "thread_unsupported_request"

typedef struct ApiError {
        int status;         /* HTTP */
        const char *type;   /* OpenAI's types ("invalid_request_error"); static */
        const char *code;   /* or NULL; static */
        char param[64];     /* "" if none */
        usec_t retry_after; /* a duration; 0: no Retry-After; never 0 in a 429, nor in a 503 that passes */
        bool hopeless;      /* x-should-retry: false */
        bool daily;         /* a 429, probably for the quota of a day */
        char message[API_ERROR_MESSAGE_MAX];
} ApiError;

/* The status determines type and code (400 invalid_request_error, 401 …/invalid_api_key, 404, 413, 429 …,
 * 503 …). */
void api_error_set(ApiError *e, int status, const char *param, const char *fmt, ...) _printf_(4, 5);

/* A 503 that passes without an operator's action, soon. */
void api_error_set_busy(ApiError *e, const char *fmt, ...) _printf_(2, 3);

/* A failure of gemgate: −errno. */
void api_error_from_failure(ApiError *e, int error);

/* The error for the last verdict, when no other try follows. */
void api_error_from_verdict(ApiError *e, const Verdict *v, const char *model);

/* Nothing could be picked: 429 with the soonest time if the reason is quota, otherwise 503; the message has
 * the number of keys in each state. */
void api_error_from_refusal(ApiError *e, const PoolRefusal *r, const char *model, usec_t now);
