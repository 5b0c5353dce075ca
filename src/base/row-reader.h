/* SPDX-License-Identifier: MIT */
#pragma once

/* A row's values, from left to right. They may be anything: what makes no sense is told by `bad` at the
 * end. The columns' types are what row_fits() has let through. */

#include "base/rows.h"

typedef struct RowReader {
        const RowValue *next;
        bool bad;
} RowReader;

uint64_t row_get_number(RowReader *r, uint64_t max); /* what is more is max; a negative one is bad */
bool row_get_bool(RowReader *r);

/* A copy, or NULL for a null (or no memory); a text with a NUL in it, or one that is too long, is bad. */
char *row_get_text(RowReader *r, size_t max);
