/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The protocol between gemgated and gemgate-runner. The runner's fd 0 is a connected stream socket. Both
 * sides send JSON objects in UTF-8, one a line. Each object of the daemon has either `start` or `job`, and
 * each object of the runner has `event`, which names its kind. Unknown members are ignored. One connection
 * is one job.
 *
 * The daemon sends:
 *
 *     {"start": {"token": "…", "dialogue": false}}
 *         First, and at once: the CLI is started now and waits for its job, warm. token is its API key, for
 *         the daemon's listener only: 1 to JOB_TOKEN_MAX bytes of 0x21..0x7e. dialogue (default false)
 *         is the kind of process: whether it can take a history. A job without a history may be sent to
 *         either kind, but the kind without a history answers it some 70 ms sooner.
 *     {"job": {"prompt": "…", "system": "…", "history": [{"role": "user" | "model", "text": "…"}, …]}}
 *         At any later time, once. Sent together with the start, it is a cold job. system and history are
 *         optional; a history that isn't empty needs "dialogue": true. Ceilings: CLI_PROMPT_MAX,
 *         CLI_SYSTEM_MAX, CLI_HISTORY_MAX (bytes of its texts), CLI_TURNS_MAX; a line at most JOB_LINE_MAX.
 *
 * The runner sends lines of at most JOB_EVENT_MAX bytes, newline included:
 *
 *     {"event": "ready", "isolation": "unit" | "namespaces" | "process", "version": "0.61.0"}
 *         The start was accepted and the CLI's process runs. version may be null.
 *     {"event": "text", "text": "…"}
 *         A piece of the answer, as soon as it arrives; never empty, at most JOB_TEXT_MAX bytes. A longer
 *         piece of the CLI's is sent as several.
 *     {"event": "result", "status": "success" | "error" | "none", "message": "…", "messages": 1,
 *      "exit_code": 0, "signal": 0, "skipped": 0, "stderr": "…", "argv": ["…"]}
 *         The last line; after it the runner closes the connection. status is the status of the CLI's own
 *         result event; `none`: there was no such event. message is the CLI's text for an error, or the
 *         runner's if it could not start the CLI or refused the job (then nothing went upstream); empty
 *         with success. messages is the number of assistant messages; a success without one means that the
 *         CLI has sent no answer. exit_code is null if a signal ended the CLI or it never began; signal is
 *         that signal or 0. skipped counts the output lines that were not events. stderr is the end of its
 *         standard error. argv is the command; it contains nothing of the job.
 *
 * A result may be sent at any time, also instead of "ready". The daemon cancels by closing the connection:
 * then the CLI and all its processes are killed, whatever they were doing.
 */

#include "base/limits.h"

/* The system text that the CLI gets if a job has none, because the CLI's built-in one is 23 KB. Only this
 * text reaches the daemon's inner listener without guards. */
#define CLI_SYSTEM_NEUTRAL "You answer the user."

#define JOB_STATUS_SUCCESS "success"
#define JOB_STATUS_ERROR   "error"
#define JOB_STATUS_NONE    "none"

#define JOB_ISOLATION_UNIT       "unit"
#define JOB_ISOLATION_NAMESPACES "namespaces"
#define JOB_ISOLATION_PROCESS    "process"
