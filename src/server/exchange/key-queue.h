/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The line of those who wait until a key frees: one for each model, first come, first served. A line is
 * served when its first key frees (its owner says when), and whenever something may have changed
 * (line_kick()): the first in it has its turn, and the next one as long as each goes. Who cannot go keeps
 * his place. All lines together have two timers, however many wait.
 */

#include "base/limits.h"
#include "base/list.h"
#include "io/timeout.h"

typedef struct Line Line;
typedef struct LineModel LineModel;

typedef struct LinePlace {
        List link;        /* in the model's line; linked: it waits */
        LineModel *model; /* whose line that is */
        size_t n_bytes;   /* that it keeps while it waits */
        uint64_t number;  /* in order of arrival; it stays: who went in vain comes back to where he was */
        Timeout over;
} LinePlace;

#define LINE_PLACE_INIT(p) ((LinePlace){ .link = LIST_INIT((p).link), .over = TIMEOUT_INIT((p).over) })

typedef struct LineOps LineOps;
struct LineOps {
        /* It has its turn: it leaves, or stays and says when to be asked again (line_join()). */
        void (*turn)(LinePlace *p);
        /* It has waited as long as it wanted to, and has left. */
        void (*over)(LinePlace *p);
};

typedef struct LineCounters {
        uint64_t joined, given_up, turned_away; /* turned_away: there was no room */
        size_t n_waiting, n_bytes;
} LineCounters;

int line_new(Loop *loop, const LineOps *ops, Line **ret);
Line *line_free(Line *l);
DEFINE_CLEANUP(Line *, line_free);

/* The line of this model; NULL if nobody waits for it. */
const LineModel *line_find(const Line *l, const char *model);
/* For how long nothing will free there, as far as is known. */
usec_t line_span(const LineModel *m);

/* To the end of the line, or to where it was before, for `patience` at the most; who is in it keeps his
 * place. `frees_in`: when the
 * first key frees; USEC_INFINITY: as the line knows already. True if it is in the line, false if there is no
 * room. */
bool line_join(Line *l, const char *model, size_t n_bytes, usec_t frees_in, usec_t patience, LinePlace *p);
void line_leave(Line *l, LinePlace *p); /* may be in none */

static inline bool line_place_is_taken(const LinePlace *p) {
        return list_is_linked(&p->link);
}

/* Keys may have become usable: the lines are served at the end of this turn of the loop. */
void line_kick(Line *l);

void line_counters(const Line *l, LineCounters *ret);
void line_each_model(const Line *l, void (*f)(const char *model, size_t n, void *userdata), void *userdata);
