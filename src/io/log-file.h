/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The log's files: in one directory one a day, begun at the local midnight. Lines are collected and written
 * at the end of the loop's turn, in one piece. Nothing that befalls the directory stops the daemon: what
 * cannot be written waits, is tried again every `retry`, and is counted when there is no more room.
 * See log-file.c.
 */

#include "base/zone.h"
#include "io/loop.h"

typedef struct LogFile LogFile;

/* Once when writing begins to fail, and again when it fails otherwise: −errno. Once when all is well again:
 * 0, and how many lines are missing. Never called from within log_file_line(). */
typedef void (*LogFileTold)(int error, uint64_t n_lost, void *userdata);

int log_file_new(Loop *l, usec_t retry, LogFileTold told, void *userdata, LogFile **ret);
LogFile *log_file_free(LogFile *f); /* writes what waits, if it can */
DEFINE_CLEANUP(LogFile *, log_file_free);

/* The directory (made, if its parent is there; NULL: none) and for how many days its files are kept. Also
 * opens the file anew, which may have been moved away, and reads the time zone again. */
int log_file_configure(LogFile *f, const char *dir, unsigned retention_days, usec_t now);

const char *log_file_dir(const LogFile *f); /* as it was configured; NULL: none */

/* A line with its end, and its time; a LogCopy. */
void log_file_line(usec_t now, const char *line, size_t n, void *userdata);
