/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The two ends of a job of the Gemini CLI, as JSON: what the CLI is given of a GenerateContentRequest, and
 * what the CLI's own request becomes before it goes upstream. Pure.
 */

#include <json-c/json.h>

#include "base/buf.h"
#include "dialect/api-error.h"

typedef struct CliRequest {
        Buf job;         /* for the runner: {"job":{…}}, see base/job-protocol.h */
        char *asked;     /* JSON: what the CLI cannot be given (generationConfig …); NULL: nothing */
        size_t n_prompt; /* bytes */
        bool dialogue;   /* the job has a history */
} CliRequest;

#define CLI_REQUEST_NULL ((CliRequest){})

/* 0; DIALECT_E_REFUSED for what cannot be asked by way of the CLI: see the error; -ENOMEM. */
int cli_request_split(const char *body, size_t n, CliRequest *ret, ApiError *ret_error);
void cli_request_done(CliRequest *r);

/*
 * The CLI's request as it goes upstream: guards are taken out of its texts, a system text of its own and a
 * list of no tools are dropped,
 * and what was asked for takes the place of what the CLI would set. -EBADMSG for what is no request.
 */
int cli_request_restore(const char *body, size_t n, const char *asked, Buf *ret);
