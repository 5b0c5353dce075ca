/* SPDX-License-Identifier: MIT */
#pragma once

/* The member `store` of Gemini's request, by GEMINI_STORE and by the client. */

#include "base/json/cursor.h"
#include "base/json/write.h"
#include "dialect/dialect.h"

/* Writes it, if it is to be sent. `asked`: the client's own boolean, or nothing. A client's false is always
 * passed on, its true only if GEMINI_STORE leaves that to the client. */
void store_member_write(const DialectContext *c, JsonView asked, JWriter *w);
