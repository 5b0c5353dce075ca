/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "server/live/internal.h"

/* --- time-outs --- */

static void on_setup_late(Timeout *t) {
        live_on_setup_late(CONTAINER_OF(t, Live, setup_due));
}

static void on_deadline(Timeout *t) {
        live_end(CONTAINER_OF(t, Live, deadline), WEBSOCKET_CODE_GOING_AWAY,
                 "The session has lasted for LIVE_DEADLINE.");
}

static void on_silence(Timeout *t) {
        live_end(CONTAINER_OF(t, Live, silence), WEBSOCKET_CODE_GOING_AWAY,
                 "No message has come within LIVE_IDLE_TIMEOUT.");
}

/* --- all of them --- */

int live_sessions_new(Http *h, const LiveIo *io, LiveSessions **ret) {
        LiveSessions *s;
        int r;

        s = calloc(1, sizeof(LiveSessions));
        if (!s)
                return -ENOMEM;
        s->http = h;
        s->io = io;
        list_init(&s->sessions);
        r = timeout_queue_new(h->p.loop, LIVE_SETUP_TIME, on_setup_late, &s->setup_due);
        if (r >= 0)
                r = timeout_queue_new(h->p.loop, h->p.config->live_deadline, on_deadline, &s->deadline);
        if (r >= 0)
                r = timeout_queue_new(h->p.loop, h->p.config->live_idle_timeout, on_silence, &s->silence);
        if (r < 0) {
                live_sessions_free(s);
                return r;
        }
        *ret = s;
        return 0;
}

LiveSessions *live_sessions_free(LiveSessions *s) {
        if (!s)
                return NULL;
        assert(list_is_empty(&s->sessions));

        timeout_queue_free(s->setup_due);
        timeout_queue_free(s->deadline);
        timeout_queue_free(s->silence);
        free(s);
        return NULL;
}

void live_sessions_configure(LiveSessions *s) {
        const Config *c = s->http->p.config;

        timeout_queue_set_duration(s->deadline, c->live_deadline);
        timeout_queue_set_duration(s->silence, c->live_idle_timeout);
}

const LiveCounts *live_sessions_counts(const LiveSessions *s) {
        return &s->counts;
}
