/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the CLI writes to its stdout with -o stream-json: one event a line. Bytes go in as they were read,
 * lines for the daemon come out. Of its kinds (init, message, tool_use, tool_result, error, result) the
 * assistant's messages are passed on at once, and error and result are kept for the end. A line that is no
 * event is counted and passed over, and so is one that is too long.
 *
 * The CLI repeats the prompt as a message of the user's, up to 48 MiB of it. That line is known by its
 * beginning and dropped as it comes.
 */

#include "base/buf.h"
#include "base/limits.h"

typedef enum CliStatus {
        CLI_STATUS_NONE, /* no result event came */
        CLI_STATUS_SUCCESS,
        CLI_STATUS_ERROR,
} CliStatus;

typedef struct CliOutput {
        Buf line;
        bool dropping; /* up to the end of this line */
        CliStatus status;
        char message[JOB_MESSAGE_MAX + 1]; /* of the result event; else of the last error event */
        uint64_t messages;
        uint64_t skipped;
} CliOutput;

void output_init(CliOutput *o);
void output_done(CliOutput *o);

/* Appends what is for the daemon to `to`. The errors are that buffer's, or -ENOMEM. */
int output_feed(CliOutput *o, const char *p, size_t n, Buf *to);
int output_end(CliOutput *o, Buf *to); /* the last line may have no newline */
