/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Gives a waiting CLI its job. The CLI reads three inputs, each to its end, in this order, and waits at the
 * first one that has no end yet:
 *
 *     no dialogue:   system.md is a FIFO, opened once while it starts; then stdin
 *     dialogue:      session.json is a FIFO, opened once while it starts; then system.md, opened several
 *                    times, so it must be a regular file that exists before; then stdin
 *
 * A FIFO cannot be opened for writing before its reader has opened it (ENXIO), and no event reports when
 * the reader does. So the runner tries again every FEED_RETRY; only a cold job needs that, because its CLI
 * is still starting. Then a regular file with the same text replaces the FIFO: a CLI that opened the FIFO a
 * second time would wait forever.
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
        int stdin_fd, fifo_fd; /* -1: not open yet, or all is written and it is closed */
        const char *fifo;      /* the FIFO's name; NULL when its reader has opened it */
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
