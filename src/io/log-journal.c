/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION /* the fields tell where; a line number of this file would not */
#include <systemd/sd-journal.h>

#include "base/buf.h"
#include "base/limits.h"
#include "io/log-journal.h"

#define FIELDS_MAX 32U

bool log_journal_is_stderr(void) {
        const char *e = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        if (!e || sscanf(e, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
                return false;
        return st.st_dev == dev && st.st_ino == ino;
}

void log_journal_sink(LogLevel level, const char *message, const LogField *fields, size_t n_fields) {
        static const int priorities[_LOG_LEVEL_MAX] = {
                [LOG_LEVEL_ERROR] = LOG_ERR,
                [LOG_LEVEL_WARNING] = LOG_WARNING,
                [LOG_LEVEL_INFO] = LOG_INFO,
                [LOG_LEVEL_DEBUG] = LOG_DEBUG,
        };
        _cleanup_buf_ Buf b = BUF_INIT(LOG_LINE_MAX);
        struct iovec iov[FIELDS_MAX];
        size_t ends[FIELDS_MAX], n = 0, start = 0;

        (void) buf_printf(&b, "MESSAGE=%s", message);
        ends[n++] = b.n;
        (void) buf_printf(&b, "PRIORITY=%d", priorities[level]);
        ends[n++] = b.n;
        for (size_t i = 0; i < n_fields && n < FIELDS_MAX; i++) {
                if (!fields[i].value)
                        continue;
                (void) buf_puts(&b, "GEMGATE_");
                for (const char *p = fields[i].name; *p; p++)
                        (void) buf_putc(&b, (char) toupper((unsigned char) *p));
                (void) buf_putc(&b, '=');
                (void) buf_puts(&b, fields[i].value);
                ends[n++] = b.n;
        }
        if (b.error < 0)
                return;
        for (size_t i = 0; i < n; i++) {
                iov[i] = (struct iovec){ .iov_base = buf_data(&b) + start, .iov_len = ends[i] - start };
                start = ends[i];
        }
        (void) sd_journal_sendv(iov, (int) n);
}
