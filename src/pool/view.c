/* SPDX-License-Identifier: MIT */

/*
 * The views for statistics and screens. States are read from the breakers at `now`, counters with the day
 * that they belong to, so a view is right at any moment, even without a pick since.
 *
 * A breaker whose wait is over is half-open: a request may go, but nothing is proven. A quota after its
 * wait is shown as usable, because quotas recover by themselves; an unhealthy slot or a dead key keeps that
 * state until a probe has succeeded, with available_at 0.
 */

#include "core/judgement.h"
#include "pool/internal.h"
#include "pool/standing.h"

#define PROBE_PATIENCE USEC_PER_SEC /* while a probe is under way that only an answer ends */
#define REFUSAL_LIFETIME USEC_PER_SEC
#define REFUSAL_EXACT_KEYS 256U /* counting so few takes less time than writing the answer */

static const char *const states[_POOL_STATE_MAX] = {
        [POOL_USABLE]    = "usable",    [POOL_PROBING] = "probing", [POOL_COOLING] = "cooling",
        [POOL_UNHEALTHY] = "unhealthy", [POOL_CLOSED]  = "closed",  [POOL_BILLING] = "billing",
        [POOL_DEAD]      = "dead",      [POOL_DISABLED] = "disabled",
        [POOL_MISSING] = "missing",
};

const char *pool_state_to_string(PoolState s) {
        assert(s < _POOL_STATE_MAX);
        return states[s];
}

/* A refusal without a reason is believed when it is repeated. */
static PoolState state_of_refusal(const PoolKey *k) {
        return k->doubted && k->breaker.strikes < JUDGEMENT_STRIKES ? POOL_UNHEALTHY : POOL_DEAD;
}

PoolState pool_key_state(const PoolKey *k) {
        if (k->disabled)
                return POOL_DISABLED;
        if (k->breaker.until > 0)
                return state_of_refusal(k);
        if (k->project->breaker.until > 0)
                return k->project->billing ? POOL_BILLING : POOL_DEAD;
        return POOL_USABLE;
}

/* The worst open breaker gives the state, the latest one the time. */
void pool_standing(Pool *p, PoolKey *k, PoolBucket *b, PoolSlot *s, uint64_t tokens,
                   PoolStanding *ret) {
        const struct {
                const Breaker *breaker;
                PoolState state;
                const PoolError *error;
        } layers[] = {
                { &k->breaker, state_of_refusal(k), &k->error },
                { &k->project->breaker, k->project->billing ? POOL_BILLING : POOL_DEAD, &k->project->error },
                { b ? &b->quota->breaker : NULL, b && b->quota->closed ? POOL_CLOSED : POOL_COOLING,
                  b ? &b->quota->error : NULL },
                { s ? &s->rate : NULL, POOL_COOLING, s ? &s->error : NULL },
                { s ? &s->health : NULL, POOL_UNHEALTHY, s ? &s->error : NULL },
        };
        PoolStanding r = { .is_quota = true, .is_healthy = true, .full = _CEILING_MAX };

        if (k->disabled) {
                *ret = (PoolStanding){ .state = POOL_DISABLED,
                                        .proven = POOL_DISABLED,
                                        .available_at = USEC_INFINITY };
                return;
        }

        for (size_t i = 0; i < ELEMENTSOF(layers); i++) {
                PoolState state = layers[i].state;
                usec_t at = 0;

                if (!layers[i].breaker)
                        continue;
                switch (breaker_state(layers[i].breaker, p->day.now)) {
                case BREAKER_CLOSED:
                        continue;
                case BREAKER_HALF_OPEN:
                        if (state == POOL_COOLING)
                                continue;
                        break;
                case BREAKER_PROBING:
                        at = breaker_next_probe(layers[i].breaker, p->day.now);
                        if (at == USEC_INFINITY)
                                at = usec_add(p->day.now, PROBE_PATIENCE);
                        break;
                case BREAKER_OPEN:
                        at = layers[i].breaker->until;
                        break;
                }

                r.is_quota = r.is_quota && (at == 0 || state == POOL_COOLING);
                if (b && layers[i].breaker == &b->quota->breaker)
                        r.is_daily = b->quota->daily && at > 0;
                r.is_healthy = r.is_healthy && state != POOL_UNHEALTHY && state != POOL_DEAD;
                r.available_at = MAX(r.available_at, at);
                r.state = MAX(r.state, layers[i].breaker->probe != 0 ? POOL_PROBING : state);
                if (state > r.proven || !r.error) {
                        r.proven = state;
                        r.error = layers[i].error;
                }
        }

        /* A full ceiling proves nothing about the key, so `proven` stays as it is. */
        if (b) {
                CeilingKind kind;
                usec_t at = pool_quota_free_at(p, b->quota, tokens, &kind);

                r.full = kind;
                if (at < r.available_at)
                        r.full = _CEILING_MAX; /* another breaker blocks longer */
                r.available_at = MAX(r.available_at, at);
                r.state = MAX(r.state, at > 0 ? POOL_COOLING : POOL_USABLE);
                r.is_daily = r.is_daily || (at > 0 && kind == CEILING_RPD);
        }
        *ret = r;
}

