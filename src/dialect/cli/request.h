/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Both translations of a job of the Gemini CLI, as JSON: a GenerateContentRequest into the CLI's input, and
 * the CLI's own request into the one for upstream. Pure.
 */

#include <json-c/json.h>

#include "base/buf.h"
#include "dialect/api-error.h"

typedef struct CliRequest {
        Buf job;         /* for the runner: {"job":{…}}, see base/job-protocol.h */
        char *asked;     /* JSON: what the CLI cannot take (generationConfig …); NULL: nothing */
        size_t n_prompt; /* bytes */
        bool dialogue;   /* the job has a history */
} CliRequest;

#define CLI_REQUEST_NULL ((CliRequest){})

/* 0; DIALECT_E_REFUSED for a request that the CLI cannot serve, see the error; -ENOMEM. */
int cli_request_split(const char *body, size_t n, CliRequest *ret, ApiError *ret_error);
void cli_request_done(CliRequest *r);

/*
 * The CLI's request as it goes upstream: the guards are removed from its texts, the CLI's own system text
 * and an empty list of tools are dropped, and the client's values replace those of the CLI. Results as
 * above.
 */
int cli_request_restore(const char *body, size_t n, const char *asked, Buf *ret, ApiError *ret_error);
