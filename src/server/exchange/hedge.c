/* SPDX-License-Identifier: MIT */

/*
 * Hedging: when the first word is late, a second attempt is made beside the first, on another project that
 * has quota to spare. The first to say something is the attempt from then on. The other is dropped at the
 * end of the loop's turn, since its transfer cannot be ended from within a transfer's callback; what it says
 * until then is not heard. Nobody is blamed: it is reported as if its client had gone.
 *
 * Where one of the two fails before either has said something, the other just goes on alone.
 */

#include <stdlib.h>

#include "pool/pick-preferred.h"
#include "io/timeout.h"
#include "io/timer.h"
#include "server/exchange/internal.h"
#include "server/http.h"

static Attempt *other_than(Exchange *x, const Attempt *a) {
        return a == &x->first ? x->second : &x->first;
}

void exchange_hedge_arm(Exchange *x) {
        Request *q = x->request;
        Http *h = q->http;
        usec_t after = q->config->route.hedge_after;

        if (after == HEDGE_OFF || x->armed || x->n_tried != 1 || q->job || x->target.cli ||
            x->target.pinned[0] || /* no other project could serve it */
            !translation_generates(x->target.translation))
                return;
        x->armed = true; /* a request earns its share once, whatever becomes of its tries */
        x->began = loop_now(h->p.loop);
        after = hedges_begin(h->hedges, after, x->target.model, translation_streams(x->target.translation));
        if (after == 0)
                return;
        timeout_queue_set_duration(h->hedge_due, after);
        timeout_start(h->hedge_due, &x->hedge_due);
}

static void on_drop(void *userdata) {
        Exchange *x = userdata;

        attempt_drop(other_than(x, x->attempt));
}

void exchange_on_hedge(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, hedge_due);
        Request *q = x->request;
        Http *h = q->http;
        Attempt *a;

        if (x->state != EXCHANGE_ATTEMPTING || !x->first.call || !hedges_may(h->hedges))
                return;
        a = calloc(1, sizeof(Attempt));
        if (!a)
                return;
        attempt_init(a, q, &x->target, exchange_on_event, exchange_on_done);
        if (attempt_pick_spare(a, &x->first) != 0) {
                free(a);
                return;
        }
        hedges_take(h->hedges);
        loop_hook_add(h->p.loop, &x->drop, on_drop, x);
        x->second = a;
        x->tried[x->n_tried++] = a->lease.key;
        if (attempt_start(a) < 0) {
                attempt_drop(a);
                x->settled = true;
        }
        q->hedged = true;
}

bool exchange_hedge_heard(Exchange *x, Attempt *a) {
        Request *q = x->request;

        timeout_stop(&x->hedge_due);
        if (x->began > 0 && a == &x->first && q->config->route.hedge_after == HEDGE_P95)
                hedges_heard(q->http->hedges, x->target.model, translation_streams(x->target.translation),
                             usec_sub(loop_now(q->http->p.loop), x->began));
        x->began = 0;
        if (x->second && !x->settled) {
                x->settled = true;
                x->attempt = a;
                request_note_key(a->request, a->lease.key);
                loop_hook_ask(q->http->p.loop, &x->drop);
        }
        return a == x->attempt;
}

bool exchange_hedge_ended(Exchange *x, Attempt *a) {
        Attempt *other = x->second ? other_than(x, a) : NULL;

        timeout_stop(&x->hedge_due);
        x->began = 0;
        if (!other)
                return false;
        if (x->settled && a != x->attempt) {
                attempt_drop(a);
                return true;
        }
        if (x->settled || !other->call)
                return false;
        x->settled = true;
        attempt_conclude(a, 0);
        exchange_reset(x);
        x->attempt = other;
        request_note_key(other->request, other->lease.key);
        return true;
}

void exchange_hedge_done(Exchange *x) {
        timeout_stop(&x->hedge_due);
        if (!x->second)
                return;
        loop_hook_remove(&x->drop);
        attempt_drop(other_than(x, x->attempt));
}
