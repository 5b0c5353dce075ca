/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/day-clock.h"
#include "pool/proxy.h"
#include "server/http.h"
#include "server/upstream.h"

#define PAUSE_FIRST  (500 * USEC_PER_MSEC)
#define PAUSE_SECOND (1500 * USEC_PER_MSEC)
#define PAUSE_ASKED_MAX (5 * USEC_PER_SEC) /* the client can wait for longer by itself, and knows the time */

/* --- all tries --- */

/* A call that must not be carried out twice is repeated only if Google has refused it: after a time-out, a
 * broken connection or an overload Google may have carried it out. */
UpstreamNext upstream_next(const UpstreamTries *t, const Verdict *v) {
        const VerdictRule *rule = verdict_rule(v->class);

        if (!tries_are_left(&t->cost))
                return UPSTREAM_END;
        if (t->once && (rule->backoff || v->class == VERDICT_TIMEOUT))
                return UPSTREAM_END;
        if (rule->another_key)
                return UPSTREAM_ANOTHER_KEY;
        if (!rule->backoff || v->retry_after > PAUSE_ASKED_MAX)
                return UPSTREAM_END;
        return t->n_overloads <= 1 && t->overloaded ? UPSTREAM_ANOTHER_PROJECT : UPSTREAM_AFTER_PAUSE;
}

usec_t upstream_pause(UpstreamTries *t) {
        usec_t base = t->n_pauses++ == 0 ? PAUSE_FIRST : PAUSE_SECOND;
        uint16_t jitter = 0;

        if (getrandom(&jitter, sizeof(jitter), GRND_NONBLOCK) < 0)
                jitter = UINT16_MAX / 2; /* not seeded yet, right after boot: no jitter */
        base = base / 2 + base * jitter / UINT16_MAX; /* half to one and a half */
        return base + t->asked;
}

bool upstream_tries_reserve(UpstreamTries *t) {
        if (t->cost.n >= TRIES_MAX)
                return false;
        if (t->many || t->n < ELEMENTSOF(t->few))
                return true;
        t->many = calloc(TRIES_MAX, sizeof(PoolKey *));
        if (!t->many)
                return false;
        memcpy(t->many, t->few, sizeof(t->few));
        return true;
}

void upstream_tries_note(UpstreamTries *t, PoolKey *k) {
        t->cost.n++;
        if (!k)
                return;
        assert(t->n < (t->many ? TRIES_MAX : ELEMENTSOF(t->few)));
        (t->many ?: t->few)[t->n++] = k;
}

void upstream_tries_forget(UpstreamTries *t) {
        t->n = 0;
        t->cost.n_dear = t->n_overloads = t->n_pauses = 0;
        t->overloaded = NULL;
        t->asked = 0;
        t->elsewhere = false;
}

void upstream_tries_done(UpstreamTries *t) {
        free(t->many);
        *t = (UpstreamTries){};
}

/* --- one try --- */

int upstream_call_start(UpstreamCall *c, Http *h, Engine *e, const EngineRequest *request,
                        const EngineSink *sink, void *userdata) {
        EngineRequest q = *request;

        assert(!c->call);

        c->project = c->lease.key ? pool_lease_project(&c->lease) : NULL;
        c->started = loop_now(h->p.loop);
        c->began = c->began ?: c->started;
        c->first_byte = 0;
        c->sent = false;
        c->n_sent = request->body ? request->n_body : 0;
        if (c->lease.key)
                q.proxy = pool_key_proxy(h->p.pool, c->lease.key);
        return engine_start(e, &q, sink, userdata, &c->call);
}

void upstream_call_end(UpstreamCall *c) {
        if (c->call) {
                c->first_byte = c->call->first_byte;
                c->sent = c->call->sent;
        }
        c->call = engine_call_free(c->call);
}

void upstream_call_weigh(const UpstreamCall *c, Http *h, Verdict *v) {
        usec_t now = day_clock_now();

        if (c->lease.key)
                pool_weigh(h->p.pool, &c->lease, v, usec_sub(now, usec_sub(loop_now(h->p.loop), c->began)),
                           now);
}

void upstream_call_report(UpstreamCall *c, Http *h, const Verdict *v, const Usage *usage) {
        upstream_call_end(c);
        c->lease.unsent = !c->sent;
        if (c->lease.key)
                pool_report(h->p.pool, &c->lease, v, usage, day_clock_now());
        c->lease = (Lease){};
}

void upstream_call_count(const UpstreamCall *c, Http *h, const Verdict *v, UpstreamTries *t) {
        tries_failed(&t->cost, v, usec_sub(loop_now(h->p.loop), c->started), c->n_sent);
        if (!verdict_rule(v->class)->backoff)
                return;
        t->n_overloads++;
        t->asked = v->retry_after;
        t->overloaded = c->project;
}
