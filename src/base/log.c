/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json/write.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/log-outlet.h"
#include "base/text.h"

LogLevel log_level_max = LOG_LEVEL_INFO;
const LogIds log_no_request = {};

static struct {
        LogFormat format;
        LogSink sink;
        LogCopy copy;
        void *copy_userdata;
        const LogIds *request; /* on whose behalf the code runs; NULL: none's */
} arg_log;

typedef struct LogStream {
        int fd;
        LogDropped dropped;
        LogOutlet *outlet; /* made for the first line */
} LogStream;

static const char *const level_names[_LOG_LEVEL_MAX] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_DEBUG] = "debug",
};

void log_setup(LogLevel level, LogFormat format, LogSink sink) {
        assert(format != LOG_FORMAT_SINK || sink);

        log_level_max = level;
        arg_log.format = format;
        arg_log.sink = sink;
}

void log_set_copy(LogCopy copy, void *userdata) {
        arg_log.copy = copy;
        arg_log.copy_userdata = userdata;
}

void log_set_level(LogLevel level) {
        log_level_max = level;
}

const LogIds *log_swap_request(const LogIds *ids) {
        const LogIds *before = arg_log.request;

        arg_log.request = ids;
        return before;
}

LogLevel log_level_from_string(const char *s) {
        for (int i = 0; i < _LOG_LEVEL_MAX; i++)
                if (strcaseeq(s, level_names[i]))
                        return (LogLevel) i;
        return strcaseeq(s, "warn") ? LOG_LEVEL_WARNING : _LOG_LEVEL_INVALID;
}

const char *log_level_to_string(LogLevel level) {
        return level_names[level];
}

const LogIds *log_request(void) {
        return arg_log.request ?: &log_no_request;
}

/* Control characters (also C1), separators of lines, and what changes the direction of writing. */
static bool moves_the_cursor(uint32_t c) {
        return c < 0x20 || (c >= 0x7F && c <= 0x9F) || (c >= 0x2028 && c <= 0x202E) ||
               (c >= 0x2066 && c <= 0x2069);
}

/* A text may come from a client: it must neither move the cursor of a terminal nor break the line. */
static void put_visible(Buf *b, const char *s, bool blanks, char instead) {
        const char *end = s + strlen(s);
        uint32_t c;
        size_t n;

        for (const char *p = s; p < end; p += n) {
                n = text_utf8_decode(p, end, &c);
                if (n == 0 || moves_the_cursor(c) || (c == ' ' && !blanks))
                        (void) buf_putc(b, instead);
                else
                        (void) buf_append(b, p, n);
                n = MAX(n, (size_t) 1);
        }
}

static void put_text(const LogRecord *r, Buf *b) {
        (void) buf_puts(b, program_invocation_short_name); /* gemgatectl, in its check-config */
        (void) buf_puts(b, ": ");
        /* Scripts expect an error as `gemgated: SETTING: value: must be …`, so no level comes before it. */
        if (r->level != LOG_LEVEL_INFO && r->level != LOG_LEVEL_ERROR)
                (void) buf_printf(b, "%s: ", level_names[r->level]);
        put_visible(b, r->message, true, ' ');
        for (size_t i = 0; i < r->n_fields; i++) {
                const LogField *f = &r->fields[i];

                if (!f->value)
                        continue;
                (void) buf_printf(b, " %s=", f->name);
                put_visible(b, f->value, false, '_');
        }
        (void) buf_putc(b, '\n');
}

static void put_json(const LogRecord *r, usec_t now, Buf *b) {
        char stamp[TIMESTAMP_STRING_MAX];
        JWriter w = JWRITER_INIT(b);

        timestamp_format(now, 0, stamp);
        jwrite_object(&w, NULL);
        jwrite_string(&w, "time", stamp);
        jwrite_string(&w, "level", level_names[r->level]);
        jwrite_string(&w, "message", r->message);
        if (r->message_id)
                jwrite_string(&w, "message_id", r->message_id);
        for (size_t i = 0; i < r->n_fields; i++) {
                const LogField *f = &r->fields[i];

                if (!f->value)
                        continue;
                if (f->number)
                        jwrite_raw(&w, f->name, f->value);
                else
                        jwrite_string(&w, f->name, f->value);
        }
        jwrite_end(&w);
        (void) buf_putc(b, '\n');
}

