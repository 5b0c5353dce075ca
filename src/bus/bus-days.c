/* SPDX-License-Identifier: MIT */

/* ListDays: the attempts of the latest days, as rows; a slice is a day. ListClientDays: the requests of
 * clients, a row for each of the same days. */

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "core/day-clock.h"
#include "bus/bus-answer.h"
#include "bus/bus-manager.h"
#include "pool/state/schema.h"

typedef struct DaysForm {
        const char *row; /* its type */
        int (*write)(sd_bus_message *m, const char *date, const DayRow *row);
        bool totals; /* and no rows of models */
} DaysForm;

typedef struct Days {
        BusAnswer answer; /* first */
        const DaysForm *form;
        uint32_t n;    /* days that are asked for */
        uint32_t date; /* the first one that is still to come */
        size_t n_rows;
        bool in_day; /* a day's total was seen. Rows of models before the first total are left out, as over
                        HTTP */
        int r;
} Days;

static int write_attempts(sd_bus_message *m, const char *date, const DayRow *row) {
        const DayCounters *c = &row->counters;

        return sd_bus_message_append(m, "(sstttt)", date, row->model, c->requests, c->errors, c->tokens_in,
                                     c->tokens_out);
}

static int write_clients(sd_bus_message *m, const char *date, const DayRow *row) {
        return sd_bus_message_append(m, "(st)", date, row->counters.client_requests);
}

static const DaysForm of_attempts = { "(sstttt)", write_attempts, false };
static const DaysForm of_clients = { "(st)", write_clients, true };

static void write_row(const DayRow *row, void *userdata) {
        Days *d = userdata;
        char date[32];

        if (!*row->model)
                d->in_day = true;
        if (d->r < 0 || !d->in_day || (d->form->totals && *row->model))
                return;
        if (++d->n_rows > BUS_ROWS_MAX) {
                d->r = -E2BIG;
                return;
        }
        (void) snprintf(date, sizeof(date), "%04u-%02u-%02u", row->date / 10000, row->date / 100 % 100,
                        row->date % 100);
        d->r = d->form->write(d->answer.reply, date, row);
}

static int days_begin(BusAnswer *a) {
        Days *d = CONTAINER_OF(a, Days, answer);

        d->date = 0;
        d->n_rows = 0;
        d->in_day = false;
        return sd_bus_message_open_container(a->reply, 'a', d->form->row);
}

static int days_step(BusAnswer *a) {
        Days *d = CONTAINER_OF(a, Days, answer);
        bool more = pool_next_day(a->bus->p.pool, d->n, day_clock_now(), &d->date, write_row, d);

        if (d->r < 0)
                return d->r;
        return more ? 1 : sd_bus_message_close_container(a->reply);
}

static void days_free(BusAnswer *a) {
        free(CONTAINER_OF(a, Days, answer));
}

static int list(sd_bus_message *m, Bus *bus, const DaysForm *form, sd_bus_error *e) {
        static const BusAnswerOps ops = { days_begin, days_step, days_free };
        Days *d;
        uint32_t n;
        int r;

        r = sd_bus_message_read(m, "u", &n);
        if (r < 0)
                return r;
        if (n == 0)
                return sd_bus_error_set(e, SD_BUS_ERROR_INVALID_ARGS,
                                        "The number of days must be at least 1.");
        d = calloc(1, sizeof(Days));
        if (!d)
                return -ENOMEM;
        *d = (Days){
                .answer = { .ops = &ops, .bus = bus, .n_rows = MIN(n, BUS_LARGE_ROWS) },
                .form = form,
                .n = n,
        };
        return bus_answer_start(&d->answer, m, e);
}

int bus_list_days(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        return list(m, userdata, &of_attempts, e);
}

int bus_list_client_days(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        return list(m, userdata, &of_clients, e);
}
