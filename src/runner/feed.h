/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a waiting CLI gets its job. It reads three things, each to its end, and waits at the one that has no
 * end yet:
 *
 *     no dialogue:   system.md is a FIFO, opened once while it starts; then stdin
 *     dialogue:      session.json is a FIFO, opened once while it starts; then system.md, opened several
 *                    times, so a file that must be there before; then stdin
 *
 * A FIFO cannot be opened for writing before its reader is there (ENXIO), and nothing tells when he comes:
 * for a cold job that is asked again and again. When he is there a regular file of the same text takes the
 * FIFO's name, for whoever opens it a second time: he would wait forever.
 *
 * stdin has got one newline before: without a byte in its first half second the CLI would not wait for more.
 */

#include "base/clock.h"
#include "runner/job.h"
#include "runner/scratch.h"

#define FEED_RETRY (3 * USEC_PER_MSEC)

typedef struct Feed Feed;

struct Feed {
        int stdin_fd, fifo_fd; /* -1: not open, or at its end */
        const char *fifo;      /* its name while nobody has opened it */
        Buf stdin_text, fifo_text;
};

#define FEED_INIT ((Feed){ .stdin_fd = -1, .fifo_fd = -1 })

void feed_done(Feed *f);

/* The CLI was started: stdin is its pipe, which does not block, and now the feed's. */
int feed_begin(Feed *f, int stdin_fd);

/* The texts are taken out of the job. */
int feed_job(Feed *f, RunnerJob *j, const Scratch *s);

/* Writes what can be written now. A reader that is gone is no error: the CLI's end tells more. */
int feed_step(Feed *f, const Scratch *s);

/* It has to be called again after FEED_RETRY, whatever else happens. */
static inline bool feed_waits_for_reader(const Feed *f) {
        return f->fifo != NULL;
}

/* Which descriptor wants to be written to, or -1. */
static inline int feed_wants_stdin(const Feed *f) {
        return f->stdin_text.n > 0 ? f->stdin_fd : -1;
}
static inline int feed_wants_fifo(const Feed *f) {
        return f->fifo_fd;
}
