/* SPDX-License-Identifier: MIT */
#pragma once

/* The names of the log's files, one a day: gemgate-2026-11-25.log. A day is a number, as from zone_day(). */

#include "base/macros.h"

#define LOG_DAY_NAME_MAX 64U

void log_day_name(int64_t day, char ret[static LOG_DAY_NAME_MAX]);

/* True only for names that log_day_name() makes: any other file is not the log's. */
bool log_day_parse(const char *name, int64_t *ret);
