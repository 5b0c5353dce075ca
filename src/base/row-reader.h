/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a row's values from left to right. The values may be anything; `bad` counts those that make no
 * sense. The caller has checked the columns' types with row_fits(). */

#include "base/rows.h"

typedef struct RowReader {
        const RowValue *next;
        bool bad;
} RowReader;

/* a number above max is read as max; a negative one is bad */
uint64_t row_get_number(RowReader *r, uint64_t max);
bool row_get_bool(RowReader *r);

/* A copy, or NULL for a null (or no memory). A text with a NUL in it, or one that is too long, is bad. */
char *row_get_text(RowReader *r, size_t max);
