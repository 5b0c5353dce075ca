/* SPDX-License-Identifier: MIT */
#pragma once

/* Base64 as proto3 JSON has it: it is written with the standard alphabet, and read with either one. */

#include "base/buf.h"

void base64_write(const void *p, size_t n, Buf *out);

/* True if the n characters are base64 of either alphabet, with or without the padding. */
bool base64_valid(const char *s, size_t n);
