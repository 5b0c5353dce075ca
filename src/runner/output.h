/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Reads the CLI's stdout with -o stream-json, one event a line, and writes lines for the daemon. Of the
 * kinds of events (init, message, tool_use, tool_result, error, result), messages of the assistant are
 * passed on at once, and error and result are kept for the end. A line that is not an event, or is too
 * long, is counted and skipped.
 *
 * The CLI repeats the prompt as a message of the user, up to 48 MiB. That line is recognized by its
 * beginning and dropped while it arrives.
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

/* Appends lines for the daemon to `to`. Returns the buffer's error, or -ENOMEM. */
int output_feed(CliOutput *o, const char *p, size_t n, Buf *to);
int output_end(CliOutput *o, Buf *to); /* the last line may have no newline */
