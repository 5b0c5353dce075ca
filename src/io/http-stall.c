/* SPDX-License-Identifier: MIT */

/*
 * libmicrohttpd asks for another run at once as long as a connection is ready for something. Some input
 * makes a connection ready for ever: a line of a chunk that is longer than its buffer, or more arguments
 * than there is memory for. Then it reads nothing more, does not notice that the client hangs up, and would
 * make the loop spin until the connection's time-out. Its interface does not show which connection that is.
 *
 * So progress is watched from outside. A run in which libmicrohttpd calls nothing is idle. After
 * IDLE_RUNS_MAX idle runs, each of which asked for another, the connections whose request is arriving are
 * tried one at a time: all are suspended, then each is resumed alone. If libmicrohttpd still asks for
 * another run, TRIAL_RUNS times, and calls nothing, then that connection is stalled. Its client gets an
 * error, and it is cut. As libmicrohttpd does not look at its socket, it gets the shortest time-out.
 *
 * Until that time-out, and if nothing was found, the shard's runs that are only asked for by libmicrohttpd
 * itself come at intervals, so that the loop does not spin, whatever the reason is.
 */

#include <string.h>

#include "io/http-body.h"
#include "io/http-receive.h"
#include "io/http-stall.h"
#include "io/http-wire.h"

#define IDLE_RUNS_MAX 64U /* more than a head needs, which is read without a call, a piece in each run */
#define TRIAL_RUNS 8U
#define CUT_TIMEOUT_SEC 1U /* libmicrohttpd's shortest */

static bool wants_run(HttpShard *d) {
        MHD_UNSIGNED_LONG_LONG ms;

        return MHD_get_timeout(d->daemon, &ms) == MHD_YES && ms == 0;
}

static bool is_arriving(const HttpConnection *c) {
        return c->request ? !c->request->bodied : c->begun;
}

/* Suspends all connections that could ask for a run. */
static void suspend_all(HttpShard *d, List *ret_arriving, List *ret_others) {
        LIST_FOREACH(i, &d->connections) {
                HttpConnection *c = list_entry(i, HttpConnection, link);
                HttpRequest *r = c->request;

                if (c->closed || c->upgraded || (r && r->suspended) || (!r && !c->begun))
                        continue;
                MHD_suspend_connection(c->mhd);
                list_append(is_arriving(c) && !c->stalled ? ret_arriving : ret_others, &c->trial);
        }
}

static bool makes_no_progress(HttpShard *d) {
        for (unsigned i = 0; i < TRIAL_RUNS; i++) {
                uint64_t before = d->n_events;

                d->is_ready = true;
                http_wire_run(d);
                if (d->n_events != before || !wants_run(d))
                        return false;
        }
        return true;
}

static void end_stalled(HttpConnection *c) {
        c->stalled = true;
        (void) MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, CUT_TIMEOUT_SEC);
        if (c->request)
                http_body_refuse(c->request, HTTP_BODY_MALFORMED);
        else
                http_connection_refuse(c, 431, c->server->params.head_too_large);
}

static void find_stalled(HttpShard *d) {
        List arriving = LIST_INIT(arriving), others = LIST_INIT(others), *i;

        suspend_all(d, &arriving, &others);
        while ((i = list_first(&arriving))) {
                HttpConnection *c = list_entry(i, HttpConnection, trial);
                List alone = LIST_INIT(alone);
                bool stalled;

                list_unlink(&c->trial);
                list_append(&alone, &c->trial);
                MHD_resume_connection(c->mhd);
                stalled = makes_no_progress(d);
                if (list_is_empty(&alone)) /* it was closed and freed */
                        continue;
                list_unlink(&c->trial);
                if (c->closed || c->parked || (c->request && c->request->suspended))
                        continue;
                MHD_suspend_connection(c->mhd);
                list_append(&others, &c->trial);
                if (stalled)
                        end_stalled(c);
        }
        LIST_FOREACH(k, &others) {
                HttpConnection *c = list_entry(k, HttpConnection, trial);

                list_unlink(&c->trial);
                MHD_resume_connection(c->mhd);
        }
}

bool http_stall_continue(HttpShard *d) {
        unsigned n;

        if (d->n_events != d->n_events_seen) {
                d->n_events_seen = d->n_events;
                d->n_idle_runs = 0;
        }
        n = ++d->n_idle_runs;
        if (n < IDLE_RUNS_MAX)
                return true;
        /* Again after twice as many runs, and so on. */
        if ((n & (n - 1)) == 0)
                find_stalled(d);
        return false;
}
