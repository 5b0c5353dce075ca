/* SPDX-License-Identifier: MIT */
#pragma once

/* The reply to a method call, made in slices because it grows with the number of keys: bus-answer.c. */

#include "bus/bus-internal.h"

typedef struct BusAnswer BusAnswer;

typedef struct BusAnswerOps {
        /* Begins the reply in a->reply, again if it had begun already; -errno. */
        int (*begin)(BusAnswer *a);
        /* Appends the next slice. 1: there is more; 0: the reply is complete; -ESTALE: begin again;
         * -E2BIG: it has more than BUS_ROWS_MAX rows; -errno. */
        int (*step)(BusAnswer *a);
        void (*free)(BusAnswer *a);
        /* Tells the caller what a failure of step() means: a method's result; or NULL. */
        int (*refuse)(BusAnswer *a, int r, sd_bus_error *e);
} BusAnswerOps;

/* The first member of the method's own struct. */
struct BusAnswer {
        const BusAnswerOps *ops;
        Bus *bus;
        sd_bus_message *reply;
        size_t n_rows; /* about as many will come, at least */

        /* of bus-answer.c */
        sd_bus_message *call;
        BusLink *link;
        List answers; /* in link->answers */
        LoopSlice slice;
        unsigned n_starts;
};

/* Takes `a`, whose first three members and n_rows are set, also on failure. A method's result. */
int bus_answer_start(BusAnswer *a, sd_bus_message *call, sd_bus_error *e);
void bus_answers_drop(BusLink *l); /* its connection is closed */

/* False: the call is answered already, because its reply may be large and the link does not read. */
bool bus_answer_admits(BusLink *l, sd_bus_message *call);
