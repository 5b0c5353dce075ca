/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes a stranger's text safe to show: one line of UTF-8, without control characters, without keys. */

#include "base/buf.h"
#include "base/secret.h"

/* Appends the whole text, cleaned and scrubbed; `known` may be NULL. -errno of the buffer. */
int message_clean(const char *s, size_t n, const Secret *known, Buf *out);
