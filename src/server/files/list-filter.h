/* SPDX-License-Identifier: MIT */
#pragma once

/* Which objects of a list a client wants, by its arguments. */

#include "base/buf.h"
#include "dialect/api-error.h"
#include "dialect/gemini/path.h"
#include "server/request.h"

/* 0, or HANDLER_E_REFUSED: an argument that Google does not have, or that gemgate cannot evaluate. */
int list_filter_check(Request *q, const GeminiPath *row, ApiError *ret_error);

/* Whether an object is wanted, which is Google's JSON. */
bool list_filter_wants(Request *q, const GeminiPath *row, const Buf *object);
