/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Gives a waiting CLI its job. The CLI reads three things, each to its end, and waits at the one that has no
 * end yet:
 *
 *     no dialogue:   system.md is a FIFO, opened once while it starts; then stdin
 *     dialogue:      session.json is a FIFO, opened once while it starts; then system.md, opened several
 *                    times, so a file that must exist before; then stdin
 *
 * A FIFO cannot be opened for writing before its reader has opened it (ENXIO), and nothing reports when it
 * does: for a cold job this is tried again and again. Then a regular file with the same text replaces the
 * FIFO, in case the CLI opens it a second time: it would wait forever.
 *
 * stdin gets one newline at the start: without a byte in its first half second the CLI would not wait for
 * more.
 */

#include "base/clock.h"
#include "runner/job.h"
#include "runner/scratch.h"

#define FEED_RETRY (3 * USEC_PER_MSEC)

typedef struct Feed Feed;

struct Feed {
        int stdin_fd, fifo_fd; /* -1: not open, or at its end */
        const char *fifo;      /* its name until the reader has opened it */
        Buf stdin_text, fifo_text;
};

#define FEED_INIT ((Feed){ .stdin_fd = -1, .fifo_fd = -1 })

void feed_done(Feed *f);

/* The CLI was started. Takes stdin_fd, the CLI's pipe, which does not block. */
int feed_begin(Feed *f, int stdin_fd);

/* Takes the texts out of the job. */
int feed_job(Feed *f, RunnerJob *j, const Scratch *s);

/* Writes what can be written now. A closed reader is no error: the CLI's end explains more. */
int feed_step(Feed *f, const Scratch *s);

/* feed_step() must be called again after FEED_RETRY, in any case. */
static inline bool feed_waits_for_reader(const Feed *f) {
        return f->fifo != NULL;
}

/* The descriptor that waits to be written, or -1. */
static inline int feed_wants_stdin(const Feed *f) {
        return f->stdin_text.n > 0 ? f->stdin_fd : -1;
}
static inline int feed_wants_fifo(const Feed *f) {
        return f->fifo_fd;
}
