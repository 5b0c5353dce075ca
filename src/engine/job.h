/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A job of the Gemini CLI, as the daemon's own Gemini API sees it. The CLI is a client of gemgate: each
 * process has a random token as its API key, and Job holds what that token allows. It allows nothing until
 * the job is armed; then the three methods of the native dialect, for the job's model whatever name the CLI
 * uses, for a bounded number of calls; and nothing again once the job is over.
 *
 * The job also notes the outcome of its requests, since the CLI hides most of it (finish reasons, why a
 * prompt was blocked, errors in their own form).
 */

#include "base/list.h"
#include "base/secret.h"
#include "pool/admin.h"
#include "dialect/api-error.h"

typedef struct JobBook JobBook;
typedef struct Job Job;

struct Job {
        unsigned n_ref;
        List link; /* unlinked: revoked */
        Secret *token;
        bool armed;
        char model[MODEL_NAME_MAX + 1]; /* as it goes upstream */
        char id[REQUEST_ID_MAX + 1];    /* of the client's request: its inner ones have the same */
        char *asked; /* the client's GenerateContentRequest without what the CLI was given: JSON, or NULL */
        unsigned calls; /* so far */

        /* the outcome */
        bool complete;  /* an answer was complete */
        bool has_text;  /* it contains text */
        bool has_call;  /* it contains a functionCall */
        bool has_error; /* a request of the CLI's failed: `error` is what the CLI received */
        ApiError error;
        VerdictClass error_class; /* of the attempt behind it; VERDICT_OK: there was none */
        char error_cause[VERDICT_CAUSE_MAX]; /* of that attempt, for the log; "" */
        char finish_reason[FINISH_REASON_MAX + 1]; /* Gemini's own; "" */
        char block_reason[FINISH_REASON_MAX + 1];  /* of promptFeedback; "" */
        char response_id[128], model_version[128]; /* "" */
        Usage usage;                               /* of all calls */
        unsigned attempts;
        char key_mask[SECRET_MASK_MAX], key_name[POOL_KEY_ID_MAX + 1];
};

int job_book_new(JobBook **ret);
JobBook *job_book_free(JobBook *b); /* every job must be revoked before */
DEFINE_CLEANUP(JobBook *, job_book_free);

/* Creates a job with a new token, which allows nothing yet. A request of the CLI's keeps a reference while
 * it lasts, although the token may be revoked meanwhile. */
int job_new(JobBook *b, Job **ret);
Job *job_ref(Job *j);
Job *job_unref(Job *j);
DEFINE_CLEANUP(Job *, job_unref);
void job_revoke(Job *j); /* its token is no longer valid */

int job_arm(Job *j, const char *model, const char *id, const char *asked);

/* The armed job with the presented token, or NULL. Compares with all, in constant time each. */
Job *job_find(JobBook *b, const char *presented, size_t n);

/* Counts one more call; false if that is one too many, and then the job has failed. */
bool job_admit(Job *j);

/* Called by the CLI's exchange: with each GenerateContentResponse, … */
void job_received(Job *j, const char *json, size_t n);
/* … when an answer is complete (not for a count of tokens), … */
void job_answered(Job *j, const Usage *usage);
/* … when it failed, with the error and the verdict of its last attempt (NULL: there was none), … */
void job_failed(Job *j, const ApiError *e, const Verdict *v);
/* … and with the key that was tried. */
void job_tried(Job *j, const char *key_mask, const char *key_name);
