/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The CLI's stdout, which is a file in memory and not a pipe. Node writes everything to a file at once. To
 * a pipe it writes what fits, and the rest later, and the CLI exits without waiting for the rest: after the
 * echo of a long prompt, or with a slow reader, the answer and the result would be lost. RLIMIT_FSIZE
 * bounds what the CLI may write.
 *
 * The file has no end that can be read: its content is complete when the CLI has ended.
 */

#include "base/clock.h"

#define TAIL_PAUSE (5 * USEC_PER_MSEC) /* how often the file is checked without inotify */

typedef struct Tail {
        int fd;     /* of the file */
        int notify; /* readable when the file grows; -1: inotify is not available */
        uint64_t at;
} Tail;

#define TAIL_INIT ((Tail){ .fd = -1, .notify = -1 })

int tail_open(Tail *ret, int *ret_writer); /* the writer is for the CLI */
void tail_done(Tail *t);

/* At most n bytes after those already read; 0: nothing for now. */
int tail_read(Tail *t, char *p, size_t n, size_t *ret_n);