void pool_census_add(PoolCensus *c, const PoolKey *k, const PoolStanding *s) {
        c->refusal.n_keys[s->state]++;
        if (k->disabled)
                return;
        c->n_total++;
        c->n_healthy += s->is_healthy;
        if (s->available_at == 0) {
                c->n_usable++;
                return;
        }
        c->refusal.available_at = MIN(c->refusal.available_at, s->available_at);
        if (s->is_quota) {
                c->refusal.is_daily = s->is_daily && (c->refusal.is_daily || !c->refusal.is_quota);
                c->refusal.is_quota = true;
        }
}

/* Walks all keys. */
void pool_census(Pool *p, PoolModel *m, uint64_t tokens, PoolCensus *ret) {
        PoolCensus c = { .refusal.available_at = USEC_INFINITY };

        pool_model_mark(m);
        for (size_t i = 0; i < p->n_keys; i++) {
                PoolKey *k = p->keys[i];
                PoolStanding standing;

                pool_standing(p, k, k->project->scratch, k->scratch, tokens, &standing);
                pool_census_add(&c, k, &standing);
        }

        pool_model_unmark(m);
        *ret = c;
}

/* A refused pick must not walk over 100,000 keys each time: then refusing would cost most under overload.
 * Above REFUSAL_EXACT_KEYS the counts are at most a second old. */
void pool_refusal(Pool *p, PoolModel *m, uint64_t tokens, PoolRefusal *ret) {
        if (m->refused_at == 0 || p->n_keys <= REFUSAL_EXACT_KEYS ||
            p->day.now >= usec_add(m->refused_at, REFUSAL_LIFETIME)) {
                PoolCensus c;

                pool_census(p, m, tokens, &c);
                m->refusal = c.refusal;
                m->refused_at = p->day.now;
        }
        *ret = m->refusal;
        /* That time has passed and still nothing is usable: the next count is exact. */
        if (ret->available_at <= p->day.now)
                ret->available_at = usec_add(m->refused_at, REFUSAL_LIFETIME);
}

void pool_refusal_rotation(Pool *p, PoolRefusal *ret) {
        PoolCensus c = { .refusal.available_at = USEC_INFINITY };

        for (size_t i = 0; i < p->n_keys; i++) {
                PoolStanding standing;

                pool_standing(p, p->keys[i], NULL, NULL, 0, &standing);
                pool_census_add(&c, p->keys[i], &standing);
        }
        *ret = c.refusal;
}

static PoolSlot *slot_in(const PoolKey *k, const PoolBucket *b) {
        LIST_FOREACH(i, &k->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_key);

                if (s->bucket == b)
                        return s;
        }
        return NULL;
}

void pool_refusal_of(Pool *p, const PoolProject *project, PoolBucket *b, uint64_t tokens, PoolRefusal *ret) {
        PoolCensus c = { .refusal.available_at = USEC_INFINITY };

        for (PoolKey *k = project->first_key; k; k = k->next_of_project) {
                PoolStanding standing;

                pool_standing(p, k, b, b ? slot_in(k, b) : NULL, tokens, &standing);
                pool_census_add(&c, k, &standing);
        }
        *ret = c.refusal;
}

