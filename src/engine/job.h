/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A job of the Gemini CLI, as the daemon's own Gemini API sees it. The CLI is a client of gemgate: each
 * process has a random token as its API key, and what that token opens is written here. It opens nothing
 * until the job is armed; from then on the three methods of the native dialect, for the job's model whatever
 * the CLI calls it, for a bounded number of calls; and nothing again once the job is over.
 *
 * What the inner requests come to is noted here too, since the CLI hides most of it (finish reasons, why a
 * prompt was blocked, errors in their own shape).
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

        /* what was seen */
        bool complete;  /* an answer came to its end */
        bool has_text;  /* it holds something to say */
        bool has_call;  /* it holds a functionCall */
        bool has_error; /* an inner request failed: `error` is what its client was told */
        ApiError error;
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

/* With a token of its own, which opens nothing yet. An inner request keeps a reference for as long as it
 * lasts, though its token may have been revoked in between. */
int job_new(JobBook *b, Job **ret);
Job *job_ref(Job *j);
Job *job_unref(Job *j);
DEFINE_CLEANUP(Job *, job_unref);
void job_revoke(Job *j); /* its token opens nothing any more */

int job_arm(Job *j, const char *model, const char *id, const char *asked);

/* The armed job whose token was presented, or NULL. Compares with every one, in constant time each. */
Job *job_find(JobBook *b, const char *presented, size_t n);

/* Counts one more call; false if that is one too many, with which the job has failed. */
bool job_admit(Job *j);

/* Told by the inner exchange: a GenerateContentResponse as it came, … */
void job_heard(Job *j, const char *json, size_t n);
/* … that this answer is complete (no count of tokens, which is none), … */
void job_answered(Job *j, const Usage *usage);
/* … or that it failed, in these words; … */
void job_failed(Job *j, const ApiError *e);
/* … and which key it was tried with. */
void job_tried(Job *j, const char *key_mask, const char *key_name);
