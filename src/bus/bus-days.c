/* SPDX-License-Identifier: MIT */

/* ListDays: the totals of the latest days, as rows. */

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "core/day-clock.h"
#include "bus/bus-manager.h"
#include "pool/state/schema.h"

typedef struct Days {
        sd_bus_message *reply;
        size_t n_rows;
        bool in_day; /* a day's total was seen. Rows of models before the first total are left out, as over
                        HTTP */
        int r;
} Days;

static void write_row(const DayRow *row, void *userdata) {
        const DayCounters *c = &row->counters;
        Days *d = userdata;
        char date[32];

        if (!*row->model)
                d->in_day = true;
        if (d->r < 0 || !d->in_day)
                return;
        if (++d->n_rows > BUS_ROWS_MAX) {
                d->r = -E2BIG;
                return;
        }
        (void) snprintf(date, sizeof(date), "%04u-%02u-%02u", row->date / 10000, row->date / 100 % 100,
                        row->date % 100);
        d->r = sd_bus_message_append(d->reply, "(sstttt)", date, row->model, c->requests, c->errors,
                                     c->tokens_in, c->tokens_out);
}

int bus_list_days(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Bus *b = userdata;
        Days d = {};
        uint32_t n;
        int r;

        r = sd_bus_message_read(m, "u", &n);
        if (r < 0)
                return r;
        if (n == 0)
                return sd_bus_error_set(e, SD_BUS_ERROR_INVALID_ARGS,
                                        "The number of days must be at least 1.");
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sstttt)");
        if (r < 0)
                return r;
        d.reply = reply;
        pool_each_day(b->p.pool, n, day_clock_now(), write_row, &d);
        if (d.r == -E2BIG)
                return sd_bus_error_setf(e, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "The answer has more than %u rows: ask for fewer days.",
                                         BUS_ROWS_MAX);
        if (d.r < 0)
                return d.r;
        r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
