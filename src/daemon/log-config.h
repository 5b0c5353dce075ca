/* SPDX-License-Identifier: MIT */
#pragma once

/* The log as LOG_LEVEL and LOG_FORMAT want it. */

#include "core/config.h"

void log_config_begin(void); /* before there is a configuration */
void log_config_apply(const Config *c);
