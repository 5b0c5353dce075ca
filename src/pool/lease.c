/* SPDX-License-Identifier: MIT */

/*
 * A lease, from the pick to the report. core/judgement's table has what a verdict means for each of the five
 * layers, core/judgement and core/cooldown have how long a layer stays open. This file opens, closes or
 * releases the breaker, moves everything that it concerns to its place, notes what has changed for the state
 * writer (pool/state/save) and notifies the observer (pool/notify).
 */

#include <string.h>

#include "base/text.h"
#include "base/trace.h"
#include "core/judgement.h"
#include "pool/internal.h"
#include "pool/lease.h"
#include "pool/project.h"
#include "pool/notify.h"
#include "core/cooldown.h"

static const char *const choices[_POOL_CHOICE_MAX] = {
        [POOL_CHOICE_FEWEST] = "fewest today", [POOL_CHOICE_PROBE] = "probe",
        [POOL_CHOICE_AFFINITY] = "affinity",   [POOL_CHOICE_PINNED] = "pinned",
        [POOL_CHOICE_SPARE] = "spare",         [POOL_CHOICE_ROTATION] = "rotation",
};

const char *pool_choice_to_string(PoolChoice c) {
        assert(c < _POOL_CHOICE_MAX);
        return choices[c];
}

/* A lease for no model in particular has no slot, and only the first two layers. */
static unsigned n_layers(const PoolSlot *s) {
        return s ? _LAYER_MAX : LAYER_BUCKET;
}

static Breaker *breaker_of(PoolKey *k, PoolSlot *s, Layer layer) {
        switch (layer) {
        case LAYER_KEY:
                return &k->breaker;
        case LAYER_PROJECT:
                return &k->project->breaker;
        case LAYER_BUCKET:
                return &s->bucket->quota->breaker;
        case LAYER_RATE:
                return &s->rate;
        default:
                return &s->health;
        }
}

/* Moves everything that a change of the given layers (a bit each) concerns to its place in the heaps. */
static void settle(Pool *p, PoolKey *k, PoolSlot *s, unsigned layers) {
        if (layers & 1U << LAYER_KEY)
                LIST_FOREACH(i, &k->slots)
                        pool_slot_place(p, list_entry(i, PoolSlot, by_key));
        if (layers & 1U << LAYER_PROJECT)
                LIST_FOREACH(i, &k->project->buckets)
                        pool_bucket_place(p, list_entry(i, PoolBucket, by_project));
        if (s && layers & 1U << LAYER_BUCKET)
                pool_quota_place(p, s->bucket->quota);
        if (s)
                pool_slot_place(p, s);
}

static void count_request(PoolTally *t, usec_t day, usec_t now) {
        pool_tally_roll(t, day);
        t->counters.total++;
        t->counters.today++;
        t->counters.last_used = now;
}

/* Makes the lease the probe of each half-open breaker on its way. */
void pool_lend(Pool *p, PoolKey *k, PoolSlot *s, Lease *ret) {
        uint64_t id = ++p->last_lease;
        unsigned probes = 0;

        for (Layer l = 0; l < n_layers(s); l++) {
                Breaker *b = breaker_of(k, s, l);

                if (breaker_state(b, p->day.now) != BREAKER_HALF_OPEN)
                        continue;
                b->probe = id;
                probes |= 1U << l;
        }
        settle(p, k, s, probes);
        k->n_leases++;
        *ret = (Lease){
                .key = k,
                .slot = s,
                .choice = probes ? POOL_CHOICE_PROBE : s ? POOL_CHOICE_FEWEST : POOL_CHOICE_ROTATION,
                .id = id,
        };
}

static void note_counters(Pool *p, PoolModel *m, PoolSlot *s) {
        if (!p->save.on)
                return;
        pool_note(p, &s->dirty, false);
        pool_note(p, &s->key->dirty, false);
        pool_note(p, &m->dirty, false);
        pool_note(p, &p->save.total, false);
}

static bool lease_is_probe(const Lease *lease) {
        for (Layer l = 0; l < n_layers(lease->slot); l++)
                if (breaker_of(lease->key, lease->slot, l)->probe == lease->id)
                        return true;
        return false;
}

