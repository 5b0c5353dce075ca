/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/buf.h"

/* Reads base64 that comes in pieces, in both alphabets. Padding and other characters are skipped. */
typedef struct Base64Reader {
        unsigned bits, n; /* of letters that do not make a byte yet */
} Base64Reader;

int base64_read(Base64Reader *r, const char *s, size_t n, Buf *out);
