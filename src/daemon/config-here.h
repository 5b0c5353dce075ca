/* SPDX-License-Identifier: MIT */
#pragma once

/* The checks of a configuration that depend on what is installed on this machine. */

#include "config/config.h"

/* -EINVAL after the fault went to `say`. The first one reads the file of CAs, which takes up to a tenth of a
 * second, so it is not for the loop. */
int config_here_read(const ConfigText *t, const Config *c, ConfigSay say, void *userdata);
int config_here_check(const ConfigText *t, const Config *c, ConfigSay say, void *userdata);

/* Warns of programs that are not there: they may come later, and nothing else needs them. The daemon itself
 * warns of directories, so this does if it is not going to run. */
void config_here_warn(const ConfigText *t, const Config *c, bool only_check, ConfigSay say, void *userdata);
