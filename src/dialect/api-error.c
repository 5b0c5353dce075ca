/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "core/cooldown.h"
#include "dialect/api-error.h"

/* Google's message about a prompt that is too long: "The input token count (1048577) exceeds the maximum
 * number of tokens allowed (1048576)." */
#define TOO_LONG "exceeds the maximum number of tokens"

/* Type and code of a status, if nothing more exact is known. */
static const struct {
        int status;
        const char *type, *code;
} names[] = {
        { 400, "invalid_request_error", NULL },
        { 401, "invalid_request_error", "invalid_api_key" },
        { 403, "permission_error", NULL },
        { 404, "invalid_request_error", NULL },
        { 405, "invalid_request_error", "method_not_allowed" },
        { 408, "invalid_request_error", "request_timeout" },
        { 413, "invalid_request_error", "request_too_large" },
        { 415, "invalid_request_error", "unsupported_media_type" },
        { 429, "rate_limit_error", "rate_limit_exceeded" },
        { 502, "server_error", "bad_gateway" },
        { 503, "server_error", "service_unavailable" },
        { 504, "server_error", "timeout" },
};

/*
 * The error that a client gets for each class. gemgate's sentence comes first, and Google's message follows
 * if `quote` is set. Google's messages about a key are not quoted: a client would apply them to its own
 * token.
 */
static const struct {
        int status;       /* 0: Google's status */
        const char *code; /* NULL: the code of the status */
        bool quote, hopeless;
        const char *message; /* after the model's name; NULL: only Google's message */
} rules[_VERDICT_CLASS_MAX] = {
        [VERDICT_OK] = { 500, NULL, false, false, "an answer was taken for an error" },
        [VERDICT_KEY_DEAD] = { 503, NULL, false, false, "the upstream refused the gateway's API keys" },
        [VERDICT_PROJECT_DEAD] = { 503, NULL, false, false, "the upstream refused the gateway's API keys" },
        [VERDICT_KEY_REFUSED] = { 503, NULL, false, false, "the upstream refused the gateway's API keys" },
        [VERDICT_BILLING] = { 503, NULL, false, false, "the gateway's API keys are out of credit" },
        [VERDICT_LIMIT_ZERO] = { 429, "insufficient_quota", true, true,
                                 "the gateway's API keys have no quota for this model" },
        [VERDICT_DAY] = { 429, "insufficient_quota", true, false, "the daily quota is spent" },
        [VERDICT_MINUTE] = { 429, NULL, true, false, "too many requests at the moment" },
        [VERDICT_RATE_UNKNOWN] = { 429, NULL, true, false, "too many requests at the moment" },
        [VERDICT_TOO_LARGE] = { 413, NULL, true, false,
                                "the request has more tokens than a minute's quota" },
        [VERDICT_MODEL_FOR_PROJECT] = { 404, "model_not_found", true, false, NULL },
        [VERDICT_GEO] = { 400, "unsupported_country_region_territory", true, false,
                          "not served where this gateway runs" },
        [VERDICT_RESOURCE] = { 404, "resource_not_found", true, false, NULL },
        [VERDICT_SIGNATURE] = { 400, NULL, true, false, NULL },
        [VERDICT_REQUEST] = { 0, NULL, true, false, NULL },
        [VERDICT_OVERLOAD] = { 503, NULL, true, false, "the upstream could not answer" },
        [VERDICT_UNREACHABLE] = { 503, NULL, true, false, NULL },
        [VERDICT_FOREIGN] = { 502, NULL, true, false, "unexpected answer from the upstream" },
        [VERDICT_CUT] = { 502, NULL, true, false, "the answer broke off" },
        [VERDICT_TIMEOUT] = { 504, NULL, true, false, "no answer in time" },
        [VERDICT_CLI] = { 503, NULL, true, false, "the Gemini CLI could not answer" },
        [VERDICT_CLIENT_GONE] = { 499, NULL, false, false, "the client went away" },
        [VERDICT_INTERNAL] = { 500, NULL, false, false, "an internal error occurred" },
};

/* Client libraries retry by themselves, some after the time in Retry-After, even an hour, and others sooner,
 * without success. So after waits of more than a minute no retry is suggested: the user has to decide. */
#define RETRY_PATIENCE (60 * USEC_PER_SEC)

/* Client libraries retry a 429 without Retry-After at once, so each 429 has one. */
#define RETRY_DEFAULT (60 * USEC_PER_SEC)

/* Of a 503 that passes, if no time is known: about what libraries wait after a second failure. */
#define RETRY_SOON (2 * USEC_PER_SEC)

/* Google's advice is a method of Google's API, which is no help to a client with a fixed name. */
#define UNKNOWN_MODEL                                                                                    \
        "Gemini has no such model for this request: use one of GET /v1/models, or have the operator of " \
        "this gateway add an alias (MODEL_ALIASES)."

static void set_status(ApiError *e, int status) {
        *e = (ApiError){ .status = status,
                         .type = status >= 500 ? "server_error" : "invalid_request_error",
                         .retry_after = status == 429 ? RETRY_DEFAULT : 0 };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i].status == status) {
                        e->type = names[i].type;
                        e->code = names[i].code;
                }
}

static usec_t whole_seconds_up(usec_t span) {
        return span > USEC_INFINITY - USEC_PER_SEC ? 0
                                                   : (span + USEC_PER_SEC - 1) / USEC_PER_SEC * USEC_PER_SEC;
}

