/* SPDX-License-Identifier: MIT */
#pragma once

/* Counters, their days, and what of all that is noted for whoever keeps it; a part of the pool, see
 * pool-save.c. */

#include "base/list.h"
#include "core/pool-state.h"

typedef struct PoolModel PoolModel;

/* Counters with the day that `today` belongs to. */
typedef struct PoolTally {
        PoolCounters counters;
        usec_t day;
} PoolTally;

static inline void pool_tally_roll(PoolTally *t, usec_t day) {
        if (t->day == day)
                return;
        t->day = day;
        t->counters.today = 0;
}

/* Something that is kept over restarts, and whether its row is up to date; see pool-save.c. */
typedef struct PoolDirty {
        List link;
        uint8_t table;   /* whose row it is */
        uint8_t urgency; /* 0: clean; 1: dirty; 2: urgent */
} PoolDirty;

/* A day that is not over. */
typedef struct PoolToday {
        uint32_t date;
        PoolCounters before; /* as the tally was when it began */
        DayCounters more;    /* and what had been counted of it until then */
} PoolToday;

/* What has changed since its row was taken; see pool-save.c. */
typedef struct PoolSave {
        bool on;
        List dirty, urgent;
        List forgotten;    /* models whose rows are to be forgotten */
        List absent;       /* keys and projects that are long gone, likewise (pool-absent.c) */
        PoolDirty meta, total;
        Digester *digester;
        uint8_t secret[DIGEST_KEY_SIZE];
        bool purge; /* rows of days that are too old may be there */
        void (*noted)(bool urgent, void *userdata);
        void *userdata;
} PoolSave;

void pool_dirty_init(PoolDirty *d, PoolTable table);
__attribute__((cold)) void pool_note_slow(Pool *p, PoolDirty *d, bool urgent); /* of pool_note() */

void pool_unnote(PoolDirty *d);

int pool_save_init(Pool *p);
void pool_save_done(Pool *p);

/* What a key is called in the store. */
int pool_key_digest(Pool *p, PoolKey *k);

/* What today came to so far is what the tally has more than when the day began; nothing is counted twice. */
DayCounters pool_today(const PoolToday *t, const PoolTally *tally);
void pool_today_begin(const Pool *p, PoolToday *t, const PoolTally *tally, const char *model);
void pool_book_model(Pool *p, const PoolModel *m);
void pool_day_end(Pool *p); /* of all models: into the book, and the next day begins */

uint32_t pool_date_of(const Pool *p, usec_t t); /* as the zone has it */
