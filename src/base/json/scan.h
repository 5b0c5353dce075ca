/* SPDX-License-Identifier: MIT */
#pragma once

/* Looks for the end of a string, sixteen bytes at a time. */

#include <endian.h>
#include <string.h>

#include "base/macros.h"

#define JSON_BLOCK 16U

typedef unsigned char JsonBlock __attribute__((vector_size(JSON_BLOCK)));
typedef uint64_t JsonHalves __attribute__((vector_size(JSON_BLOCK)));

static inline JsonBlock json_block(const void *p) {
        JsonBlock b;

        memcpy(&b, p, JSON_BLOCK);
        return b;
}

/* The first byte of a block for which `found` is not zero; JSON_BLOCK: none. */
static inline unsigned json_block_first(JsonHalves found) {
        if ((found[0] | found[1]) == 0)
                return JSON_BLOCK;
        if (found[0] != 0)
                return (unsigned) __builtin_ctzll(le64toh(found[0])) / 8;
        return 8 + (unsigned) __builtin_ctzll(le64toh(found[1])) / 8;
}

/* The first byte from p on that a string cannot hold as it is: a quote, a backslash, a control character. It
 * may return earlier, near the end. */
static inline const char *json_skip_plain(const char *p, const char *end) {
        for (; end - p >= (ptrdiff_t) JSON_BLOCK; p += JSON_BLOCK) {
                JsonBlock b = json_block(p);
                unsigned i = json_block_first((JsonHalves) ((b < 0x20) | (b == '"') | (b == '\\')));

                if (i < JSON_BLOCK)
                        return p + i;
        }
        return p;
}
