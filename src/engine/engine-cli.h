/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The engine that uses the Gemini CLI: a call is a job of a gemgate-runner. The CLI's own upstream is
 * gemgate itself, so the API engine does keys, failover, quota and accounting. A call takes GEMINI_GENERATE
 * and GEMINI_STREAM and no key. See engine-cli.c; docs/CLI.md is for people.
 */

#include "engine/engine.h"
#include "engine/job.h"
#include "io/loop.h"

typedef struct EngineCliParams {
        const char *path;     /* CLI_PATH */
        const char *runner;   /* CLI_RUNNER; borrowed, as all of these, until engine_cli_configure() or
                                 _free() */
        const char *upstream; /* the path of the inner listener's socket; NULL: none, and no jobs */
        bool passed;          /* systemd passed it, so systemd's runners can reach it */
        usec_t timeout, queue_wait;
        uint64_t warm, max_jobs;
} EngineCliParams;

typedef struct EngineCliStatus {
        bool available;
        const char *version;   /* of the CLI; "" if unknown */
        const char *isolation; /* of its jobs: "unit", "namespaces", "process", "none" without a CLI,
                                  "unknown" before the first job */
} EngineCliStatus;

int engine_cli_new(Loop *l, JobBook *jobs, const EngineCliParams *p, Engine **ret);
void engine_cli_configure(Engine *e, const EngineCliParams *p); /* for the calls from now on */
void engine_cli_drain(Engine *e); /* the daemon is ending: calls continue, nothing is started ahead */
void engine_cli_status(Engine *e, EngineCliStatus *ret);        /* the strings live until the next call */
Engine *engine_cli_free(Engine *e);                             /* every call must be freed before */
DEFINE_CLEANUP(Engine *, engine_cli_free);