void api_error_set(ApiError *e, int status, const char *param, const char *fmt, ...) {
        char text[API_ERROR_MESSAGE_MAX + 1]; /* one byte more shows whether the cut is inside a character */
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);

        set_status(e, status);
        memcpy(e->message, text, text_utf8_prefix(text, sizeof(e->message) - 1));
        (void) snprintf(e->param, sizeof(e->param), "%s", strempty(param));
        if (status == 404 && streq(e->param, "model"))
                e->code = "model_not_found";
}

void api_error_set_busy(ApiError *e, const char *fmt, ...) {
        char text[API_ERROR_MESSAGE_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        api_error_set(e, 503, NULL, "%s", text);
        e->retry_after = RETRY_SOON;
}

/* The other classes with a 503 are of keys: an operator has to act. */
static bool passes(VerdictClass class) {
        return class == VERDICT_OVERLOAD || class == VERDICT_UNREACHABLE || class == VERDICT_FOREIGN;
}

/* A faulty request keeps Google's status, unless that status would mean the client's own token or its own
 * rate of requests. */
static int request_status(const Verdict *v) {
        static const int passed[] = { 404, 409, 413, 422 };

        for (size_t i = 0; i < ELEMENTSOF(passed); i++)
                if (v->status == passed[i])
                        return v->status;
        return 400;
}

/* An invalid answer is a fault of upstream, not overload. */
static int overload_status(const Verdict *v) {
        return v->status == 504 ? 504 : v->status == 502 || (v->status > 0 && v->status < 400) ? 502 : 503;
}

/* What is not Google's answer has a status that may be meant for gemgate, never for the client. */
static int foreign_status(const Verdict *v) {
        return v->status == 429 || v->status == 503 ? 503 : 502;
}

void api_error_from_failure(ApiError *e, int error) {
        if (error == -ENOMEM)
                api_error_set(e, 500, NULL, "Out of memory.");
        else
                api_error_set(e, 500, NULL, "gemgate could not serve this request: %s.", strerror(-error));
}

void api_error_from_verdict(ApiError *e, const Verdict *v, const char *model) {
        const char *ours = rules[v->class].message, *theirs = rules[v->class].quote ? v->message : "";
        int status = rules[v->class].status;

        assert(ours || rules[v->class].quote); /* each class has a row */
        if (v->class == VERDICT_REQUEST)
                status = request_status(v);
        else if (v->class == VERDICT_OVERLOAD)
                status = overload_status(v);
        else if (v->class == VERDICT_FOREIGN)
                status = foreign_status(v);
        else if (v->class == VERDICT_KEY_DEAD && v->is_unsure)
                ours = "the upstream refused the gateway's API key without a reason";
        if (!ours && strnull(theirs))
                ours = "the upstream refused the request";

        if (status == 404 && v->class != VERDICT_RESOURCE)
                api_error_set(e, status, "model", UNKNOWN_MODEL "%s%s",
                              strnull(theirs) ? "" : " Google's answer: ", theirs);
        else if (ours)
                api_error_set(e, status, NULL, "%s: %s%s%s", model, ours, strnull(theirs) ? "." : ": ",
                              theirs);
        else
                api_error_set(e, status, NULL, "%s", theirs);

        if (v->class == VERDICT_REQUEST && strstr(v->message, TOO_LONG))
                e->code = "context_length_exceeded"; /* clients shorten the conversation */
        if (rules[v->class].code)
                e->code = rules[v->class].code;
        e->daily = v->class == VERDICT_DAY;
        if (status == 429)
                e->retry_after = whole_seconds_up(v->retry_after ?: cooldown_first(v->class));
        else if (status == 503 && passes(v->class))
                e->retry_after = whole_seconds_up(v->retry_after ?: RETRY_SOON);
        e->hopeless = rules[v->class].hopeless || e->retry_after > RETRY_PATIENCE;
}

/* "3 cooling (quota), 1 dead, 1 unhealthy of 5" */
static void describe(const PoolRefusal *r, char *ret, size_t size) {
        size_t total = 0, n = 0;

        ret[0] = 0;
        for (PoolState s = 0; s < _POOL_STATE_MAX; s++) {
                int k;

                total += r->n_keys[s];
                if (r->n_keys[s] == 0 || n >= size)
                        continue;
                k = snprintf(ret + n, size - n, "%s%zu %s%s", n > 0 ? ", " : "", r->n_keys[s],
                             pool_state_to_string(s), s == POOL_COOLING ? " (quota)" : "");
                n += (size_t) MAX(k, 0);
        }
        if (n < size)
                (void) snprintf(ret + n, size - n, "%sof %zu", n > 0 ? " " : "none ", total);
}

void api_error_from_refusal(ApiError *e, const PoolRefusal *r, const char *model, usec_t now) {
        bool never = r->available_at == USEC_INFINITY;
        char states[256];

        describe(r, states, sizeof(states));
        api_error_set(e, r->is_quota ? 429 : 503, NULL, "No API key can serve %s now: %s.", model, states);
        if (!never)
                e->retry_after = MAX(whole_seconds_up(usec_sub(r->available_at, now)), USEC_PER_SEC);
        e->daily = r->is_daily;
        e->hopeless = never || e->retry_after > RETRY_PATIENCE;
}
