/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/job-protocol.h"
#include "base/json/write.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/message.h"
#include "engine/cli-answer.h"

#define refuse(e, status, ...) (api_error_set(e, status, NULL, __VA_ARGS__), DIALECT_E_REFUSED)

/* Refuses with the CLI's own text, which may quote anything: one line, and no token. */
static int refuse_quoting(const Job *j, const CliResult *result, ApiError *ret) {
        const char *message = strnull(result->message) ? result->stderr_tail : result->message;
        _cleanup_buf_ Buf clean = BUF_INIT(4 * JOB_EVENT_MAX);
        size_t n;

        if (message_clean(message, strlen(message), j->token, &clean) < 0 || clean.n == 0)
                return refuse(ret, 502,
                              "The Gemini CLI ended without an answer (exit code %lld, signal %lld).",
                              (long long) result->exit_code, (long long) result->signal);
        n = text_utf8_prefix(buf_cstr(&clean), UPSTREAM_MESSAGE_MAX);
        return refuse(ret, 502, "The Gemini CLI ended without an answer: %.*s", (int) n, buf_data(&clean));
}

int cli_answer_judge(const Job *j, const CliResult *result, ApiError *ret_refusal) {
        bool success = result && streq(result->status, JOB_STATUS_SUCCESS);

        if (j->has_error) {
                *ret_refusal = j->error;
                return DIALECT_E_REFUSED;
        }
        if (!result)
                return refuse(ret_refusal, 502,
                              "The Gemini CLI's runner went away in the middle of its job.");
        if (j->complete && success && result->messages > 0)
                return 0;
        /* The CLI treats an answer without text as an error; finishReason has the cause. */
        if (j->complete && result->messages == 0 && !j->has_text && !j->has_call && result->signal == 0 &&
            !streq(result->status, JOB_STATUS_NONE))
                return 0;
        if (j->has_call)
                return refuse(ret_refusal, 502,
                              "The model answered with a tool call, and the Gemini CLI has no tools here.");
        if (j->calls == 0 && success)
                return refuse(ret_refusal, 400,
                              "The Gemini CLI sent nothing: the prompt does not fit into the context of the "
                              "model that it takes this one for.");
        return refuse_quoting(j, result, ret_refusal);
}

/* --- the answer --- */

static void write_candidate(JWriter *w, const Job *j, const char *text, size_t n) {
        jwrite_array(w, "candidates");
        jwrite_object(w, NULL);
        jwrite_object(w, "content");
        jwrite_string(w, "role", "model");
        jwrite_array(w, "parts");
        if (n > 0) {
                jwrite_object(w, NULL);
                jwrite_string_n(w, "text", text, n);
                jwrite_end(w);
        }
        jwrite_end(w);
        jwrite_end(w);
        jwrite_string(w, "finishReason", j->finish_reason[0] ? j->finish_reason : "STOP");
        jwrite_int(w, "index", 0);
        jwrite_end(w);
        jwrite_end(w);
}

static void write_usage(JWriter *w, const Usage *u) {
        jwrite_object(w, "usageMetadata");
        jwrite_uint(w, "promptTokenCount", u->prompt);
        jwrite_uint(w, "candidatesTokenCount", u->completion - MIN(u->thoughts, u->completion));
        jwrite_uint(w, "thoughtsTokenCount", u->thoughts);
        jwrite_uint(w, "cachedContentTokenCount", u->cached);
        jwrite_uint(w, "totalTokenCount", u->total);
        jwrite_end(w);
}

static void write_command(JWriter *w, const CliResult *result, size_t n_prompt) {
        _cleanup_buf_ Buf command = BUF_INIT(JOB_EVENT_MAX);
        size_t n = result->argv ? json_object_array_length(result->argv) : 0;

        for (size_t i = 0; i < n; i++)
                (void) buf_printf(&command, "%s ",
                                  json_object_get_string(json_object_array_get_idx(result->argv, i)));
        (void) buf_printf(&command, "< (a prompt of %zu bytes)", n_prompt);
        jwrite_string(w, "command", buf_cstr(&command));
}

/* The CLI's standard error is foreign text: tokens and keys are covered. */
static int write_stderr(JWriter *w, const Job *j, const CliResult *result) {
        _cleanup_free_ char *copy = strdup(result->stderr_tail);

        if (!copy)
                return -ENOMEM;
        secret_scrub(copy, j->token);
        jwrite_string(w, "stderr", copy);
        return 0;
}

int cli_answer_write(const Job *j, const CliResult *result, const char *text, size_t n_text, size_t n_prompt,
                     usec_t spent, Buf *ret) {
        JWriter w = JWRITER_INIT(ret);
        int r;

        jwrite_object(&w, NULL);
        if (j->block_reason[0]) {
                jwrite_object(&w, "promptFeedback");
                jwrite_string(&w, "blockReason", j->block_reason);
                jwrite_end(&w);
        } else
                write_candidate(&w, j, text, n_text);
        write_usage(&w, &j->usage);
        jwrite_string(&w, "modelVersion", j->model_version[0] ? j->model_version : j->model);
        if (j->response_id[0])
                jwrite_string(&w, "responseId", j->response_id);

        jwrite_object(&w, "gemgateCli");
        write_command(&w, result, n_prompt);
        jwrite_int(&w, "exitCode", result->exit_code);
        r = write_stderr(&w, j, result);
        if (r < 0)
                return r;
        jwrite_uint(&w, "durationUsec", spent);
        jwrite_bool(&w, "success", streq(result->status, JOB_STATUS_SUCCESS));
        jwrite_string(&w, "finishReason", j->block_reason[0] ? j->block_reason : j->finish_reason);
        jwrite_string(&w, "key", j->key_mask);
        jwrite_end(&w);
        jwrite_end(&w);
        return ret->error;
}
