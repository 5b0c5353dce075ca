/* SPDX-License-Identifier: MIT */

/*
 * ExplainModel: what a model takes, and whether Google lists it. If Google's list is not known, the daemon
 * fetches it, and the call waits for that: not for long, because an operator who looks for the reason of a
 * failure asks just when Google cannot be reached. Then the answer leaves out whether the model is listed.
 */

#include <errno.h>

#include "bus/bus-manager.h"
#include "io/loop.h"

#define LOOK_TIME     (3 * USEC_PER_SEC)
#define LOOK_ACCURACY (100 * USEC_PER_MSEC)

static int read_model(Bus *b, sd_bus_message *m, char ret[static BUS_MODEL_MAX], sd_bus_error *e) {
        const char *given;
        int r;

        r = sd_bus_message_rewind(m, true);
        if (r >= 0)
                r = sd_bus_message_read(m, "s", &given);
        if (r < 0)
                return r;
        return bus_read_model(b, *given ? given : b->p.config(b->p.userdata)->default_model, ret, e);
}

/* An alias may have changed since the call came, so the name is read again. */
static void reply_late(Bus *b, sd_bus_message *m) {
        _cleanup_(sd_bus_error_free) sd_bus_error e = {};
        char model[BUS_MODEL_MAX];
        int r;

        r = read_model(b, m, model, &e);
        if (r >= 0)
                r = bus_model_reply(b, m, model, b->p.listed(model, false, b->p.userdata));
        if (r < 0)
                (void) sd_bus_reply_method_errno(m, r, &e);
}

static void reply_all(Bus *b) {
        size_t n = b->n_looks;

        (void) sd_event_source_set_enabled(b->looks_due, SD_EVENT_OFF);
        b->n_looks = 0;
        for (size_t i = 0; i < n; i++) {
                reply_late(b, b->looks[i]);
                b->looks[i] = sd_bus_message_unref(b->looks[i]);
        }
}

void bus_models_done(Bus *b) {
        if (b && b->n_looks > 0)
                reply_all(b);
}

static int on_due(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        reply_all(userdata);
        return 0;
}

int bus_explain_model(sd_bus_message *m, void *userdata, sd_bus_error *e) {
        char model[BUS_MODEL_MAX];
        Bus *b = userdata;
        int r, listed;

        r = read_model(b, m, model, e);
        if (r < 0)
                return r;
        listed = b->p.listed ? b->p.listed(model, true, b->p.userdata) : -ENODATA;
        if (listed != -EINPROGRESS || b->n_looks == BUS_LOOKS_MAX)
                return bus_model_reply(b, m, model, listed);
        if (b->n_looks == 0) {
                r = sd_event_source_set_time_relative(b->looks_due, LOOK_TIME);
                if (r >= 0)
                        r = sd_event_source_set_enabled(b->looks_due, SD_EVENT_ONESHOT);
                if (r < 0)
                        return r;
        }
        b->looks[b->n_looks++] = sd_bus_message_ref(m);
        return 1;
}

int bus_looks_new(Bus *b) {
        int r;

        r = sd_event_add_time_relative(loop_event(b->p.loop), &b->looks_due, CLOCK_MONOTONIC, LOOK_TIME,
                                       LOOK_ACCURACY, on_due, b);
        return r < 0 ? r : sd_event_source_set_enabled(b->looks_due, SD_EVENT_OFF);
}

void bus_looks_free(Bus *b) {
        for (size_t i = 0; i < b->n_looks; i++)
                sd_bus_message_unref(b->looks[i]);
        b->n_looks = 0;
        b->looks_due = sd_event_source_unref(b->looks_due);
}