/* --- standard error and standard output --- */

/* As the other lines of that stream: text or JSON. */
static void put_dropped(const char *stream, LogFormat format, uint64_t n, Buf *out) {
        char message[128], count[24];
        const LogField field = { "left_out", count, true };
        const LogRecord r = {
                .level = LOG_LEVEL_WARNING, .message = message, .fields = &field, .n_fields = 1
        };

        (void) snprintf(count, sizeof(count), "%llu", (unsigned long long) n);
        (void) snprintf(message, sizeof(message), "%s lines of the log were dropped: %s did not take them",
                        count, stream);
        if (format == LOG_FORMAT_TEXT)
                put_text(&r, out);
        else
                put_json(&r, clock_realtime(), out);
}

static void stderr_dropped(uint64_t n, Buf *out) {
        put_dropped("standard error", LOG_FORMAT_TEXT, n, out);
}

static void stdout_dropped(uint64_t n, Buf *out) {
        put_dropped("standard output", LOG_FORMAT_JSON, n, out);
}

static void write_line(LogStream *s, const Buf *b) {
        if (!s->outlet && log_outlet_new_stream(s->fd, s->dropped, &s->outlet) < 0)
                return; /* the log itself cannot be written */
        log_outlet_put(s->outlet, buf_data(b), b->n);
}

static void log_text(const LogRecord *r) {
        static LogStream stream = { STDERR_FILENO, stderr_dropped, NULL };
        _cleanup_buf_ Buf b = BUF_INIT(LOG_LINE_MAX);

        put_text(r, &b);
        if (b.error >= 0)
                write_line(&stream, &b);
}

static void log_json(const LogRecord *r) {
        static LogStream stream = { STDOUT_FILENO, stdout_dropped, NULL };
        _cleanup_buf_ Buf b = BUF_INIT(LOG_LINE_MAX);
        usec_t now = clock_realtime();

        put_json(r, now, &b);
        if (b.error < 0)
                return;
        if (arg_log.format == LOG_FORMAT_JSON)
                write_line(&stream, &b);
        if (arg_log.copy)
                arg_log.copy(now, buf_data(&b), b.n, arg_log.copy_userdata);
}

static void record_write(const LogRecord *r) {
        if (arg_log.format == LOG_FORMAT_TEXT)
                log_text(r);
        else if (arg_log.format == LOG_FORMAT_SINK)
                arg_log.sink(r);
        if (arg_log.format == LOG_FORMAT_JSON || arg_log.copy)
                log_json(r);
}

static bool names_a_request(const LogRecord *r) {
        for (size_t i = 0; i < r->n_fields; i++)
                if (streq(r->fields[i].name, "request_id"))
                        return true;
        return false;
}

void log_record(const LogRecord *r) {
        LogField fields[LOG_FIELDS_MAX];
        LogRecord with = *r;

        if (r->level > log_level_max)
                return;
        if (!arg_log.request || names_a_request(r))
                return record_write(r);

        assert(r->n_fields + 2 <= LOG_FIELDS_MAX);
        fields[0] = (LogField){ "request_id", arg_log.request->id, false };
        fields[1] = (LogField){ "trace_id", arg_log.request->trace, false };
        for (size_t i = 0; i < r->n_fields; i++)
                fields[i + 2] = r->fields[i];
        with.fields = fields;
        with.n_fields += 2;
        record_write(&with);
}

void log_format(LogLevel level, const LogIds *ids, const char *file, int line, const char *func,
                const char *fmt, ...) {
        const LogField fields[] = { { "request_id", ids->id, false }, { "trace_id", ids->trace, false } };
        char message[1024];
        va_list ap;

        if (level > log_level_max)
                return;
        va_start(ap, fmt);
        (void) vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);
        log_record(&(LogRecord){
                .level = level,
                .message = message,
                .file = file,
                .func = func,
                .line = line,
                .fields = fields,
                .n_fields = ids->id ? ELEMENTSOF(fields) : 0,
        });
}
