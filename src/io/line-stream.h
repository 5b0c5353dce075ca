/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A connected stream socket that carries lines both ways, in our loop. What is written is queued; what comes
 * is cut into lines. It may be freed inside any of its callbacks.
 */

#include "base/macros.h"
#include "io/loop.h"

typedef struct LineStream LineStream;

typedef struct LineStreamOps {
        /* Without its line end; the bytes are gone when it returns. */
        void (*line)(const char *s, size_t n, void *userdata);
        /* The last call: 0 when the other side hung up, else -errno; -E2BIG for a line beyond the ceiling. A
         * line without an end is lost. */
        void (*closed)(int error, void *userdata);
} LineStreamOps;

/* To a unix socket, not blocking: -EAGAIN where its backlog is full. */
int line_stream_connect(const char *path, int *ret_fd);

/* Takes the descriptor, also when it fails. */
int line_stream_new(Loop *l, int fd, size_t line_max, const LineStreamOps *ops, void *userdata,
                    LineStream **ret);
LineStream *line_stream_free(LineStream *s);
DEFINE_CLEANUP(LineStream *, line_stream_free);

/* Queues a line; its end is put behind it. Where it cannot be written, that is an end like any other: lines
 * that came before it are heard first. */
void line_stream_write(LineStream *s, const char *line, size_t n);

/* While paused no line comes; that the other side hung up is heard when it goes on. */
void line_stream_pause(LineStream *s, bool paused);
