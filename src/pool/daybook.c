/* SPDX-License-Identifier: MIT */

/*
 * A sorted array: nearly every search is for a row of today, and those are at the end.
 *
 * Dates are dropped by their number, not by their age. The clock may be wrong, now or when a date was
 * written, and what is deleted does not come back when the clock is right again. So a clock that is years
 * ahead for a moment adds one date, and drops at most one. Dates after today are kept as well: either they
 * were written by a clock that was ahead, or the present clock is behind.
 */

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "pool/daybook.h"

typedef struct DaybookEntry {
        uint32_t date;
        bool dirty;
        char *model;
        DayCounters counters;
} DaybookEntry;

struct Daybook {
        DaybookEntry *entries;
        size_t n, n_allocated;
        size_t n_dirty;
        size_t scan; /* rows from here on are clean */
};

int daybook_new(Daybook **ret) {
        Daybook *b = calloc(1, sizeof(Daybook));

        if (!b)
                return -ENOMEM;
        *ret = b;
        return 0;
}

Daybook *daybook_free(Daybook *b) {
        if (!b)
                return NULL;
        for (size_t i = 0; i < b->n; i++)
                free(b->entries[i].model);
        free(b->entries);
        free(b);
        return NULL;
}

/* The index of the row, or the index at which it would be inserted. */
static size_t find(const Daybook *b, uint32_t date, const char *model, bool *ret_found) {
        size_t low = 0, high = b->n;

        *ret_found = false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const DaybookEntry *e = b->entries + middle;
                int c = e->date != date ? (e->date < date ? -1 : 1) : strcmp(e->model, model);

                if (c == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (c < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static void set_dirty(Daybook *b, DaybookEntry *e, bool dirty) {
        b->n_dirty += dirty;
        b->n_dirty -= e->dirty;
        e->dirty = dirty;
        if (dirty)
                b->scan = b->n;
}

static int insert(Daybook *b, size_t at, uint32_t date, const char *model) {
        char *copy;

        if (b->n >= DAYBOOK_ROWS_MAX)
                return -E2BIG;
        if (b->n == b->n_allocated) {
                size_t n = MAX(b->n * 2, (size_t) 16);
                DaybookEntry *t = reallocarray(b->entries, n, sizeof(DaybookEntry));

                if (!t)
                        return -ENOMEM;
                b->entries = t;
                b->n_allocated = n;
        }
        copy = strdup(model);
        if (!copy)
                return -ENOMEM;
        memmove(b->entries + at + 1, b->entries + at, (b->n - at) * sizeof(DaybookEntry));
        b->entries[at] = (DaybookEntry){ .date = date, .model = copy };
        b->n++;
        return 0;
}

int daybook_put(Daybook *b, uint32_t date, const char *model, const DayCounters *counters) {
        bool found;
        size_t at = find(b, date, model, &found);
        int r;

        if (!found) {
                r = insert(b, at, date, model);
                if (r < 0)
                        return r;
        } else if (memcmp(&b->entries[at].counters, counters, sizeof(*counters)) == 0)
                return 0;
        b->entries[at].counters = *counters;
        set_dirty(b, b->entries + at, true);
        return 0;
}

bool daybook_get(const Daybook *b, uint32_t date, const char *model, DayCounters *ret) {
        bool found;
        size_t at = find(b, date, model, &found);

        if (found)
                *ret = b->entries[at].counters;
        return found;
}

/* Drops the rows from `begin` up to `end`. */
static void drop(Daybook *b, size_t begin, size_t end) {
        for (size_t i = begin; i < end; i++) {
                set_dirty(b, b->entries + i, false);
                free(b->entries[i].model);
        }
        if (end > begin)
                memmove(b->entries + begin, b->entries + end, (b->n - end) * sizeof(DaybookEntry));
        b->n -= end - begin;
        b->scan = b->n;
}

/* The index of the first row that is of this date or a later one. */
static size_t find_date(const Daybook *b, uint64_t date) {
        bool found;

        return date > UINT32_MAX ? b->n : find(b, (uint32_t) date, "", &found);
}

/* The index of the first row of the latest `n` dates up to `today`; 0 if there are not more dates. */
static size_t find_latest(const Daybook *b, uint32_t today, unsigned n) {
        size_t i = find_date(b, (uint64_t) today + 1);

        while (i > 0 && n-- > 0)
                i = find_date(b, b->entries[i - 1].date);
        return i;
}

/* The index after the last row of the first `n` dates after `today`. */
static size_t find_coming(const Daybook *b, uint32_t today, unsigned n) {
        size_t i = find_date(b, (uint64_t) today + 1);

        while (i < b->n && n-- > 0)
                i = find_date(b, (uint64_t) b->entries[i].date + 1);
        return i;
}

void daybook_keep(Daybook *b, uint32_t today, unsigned n) {
        drop(b, find_coming(b, today, n), b->n);
        drop(b, 0, find_latest(b, today, n));
}

uint32_t daybook_first_date(const Daybook *b) {
        return b->n > 0 ? b->entries[0].date : 0;
}

uint32_t daybook_nth_date(const Daybook *b, uint32_t today, unsigned n) {
        size_t i = find_latest(b, today, n - 1);

        assert(n > 0);
        return i > 0 ? b->entries[i - 1].date : 0;
}

size_t daybook_n(const Daybook *b) {
        return b->n;
}

DayRow daybook_row(const Daybook *b, size_t i) {
        const DaybookEntry *e = b->entries + i;

        assert(i < b->n);
        return (DayRow){ e->date, e->model, e->counters };
}

void daybook_dirty_all(Daybook *b) {
        for (size_t i = 0; i < b->n; i++)
                set_dirty(b, b->entries + i, true);
}

void daybook_clean_all(Daybook *b) {
        for (size_t i = 0; i < b->n; i++)
                set_dirty(b, b->entries + i, false);
}

/* From the end, where dirty rows are. */
bool daybook_take_dirty(Daybook *b, DayRow *ret) {
        if (b->n_dirty == 0)
                return false;
        for (; b->scan > 0; b->scan--) {
                DaybookEntry *e = b->entries + b->scan - 1;

                if (!e->dirty)
                        continue;
                set_dirty(b, e, false);
                *ret = daybook_row(b, b->scan - 1);
                return true;
        }
        return false;
}
