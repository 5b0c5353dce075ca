/* SPDX-License-Identifier: MIT */
#pragma once

/* /sim/…: how a test directs the simulator and asks what it saw. */

#include "sim-exchange.h"

void control_serve(Exchange *e);
