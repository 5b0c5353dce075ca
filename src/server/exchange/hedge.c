/* SPDX-License-Identifier: MIT */

/*
 * Hedging: when the first event is late, a second attempt is made beside the first, on another project that
 * has quota to spare. The attempt that sends an event first becomes the exchange's attempt. The other is
 * cancelled at the end of the loop's turn, because its transfer cannot be ended from within a transfer's
 * callback; its events until then are refused. It is reported like a request whose client hung up, which is
 * no judgement on its key.
 *
 * If one of the two fails before either has sent an event, the other continues alone.
 */

#include <stdlib.h>

#include "pool/pick-preferred.h"
#include "io/timeout.h"
#include "io/timer.h"
#include "server/exchange/internal.h"
#include "server/http.h"

static Attempt *other_than(Exchange *x, const Attempt *a) {
        return a == &x->first ? x->hedge.second : &x->first;
}

void exchange_hedge_arm(Exchange *x) {
        Request *q = x->request;
        Http *h = q->http;
        usec_t after = q->config->route.hedge_after;

        if (after == HEDGE_OFF || x->hedge.considered || x->tries.n != 1 || q->job || x->target.cli ||
            x->target.pinned[0] || /* no other project could serve it */
            !translation_generates(x->target.translation))
                return;
        x->hedge.considered = true; /* a request counts once, however many tries it makes */
        x->hedge.began = loop_now(h->p.loop);
        after = hedges_begin(h->hedges, after, x->target.model, translation_streams(x->target.translation));
        if (after == 0)
                return;
        timeout_queue_set_duration(h->hedge_due, after);
        timeout_start(h->hedge_due, &x->hedge.due);
}

static void on_drop(void *userdata) {
        Exchange *x = userdata;

        attempt_drop(other_than(x, x->attempt));
}

void exchange_on_hedge(Timeout *t) {
        Exchange *x = CONTAINER_OF(t, Exchange, hedge.due);
        Request *q = x->request;
        Http *h = q->http;
        Attempt *a;

        if (x->state != EXCHANGE_ATTEMPTING || !x->first.upstream.call || !hedges_may(h->hedges) ||
            !upstream_tries_reserve(&x->tries))
                return;
        a = calloc(1, sizeof(Attempt));
        if (!a)
                return;
        attempt_init(a, q, &x->target);
        if (attempt_pick_spare(a, &x->first) != 0) {
                free(a);
                return;
        }
        hedges_take(h->hedges);
        loop_hook_add(h->p.loop, &x->hedge.drop, on_drop, x);
        x->hedge.second = a;
        upstream_tries_note(&x->tries, a->upstream.lease.key);
        if (attempt_start(a) < 0) {
                attempt_drop(a);
                x->hedge.decided = true;
        }
        q->hedged = true;
}

bool exchange_hedge_event(Exchange *x, Attempt *a) {
        Request *q = x->request;

        timeout_stop(&x->hedge.due);
        if (x->hedge.began > 0 && a == &x->first && q->config->route.hedge_after == HEDGE_P95)
                hedges_note_first(q->http->hedges, x->target.model,
                                  translation_streams(x->target.translation),
                                  usec_sub(loop_now(q->http->p.loop), x->hedge.began));
        x->hedge.began = 0;
        if (x->hedge.second && !x->hedge.decided) {
                x->hedge.decided = true;
                x->attempt = a;
                request_note_key(a->request, a->upstream.lease.key);
                loop_hook_ask(q->http->p.loop, &x->hedge.drop);
        }
        return a == x->attempt;
}

bool exchange_hedge_ended(Exchange *x, Attempt *a) {
        Attempt *other = x->hedge.second ? other_than(x, a) : NULL;

        timeout_stop(&x->hedge.due);
        x->hedge.began = 0;
        if (!other)
                return false;
        if (x->hedge.decided && a != x->attempt) {
                attempt_drop(a);
                return true;
        }
        if (x->hedge.decided || !other->upstream.call)
                return false;
        x->hedge.decided = true;
        exchange_conclude(x, a, 0);
        exchange_reset(x);
        x->attempt = other;
        request_note_key(other->request, other->upstream.lease.key);
        return true;
}

void exchange_hedge_done(Exchange *x) {
        timeout_stop(&x->hedge.due);
        if (!x->hedge.second)
                return;
        loop_hook_remove(&x->hedge.drop);
        attempt_drop(other_than(x, x->attempt));
}
