/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "daemon/log-config.h"
#include "io/log-file.h"
#include "io/log-journal.h"

static LogFile *arg_file; /* NULL until there is a LOG_DIR */

/* The journal would take a line on standard error for information, whatever its level. */
void log_config_begin(void) {
        if (log_journal_is_stderr())
                return log_setup(LOG_LEVEL_INFO, LOG_FORMAT_SINK, log_journal_sink);
        log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL);
}

static void on_report(int error, uint64_t n_lost, void *userdata _unused_) {
        const char *dir = log_file_dir(arg_file);
        char lost[24];

        (void) snprintf(lost, sizeof(lost), "%llu", (unsigned long long) n_lost);
        if (error == -ETIMEDOUT)
                log_warning("LOG_DIR: %s: the disk does not answer: no log file is written until it does",
                            dir);
        else if (error < 0)
                log_warning("LOG_DIR: %s: %s: no log file is written until this is repaired", dir,
                            strerror(-error));
        else if (n_lost > 0) {
                char message[DIRECTORY_PATH_MAX + 128];

                (void) snprintf(message, sizeof(message),
                                "LOG_DIR: %s: written again; %s lines were lost", dir, lost);
                log_struct(LOG_LEVEL_WARNING, message, { "left_out", lost, true });
        } else
                log_info("LOG_DIR: %s: written again, nothing is missing", dir);
}

/* At a reload; log_config_done() would wait for a disk that hangs. */
static void stop_files(void) {
        log_set_copy(NULL, NULL);
        if (arg_file)
                (void) log_file_configure(arg_file, NULL, 0, 0);
}

/* Also at each reload: the file may have been moved away. */
static void apply_files(const Config *c, Loop *loop) {
        int r;

        if (!c->log_dir)
                return stop_files();
        if (!arg_file) {
                const LogFileParams p = { .loop = loop, .retry = LOG_FILE_RETRY, .report = on_report };

                r = log_file_new(&p, &arg_file);
                if (r < 0)
                        return log_warning("LOG_DIR: no log file is written: %s", strerror(-r));
        }
        r = log_file_configure(arg_file, c->log_dir, (unsigned) c->log_retention_days, clock_realtime());
        if (r < 0) {
                stop_files();
                return log_warning("LOG_DIR: no log file is written: %s", strerror(-r));
        }
        log_set_copy(log_file_line, arg_file);
}

void log_config_done(void) {
        log_set_copy(NULL, NULL);
        arg_file = log_file_free(arg_file);
}

void log_config_apply(const Config *c, Loop *loop) {
        apply_files(c, loop);
        switch (c->log_format) {
        case CONFIG_LOG_AUTO:
                if (!log_journal_is_stderr())
                        return log_setup(c->log_level, LOG_FORMAT_JSON, NULL);
                return log_setup(c->log_level, LOG_FORMAT_SINK, log_journal_sink);
        case CONFIG_LOG_JOURNAL:
                return log_setup(c->log_level, LOG_FORMAT_SINK, log_journal_sink);
        case CONFIG_LOG_JSON:
                return log_setup(c->log_level, LOG_FORMAT_JSON, NULL);
        case CONFIG_LOG_TEXT:
                return log_setup(c->log_level, LOG_FORMAT_TEXT, NULL);
        }
}