PoolCounters pool_tally_counters(const PoolTally *t, usec_t day) {
        PoolCounters c = t->counters;

        if (t->day != day)
                c.today = 0;
        return c;
}

const Day *pool_day(Pool *p, usec_t now) {
        (void) pool_time(p, now);
        return &p->day;
}

void pool_counters(Pool *p, usec_t now, PoolCounters *ret) {
        (void) pool_time(p, now);
        *ret = pool_tally_counters(&p->tally, p->day.start);
}

void pool_client_counters(Pool *p, usec_t now, PoolCounters *ret) {
        (void) pool_time(p, now);
        *ret = pool_tally_counters(&p->clients, p->day.start);
}

size_t pool_n_keys(const Pool *p) {
        return p->n_keys;
}

size_t pool_n_slots(const Pool *p) {
        return p->n_slots;
}

uint64_t pool_keys_serial(const Pool *p) {
        return p->last_set;
}

size_t pool_n_models(const Pool *p) {
        return p->n_models;
}

size_t pool_enabled_keys(const Pool *p) {
        return p->n_enabled;
}

size_t pool_usable_keys(Pool *p, usec_t now) {
        (void) pool_time(p, now);
        return p->n_usable;
}

const PoolKey *pool_key(const Pool *p, size_t i) {
        return i < p->n_keys ? p->keys[i] : NULL;
}

size_t pool_key_n_sharing(const PoolKey *k) {
        size_t n = 0;

        if (!k->project->name || k->project->first_key != k)
                return 0;
        for (; k; k = k->next_of_project)
                n++;
        return n;
}

Secret *pool_key_secret(const PoolKey *k) {
        return k->secret;
}

/* Without an error of the key or its project, the latest one of its slots. */
static const PoolError *key_error(const PoolKey *k) {
        static const PoolError none = {};
        const PoolError *e = &none;

        if (k->breaker.until > 0)
                return &k->error;
        if (k->project->breaker.until > 0)
                return &k->project->error;
        LIST_FOREACH(i, &k->slots) {
                const PoolSlot *s = list_entry(i, PoolSlot, by_key);

                if (s->error.text && s->error.at >= e->at)
                        e = &s->error;
        }
        return e;
}

void pool_key_view(Pool *p, const PoolKey *k, usec_t now, PoolKeyView *ret) {
        const PoolError *error = key_error(k);

        (void) pool_time(p, now);

        *ret = (PoolKeyView){
                .mask = k->mask,
                .name = k->ident->name,
                .project = k->project->name,
                .state = pool_key_state(k),
                .counters = pool_tally_counters(&k->tally, p->day.start),
                .last_error = error->text,
                .last_error_at = error->at,
                .last_reset = p->day.start,
                .next_reset = p->day.end,
        };
}

void pool_each_slot(Pool *p, const PoolKey *k, usec_t now, void (*f)(const PoolSlotView *v, void *userdata),
                    void *userdata) {
        (void) pool_time(p, now);

        LIST_FOREACH(i, &k->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_key);
                const PoolError *error;
                PoolStanding standing;
                bool missing;

                if (s->tally.counters.total == 0)
                        continue; /* without a request */
                pool_standing(p, s->key, s->bucket, s, 0, &standing);
                error = standing.error ?: &s->error;
                missing = standing.state == POOL_USABLE && pool_model_is_missing(s->bucket->model);
                f(&(const PoolSlotView){
                          .model = s->bucket->model->name,
                          .state = missing ? POOL_MISSING : standing.state,
                          .counters = pool_tally_counters(&s->tally, p->day.start),
                          .consecutive_errors = s->strikes,
                          .available_at = standing.available_at,
                          .last_error = error->text,
                          .last_error_at = error->text ? error->at : 0,
                          .is_healthy = s->health.until == 0,
                  },
                  userdata);
        }
}
