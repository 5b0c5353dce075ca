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

const PoolProject *pool_lease_project(const Lease *lease) {
        return lease->key->project;
}

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

void pool_count_client(Pool *p, usec_t now) {
        (void) pool_time(p, now);
        count_request(&p->clients, p->day.start, p->day.now);
        pool_note(p, &p->save.clients, false);
}

/* When a probe of this layer that begins now passes by time: see probe.c. */
static usec_t probe_passes(Pool *p, PoolSlot *s, Layer layer) {
        if (layer == LAYER_RATE || layer == LAYER_HEALTH)
                return pool_probe_begin(p, &s->probe);
        if (layer == LAYER_BUCKET && !s->bucket->quota->daily)
                return pool_probe_begin(p, &s->bucket->quota->probe);
        return USEC_INFINITY;
}

/* Makes the lease a probe of each half-open breaker on its way. */
void pool_lend(Pool *p, PoolKey *k, PoolSlot *s, Lease *ret) {
        uint64_t id = ++p->last_lease;
        unsigned probes = 0;

        for (Layer l = 0; l < n_layers(s); l++) {
                Breaker *b = breaker_of(k, s, l);

                if (breaker_state(b, p->day.now) != BREAKER_HALF_OPEN)
                        continue;
                breaker_begin_probe(b, id, b->probe == 0 ? probe_passes(p, s, l) : b->passes);
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

/* A request that was cancelled before it was sent: Google's counters do not have it either. One of a day
 * that is over stays where it was counted. */
static void uncount_request(Pool *p, const Lease *lease) {
        PoolSlot *s = lease->slot;
        PoolTally *const tallies[] = { &s->tally, &s->key->tally, &s->bucket->model->tally, &p->tally };

        if (lease->taken.day != p->day.start)
                return;
        for (size_t i = 0; i < ELEMENTSOF(tallies); i++) {
                PoolCounters *c = &tallies[i]->counters;

                if (tallies[i]->day != p->day.start || c->today == 0)
                        continue;
                c->total--;
                c->today--;
        }
        pool_slot_place(p, s);
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
                if (breaker_is_probe(breaker_of(lease->key, lease->slot, l), lease->id))
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

/* What a verdict has done to a breaker. */
typedef enum Turn {
        TURN_NONE,
        TURN_OPENED,    /* or opened again */
        TURN_PROLONGED, /* a later end */
        TURN_CLOSED,
        TURN_RELEASED, /* its probes have ended without showing anything */
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

/* One layer of a lease whose verdict is known. */
typedef struct Case {
        Pool *pool;
        PoolKey *key;
        PoolSlot *slot;
        const Verdict *verdict;
        Layer layer;
        Breaker *breaker;
        bool is_probe;
} Case;

/* When it closes, after `strikes` earlier openings in a row. */
static usec_t open_until(const Case *c, unsigned strikes) {
        const Verdict *v = c->verdict;
        const Pool *p = c->pool;

        if (c->layer == LAYER_HEALTH)
                return usec_add(p->day.now, judgement_wait(strikes));
        if (c->layer == LAYER_KEY && v->is_unsure)
                return usec_add(p->day.now, judgement_doubt_wait(strikes));
        if (cooldown_has_class(v->class))
                return cooldown_until(v->class, strikes, v->retry_after, p->day.now, p->day.end,
                                      c->key->index);
        return usec_add(p->day.now, c->layer == LAYER_BUCKET ? JUDGEMENT_CLOSED_WAIT : JUDGEMENT_DEATH_WAIT);
}

/* Google may refuse a project for billing and quota in turns: both climb one ladder until an answer
 * comes. */
static unsigned strikes_beside(const Case *c) {
        const Breaker *b;

        if (!c->slot || (c->layer == LAYER_PROJECT ? c->verdict->class != VERDICT_BILLING
                                                   : c->layer != LAYER_BUCKET))
                return 0;
        b = breaker_of(c->key, c->slot, c->layer == LAYER_PROJECT ? LAYER_BUCKET : LAYER_PROJECT);
        return b->since >= c->pool->day.start ? b->strikes : 0;
}

/* Why the breaker is open, for those layers that several things open. */
static void note_cause(const Case *c) {
        PoolQuota *q;

        if (c->layer == LAYER_KEY)
                c->key->doubted = c->verdict->is_unsure;
        if (c->layer == LAYER_PROJECT)
                c->key->project->billing = c->verdict->class == VERDICT_BILLING;
        if (c->layer != LAYER_BUCKET)
                return;
        q = c->slot->bucket->quota;
        q->closed = !verdict_rule(c->verdict->class)->is_quota;
        q->daily = c->verdict->class == VERDICT_DAY;
}

static bool starts_slowly(const Case *c) {
        return c->layer == LAYER_BUCKET && c->verdict->class == VERDICT_MINUTE &&
               c->verdict->retry_after > 0 && c->breaker->strikes == 1;
}

static Turn turn_open(const Case *c) {
        Breaker *b = c->breaker;
        VerdictClass class = c->verdict->class;

        if (b->since < c->pool->day.start &&
            (c->layer == LAYER_BUCKET || c->layer == LAYER_RATE || class == VERDICT_BILLING))
                b->strikes = 0; /* the ladder starts again with each day's quota */
        b->strikes = MAX(b->strikes, strikes_beside(c));
        note_cause(c);
        pool_breaker_set(c->pool, c->key, b, open_until(c, b->strikes));
        b->slow_start = starts_slowly(c);
        return TURN_OPENED;
}

/* Requests that were under way together may be refused for different times. The later end holds. It is no
 * strike, because none of them repeats another. While a probe is under way, which was sent later, its result
 * decides. */
static Turn turn_prolong(const Case *c) {
        PoolQuota *q = c->layer == LAYER_BUCKET ? c->slot->bucket->quota : NULL;
        Breaker *b = c->breaker;
        bool was_daily = q && q->daily;
        usec_t before = b->until;

        if (b->probe != 0 || !cooldown_has_class(c->verdict->class))
                return TURN_NONE;
        b->until = MAX(before, open_until(c, MAX(b->strikes, 1U) - 1));
        if (b->until > before)
                note_cause(c);
        if (q) {
                q->daily = was_daily || (c->verdict->class == VERDICT_DAY && !q->closed);
                b->slow_start = b->slow_start && !q->daily;
        }
        return b->until > before || (q && q->daily != was_daily) ? TURN_PROLONGED : TURN_NONE;
}

static Turn turn_fail(const Case *c) {
        bool is_due = c->breaker->until == 0;

        /* Now the reason is known. */
        if (c->layer == LAYER_KEY && c->key->doubted && !c->verdict->is_unsure)
                is_due = true;
        if (c->layer == LAYER_HEALTH) {
                is_due = ++c->slot->strikes >= JUDGEMENT_STRIKES && is_due;
                pool_note(c->pool, &c->slot->dirty, true);
        }
        return c->is_probe || is_due ? turn_open(c) : turn_prolong(c);
}

static Turn turn_pass(const Case *c) {
        Breaker *b = c->breaker, was = *b;

        if (c->layer == LAYER_HEALTH && c->slot->strikes > 0) {
                c->slot->strikes = 0;
                pool_note(c->pool, &c->slot->dirty, true);
        }
        if (c->is_probe || (c->layer == LAYER_HEALTH && b->until > 0)) {
                pool_breaker_set(c->pool, c->key, b, 0);
                /* Only a full answer clears the strikes: a quota error also passes this layer, and the next
                 * request may be out of credit again. */
                if (c->verdict->class != VERDICT_OK)
                        *b = (Breaker){ .strikes = was.strikes, .since = was.since };
                return TURN_CLOSED;
        }
        if (c->verdict->class == VERDICT_OK && b->until == 0 && b->strikes > 0) {
                b->strikes = 0;
                note_layers(c->pool, c->key, c->slot, 1U << c->layer);
        }
        return TURN_NONE;
}

/* The probe shows nothing, and it was the last one under way. */
static Turn turn_release(const Case *c, usec_t until) {
        Breaker *b = c->breaker;

        if (!c->is_probe)
                return TURN_NONE;
        if (b->n_probes > 1)
                b->n_probes--;
        else
                breaker_release(b, until);
        return TURN_RELEASED;
}

static Turn turn_let_go(const Case *c) {
        return turn_release(c, c->breaker->until);
}

static Turn turn_pause(const Case *c) {
        return turn_release(c, usec_add(c->pool->day.now, JUDGEMENT_PAUSE_WAIT));
}

/* What the verdict shows about this layer, here. */
static Judgement judgement_here(const Case *c) {
        Judgement j = judgement_of(c->verdict->class, c->layer);

        if (c->layer == LAYER_BUCKET && pool_quota_is_throttled(c->pool, c->slot, c->verdict->class))
                return JUDGEMENT_FAIL;
        if (j == JUDGEMENT_AGAIN)
                return c->is_probe ? JUDGEMENT_FAIL : JUDGEMENT_VOID;
        return j;
}

/*
 * Applies the verdict to one layer. Only a probe of an opening may end it, or count as a repeated refusal:
 * any other request was sent before it, and ten requests that were under way together must not count as ten
 * repeats. The exception is health, which any success closes.
 */
static Turn judge(Pool *p, const Lease *lease, Layer layer, const Verdict *v) {
        static Turn (*const acts[])(const Case *c) = {
                [JUDGEMENT_VOID] = turn_let_go,
                [JUDGEMENT_PASS] = turn_pass,
                [JUDGEMENT_FAIL] = turn_fail,
                [JUDGEMENT_PAUSE] = turn_pause,
        };
        Breaker *b = breaker_of(lease->key, lease->slot, layer);
        const Case c = {
                .pool = p,
                .key = lease->key,
                .slot = lease->slot,
                .verdict = v,
                .layer = layer,
                .breaker = b,
                .is_probe = breaker_is_probe(b, lease->id),
        };

        return acts[judgement_here(&c)](&c);
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

/* What a person sees as the reason why a breaker is open. */
static void explain_layers(Pool *p, const Lease *lease, unsigned opened, unsigned closed, const Verdict *v) {
        PoolSlot *s = lease->slot;
        PoolError *const errors[] = {
                [LAYER_KEY] = &lease->key->error,
                [LAYER_PROJECT] = &lease->key->project->error,
                [LAYER_BUCKET] = s ? &s->bucket->quota->error : NULL,
        };

        for (size_t l = 0; l < ELEMENTSOF(errors); l++)
                if (opened & 1U << l)
                        pool_error_set(errors[l], v, p->day.now);
                else if (closed & 1U << l)
                        pool_error_clear(errors[l]);
}

static void judge_layers(Pool *p, const Lease *lease, const Verdict *v) {
        unsigned turned[_TURN_MAX] = {}; /* the layers, a bit each */
        bool was_probe = lease_is_probe(lease);
        unsigned refused, notified;

        for (Layer l = 0; l < n_layers(lease->slot); l++)
                turned[judge(p, lease, l, v)] |= 1U << l;
        refused = turned[TURN_OPENED] | turned[TURN_PROLONGED];
        notified = refused | turned[TURN_CLOSED];
        explain_layers(p, lease, refused, turned[TURN_CLOSED], v);
        if (notified | turned[TURN_RELEASED]) {
                note_layers(p, lease->key, lease->slot, notified | turned[TURN_RELEASED]);
                settle(p, lease->key, lease->slot, notified | turned[TURN_RELEASED]);
                trace_layers(p, lease, notified | turned[TURN_RELEASED], v);
        }
        if (notified)
                pool_notify_changes(p, lease->key, lease->slot, notified, refused,
                                    was_probe && !refused ? "probe" : verdict_rule(v->class)->name);
}

void pool_answering(Pool *p, const Lease *lease, usec_t now) {
        static const Verdict ok = { .class = VERDICT_OK };

        (void) pool_time(p, now);
        judge_layers(p, lease, &ok);
}

/* Google does not know the model, or knows it; another outcome proves neither. */
static void count_missed(Pool *p, PoolModel *m, const Verdict *v) {
        unsigned missed = m->missed;

        if (v->class == VERDICT_OK)
                missed = 0;
        else if (v->class == VERDICT_REQUEST && v->status == 404)
                missed = MIN(missed + 1, JUDGEMENT_STRIKES);
        if (missed == m->missed)
                return;
        m->missed = missed;
        pool_note(p, &m->missing_dirty, false);
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
                pool_error_set(&s->error, v, p->day.now);
        if (v->class == VERDICT_OK) {
                pool_error_clear(&s->error);
                m->succeeded = true;
        }
        count_missed(p, m, v);
        m->n_leases--;
}

void pool_weigh(Pool *p, const Lease *lease, Verdict *v, usec_t began, usec_t now) {
        (void) pool_time(p, now);
        if (v->class != VERDICT_KEY_DEAD)
                return;
        if (!v->is_unsure)
                pool_herd_forget(p, lease->key);
        else if (pool_herd_joins(p, lease->key, began))
                v->class = VERDICT_FOREIGN;
}

/* The other projects have another way to Gemini. */
static bool is_cut_off(const Pool *p, const Lease *lease, const Verdict *v) {
        return v->class == VERDICT_UNREACHABLE && !v->is_own && pool_key_own_proxy(p, lease->key);
}

void pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now) {
        (void) pool_time(p, now);
        if (lease->slot)
                count_outcome(p, lease->slot, v, usage);
        if (lease->slot && lease->unsent && v->class != VERDICT_OK && !is_error(v))
                uncount_request(p, lease);
        judge_layers(p, lease, v);
        if (lease->slot)
                pool_quota_report(p, lease, v, usage);
        if (lease->slot && (v->class == VERDICT_OVERLOAD || is_cut_off(p, lease, v)))
                pool_bucket_overloaded(p, lease->slot->bucket);
        if (v->consumer[0])
                pool_project_learn(p, lease->key, v->consumer);
        pool_key_release(p, lease->key);
        *lease = (Lease){};
        pool_project_join(p);
}
