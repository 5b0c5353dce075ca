/* SPDX-License-Identifier: MIT */

/* ResetHealth, and Reset of a key: in slices. */

#include <errno.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "bus/bus-answer.h"
#include "bus/bus-manager.h"
#include "pool/reset.h"

typedef struct ResetReply {
        BusAnswer answer;
        char model[BUS_MODEL_MAX]; /* or empty */
        PoolReset *reset;
} ResetReply;

static int begin(BusAnswer *a _unused_) {
        return 0;
}

static int step(BusAnswer *a) {
        ResetReply *s = CONTAINER_OF(a, ResetReply, answer);
        int r;

        r = pool_reset_step(s->reset, day_clock_now(), UPDATE_SLICE_KEYS);
        if (r != 0)
                return r;
        return MIN(sd_bus_message_append(a->reply, "u", (uint32_t) pool_reset_count(s->reset)), 0);
}

static int refuse(BusAnswer *a, int r, sd_bus_error *e) {
        const ResetReply *s = CONTAINER_OF(a, ResetReply, answer);

        if (r != -ENXIO || !s->model[0])
                return r;
        return sd_bus_error_setf(e, BUS_ERROR("NoSuchModel"), "No key has been asked for the model %s yet.",
                                 s->model);
}

static void reply_free(BusAnswer *a) {
        ResetReply *s = CONTAINER_OF(a, ResetReply, answer);

        pool_reset_free(s->reset);
        free(s);
}

int bus_reset(Bus *b, sd_bus_message *m, const char *pattern, const char *model, sd_bus_error *e) {
        static const BusAnswerOps ops = { begin, step, reply_free, refuse };
        ResetReply *s;
        int r;

        s = calloc(1, sizeof(ResetReply));
        if (!s)
                return -ENOMEM;
        text_copy(s->model, sizeof(s->model), model);
        s->answer = (BusAnswer){ .ops = &ops, .bus = b, .n_rows = 1 };
        r = pool_reset_new(b->p.pool, pattern, *model ? model : NULL, &s->reset);
        if (r < 0) {
                free(s);
                return r;
        }
        return bus_answer_start(&s->answer, m, e);
}
