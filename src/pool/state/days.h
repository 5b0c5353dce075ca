/* SPDX-License-Identifier: MIT */
#pragma once

/* Counters and the days that they belong to; a part of the pool, see pool/state/days.c. */

#include "pool/daybook.h"
#include "pool/state/schema.h"

/* Counters with the day that `today` belongs to. */
typedef struct PoolTally {
        PoolCounters counters;
        usec_t day;
} PoolTally;

/* A tally as the columns of a row, see schema.c. Its values are not negative. */
#define POOL_COUNTERS_N 7U
extern const RowColumn pool_counter_columns[POOL_COUNTERS_N];

void pool_tally_to_row(const PoolTally *t, RowValue ret[static POOL_COUNTERS_N]);

/* Adds `from` to `t` as row_merge() does. Afterwards `today` of `t` is the count of `day`. */
void pool_tally_merge(PoolTally *t, const PoolTally *from, usec_t day);

static inline void pool_tally_roll(PoolTally *t, usec_t day) {
        if (t->day == day)
                return;
        t->day = day;
        t->counters.today = 0;
}

/* A day that is not over. */
typedef struct PoolToday {
        uint32_t date;
        PoolCounters before; /* the tally when this record of the day was begun */
        DayCounters more;    /* what the book already had of the day by then: not 0 if the model was
                              * forgotten in between, or the clock was set back */
} PoolToday;

/* The counters of today so far: `more`, and the difference between the tally and `before`. So nothing is
 * counted twice. */
DayCounters pool_today(const PoolToday *t, const PoolTally *tally);
void pool_today_begin(const Pool *p, PoolToday *t, const PoolTally *tally, const char *model);
/* Enters today's counters of the model in the book, because the model is about to be forgotten. */
void pool_book_model(Pool *p, const PoolModel *m);
/* Another day has begun: enters the counters of the last one in the book, and begins the new one in all
 * models. */
void pool_day_end(Pool *p);

uint32_t pool_first_date(const Pool *p, unsigned n); /* of the latest n days */

/* Enters the current day in the book, and keeps the latest STATS_RETENTION days that are in it. */
void pool_days_book(Pool *p);

/* The rows of days that have changed, and the deletion of those that the book has dropped. */
void pool_days_save(Pool *p, Rows *out);
