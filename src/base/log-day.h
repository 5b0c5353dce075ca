/* SPDX-License-Identifier: MIT */
#pragma once

/* The names of the log's files, one a day: gemgate-2026-11-25.log. A day is a number, as zone_day() has it.
 */

#include "base/macros.h"

#define LOG_DAY_NAME_MAX 64U

void log_day_name(int64_t day, char ret[static LOG_DAY_NAME_MAX]);

/* True only for what log_day_name() makes: a file that is named in any other way is not ours. */
bool log_day_parse(const char *name, int64_t *ret);
