/* SPDX-License-Identifier: MIT */
#pragma once

/* Gemini's own routes. */

#include "sim-exchange.h"

void api_serve(Exchange *e);
