/* SPDX-License-Identifier: MIT */
#pragma once

/* Sets up the log by LOG_LEVEL, LOG_FORMAT, LOG_DIR and LOG_RETENTION_DAYS. */

#include "config/config.h"
#include "io/loop.h"

void log_config_begin(void); /* before there is a configuration */
void log_config_apply(const Config *c, Loop *loop);
void log_config_done(void); /* before the loop is freed: writes the lines that wait for LOG_DIR */
