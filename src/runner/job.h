/* SPDX-License-Identifier: MIT */
#pragma once

/* Parses the daemon's lines (base/job-protocol.h) into the CLI's input: each text gets its guards
 * (base/guard.h), and the history becomes the CLI's session file. Pure. */

#include "base/buf.h"
#include "base/limits.h"

typedef struct JobStart JobStart;
typedef struct RunnerJob RunnerJob;

struct JobStart {
        char token[JOB_TOKEN_MAX + 1];
        bool dialogue;
};

struct RunnerJob {
        Buf prompt;  /* for stdin */
        Buf system;  /* for the file of GEMINI_SYSTEM_MD */
        Buf session; /* for --session-file; empty in a job without dialogue */
};

void job_done(RunnerJob *j);

/* 0; -EBADMSG, and *ret_why is the reason; or -ENOMEM. */
int job_parse_start(const char *line, size_t n, JobStart *ret, const char **ret_why);
int job_parse(const char *line, size_t n, bool dialogue, RunnerJob *ret, const char **ret_why);
