/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "core/verdict.h"

/*
 * Another key helps if the fault is the key's or its project's. It does not help if all keys are alike: a
 * wrong request stays wrong, and an overloaded model or a network that fails is tried again only after a
 * pause (`backoff`), with any key. Two classes are less obvious: TOO_LARGE is only too large for this key's
 * tier, so another key may accept it; and a TIMEOUT has already cost the client so much time that a pause
 * would not help, so another key is tried at once. A fault of the Gemini CLI (CLI) is no key's; it is taken
 * for the model's, because a fallback model may need no CLI.
 */
static const VerdictRule rules[_VERDICT_CLASS_MAX] = {
        [VERDICT_OK]                = { "ok",                FAULT_NOBODY,        false, false, false },
        [VERDICT_KEY_DEAD]          = { "key_dead",          FAULT_KEY,           true,  false, false },
        [VERDICT_PROJECT_DEAD]      = { "project_dead",      FAULT_PROJECT,       true,  false, false },
        [VERDICT_BILLING]           = { "billing",           FAULT_PROJECT,       true,  false, false },
        [VERDICT_LIMIT_ZERO]        = { "limit_zero",        FAULT_PROJECT_MODEL, true,  false, true },
        [VERDICT_DAY]               = { "day",               FAULT_PROJECT_MODEL, true,  false, true },
        [VERDICT_MINUTE]            = { "minute",            FAULT_PROJECT_MODEL, true,  false, true },
        [VERDICT_RATE_UNKNOWN]      = { "rate_unknown",      FAULT_KEY_MODEL,     true,  false, true },
        [VERDICT_TOO_LARGE]         = { "too_large",         FAULT_REQUEST,       true,  false, false },
        [VERDICT_MODEL_FOR_PROJECT] = { "model_for_project", FAULT_PROJECT_MODEL, true,  false, false },
        [VERDICT_KEY_REFUSED]       = { "key_refused",       FAULT_KEY_MODEL,     true,  false, false },
        [VERDICT_GEO]               = { "geo",               FAULT_NOBODY,        false, false, false },
        [VERDICT_RESOURCE]          = { "resource",          FAULT_REQUEST,       false, false, false },
        [VERDICT_SIGNATURE]         = { "signature",         FAULT_REQUEST,       false, false, false },
        [VERDICT_REQUEST]           = { "request",           FAULT_REQUEST,       false, false, false },
        [VERDICT_OVERLOAD]          = { "overload",          FAULT_MODEL,         false, true,  false },
        [VERDICT_UNREACHABLE]       = { "unreachable",       FAULT_NETWORK,       false, true,  false },
        [VERDICT_FOREIGN]           = { "foreign",           FAULT_NETWORK,       false, true,  false },
        [VERDICT_CUT]               = { "cut",               FAULT_MODEL,         false, true,  false },
        [VERDICT_TIMEOUT]           = { "timeout",           FAULT_MODEL,         true,  false, false },
        [VERDICT_CLI]               = { "cli",               FAULT_MODEL,         false, false, false },
        [VERDICT_CLIENT_GONE]       = { "client_gone",       FAULT_NOBODY,        false, false, false },
        [VERDICT_INTERNAL]          = { "internal",          FAULT_NOBODY,        false, false, false },
};

const VerdictRule *verdict_rule(VerdictClass class) {
        assert(class >= 0 && class < _VERDICT_CLASS_MAX);
        assert(rules[class].name); /* each class has a row */
        return &rules[class];
}

const char *verdict_brief(const Verdict *v) {
        static const char *const briefs[_VERDICT_CLASS_MAX] = {
                [VERDICT_OK]                = "no error",
                [VERDICT_KEY_DEAD]          = "invalid key",
                [VERDICT_PROJECT_DEAD]      = "project refused",
                [VERDICT_BILLING]           = "no credit",
                [VERDICT_LIMIT_ZERO]        = "no quota",
                [VERDICT_DAY]               = "day quota",
                [VERDICT_MINUTE]            = "minute quota",
                [VERDICT_RATE_UNKNOWN]      = "rate limit",
                [VERDICT_TOO_LARGE]         = "too many tokens",
                [VERDICT_MODEL_FOR_PROJECT] = "model not open",
                [VERDICT_KEY_REFUSED]       = "key refused",
                [VERDICT_GEO]               = "region not served",
                [VERDICT_RESOURCE]          = "no such file",
                [VERDICT_SIGNATURE]         = "thought signature",
                [VERDICT_REQUEST]           = "invalid request",
                [VERDICT_OVERLOAD]          = "overloaded",
                [VERDICT_UNREACHABLE]       = "unreachable",
                [VERDICT_FOREIGN]           = "not Gemini's answer",
                [VERDICT_CUT]               = "answer broke off",
                [VERDICT_TIMEOUT]           = "no answer in time",
                [VERDICT_CLI]               = "Gemini CLI failed",
                [VERDICT_CLIENT_GONE]       = "client gone",
                [VERDICT_INTERNAL]          = "internal error",
        };

        assert(v->class >= 0 && v->class < _VERDICT_CLASS_MAX);
        assert(briefs[v->class]);
        /* Google has refused the key and has not given a reason. */
        return v->class == VERDICT_KEY_DEAD && v->is_unsure ? briefs[VERDICT_KEY_REFUSED] : briefs[v->class];
}

void verdict_init(Verdict *v, VerdictClass class, int status, const char *message) {
        size_t n;

        v->class = class;
        v->is_unsure = v->is_own = false;
        v->status = status;
        v->retry_after = 0;
        v->quota_value = VERDICT_NO_VALUE;
        memset(v->ceilings, 0, sizeof(v->ceilings));
        v->consumer[0] = v->model[0] = v->reason[0] = v->cause[0] = 0;

        message = strempty(message);
        n = text_utf8_prefix(message, sizeof(v->message) - 1);
        memcpy(v->message, message, n);
        v->message[n] = 0;
}
