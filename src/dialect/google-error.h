/* SPDX-License-Identifier: MIT */
#pragma once

/* Google's error shape: {"error":{"code","message","status"}}, and "details" where a client goes by them. */

#include "base/buf.h"
#include "dialect/api-error.h"

void google_error_write(const ApiError *e, Buf *out);
