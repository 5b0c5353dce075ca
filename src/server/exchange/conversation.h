/* SPDX-License-Identifier: MIT */
#pragma once

/* The conversation that a request continues. Gemini caches a project's earlier requests, so the next turn
 * should use the same project. */

#include "server/request.h"

/* A digest of its name; 0: no name, or not useful here. */
uint64_t conversation_of(Request *q, const Translation *t);
