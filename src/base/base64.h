/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* RFC 4648, section 4: the standard alphabet, with padding. */

/* Of pieces that follow each other, all but the last must be multiples of three bytes. */
int base64_append(Buf *out, const uint8_t *p, size_t n);

/* 0 to 63 for a letter of the alphabet, -1 for any other character. */
int base64_value(int letter);
