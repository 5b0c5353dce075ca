/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connected stream socket with lines in both directions, in the loop. Written lines are queued; received
 * bytes are split into lines. It may be freed inside any of its callbacks.
 */

#include "base/macros.h"
#include "io/loop.h"

typedef struct LineStream LineStream;

typedef struct LineStreamOps {
        /* Without its line end; the bytes are valid only during the call. */
        void (*line)(const char *s, size_t n, void *userdata);
        /* The last call: 0 if the peer hung up, else -errno; -E2BIG for a line beyond the ceiling. A line
         * without an end is lost. */
        void (*closed)(int error, void *userdata);
} LineStreamOps;

/* Connects to a unix socket without blocking: -EAGAIN if its backlog is full. */
int line_stream_connect(const char *path, int *ret_fd);

/* Takes the descriptor, also on failure. */
int line_stream_new(Loop *l, int fd, size_t line_max, const LineStreamOps *ops, void *userdata,
                    LineStream **ret);
LineStream *line_stream_free(LineStream *s);
DEFINE_CLEANUP(LineStream *, line_stream_free);

/* Queues a line and adds its end. A failed write ends the stream like any other end: lines that arrived
 * before are passed on first. */
void line_stream_write(LineStream *s, const char *line, size_t n);

/* While paused no line is passed on; a hang-up is reported after the pause. */
void line_stream_pause(LineStream *s, bool paused);
