/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The directory of the log's files, and the file of one day in it. Everything here waits for the disk, so
 * only the thread of log-file.c calls it. See log-dir.c.
 */

#include <sys/types.h>

#include "base/macros.h"

/* As write(2), which it is except in tests. */
typedef ssize_t (*LogDirWrite)(int fd, const void *p, size_t n);

typedef struct LogDir {
        LogDirWrite write;
        char *path;    /* NULL: none, and lines are dropped */
        size_t n_kept; /* as many files are kept; at least 1 */
        int fd;
        int64_t day; /* of `fd` */
        bool torn;   /* the next bytes are the rest of a line whose beginning is in a file */
} LogDir;

#define LOG_DIR_INIT(write_fn) ((LogDir){ .write = (write_fn), .fd = -1 })

void log_dir_done(LogDir *d);
void log_dir_set(LogDir *d, char *path, size_t n_kept); /* takes the path; the next line opens its file */

/*
 * Writes whole lines to the file of their day. Sets *ret_n, also after an error: so many bytes are written
 * or given up; the caller must call again with the rest first. Adds the lines that are given up to *n_lost.
 */
int log_dir_write(LogDir *d, int64_t day, const char *lines, size_t n, size_t *ret_n, uint64_t *n_lost);