void pool_take(Pool *p, PoolModel *m, PoolSlot *s, uint64_t tokens, Lease *ret) {
        PoolQuota *q = s->bucket->quota;

        count_request(&s->tally, p->day.start, p->day.now);
        count_request(&s->key->tally, p->day.start, p->day.now);
        count_request(&m->tally, p->day.start, p->day.now);
        count_request(&p->tally, p->day.start, p->day.now);
        note_counters(p, m, s);
        pool_quota_take(p, q, tokens);
        pool_lend(p, s->key, s, ret);
        ret->taken = (CeilingTaken){ p->day.now, p->day.start, tokens };
        if (ceiling_is_known(&q->ceiling) && !list_is_single(&q->buckets))
                pool_quota_place(p, q); /* the quota's other buckets may be full now, too */
        /* Ceilings do not send notifications, so `exhausted` is cleared here. */
        if (m->exhausted && !lease_is_probe(ret))
                m->exhausted = false;
        if (s->tally.counters.total == 1)
                pool_notify_first(p, s);
        m->used = ret->id;
        m->n_leases++;
        pool_notify_warning(p, s);
}

static usec_t open_until(Pool *p, const PoolKey *k, Layer layer, const Breaker *b, const Verdict *v) {
        if (layer == LAYER_HEALTH)
                return usec_add(p->day.now, judgement_wait(b->strikes));
        if (cooldown_has_class(v->class))
                return cooldown_until(v->class, b->strikes, v->retry_after, p->day.now, p->day.end,
                                      k->index);
        return usec_add(p->day.now, layer == LAYER_BUCKET ? JUDGEMENT_CLOSED_WAIT : JUDGEMENT_DEATH_WAIT);
}

/* Google may refuse a project for billing and quota in turns: both climb one ladder until an answer
 * comes. */
static unsigned strikes_beside(Pool *p, const Lease *lease, Layer layer, const Verdict *v) {
        const Breaker *b;

        if (!lease->slot || (layer == LAYER_PROJECT ? v->class != VERDICT_BILLING : layer != LAYER_BUCKET))
                return 0;
        b = breaker_of(lease->key, lease->slot, layer == LAYER_PROJECT ? LAYER_BUCKET : LAYER_PROJECT);
        return b->since >= p->day.start ? b->strikes : 0;
}

/* What a verdict has done to a breaker. */
typedef enum Turn {
        TURN_NONE,
        TURN_OPENED, /* or opened again */
        TURN_CLOSED,
        TURN_RELEASED, /* its probe has ended without showing anything */
        _TURN_MAX,
} Turn;

/* The layers (a bit each) whose breakers have changed. */
static void note_layers(Pool *p, PoolKey *k, PoolSlot *s, unsigned layers) {
        if (layers & 1U << LAYER_KEY)
                pool_note(p, &k->dirty, true);
        if (layers & 1U << LAYER_PROJECT)
                pool_note(p, &k->project->dirty, true);
        if (layers & 1U << LAYER_BUCKET)
                pool_quota_note(p, s->bucket->quota);
        if (layers & (1U << LAYER_RATE | 1U << LAYER_HEALTH))
                pool_note(p, &s->dirty, true);
}

/*
 * Applies the verdict to one layer. Only the probe of an opening may end or prolong it: any other request
 * was sent before it, and ten requests that were under way together must not count as ten repeats. The
 * exception is health, which any success closes.
 */
static Turn judge(Pool *p, const Lease *lease, Layer layer, const Verdict *v) {
        PoolKey *k = lease->key;
        PoolSlot *s = lease->slot;
        Breaker *b = breaker_of(k, s, layer);
        Judgement j = judgement_of(v->class, layer);
        bool is_probe = b->probe == lease->id, is_due = b->until == 0;

        if (layer == LAYER_BUCKET && pool_quota_is_throttled(p, s, v->class))
                j = JUDGEMENT_FAIL;
        if (j == JUDGEMENT_AGAIN)
                j = is_probe ? JUDGEMENT_FAIL : JUDGEMENT_VOID;
        if (layer == LAYER_HEALTH) {
                if (j == JUDGEMENT_FAIL) {
                        is_due = ++s->strikes >= JUDGEMENT_STRIKES && is_due;
                        pool_note(p, &s->dirty, true);
                } else if (j == JUDGEMENT_PASS && s->strikes > 0) {
                        s->strikes = 0;
                        pool_note(p, &s->dirty, true);
                }
        }

        if (j == JUDGEMENT_FAIL && (is_probe || is_due)) {
                if (b->since < p->day.start && (layer == LAYER_BUCKET || layer == LAYER_RATE ||
                                          v->class == VERDICT_BILLING))
                        b->strikes = 0; /* the ladder starts again with each day's quota */
                b->strikes = MAX(b->strikes, strikes_beside(p, lease, layer, v));
                if (layer == LAYER_PROJECT)
                        k->project->billing = v->class == VERDICT_BILLING;
                if (layer == LAYER_BUCKET) {
                        s->bucket->quota->closed = !verdict_rule(v->class)->is_quota;
                        s->bucket->quota->daily = v->class == VERDICT_DAY;
                }
                pool_breaker_set(p, k, b, open_until(p, k, layer, b, v));
                return TURN_OPENED;
        }
        if (j == JUDGEMENT_PASS && (is_probe || (layer == LAYER_HEALTH && b->until > 0))) {
                Breaker was = *b;

                pool_breaker_set(p, k, b, 0);
                /* Only a full answer clears the strikes: a quota error also passes this layer, and the next
                 * request may be out of credit again. */
                if (v->class != VERDICT_OK)
                        *b = (Breaker){ .strikes = was.strikes, .since = was.since };
                return TURN_CLOSED;
        }
        if (v->class == VERDICT_OK && b->until == 0 && b->strikes > 0) {
                b->strikes = 0;
                note_layers(p, k, s, 1U << layer);
        }
        if (is_probe) {
                breaker_release(b, j == JUDGEMENT_PAUSE ? usec_add(p->day.now, JUDGEMENT_PAUSE_WAIT)
                                                        : b->until);
                return TURN_RELEASED;
        }
        return TURN_NONE;
}

