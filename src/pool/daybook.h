/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What was served on each day, by model; the model "" is all of them together. A day is a date, 20261125, in
 * the calendar of QUOTA_RESET_TIMEZONE. A changed row is dirty until daybook_take_dirty() has returned it.
 */

#include "base/macros.h"

typedef struct Daybook Daybook;

typedef struct DayCounters {
        uint64_t requests, errors, tokens_in, tokens_out; /* of attempts */
        uint64_t client_requests; /* of the day as a whole alone */
} DayCounters;

typedef struct DayRow {
        uint32_t date;
        const char *model;
        DayCounters counters;
} DayRow;

int daybook_new(Daybook **ret);
Daybook *daybook_free(Daybook *b);
DEFINE_CLEANUP(Daybook *, daybook_free);

/* Sets the day's counters. -E2BIG: there are DAYBOOK_ROWS_MAX rows already, and none is added. */
int daybook_put(Daybook *b, uint32_t date, const char *model, const DayCounters *counters);
bool daybook_get(const Daybook *b, uint32_t date, const char *model, DayCounters *ret);
/* Keeps the latest `n` dates that the book has up to `today`, and the first `n` dates after it; drops the
 * others. So a clock that is wrong for a moment costs one date at most: see daybook.c. */
void daybook_keep(Daybook *b, uint32_t today, unsigned n);
uint32_t daybook_first_date(const Daybook *b); /* 0 if the book is empty */
/* The first of the latest `n` dates up to `today`; 0 if the book has fewer. */
uint32_t daybook_nth_date(const Daybook *b, uint32_t today, unsigned n);

size_t daybook_n(const Daybook *b);
DayRow daybook_row(const Daybook *b, size_t i); /* sorted by date, then model */

void daybook_dirty_all(Daybook *b);
void daybook_clean_all(Daybook *b);               /* marks all rows as clean: the store has them */
bool daybook_take_dirty(Daybook *b, DayRow *ret); /* one at a time, until false */
