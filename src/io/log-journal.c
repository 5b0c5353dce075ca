/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION /* the record has the place; a line of this file would be wrong */
#include <systemd/sd-journal.h>

#include "base/buf.h"
#include "base/limits.h"
#include "io/log-journal.h"

#define FIELDS_MAX (LOG_FIELDS_MAX + 6U) /* message, priority, id, and where the line comes from */

bool log_journal_is_stderr(void) {
        const char *e = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        if (!e || sscanf(e, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
                return false;
        return st.st_dev == dev && st.st_ino == ino;
}

typedef struct JournalEntry {
        Buf b;
        size_t ends[FIELDS_MAX]; /* where each field ends in `b`, which may move while it grows */
        size_t n;
} JournalEntry;

static void entry_end_field(JournalEntry *e) {
        e->ends[e->n++] = e->b.n;
}

/* The path from src/ on, without the build's directory. */
static const char *source_path(const char *file) {
        const char *p = NULL;

        for (const char *q = file; (q = strstr(q, "src/")); q++)
                p = q;
        return p ?: file;
}

static void entry_add_field(JournalEntry *e, const LogField *f) {
        (void) buf_puts(&e->b, "GEMGATE_");
        for (const char *p = f->name; *p; p++)
                (void) buf_putc(&e->b, (char) toupper((unsigned char) *p));
        (void) buf_putc(&e->b, '=');
        (void) buf_puts(&e->b, f->value);
        entry_end_field(e);
}

void log_journal_sink(const LogRecord *r) {
        static const int priorities[_LOG_LEVEL_MAX] = {
                [LOG_LEVEL_ERROR] = LOG_ERR,
                [LOG_LEVEL_WARNING] = LOG_WARNING,
                [LOG_LEVEL_INFO] = LOG_INFO,
                [LOG_LEVEL_DEBUG] = LOG_DEBUG,
        };
        JournalEntry e = { .b = BUF_INIT(LOG_LINE_MAX) };
        struct iovec iov[FIELDS_MAX];
        size_t start = 0;

        (void) buf_printf(&e.b, "MESSAGE=%s", r->message);
        entry_end_field(&e);
        (void) buf_printf(&e.b, "PRIORITY=%d", priorities[r->level]);
        entry_end_field(&e);
        if (r->message_id) {
                (void) buf_printf(&e.b, "MESSAGE_ID=%s", r->message_id);
                entry_end_field(&e);
        }
        if (r->file) {
                (void) buf_printf(&e.b, "CODE_FILE=%s", source_path(r->file));
                entry_end_field(&e);
                (void) buf_printf(&e.b, "CODE_LINE=%d", r->line);
                entry_end_field(&e);
                (void) buf_printf(&e.b, "CODE_FUNC=%s", r->func);
                entry_end_field(&e);
        }
        for (size_t i = 0; i < r->n_fields && e.n < FIELDS_MAX; i++)
                if (r->fields[i].value)
                        entry_add_field(&e, &r->fields[i]);
        for (size_t i = 0; i < e.n; i++) {
                iov[i] = (struct iovec){ .iov_base = buf_data(&e.b) + start, .iov_len = e.ends[i] - start };
                start = e.ends[i];
        }
        if (e.b.error >= 0)
                (void) sd_journal_sendv(iov, (int) e.n);
        buf_done(&e.b);
}
