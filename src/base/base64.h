/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/buf.h"

/* RFC 4648: it is written in the standard alphabet (section 4), with padding. */

/* Of pieces that follow each other, all but the last must be multiples of three bytes. */
int base64_append(Buf *out, const uint8_t *p, size_t n);

/* 0 to 63 for a letter of the standard alphabet, -1 for any other character. */
int base64_value(int letter);

/* Reads base64 that comes in pieces, in both alphabets. Padding and other characters are skipped. */
typedef struct Base64Reader {
        unsigned bits, n; /* of letters that do not make a byte yet */
} Base64Reader;

int base64_read(Base64Reader *r, const char *s, size_t n, Buf *out);
