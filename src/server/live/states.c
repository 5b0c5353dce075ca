/* SPDX-License-Identifier: MIT */

/*
 * The states of a session, and their transitions.
 *
 *     ACCEPTING → WAITING → PICKING ⇄ DIALLING → SETTING_UP → OPEN → CLOSING → DONE
 *                             ↑↓         ↓           ↓
 *                           PAUSING  ←  ←   ←   ←   ←
 *
 *   ACCEPTING   the 101 goes out
 *   WAITING     the client's first message, setup, has not come
 *   PICKING     a key is picked; it ends within the same call. SETTING_UP can be followed by it, too
 *   PAUSING     Gemini is overloaded: a timer is armed, then comes the next pick
 *   DIALLING    a connection to Gemini with the key of the lease is made
 *   SETTING_UP  setup was sent upstream; Google's first message has not come: another key may be tried. From
 *               PICKING to here the client's messages are held
 *   OPEN        messages go both ways
 *   CLOSING     an end was sent to each side that is there; their answers are waited for
 *   DONE        live_settle() frees the session
 *
 * Each of them can be followed by CLOSING and DONE: a client may leave at any time.
 */

#include "base/trace.h"
#include "server/live/internal.h"

#define TO(state) (1U << LIVE_##state)
#define ENDS      (TO(CLOSING) | TO(DONE))

static const struct {
        const char *name;
        unsigned next; /* states that may follow */
} states[_LIVE_STATE_MAX] = {
        [LIVE_ACCEPTING] = { "accepting", TO(WAITING) | TO(DONE) },
        [LIVE_WAITING] = { "waits for setup", TO(PICKING) | ENDS },
        [LIVE_PICKING] = { "picking", TO(DIALLING) | TO(PAUSING) | ENDS },
        [LIVE_PAUSING] = { "waiting", TO(PICKING) | ENDS },
        [LIVE_DIALLING] = { "dialling", TO(SETTING_UP) | TO(PICKING) | TO(PAUSING) | ENDS },
        [LIVE_SETTING_UP] = { "setting up", TO(OPEN) | TO(PICKING) | TO(PAUSING) | ENDS },
        [LIVE_OPEN] = { "open", ENDS },
        [LIVE_CLOSING] = { "closing", TO(DONE) },
        [LIVE_DONE] = { "done", 0 },
};

const char *live_state_to_string(LiveState s) {
        assert(s < _LIVE_STATE_MAX);
        return states[s].name;
}

const char *live_state(const Live *l) {
        return live_state_to_string(l->state);
}

/* What must hold in a state between two events. */
static void check(const Live *l, LiveState state) {
        assert(!l->client == (state == LIVE_ACCEPTING) || state == LIVE_DONE);
        assert(!l->dial == (state != LIVE_DIALLING) || state == LIVE_DONE);
        assert(!l->pause == (state != LIVE_PAUSING) || state == LIVE_DONE);
        assert(!l->upstream == (state != LIVE_SETTING_UP && state != LIVE_OPEN) || state == LIVE_CLOSING ||
               state == LIVE_DONE);
        assert(!l->call.lease.key ==
                       (state != LIVE_DIALLING && state != LIVE_SETTING_UP && state != LIVE_OPEN) ||
               state == LIVE_DONE);
}

void live_enter(Live *l, LiveState state) {
        assert(state < _LIVE_STATE_MAX);
        assert(states[l->state].next & 1U << state);
        check(l, state);

        trace(live_state, &l->request->ids, "%s, then %s", states[l->state].name, states[state].name);
        l->state = state;
}
