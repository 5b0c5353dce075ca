/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The CLI's stdout. It is a file in memory and not a pipe: to a file Node writes everything at once, to a
 * pipe what fits and the rest later; and the CLI ends itself without waiting for that. So after the echo of
 * a long prompt, or with a slow reader, answer and result would be lost. The limit on file size bounds what
 * it may write.
 *
 * So the end cannot be read: when the CLI has ended, all is there.
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
