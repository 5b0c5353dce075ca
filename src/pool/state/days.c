/* SPDX-License-Identifier: MIT */

/*
 * What each past day came to is in a book (pool/daybook). The current day is counted in the models, which
 * takes no search, and entered in the book when the days are shown or saved, and when the day is over.
 */

#include "base/limits.h"
#include "pool/state/days.h"
#include "pool/internal.h"

DayCounters pool_today(const PoolToday *t, const PoolTally *tally) {
        const PoolCounters *c = &tally->counters, *b = &t->before;

        return (DayCounters){
                .requests = t->more.requests + c->total - b->total,
                .errors = t->more.errors + c->errors - b->errors,
                .tokens_in = t->more.tokens_in + c->tokens_in - b->tokens_in,
                .tokens_out = t->more.tokens_out + c->tokens_out - b->tokens_out,
        };
}

void pool_tally_to_row(const PoolTally *t, RowValue ret[static POOL_COUNTERS_N]) {
        const PoolCounters *c = &t->counters;
        const uint64_t numbers[POOL_COUNTERS_N] = { c->total,     c->today,      t->day,      c->errors,
                                                    c->tokens_in, c->tokens_out, c->last_used };

        for (size_t i = 0; i < POOL_COUNTERS_N; i++)
                ret[i] = row_int(numbers[i]);
}

void pool_tally_merge(PoolTally *t, const PoolTally *from, usec_t day) {
        RowValue into[POOL_COUNTERS_N], other[POOL_COUNTERS_N];
        PoolTally rolled = *from;
        uint64_t *const numbers[POOL_COUNTERS_N] = {
                &t->counters.total,     &t->counters.today,      &t->day,
                &t->counters.errors,    &t->counters.tokens_in,  &t->counters.tokens_out,
                &t->counters.last_used,
        };

        pool_tally_roll(t, day);
        pool_tally_roll(&rolled, day); /* whatever day it is of, also one that is yet to come */
        pool_tally_to_row(t, into);
        pool_tally_to_row(&rolled, other);
        row_merge(pool_counter_columns, POOL_COUNTERS_N, into, other);
        for (size_t i = 0; i < POOL_COUNTERS_N; i++)
                *numbers[i] = (uint64_t) into[i].integer;
}

void pool_today_begin(const Pool *p, PoolToday *t, const PoolTally *tally, const char *model) {
        *t = (PoolToday){ .date = p->day.date, .before = tally->counters };
        /* There is something already if the model was forgotten in between, or the clock was put back. */
        (void) daybook_get(p->daybook, p->day.date, model, &t->more);
}

/* The day as a whole, with the clients' requests: a day has a row also if no key was usable for any. */
static void book_all(Pool *p) {
        DayCounters c = pool_today(&p->today, &p->tally);

        c.client_requests = pool_today(&p->clients_today, &p->clients).requests;
        if (c.requests > 0 || c.errors > 0 || c.client_requests > 0)
                (void) daybook_put(p->daybook, p->today.date, "", &c);
}

/* Without the names that clients invent. */
void pool_book_model(Pool *p, const PoolModel *m) {
        DayCounters c = pool_today(&m->today, &m->tally);

        if (m->succeeded && (c.requests > 0 || c.errors > 0))
                (void) daybook_put(p->daybook, m->today.date, m->name, &c);
}

static void book_today(Pool *p) {
        book_all(p);
        LIST_FOREACH(i, &p->models)
                pool_book_model(p, list_entry(i, PoolModel, models));
}

/* Of the clients: as pool_today_begin(), but `requests` are theirs. */
static void begin_clients(Pool *p) {
        DayCounters c = {};

        (void) daybook_get(p->daybook, p->day.date, "", &c);
        p->clients_today = (PoolToday){ .date = p->day.date, .before = p->clients.counters };
        p->clients_today.more.requests = c.client_requests;
}

void pool_day_end(Pool *p) {
        book_today(p);
        p->save.purge = true;
        pool_today_begin(p, &p->today, &p->tally, "");
        begin_clients(p);
        LIST_FOREACH(i, &p->models) {
                PoolModel *m = list_entry(i, PoolModel, models);

                pool_today_begin(p, &m->today, &m->tally, m->name);
        }
}

uint32_t pool_first_date(const Pool *p, unsigned n) {
        return day_date_before(&p->day, n - 1);
}

void pool_days_book(Pool *p) {
        book_today(p);
        daybook_keep(p->daybook, p->day.date, p->keep_days);
}

void pool_keep_days(Pool *p, unsigned days) {
        p->keep_days = days;
        p->save.purge = true;
        pool_note(p, &p->save.total, false);
}

/* Deletes the days that the book has dropped, and bindings of removed projects that expired before the
 * days that are kept. The bound is a day that was counted, not the clock's age: see daybook.c. */
static void save_purge(Pool *p, Rows *out) {
        uint32_t first = daybook_first_date(p->daybook);
        uint32_t nth = daybook_nth_date(p->daybook, p->day.date, p->keep_days);

        if (first > 0) {
                rows_forget(out, ROW_FORGET_BELOW, POOL_DAYS, 0, row_int(first));
                rows_forget(out, ROW_FORGET_BELOW, POOL_CLIENT_DAYS, 0, row_int(first));
        }
        if (nth > 0)
                rows_forget(out, ROW_FORGET_BELOW, POOL_BINDINGS, 3, row_int(day_date_begin(&p->day, nth)));
}

static void save_client_day(const DayRow *row, Rows *out) {
        const RowValue values[] = { row_int(row->date), row_int(row->counters.client_requests) };

        rows_put(out, POOL_CLIENT_DAYS, values, ELEMENTSOF(values));
}

void pool_days_save(Pool *p, Rows *out) {
        DayRow row;

        pool_days_book(p);
        while (out->n < STATE_BATCH_ROWS && daybook_take_dirty(p->daybook, &row)) {
                const RowValue values[] = {
                        row_int(row.date),
                        row_text(row.model),
                        row_int(row.counters.requests),
                        row_int(row.counters.errors),
                        row_int(row.counters.tokens_in),
                        row_int(row.counters.tokens_out),
                };

                rows_put(out, POOL_DAYS, values, ELEMENTSOF(values));
                if (row.counters.client_requests > 0)
                        save_client_day(&row, out);
        }
        if (p->save.purge)
                save_purge(p, out);
        p->save.purge = false;
}

/* The index of the first row of this date or a later one. */
static size_t find_date(const Daybook *b, uint32_t date) {
        size_t low = 0, high = daybook_n(b);

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (daybook_row(b, middle).date < date)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

bool pool_next_day(Pool *p, unsigned n, usec_t now, uint32_t *date,
                   void (*f)(const DayRow *row, void *userdata), void *userdata) {
        uint32_t day;
        size_t i;

        (void) pool_time(p, now);
        pool_days_book(p);
        i = find_date(p->daybook, MAX(*date, pool_first_date(p, MIN(n, p->keep_days))));
        if (i == daybook_n(p->daybook))
                return false;
        day = daybook_row(p->daybook, i).date;
        if (day > p->day.date)
                return false;
        for (; i < daybook_n(p->daybook); i++) {
                DayRow row = daybook_row(p->daybook, i);

                if (row.date != day)
                        break;
                f(&row, userdata);
        }
        *date = day + 1;
        return true;
}

void pool_each_day(Pool *p, unsigned n, usec_t now, void (*f)(const DayRow *row, void *userdata),
                   void *userdata) {
        uint32_t date = 0;

        while (pool_next_day(p, n, now, &date, f, userdata))
                ;
}
