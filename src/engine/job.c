/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/text.h"
#include "dialect/gemini/event.h"
#include "dialect/part.h"
#include "engine/job.h"

#define TOKEN_BYTES 32U

struct JobBook {
        List jobs; /* as many as runners: CLI_MAX_JOBS and the warm ones */
};

int job_book_new(JobBook **ret) {
        JobBook *b = calloc(1, sizeof(JobBook));

        if (!b)
                return -ENOMEM;
        list_init(&b->jobs);
        *ret = b;
        return 0;
}

JobBook *job_book_free(JobBook *b) {
        if (!b)
                return NULL;
        assert(list_is_empty(&b->jobs));
        free(b);
        return NULL;
}

/* --- the token --- */

static int token_new(Secret **ret) {
        char hex[2 * TOKEN_BYTES + 1];
        uint8_t bytes[TOKEN_BYTES];
        int r;

        if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t) sizeof(bytes))
                return -EIO;
        text_hex(bytes, sizeof(bytes), hex);
        r = secret_new(hex, sizeof(hex) - 1, ret);
        explicit_bzero(bytes, sizeof(bytes));
        explicit_bzero(hex, sizeof(hex));
        return r;
}

int job_new(JobBook *b, Job **ret) {
        _cleanup_(job_unrefp) Job *j = NULL;
        int r;

        j = calloc(1, sizeof(Job));
        if (!j)
                return -ENOMEM;
        j->n_ref = 1;
        list_init(&j->link);
        r = token_new(&j->token);
        if (r < 0)
                return r;
        list_append(&b->jobs, &j->link);
        *ret = TAKE_PTR(j);
        return 0;
}

Job *job_ref(Job *j) {
        j->n_ref++;
        return j;
}

void job_revoke(Job *j) {
        list_unlink(&j->link);
}

Job *job_unref(Job *j) {
        if (!j || --j->n_ref > 0)
                return NULL;
        list_unlink(&j->link);
        secret_unref(j->token);
        free(j->asked);
        free(j);
        return NULL;
}

int job_arm(Job *j, const char *model, const char *id, const char *asked) {
        _cleanup_free_ char *copy = NULL;

        assert(!j->armed);
        if (asked) {
                copy = strdup(asked);
                if (!copy)
                        return -ENOMEM;
        }
        (void) snprintf(j->model, sizeof(j->model), "%s", model);
        (void) snprintf(j->id, sizeof(j->id), "%s", id);
        j->asked = TAKE_PTR(copy);
        j->armed = true;
        return 0;
}

Job *job_find(JobBook *b, const char *presented, size_t n) {
        Job *found = NULL;

        LIST_FOREACH(i, &b->jobs) {
                Job *j = list_entry(i, Job, link);

                if (secret_equal(j->token, presented, n) && j->armed)
                        found = j;
        }
        return found;
}

bool job_admit(Job *j) {
        ApiError e;

        if (j->calls < JOB_CALLS_MAX) {
                j->calls++;
                return true;
        }
        api_error_set(&e, 502, NULL, "The Gemini CLI asked too often for one answer (%u times).",
                      JOB_CALLS_MAX);
        job_failed(j, &e, NULL);
        return false;
}

/* --- the outcome --- */

/* A text that does not fit is left empty. */
static void copy_text(char *ret, size_t size, const char *s) {
        if (!strnull(s) && strlen(s) < size)
                memcpy(ret, s, strlen(s) + 1);
}

static void note_parts(Job *j, JsonCursor *parts) {
        GeminiPart part;

        while (gemini_part_next(parts, &part)) {
                j->has_call = j->has_call || part.kind == GEMINI_PART_CALL;
                j->has_text = j->has_text || gemini_part_has_text(&part);
        }
}

void job_received(Job *j, const char *json, size_t n) {
        GeminiEvent e;
        GeminiCandidate c;
        Verdict v;

        if (gemini_event_parse(json, n, &e, &v) != 0)
                return;
        copy_text(j->block_reason, sizeof(j->block_reason), e.block_reason);
        copy_text(j->response_id, sizeof(j->response_id), e.response_id);
        copy_text(j->model_version, sizeof(j->model_version), e.model_version);
        while (gemini_event_next(&e, &c)) {
                copy_text(j->finish_reason, sizeof(j->finish_reason), c.finish_reason);
                note_parts(j, &c.parts);
        }
}

void job_answered(Job *j, const Usage *usage) {
        j->complete = true;
        j->usage.prompt += usage->prompt;
        j->usage.cached += usage->cached;
        j->usage.completion += usage->completion;
        j->usage.thoughts += usage->thoughts;
        j->usage.total += usage->total;
}

void job_failed(Job *j, const ApiError *e, const Verdict *v) {
        j->has_error = true;
        j->error = *e;
        j->error_class = v ? v->class : VERDICT_OK;
        text_copy(j->error_cause, sizeof(j->error_cause), v ? v->cause : "");
}

void job_tried(Job *j, const char *key_mask, const char *key_name) {
        j->attempts++;
        (void) snprintf(j->key_mask, sizeof(j->key_mask), "%s", key_mask);
        (void) snprintf(j->key_name, sizeof(j->key_name), "%s", key_name);
}
