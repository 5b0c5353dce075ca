/* SPDX-License-Identifier: MIT */
#include "daemon/log-config.h"
#include "io/log-journal.h"

/* The journal's stream would take a line that is at fault for information like any other. */
void log_config_begin(void) {
        if (log_journal_is_stderr())
                return log_setup(LOG_LEVEL_INFO, LOG_FORMAT_SINK, log_journal_sink);
        log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL);
}

void log_config_apply(const Config *c) {
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
