/* SPDX-License-Identifier: MIT */
#pragma once

/* Which conversation a request goes on with: Gemini caches what a project asked before, so the next turn had
 * better go to the same one. */

#include "server/request.h"

/* A digest of what names it; 0: none, or it is of no use here. */
uint64_t conversation_of(Request *q, const Translation *t);
