/* SPDX-License-Identifier: MIT */
#pragma once

/* The checks of a configuration that depend on what is installed on this machine. */

#include "config/config.h"

/* -EINVAL after the fault went to `say`. */
int config_here_check(const Config *c, ConfigSay say, void *userdata);

/* Warns of programs that are not there: they may come later, and nothing else needs them. */
void config_here_warn(const Config *c, ConfigSay say, void *userdata);
