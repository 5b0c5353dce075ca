/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The log's files in one directory: one for each local day, begun with the first line of that day. Lines
 * are collected and written together at the end of the loop's turn. An error of the directory never stops
 * the daemon: unwritten lines wait, are tried again every `retry`, and are counted as lost when there is no
 * more room. See log-file.c.
 */

#include "base/zone.h"
#include "io/loop.h"

typedef struct LogFile LogFile;

/* Called with -errno when writing begins to fail, and when the error changes; with 0 and the number of lost
 * lines when it works again. Never called within log_file_line(). */
typedef void (*LogFileReport)(int error, uint64_t n_lost, void *userdata);

int log_file_new(Loop *l, usec_t retry, LogFileReport report, void *userdata, LogFile **ret);
LogFile *log_file_free(LogFile *f); /* writes the waiting lines, if it can */
DEFINE_CLEANUP(LogFile *, log_file_free);

/* Sets the directory (created if its parent exists; NULL: none) and how many files are kept. Also
 * opens the file again, which may have been moved away, and reads the time zone again. */
int log_file_configure(LogFile *f, const char *dir, unsigned retention_days, usec_t now);

const char *log_file_dir(const LogFile *f); /* as configured; NULL: none */

/* A function of the type LogCopy: takes a line with its newline, and its time. */
void log_file_line(usec_t now, const char *line, size_t n, void *userdata);
