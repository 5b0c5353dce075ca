/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A gemgate-runner and its one Gemini CLI, from the daemon's side: a connection, and the job whose token is
 * the CLI's API key. It is started ahead, waits, gets one job, and ends. Freeing it closes the connection,
 * which kills the CLI and its processes. The protocol is base/job-protocol.h.
 */

#include <json-c/json.h>

#include "engine/job.h"
#include "io/child.h"
#include "io/line-stream.h"

#define CLI_RUNNER_SOCKET "/run/gemgate/runner.sock" /* of gemgate-runner.socket */

typedef struct CliRunner CliRunner;

/* The result that the runner sent. */
typedef struct CliResult {
        const char *status;        /* JOB_STATUS_… */
        const char *message;       /* "" */
        uint64_t messages;         /* of the assistant */
        int64_t exit_code, signal; /* exit_code −1: a signal ended it, or it never began */
        const char *stderr_tail;
        struct json_object *argv; /* array or NULL */
} CliResult;

/* The runner may be freed inside each of them. */
typedef struct CliRunnerOps {
        void (*ready)(CliRunner *r, const char *isolation, void *userdata);
        void (*text)(CliRunner *r, const char *s, size_t n, void *userdata);
        /* The last call: NULL if the runner hung up without a result. The strings are valid only during the
         * call. */
        void (*ended)(CliRunner *r, const CliResult *result, void *userdata);
} CliRunnerOps;

typedef struct CliRunnerParams {
        Loop *loop;
        JobBook *jobs;
        Children *children;   /* for a runner that is started from here */
        const char *runner;   /* `unix:/path` of gemgate-runner.socket; the path of the program, to start
                               * it; or "auto": CLI_RUNNER_SOCKET if it exists */
        const char *cli;      /* the Gemini CLI */
        const char *upstream; /* the socket of the inner listener */
        bool passed; /* systemd passed the socket `upstream`, so runners that systemd starts know it */
} CliRunnerParams;

/* The error of connect() or posix_spawn(); -EADDRNOTAVAIL: a runner could not reach the inner listener. */
int cli_runner_new(const CliRunnerParams *p, bool dialogue, const CliRunnerOps *ops, void *userdata,
                   CliRunner **ret);
CliRunner *cli_runner_free(CliRunner *r);
DEFINE_CLEANUP(CliRunner *, cli_runner_free);

bool cli_runner_takes_dialogue(const CliRunner *r);
Job *cli_runner_job(CliRunner *r);

/* Once, after the job is armed: sends {"job":{…}}. */
void cli_runner_give(CliRunner *r, const Buf *line);
void cli_runner_pause(CliRunner *r, bool paused);
