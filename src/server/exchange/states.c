/* SPDX-License-Identifier: MIT */

/*
 * The states of an exchange, and their transitions.
 *
 *                  TRANSLATING   QUEUED      WAITING
 *                       ⇅ ↑         ⇅        ⇅     ↑
 *     (READING) →    PICKING     ← → →    ATTEMPTING
 *                       ↑                    ↓
 *                       ←   ←   ←   ←    STREAMING → DRAINING → DONE
 *
 *   READING     the body is arriving, in http.c; an exchange is created when the body is complete
 *   PICKING     a key is picked; it ends within the same call, so no event arrives in this state
 *   TRANSLATING the worker reads a large body: at first, and again for another model (server/reading.h)
 *   QUEUED      no key can serve, and one frees within QUEUE_WAIT: the request has a place in the model's
 *               queue (key-queue.c), and its retry there is the next pick
 *   ATTEMPTING  an engine was started; the client has no byte of an answer: another key may be tried
 *   WAITING     Gemini is overloaded: a timer is armed, then comes the next pick
 *   STREAMING   the first byte is queued, so no other key is tried; a failure becomes an in-stream error. If
 *               the answer needs another request, PICKING follows, until its first byte with all tries
 *   DRAINING    the engine has finished, the client still reads
 *   DONE        the answer was handed over, or the client is gone: exchange_step() frees the exchange
 *
 * Each of them can be followed by DONE: a client may hang up at any time. Within a stream that is open
 * (exchange_is_open()) each can be followed by DRAINING: an error ends it.
 */

#include "base/trace.h"
#include "server/exchange/internal.h"

#define TO(state) (1U << EXCHANGE_##state)

static const struct {
        const char *name;
        unsigned next; /* states that may follow */
} states[_EXCHANGE_STATE_MAX] = {
        [EXCHANGE_PICKING] = { "picking", TO(TRANSLATING) | TO(ATTEMPTING) | TO(QUEUED) | TO(WAITING) |
                                                TO(DRAINING) | TO(DONE) },
        [EXCHANGE_TRANSLATING] = { "translating", TO(PICKING) | TO(DRAINING) | TO(DONE) },
        [EXCHANGE_QUEUED] = { "queued", TO(PICKING) | TO(DRAINING) | TO(DONE) },
        [EXCHANGE_ATTEMPTING] = { "attempting",
                                  TO(PICKING) | TO(TRANSLATING) | TO(QUEUED) | TO(WAITING) | TO(STREAMING) |
                                          TO(DRAINING) | TO(DONE) },
        [EXCHANGE_WAITING] = { "waiting", TO(PICKING) | TO(DRAINING) | TO(DONE) },
        [EXCHANGE_STREAMING] = { "streaming", TO(PICKING) | TO(DRAINING) | TO(DONE) },
        [EXCHANGE_DRAINING] = { "draining", TO(DONE) },
        [EXCHANGE_DONE] = { "done", 0 },
};

const char *exchange_state_to_string(ExchangeState s) {
        assert(s < _EXCHANGE_STATE_MAX);
        return states[s].name;
}

const char *exchange_state(const Exchange *x) {
        return exchange_state_to_string(x->state);
}

/* What must hold in a state between two steps. */
static void check(const Exchange *x, ExchangeState state) {
        assert(key_queue_place_is_taken(&x->place) == (state == EXCHANGE_QUEUED) ||
               state == EXCHANGE_PICKING || state == EXCHANGE_DONE);
        assert(!x->backoff == (state != EXCHANGE_WAITING) || state == EXCHANGE_DONE);
        assert(!x->reading == (state != EXCHANGE_TRANSLATING) || state == EXCHANGE_DONE);
        assert(exchange_has_begun(x) || state != EXCHANGE_STREAMING);
        assert(exchange_is_open(x) || (state != EXCHANGE_STREAMING && state != EXCHANGE_DRAINING));
        assert(!x->attempt->upstream.call || state == EXCHANGE_ATTEMPTING || state == EXCHANGE_STREAMING ||
               state == EXCHANGE_DONE);
}

void exchange_enter(Exchange *x, ExchangeState state) {
        assert(state < _EXCHANGE_STATE_MAX);
        assert(states[x->state].next & 1U << state);
        check(x, state);

        trace(exchange_state, &x->request->ids, "%s, then %s", states[x->state].name, states[state].name);
        x->state = state;
}
