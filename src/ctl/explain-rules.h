/* SPDX-License-Identifier: MIT */
#pragma once

#include <systemd/sd-bus.h>

#include "ctl/ctl.h"

/* The rules of a model, from the reply of ExplainModel, as a few lines. An exit status. */
int explain_rules_show(Ctl *c, sd_bus_message *m);
