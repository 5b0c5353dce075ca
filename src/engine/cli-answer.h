/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a job of the Gemini CLI came to. Neither the CLI's exit code nor its own word alone is believed: it
 * ends with 0 for much that failed, and calls an answer without text an error. What its requests came to,
 * as the inner listener saw them, comes first.
 */

#include "engine/cli-runner.h"

/* 0: an answer; DIALECT_E_REFUSED: the client is to be told this instead. `result` NULL: it hung up. */
int cli_answer_judge(const Job *j, const CliResult *result, ApiError *ret_refusal);

/* The last GenerateContentResponse of the job: text if there is any (not streaming: all of it), how it
 * ended, usage; and beside them, in `gemgateCli`, what only a CLI has: command, exit code, standard error.
 */
int cli_answer_write(const Job *j, const CliResult *result, const char *text, size_t n_text, size_t n_prompt,
                     usec_t spent, Buf *ret);