static bool is_error(const Verdict *v) {
        switch (verdict_rule(v->class)->fault) {
        case FAULT_NOBODY:
        case FAULT_REQUEST:
                return false;
        default:
                return true;
        }
}

/* The most informative text of the verdict. */
static void remember_error(PoolSlot *s, const Verdict *v) {
        const char *text = verdict_rule(v->class)->name;
        char *t;

        if (v->message[0])
                text = v->message;
        else if (v->reason[0])
                text = v->reason;

        t = strndup(text, text_utf8_prefix(text, SLOT_ERROR_MAX));
        if (!t)
                return; /* out of memory: the former error stays, the report goes on */
        free(s->last_error);
        s->last_error = t;
}

static void count_report(PoolTally *t, bool error, const Usage *usage) {
        t->counters.errors += error;
        t->counters.tokens_in += usage->prompt;
        t->counters.tokens_out += usage->completion;
}

static void trace_layers(Pool *p, const Lease *lease, unsigned layers, const Verdict *v) {
        for (Layer l = 0; l < n_layers(lease->slot); l++) {
                const Breaker *b = breaker_of(lease->key, lease->slot, l);

                if (!(layers & 1U << l))
                        continue;
                trace(breaker, log_request(), "%s of key %s: %s, by the verdict %s", layer_to_string(l),
                      pool_key_id(lease->key), breaker_state_to_string(breaker_state(b, p->day.now)),
                      verdict_rule(v->class)->name);
        }
}

static void judge_layers(Pool *p, const Lease *lease, const Verdict *v) {
        unsigned turned[_TURN_MAX] = {}; /* the layers, a bit each */
        bool was_probe = lease_is_probe(lease);
        unsigned notified;

        for (Layer l = 0; l < n_layers(lease->slot); l++)
                turned[judge(p, lease, l, v)] |= 1U << l;
        notified = turned[TURN_OPENED] | turned[TURN_CLOSED];
        if (notified | turned[TURN_RELEASED]) {
                note_layers(p, lease->key, lease->slot, notified | turned[TURN_RELEASED]);
                settle(p, lease->key, lease->slot, notified | turned[TURN_RELEASED]);
                trace_layers(p, lease, notified | turned[TURN_RELEASED], v);
        }
        if (notified)
                pool_notify_changes(p, lease->key, lease->slot, notified, turned[TURN_OPENED],
                          was_probe && !turned[TURN_OPENED] ? "probe" : verdict_rule(v->class)->name);
}

void pool_answering(Pool *p, const Lease *lease, usec_t now) {
        static const Verdict ok = { .class = VERDICT_OK };

        (void) pool_time(p, now);
        judge_layers(p, lease, &ok);
}

static void count_outcome(Pool *p, PoolSlot *s, const Verdict *v, const Usage *usage) {
        static const Usage none = {};
        PoolModel *m = s->bucket->model;
        bool error = is_error(v);

        if (!usage)
                usage = &none;
        count_report(&s->tally, error, usage);
        count_report(&s->key->tally, error, usage);
        count_report(&m->tally, error, usage);
        count_report(&p->tally, error, usage);
        note_counters(p, m, s);
        if (error)
                remember_error(s, v);
        if (v->class == VERDICT_OK)
                m->succeeded = true;
        m->n_leases--;
}

void pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now) {
        (void) pool_time(p, now);
        if (lease->slot)
                count_outcome(p, lease->slot, v, usage);
        judge_layers(p, lease, v);
        if (lease->slot)
                pool_quota_report(p, lease, v, usage);
        if (v->consumer[0])
                pool_project_learn(p, lease->key, v->consumer);
        pool_key_release(p, lease->key);
        *lease = (Lease){};
        pool_project_join(p);
}
