/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The result of a job of the Gemini CLI. Neither the CLI's exit code nor its own result is trusted alone: it
 * exits with 0 after many failures, and calls an answer without text an error. The outcome of its requests,
 * as seen by the inner listener, comes first.
 */

#include "engine/cli-runner.h"

/* 0: an answer; DIALECT_E_REFUSED: the client gets ret_refusal instead. `result` NULL: the runner hung
 * up. */
int cli_answer_judge(const Job *j, const CliResult *result, ApiError *ret_refusal);

/* The last GenerateContentResponse of the job: text if there is any (not streaming: all of it), the finish
 * reason, usage; and in `gemgateCli` what only a CLI has: command, exit code, standard error. */
int cli_answer_write(const Job *j, const CliResult *result, const char *text, size_t n_text, size_t n_prompt,
                     usec_t spent, Buf *ret);
