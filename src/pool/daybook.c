/* SPDX-License-Identifier: MIT */

/* A sorted array: nearly every search is for a row of today, and those are at the end. */

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

void daybook_forget(Daybook *b, uint32_t before) {
        bool found;
        size_t n = find(b, before, "", &found);

        for (size_t i = 0; i < n; i++) {
                set_dirty(b, b->entries + i, false);
                free(b->entries[i].model);
        }
        if (n > 0)
                memmove(b->entries, b->entries + n, (b->n - n) * sizeof(DaybookEntry));
        b->n -= n;
        b->scan = b->n;
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
