/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An outlet takes the log's lines to a descriptor that another program may not read: standard output,
 * standard error, the journal's socket. The caller never waits for that program. Lines that the descriptor
 * does not take at once wait in a queue of LOG_QUEUE_MAX bytes, and a thread writes them. Further lines are
 * counted, and one line reports their number when there is room again. See log-outlet.c.
 */

#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"

typedef struct LogOutlet LogOutlet;

/* Writes a line or a part of it. Returns the number of bytes, or -errno; -EAGAIN: it would have to wait. */
typedef ssize_t (*LogWrite)(int fd, const char *p, size_t n);

/* Builds the line that reports `n` dropped lines. Runs in either thread. */
typedef void (*LogDropped)(uint64_t n, Buf *out);

typedef struct LogOutletParams {
        int fd; /* the outlet's from now on */
        LogWrite write;
        LogDropped dropped;
        bool waits; /* write() can wait, so only the thread calls it */
} LogOutletParams;

/* Outlets live as long as the process. */
int log_outlet_new(const LogOutletParams *p, LogOutlet **ret);

/*
 * For standard output and standard error. The flag O_NONBLOCK belongs to the open file, which other
 * processes share, so it is never set on `fd`: a pipe or a terminal is opened a second time.
 */
int log_outlet_new_stream(int fd, LogDropped dropped, LogOutlet **ret);

void log_outlet_put(LogOutlet *o, const char *line, size_t n); /* one line, or one datagram */

#define LOG_END_WAIT (500 * USEC_PER_MSEC)

/* Before the process ends: writes what still waits, for LOG_END_WAIT at most. */
void log_outlets_finish(void);
