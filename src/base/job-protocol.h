/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What gemgated and gemgate-runner say to each other. The runner's fd 0 is a connected stream socket; both
 * send JSON objects, one a line, in UTF-8, each with exactly one of the members below (`event` names its
 * kind). Unknown members beside them are passed over. One connection is one job.
 *
 * The daemon:
 *
 *     {"start": {"token": "…", "dialogue": false}}
 *         First, and at once: the CLI is started now and waits for its job, warm. token is its API key, good
 *         at the daemon's listener only: 1 to JOB_TOKEN_MAX bytes of 0x21..0x7e. dialogue (false if left
 *         out) is the kind: with a history, or without one. A job without one fits either, but is answered
 *         some 70 ms sooner by the kind without.
 *     {"job": {"prompt": "…", "system": "…", "history": [{"role": "user" | "model", "text": "…"}, …]}}
 *         At any time afterwards, once; together with the start it is a cold job. system and history may be
 *         left out; a history that isn't empty needs "dialogue": true. Ceilings: CLI_PROMPT_MAX,
 *         CLI_SYSTEM_MAX, CLI_HISTORY_MAX (bytes of its texts), CLI_TURNS_MAX; a line at most JOB_LINE_MAX.
 *
 * The runner; a line of it is at most JOB_EVENT_MAX, its newline included:
 *
 *     {"event": "ready", "isolation": "unit" | "namespaces" | "process", "version": "0.61.0"}
 *         The start was taken and the CLI's process is there. version may be null.
 *     {"event": "text", "text": "…"}
 *         A piece of the answer, as it comes; never empty, at most JOB_TEXT_MAX bytes. A piece of the CLI
 *         that is longer comes as several.
 *     {"event": "result", "status": "success" | "error" | "none", "message": "…", "messages": 1,
 *      "exit_code": 0, "signal": 0, "skipped": 0, "stderr": "…", "argv": ["…"]}
 *         Last; then the runner hangs up. status is what the CLI's own result event says; `none`: there was
 *         no such event. message is its words for an error, or the runner's when it could not even start or
 *         refused the job (then nothing went upstream); empty with success. messages counts the CLI's
 *         assistant messages: a success without one is no success. exit_code is null when a signal ended
 *         the CLI or it never began; signal is that signal or 0. skipped counts the lines of its output that
 *         were no event. stderr is the end of what it wrote there. argv is what was started and holds
 *         nothing of the job.
 *
 * A result may come at any time, also instead of "ready". The only other thing that the daemon can say is to
 * hang up: the CLI and all it left is gone then, whatever it was at.
 */

#include "base/limits.h"

/* The CLI's system text when a job has none; its own would be 23 KB. It is the only one that comes to the
 * daemon's listener without guards. */
#define CLI_SYSTEM_NEUTRAL "You answer the user."

#define JOB_STATUS_SUCCESS "success"
#define JOB_STATUS_ERROR   "error"
#define JOB_STATUS_NONE    "none"

#define JOB_ISOLATION_UNIT       "unit"
#define JOB_ISOLATION_NAMESPACES "namespaces"
#define JOB_ISOLATION_PROCESS    "process"
