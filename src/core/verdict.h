/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How an attempt ended. A verdict is not an error: it is Gemini's answer (or the network's). It decides
 * where the fault is and whether another key is tried (the table of core/verdict.c), and what is not used
 * for a while, and for how long (core/judgement and core/cooldown). dialect/gemini/error.c maps Google's
 * bodies to classes.
 */

#include "base/clock.h"
#include "base/limits.h"
#include "core/ceiling.h"

typedef enum VerdictClass {
        VERDICT_OK,
        VERDICT_KEY_DEAD,          /* the key is invalid for every model */
        VERDICT_PROJECT_DEAD,      /* suspended, API disabled, denied: every key of the project */
        VERDICT_BILLING,           /* credits or spending cap: every key of the project */
        VERDICT_LIMIT_ZERO,        /* this model is not on the project's tier */
        VERDICT_DAY,               /* the project's daily quota of the model */
        VERDICT_MINUTE,            /* a throttle of the project on the model */
        VERDICT_RATE_UNKNOWN,      /* a 429 without details */
        VERDICT_TOO_LARGE,         /* more tokens than the tier allows in a minute: never with this key */
        VERDICT_MODEL_FOR_PROJECT, /* the model is closed to new projects */
        VERDICT_KEY_REFUSED,       /* the account behind this key may not use this model */
        VERDICT_GEO,               /* by egress address: the same for all keys */
        VERDICT_RESOURCE,          /* a file or cached content of another project */
        VERDICT_SIGNATURE,         /* a thought signature in the request */
        VERDICT_REQUEST,           /* the request itself */
        VERDICT_OVERLOAD,          /* 5xx of Google's form, an answer without content */
        VERDICT_UNREACHABLE,       /* no answer: name, socket, TLS, proxy, reset before the first byte */
        VERDICT_FOREIGN,           /* an answer that is not Gemini's, or that gives no reason */
        VERDICT_CUT,               /* a started answer that broke off, or stopped */
        VERDICT_TIMEOUT,           /* no first byte in time */
        VERDICT_CLI,               /* the Gemini CLI here, its runner, or a place for its job; not Google */
        VERDICT_CLIENT_GONE,       /* the client hung up: proves nothing about the key */
        VERDICT_INTERNAL,          /* an internal error of gemgate: proves nothing about the key */
        _VERDICT_CLASS_MAX,
        _VERDICT_CLASS_INVALID = -22,
} VerdictClass;

typedef enum VerdictFault {
        FAULT_NOBODY,
        FAULT_REQUEST,
        FAULT_NETWORK,       /* between gemgate and Google: the same for all keys and models */
        FAULT_MODEL,         /* the same for all keys */
        FAULT_KEY_MODEL,     /* counts towards the (key, model)'s three strikes */
        FAULT_KEY,           /* all models of the key */
        FAULT_PROJECT_MODEL, /* the quota bucket */
        FAULT_PROJECT,       /* all keys and models of the project */
} VerdictFault;

typedef struct VerdictRule {
        const char *name;   /* as logs and statistics show it: "day", "key_dead" … */
        VerdictFault fault;
        bool another_key;   /* another key may be tried at once */
        bool backoff;       /* any key, even the same one, may be tried after a short wait with jitter */
        bool is_quota;      /* passes by itself, so the client gets a 429, not a 503 */
} VerdictRule;

#define VERDICT_REASON_MAX 96U
#define VERDICT_CONSUMER_MAX 64U
#define VERDICT_CAUSE_MAX 256U
#define VERDICT_NO_VALUE UINT64_MAX

typedef struct Verdict {
        VerdictClass class;
        bool is_unsure;       /* VERDICT_KEY_DEAD without a reason or a sentence about the key */
        bool is_own;          /* VERDICT_UNREACHABLE: nothing was tried, because gemgate lacks the means */
        int status;           /* HTTP status upstream, 0 if there was none */
        usec_t retry_after;   /* the wait that the answer asks for, 0 if none */
        uint64_t quota_value; /* of the violation, VERDICT_NO_VALUE if not named */
        uint64_t ceilings[_CEILING_MAX]; /* of all violations, by kind; 0: not named */
        char consumer[VERDICT_CONSUMER_MAX]; /* the key's project as Google names it, "projects/N"; "" */
        char model[MODEL_NAME_MAX + 1];      /* as the violated quota counts it; "" */
        char reason[VERDICT_REASON_MAX];     /* quotaId, ErrorInfo.reason or status name; "" */
        char cause[VERDICT_CAUSE_MAX];       /* for the log: why Gemini could not be reached, in the words of
                                                the resolver, the socket, TLS or the proxy; "" */
        char message[UPSTREAM_MESSAGE_MAX];  /* scrubbed, UTF-8, one line; "" */
} Verdict;

/* Fills the fixed members and a message of gemgate's; the message may be NULL. */
void verdict_init(Verdict *v, VerdictClass class, int status, const char *message);

const VerdictRule *verdict_rule(VerdictClass class);

/* For people, before the explanation: "day quota". */
#define VERDICT_BRIEF_MAX 24U /* with a colon and a blank */
const char *verdict_brief(const Verdict *v);

/* Tokens as counted by Gemini. */
typedef struct Usage {
        uint64_t prompt;     /* promptTokenCount + toolUsePromptTokenCount */
        uint64_t cached;     /* cachedContentTokenCount, part of prompt */
        uint64_t completion; /* candidatesTokenCount + thoughtsTokenCount */
        uint64_t thoughts;   /* thoughtsTokenCount, part of completion */
        uint64_t total;      /* totalTokenCount, or the sum */
} Usage;

static inline void usage_add(Usage *u, const Usage *more) {
        u->prompt += more->prompt;
        u->cached += more->cached;
        u->completion += more->completion;
        u->thoughts += more->thoughts;
        u->total += more->total;
}
