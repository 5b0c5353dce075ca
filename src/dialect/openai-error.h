/* SPDX-License-Identifier: MIT */
#pragma once

/* OpenAI's error shape, which also serves outside the protocols: all four keys, always. */

#include "dialect/api-error.h"
#include "base/buf.h"

void openai_error_write(const ApiError *e, Buf *out);
