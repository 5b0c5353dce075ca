/* SPDX-License-Identifier: MIT */
#pragma once

/* The routes: Gemini's own, and /sim/… by which a test directs the simulator and asks what it saw. */

#include "sim-http.h"

typedef struct Sim Sim;
typedef struct SimOptions SimOptions;

struct SimOptions {
        const char *script; /* the text of the rules at the start and after each /sim/reset; NULL for none */
        const char *log;    /* a file that gets each log entry, or NULL */
        bool lax;           /* looks at no body: nothing is refused, nothing is echoed, answers are made once */
        bool no_log;        /* keeps nothing of the requests, only counts */
};

extern const HttpHandler sim_handler; /* its userdata is the Sim */

/* ret_error, to be freed: what is wrong with the script. */
int sim_new(Loop *l, const SimOptions *options, Sim **ret, char **ret_error);
Sim *sim_free(Sim *s);
DEFINE_CLEANUP(Sim *, sim_free);

void sim_set_server(Sim *s, const HttpServer *server); /* whose connections /sim/status counts */
