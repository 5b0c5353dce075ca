/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The log's files in one directory: one for each local day, begun with the first line of that day. The loop
 * never waits for the disk: lines are collected, and a thread writes them at the end of the loop's turn. An
 * error of the directory never stops the daemon: unwritten lines wait, are tried again every `retry`, and
 * are counted as lost when there is no more room. See log-file.c.
 */

#include "base/zone.h"
#include "io/log-dir.h"
#include "io/loop.h"

typedef struct LogFile LogFile;

/* Called with -errno when writing begins to fail, and when the error changes (-ETIMEDOUT: the disk hangs);
 * with 0 and the number of lost lines when it works again, or when only the room was too small. Called in
 * the loop, never within log_file_line(). */
typedef void (*LogFileReport)(int error, uint64_t n_lost, void *userdata);

typedef struct LogFileParams {
        Loop *loop;
        usec_t retry; /* also the time after which a disk hangs */
        LogFileReport report;
        void *userdata;
        LogDirWrite write; /* NULL: write(2) */
} LogFileParams;

int log_file_new(const LogFileParams *p, LogFile **ret);
LogFile *log_file_free(LogFile *f); /* writes the waiting lines, if it can within LOG_END_WAIT */
DEFINE_CLEANUP(LogFile *, log_file_free);

/* Sets the directory (created if its parent exists; NULL: none) and how many files are kept, for the lines
 * that follow. Also opens the file again, which may have been moved away, and reads the time zone again. */
int log_file_configure(LogFile *f, const char *dir, unsigned retention_days, usec_t now);

const char *log_file_dir(const LogFile *f); /* as configured; NULL: none */

/* A function of the type LogCopy: takes a line with its newline, and its time. */
void log_file_line(usec_t now, const char *line, size_t n, void *userdata);

/* For tests: waits until the thread has tried to write all lines of past turns. */
void log_file_wait(LogFile *f);
