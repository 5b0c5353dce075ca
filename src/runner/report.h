/* SPDX-License-Identifier: MIT */
#pragma once

/* Writes the runner's lines to the daemon (base/job-protocol.h). Pure. */

#include "base/buf.h"

typedef struct Result {
        const char *status;  /* JOB_STATUS_… */
        const char *message; /* NULL: none */
        uint64_t messages;
        uint64_t skipped;
        int exit_code; /* negative: none */
        int signal;
        const char *stderr_tail;
        size_t n_stderr_tail;
        char *const *argv; /* NULL-terminated, or NULL */
} Result;

int report_ready(Buf *b, const char *isolation, const char *version);
int report_text(Buf *b, const char *text, size_t n);
int report_result(Buf *b, const Result *result);
