/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The daemon's log. Library code returns errors and never logs; the code that handles an error logs it
 * once, with structured fields. There are three forms: text for a terminal (standard error), JSON lines for
 * a container (standard output), and a sink, a function that an upper floor installs (for the journal).
 * With each of them, every record can also go as a JSON line to a LogCopy, which writes the log's files.
 * Field names are lower case here; a sink spells them in its own way. Values must be masked by the caller.
 */

#include "base/clock.h"
#include "base/macros.h"

typedef enum LogLevel {
        LOG_LEVEL_ERROR,
        LOG_LEVEL_WARNING,
        LOG_LEVEL_INFO,
        LOG_LEVEL_DEBUG,
        _LOG_LEVEL_MAX,
        _LOG_LEVEL_INVALID = -22,
} LogLevel;

typedef enum LogFormat {
        LOG_FORMAT_TEXT,
        LOG_FORMAT_JSON,
        LOG_FORMAT_SINK,
} LogFormat;

/* The ids of a request in the log. Both strings live as long as the request. */
typedef struct LogIds {
        const char *id;    /* its x-request-id; NULL: no request */
        const char *trace; /* the trace id of the client's traceparent; NULL: none */
} LogIds;

typedef struct LogField {
        const char *name;
        const char *value; /* NULL: the field is left out */
        bool number;       /* in JSON, without quotes */
} LogField;

#define LOG_FIELDS_MAX 32U /* of a record */

typedef struct LogRecord {
        LogLevel level;
        const char *message;
        const char *message_id;  /* 32 hex digits: the kind of event, for programs that wait for it; or
                                  * NULL */
        const char *file, *func; /* the place in the source that logged it */
        int line;
        const LogField *fields;
        size_t n_fields;
} LogRecord;

typedef void (*LogSink)(const LogRecord *r);

/* Receives each record as a JSON line, with its newline; `now` is its time (CLOCK_REALTIME). */
typedef void (*LogCopy)(usec_t now, const char *line, size_t n, void *userdata);

void log_setup(LogLevel level, LogFormat format, LogSink sink);
void log_set_level(LogLevel level);
void log_set_copy(LogCopy copy, void *userdata); /* NULL: no copy */

extern LogLevel log_level_max; /* for log_get_level() alone */

static inline LogLevel log_get_level(void) {
        return log_level_max;
}

extern const LogIds log_no_request;

/* Sets the ids of the request that the code works for from now on, and returns the previous ones. A log
 * line that names no request gets the ids that are set. */
const LogIds *log_swap_request(const LogIds *ids);
const LogIds *log_request(void); /* the present one; never NULL */

static inline void log_request_restore(const LogIds **before) {
        (void) log_swap_request(*before);
}

/* Sets the ids until the end of the block, which restores the previous ones. */
#define LOG_FOR_REQUEST(ids) \
        _cleanup_(log_request_restore) _unused_ const LogIds *_log_before = log_swap_request(ids)

LogLevel log_level_from_string(const char *s); /* any case; DEBUG, INFO, WARNING (WARN), ERROR */
const char *log_level_to_string(LogLevel level);

void log_record(const LogRecord *r);
void log_format(LogLevel level, const LogIds *ids, const char *file, int line, const char *func,
                const char *fmt, ...) _printf_(6, 7);

/* After the text come the fields, as LogField's initializers: { "model", name }, { "status", n, true } … */
#define log_event(l, id, text, ...)                                                            \
        log_record(&(const LogRecord){                                                         \
                .level = (l),                                                                  \
                .message = (text),                                                             \
                .message_id = (id),                                                            \
                .file = __FILE__,                                                              \
                .func = __func__,                                                              \
                .line = __LINE__,                                                              \
                .fields = (const LogField[]){ __VA_ARGS__ },                                   \
                .n_fields = sizeof((const LogField[]){ __VA_ARGS__ }) / sizeof(LogField),      \
        })
#define log_struct(level, text, ...) log_event(level, NULL, text, ##__VA_ARGS__)

#define log_full(level, ...) log_format(level, &log_no_request, __FILE__, __LINE__, __func__, __VA_ARGS__)
#define log_debug(...)       log_full(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)        log_full(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...)     log_full(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...)       log_full(LOG_LEVEL_ERROR, __VA_ARGS__)
