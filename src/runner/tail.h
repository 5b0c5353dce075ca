/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The CLI's stdout. It is a file in memory and no pipe: Node writes to a file at once, to a pipe what it
 * takes and later the rest; and the CLI ends itself without waiting for that. Behind the echo of a long
 * prompt, or before a slow reader, answer and result would be lost. What it may write is bounded by its
 * limit on the size of files.
 *
 * So there is no end to be read: when the CLI has ended all is there.
 */

#include "base/clock.h"

#define TAIL_PAUSE (5 * USEC_PER_MSEC) /* how often it is looked at where the kernel tells nothing */

typedef struct Tail {
        int fd;     /* of the file */
        int notify; /* becomes readable when it grows; -1: no inotify to be had */
        uint64_t at;
} Tail;

#define TAIL_INIT ((Tail){ .fd = -1, .notify = -1 })

int tail_open(Tail *ret, int *ret_writer); /* the writer is what the CLI gets */
void tail_done(Tail *t);

/* What is there behind what was read, at most n bytes; 0: nothing for now. */
int tail_read(Tail *t, char *p, size_t n, size_t *ret_n);
