/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the daemon speaks. Libraries never log; the edge logs once, with structured fields. Three forms:
 * text for a terminal, JSON lines for a container, and a sink that an upper floor installs (the journal).
 * Field names are lower case here; a sink spells them its own way. Values must be masked before they come
 * here.
 */

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

typedef struct LogField {
        const char *name;
        const char *value; /* NULL: the field is left out */
        bool number;       /* in JSON without quotes */
} LogField;

typedef void (*LogSink)(LogLevel level, const char *message, const LogField *fields, size_t n_fields);

void log_setup(LogLevel level, LogFormat format, LogSink sink);
void log_set_level(LogLevel level);
LogLevel log_get_level(void);

LogLevel log_level_from_string(const char *s); /* any case; DEBUG, INFO, WARNING (WARN), ERROR */
const char *log_level_to_string(LogLevel level);

void log_struct(LogLevel level, const char *message, const LogField *fields, size_t n_fields);
void log_full(LogLevel level, const char *fmt, ...) _printf_(2, 3);

#define log_debug(...) log_full(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_full(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_full(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_full(LOG_LEVEL_ERROR, __VA_ARGS__)
