/* SPDX-License-Identifier: MIT */
#include "pool-plain.h"

#include "core/judgement.h"
#include "core/cooldown.h"

/* The judgement of a class on key, project, bucket, rate and health, as in test-verdict. */
static const char *const meaning[_VERDICT_CLASS_MAX] = {
        "+++++", "!....", ".!...", "+!...", "++!..", "++!..", "++!..", "+.?!.", "++...", "++!..",
        "?...!", ".....", "+....", "+....", "+....", "~~~~~", "~~~~~", "~~~~~", "~~~~~", "~~~~~", ".....",
        ".....", ".....",
};

static Gate *gate(Life *k, unsigned m, unsigned layer) {
        Gate *const all[] = {
                &k->key, &k->project->gate, &k->project->bucket[m], &k->pair[m].rate, &k->pair[m].health,
        };

        return all[layer];
}

/* When another probe may go while some are under way; 0: not known. */
static usec_t plain_next_probe(const Gate *g, usec_t now) {
        if (g->slow && g->passes > 0)
                for (unsigned i = 0; i < 4; i++)
                        if (g->n_probes < 4U << i)
                                return g->passes - (4 - i) * USEC_PER_SEC / 2;
        return g->passes;
}

static bool is_shut(const Gate *g, usec_t now) {
        usec_t next = plain_next_probe(g, now);

        return g->until > 0 && (g->probe != 0 ? next == 0 || now < next : now < g->until);
}

static bool is_probe(const Gate *g, uint64_t id) {
        return g->probe != 0 && id >= g->probe;
}

/* A probe that has not been refused for two seconds has passed. */
static void plain_pass(Gate *g, usec_t now) {
        if (g->until > 0 && g->probe != 0 && g->passes > 0 && g->passes <= now)
                *g = (Gate){ .strikes = g->strikes, .since = g->since };
}

uint64_t plain_today(const Pair *p, usec_t day) {
        return p->today_of[1] == day ? p->today_of[0] : 0;
}

static void plain_shift(Gate *g, usec_t back) {
        if (g->until > 0)
                g->until -= back;
        if (g->passes > 0)
                g->passes -= back;
        g->since = g->since > back ? g->since - back : 0;
}

static void plain_pass_all(Plain *w) {
        for (unsigned m = 0; m < MODELS; m++) {
                for (unsigned i = 0; i < LIVES; i++) {
                        plain_pass(&w->lives[i].own.bucket[m], w->now);
                        plain_pass(&w->lives[i].pair[m].rate, w->now);
                        plain_pass(&w->lives[i].pair[m].health, w->now);
                }
                for (unsigned p = 0; p < SHARED; p++)
                        plain_pass(&w->shared[p].bucket[m], w->now);
        }
}

/* A day that the clock returns to begins again at zero. */
static void plain_jump(Plain *w, usec_t back) {
        usec_t day = zone_day_start(w->zone, w->now);
        bool is_same = day == zone_day_start(w->zone, w->now + back);

        for (unsigned i = 0; i < LIVES; i++) {
                Life *k = &w->lives[i];

                plain_shift(&k->key, back);
                plain_shift(&k->own.gate, back);
                for (unsigned m = 0; m < MODELS; m++) {
                        plain_shift(&k->own.bucket[m], back);
                        k->own.throttled[m] = NULL;
                        k->own.overloaded[m] = 0;
                        plain_shift(&k->pair[m].rate, back);
                        plain_shift(&k->pair[m].health, back);
                        if (k->pair[m].last > 0)
                                k->pair[m].last -= back;
                        k->pair[m].today_of[0] = is_same ? plain_today(&k->pair[m], day) : 0;
                        k->pair[m].today_of[1] = day;
                }
        }
        for (unsigned p = 0; p < SHARED; p++) {
                plain_shift(&w->shared[p].gate, back);
                for (unsigned m = 0; m < MODELS; m++) {
                        plain_shift(&w->shared[p].bucket[m], back);
                        w->shared[p].throttled[m] = NULL;
                        w->shared[p].overloaded[m] = 0;
                }
        }
}

static bool is_alike(int64_t a, int64_t b) {
        return llabs(a - b) < (int64_t) USEC_PER_MINUTE;
}

int64_t plain_clock(Plain *w, int64_t off, usec_t passed) {
        if (is_alike(off, w->off)) {
                w->off = off;
                w->doubted = false;
        } else if (!w->doubted || !is_alike(off, w->claim)) {
                w->doubted = true;
                w->claim = off;
                w->claimed_at = passed;
        } else if (passed - w->claimed_at >= USEC_PER_HOUR) {
                w->off = off;
                w->doubted = false;
        }
        return w->off;
}

void plain_time(Plain *w, usec_t now) {
        usec_t back = usec_sub(w->now, now);

        if (back == 0 || back >= USEC_PER_MINUTE)
                w->now = now;
        if (back >= USEC_PER_MINUTE)
                plain_jump(w, back);
        plain_pass_all(w);
}

bool plain_may(Plain *w, Life *k, unsigned m) {
        for (unsigned l = 0; l < 5; l++)
                if (is_shut(gate(k, m, l), w->now))
                        return false;
        return !k->disabled;
}

static bool plain_is_probe(Life *k, unsigned m) {
        for (unsigned l = 0; l < 5; l++)
                if (gate(k, m, l)->until > 0)
                        return true;
        return false;
}

void plain_roll(Plain *w, unsigned m) {
        usec_t day = zone_day_start(w->zone, w->now);

        for (unsigned k = 0; k < w->n_keys; k++) {
                Pair *a = &w->keys[k]->pair[m];

                a->today_of[0] = plain_today(a, day);
                a->today_of[1] = day;
        }
}

/* `brought`: keys whose project is overloaded, and which are brought back nevertheless, a bit each. */
static Life *plain_best(Plain *w, unsigned m, uint64_t excluded, const Owner *avoid, uint64_t brought,
                        bool probes) {
        Life *best = NULL;

        for (unsigned k = 0; k < w->n_keys; k++) {
                Life *i = w->keys[k];
                const Pair *a = &i->pair[m], *b = best ? &best->pair[m] : NULL;

                if (excluded & 1ULL << k || !plain_may(w, i, m) || (!probes && plain_is_probe(i, m)) ||
                    i->project == avoid || (i->project->overloaded[m] > w->now && !(brought & 1ULL << k)))
                        continue;
                if (!b || a->today_of[0] < b->today_of[0] ||
                    (a->today_of[0] == b->today_of[0] &&
                     (a->total < b->total || (a->total == b->total && a->last < b->last))))
                        best = i;
        }
        return best;
}

/* The project that was overloaded first, of those that have a key that may go. */
static const Owner *plain_bring(Plain *w, unsigned m, uint64_t brought) {
        usec_t least = USEC_INFINITY;
        const Owner *first = NULL;

        for (unsigned k = 0; k < w->n_keys; k++) {
                const Owner *o = w->keys[k]->project;
                bool may = false;

                for (unsigned i = 0; i < w->n_keys; i++)
                        may = may || (w->keys[i]->project == o && plain_may(w, w->keys[i], m));
                if (may && !w->keys[k]->disabled && o->overloaded[m] > w->now && !(brought & 1ULL << k) &&
                    o->overloaded[m] < least) {
                        least = o->overloaded[m];
                        first = o;
                }
        }
        return first;
}

Life *plain_choice(Plain *w, unsigned m, uint64_t excluded, const Owner *avoid, uint64_t *ret_brought) {
        uint64_t brought = 0;
        const Owner *o;
        Life *best;

        for (;;) {
                best = excluded ? plain_best(w, m, excluded, avoid, brought, false) : NULL;
                best = best ?: plain_best(w, m, excluded, avoid, brought, true);
                o = best || avoid ? NULL : plain_bring(w, m, brought);
                if (!o)
                        break;
                for (unsigned k = 0; k < w->n_keys; k++)
                        if (w->keys[k]->project == o)
                                brought |= 1ULL << k;
        }
        *ret_brought = brought;
        return best;
}

Life *plain_pick(Plain *w, unsigned m, uint64_t excluded, const Owner *avoid, uint64_t id) {
        uint64_t brought;
        Life *best;
        Pair *p;

        w->known[m] = true;
        plain_roll(w, m);
        best = plain_choice(w, m, excluded, avoid, &brought);
        for (unsigned k = 0; k < w->n_keys; k++)
                if (brought & 1ULL << k)
                        w->keys[k]->project->overloaded[m] = 0;
        if (!best)
                return NULL;
        if (w->taken) {
                best = w->taken;
                assert_true(plain_may(w, best, m) && best->project != avoid);
                assert_false(excluded & 1ULL << best->index);
        }

        p = &best->pair[m];
        p->today_of[0]++;
        p->total++;
        p->last = w->now;
        best->n_out++;
        for (unsigned l = 0; l < 5; l++) {
                Gate *g = gate(best, m, l);

                if (g->until == 0)
                        continue;
                if (g->probe == 0) {
                        g->probe = id;
                        g->passes = w->now + 2 * USEC_PER_SEC;
                        if (l < 2 || (l == 2 && best->project->daily[m]))
                                g->passes = 0;
                }
                g->n_probes++;
        }
        if (p->total == 1) {
                bool quota;
                usec_t at;

                (void) plain_state(w, best, m, &p->told, &at, &quota);
        }
        return best;
}

/* The later end of refusals that were under way together. */
static void plain_prolong(Plain *w, Life *k, unsigned m, unsigned l, const Verdict *v) {
        Gate *g = gate(k, m, l);
        Owner *o = k->project;
        usec_t until;

        if (!cooldown_has_class(v->class))
                return;
        until = cooldown_until(v->class, g->strikes - 1, v->retry_after, w->now,
                               zone_next_midnight(w->zone, w->now), k->index);
        if (until > g->until) {
                g->until = until;
                if (l == 1)
                        o->money = true;
                if (l == 2)
                        o->closed[m] = false;
        }
        if (l == 2 && v->class == VERDICT_DAY && !o->closed[m]) {
                o->daily[m] = true;
                g->slow = false;
        }
}

void plain_judge(Plain *w, Life *k, unsigned m, const Verdict *v, uint64_t id) {
        Pair *p = &k->pair[m];

        for (unsigned l = 0; l < 5; l++) {
                char c = meaning[v->class][l];
                Gate *g = gate(k, m, l);
                bool probe = is_probe(g, id), fails = false, refused = c == '!';
                if (l == 4 && c == '!')
                        p->strikes++;
                if (l == 4 && c == '+')
                        p->strikes = 0;
                if (c == '!')
                        fails = probe || (g->until == 0 && (l < 4 || p->strikes >= 3));
                if (c == '?')
                        fails = probe;
                if (l == 2) {
                        Owner *o = k->project;

                        if (v->class == VERDICT_RATE_UNKNOWN && o->throttled[m] && o->throttled[m] != k &&
                            w->now - o->throttled_at[m] < USEC_PER_MINUTE) {
                                fails = probe || g->until == 0;
                                refused = true;
                        }
                        if (v->class == VERDICT_OK)
                                o->throttled[m] = NULL;
                        if (v->class == VERDICT_RATE_UNKNOWN) {
                                o->throttled[m] = k;
                                o->throttled_at[m] = w->now;
                        }
                }

                if (fails) {
                        usec_t until = w->now + USEC_PER_HOUR;

                        if (l == 1)
                                k->project->money = v->class == VERDICT_BILLING;
                        if (l == 2) {
                                k->project->closed[m] = v->class == VERDICT_MODEL_FOR_PROJECT;
                                k->project->daily[m] = v->class == VERDICT_DAY;
                        }
                        if ((l == 2 || l == 3 || v->class == VERDICT_BILLING) &&
                            g->since < zone_day_start(w->zone, w->now))
                                g->strikes = 0;
                        if (l == 2 || v->class == VERDICT_BILLING) {
                                const Gate *other = gate(k, m, l == 2 ? 1 : 2);

                                if (other->since >= zone_day_start(w->zone, w->now))
                                        g->strikes = MAX(g->strikes, other->strikes);
                        }
                        if (l == 4)
                                until = w->now + judgement_wait(g->strikes);
                        else if (l == 2 && v->class == VERDICT_MODEL_FOR_PROJECT)
                                until = w->now + USEC_PER_DAY;
                        else if (l >= 2 || v->class == VERDICT_BILLING)
                                until = cooldown_until(v->class, g->strikes, v->retry_after, w->now,
                                                    zone_next_midnight(w->zone, w->now), k->index);
                        *g = (Gate){ .until = until, .since = w->now, .strikes = g->strikes + 1 };
                        g->slow = l == 2 && v->class == VERDICT_MINUTE && v->retry_after > 0 &&
                                  g->strikes == 1;
                } else if (c == '+' && (probe || (l == 4 && g->until > 0))) {
                        unsigned strikes = v->class == VERDICT_OK ? 0 : g->strikes;
                        usec_t since = v->class == VERDICT_OK ? 0 : g->since;

                        *g = (Gate){ .strikes = strikes, .since = since };
                } else if (v->class == VERDICT_OK && g->until == 0)
                        g->strikes = 0;
                else if (probe && --g->n_probes == 0) {
                        g->probe = 0;
                        if (c == '~')
                                g->until = w->now + 5 * USEC_PER_SEC;
                } else if (refused && !probe && g->probe == 0 && g->until > 0)
                        plain_prolong(w, k, m, l, v);
        }
}

static void plain_let_go(Life *k) {
        if (!k->gone || k->n_out > 0)
                return;
        if (--k->project->n_keys == 0)
                *k->project = (Owner){};
        *k = (Life){};
}

void plain_report(Plain *w, Life *k, unsigned m, const Verdict *v, uint64_t id) {
        VerdictFault f = verdict_rule(v->class)->fault;

        if (f != FAULT_NOBODY && f != FAULT_REQUEST)
                k->pair[m].errors++;
        plain_judge(w, k, m, v, id);
        if (v->class == VERDICT_OVERLOAD)
                k->project->overloaded[m] = w->now + 10 * USEC_PER_SEC;
        k->n_out--;
        plain_let_go(k);
}

/* And what it would be if no probe were out. */
PoolState plain_state(Plain *w, Life *k, unsigned m, PoolState *ret_proven, usec_t *ret_at,
                      bool *ret_quota) {
        const PoolState names[] = {
                POOL_DEAD,
                k->project->money ? POOL_BILLING : POOL_DEAD,
                k->project->closed[m] ? POOL_CLOSED : POOL_COOLING,
                POOL_COOLING,
                POOL_UNHEALTHY,
        };
        PoolState worst = POOL_USABLE, proven = POOL_USABLE;
        bool quota = false, other = false;
        usec_t at = 0;

        if (k->disabled) {
                *ret_proven = POOL_DISABLED;
                *ret_at = USEC_INFINITY;
                *ret_quota = false;
                return POOL_DISABLED;
        }
        for (unsigned l = 0; l < 5; l++) {
                const Gate *g = gate(k, m, l);
                bool shut = is_shut(g, w->now);
                PoolState s = names[l];

                if (g->until == 0 || (!shut && s == POOL_COOLING))
                        continue;
                if (shut) {
                        if (g->probe)
                                at = MAX(at, plain_next_probe(g, w->now) ?: w->now + USEC_PER_SEC);
                        else
                                at = MAX(at, g->until);
                        quota = quota || s == POOL_COOLING;
                        other = other || s != POOL_COOLING;
                }
                worst = MAX(worst, g->probe ? POOL_PROBING : s);
                proven = MAX(proven, s);
        }
        *ret_proven = proven;
        *ret_at = at;
        *ret_quota = quota && !other;
        return worst;
}

PoolRefusal plain_refusal(Plain *w, unsigned m) {
        PoolRefusal r = { .available_at = USEC_INFINITY };
        bool other = false;

        for (unsigned k = 0; k < w->n_keys; k++) {
                PoolState proven;
                bool quota;
                usec_t at;

                r.n_keys[plain_state(w, w->keys[k], m, &proven, &at, &quota)]++;
                if (at > 0)
                        r.available_at = MIN(r.available_at, at);
                r.is_quota = r.is_quota || quota;
                other = other || (quota && !(w->keys[k]->project->daily[m] &&
                                             is_shut(gate(w->keys[k], m, 2), w->now)));
        }
        r.is_daily = r.is_quota && !other;
        return r;
}

/* `k` KEYS: every key; `m` MODELS: every model, and keys and projects too. First all are counted, then
 * reset. */
int plain_reset(Plain *w, unsigned k, unsigned m) {
        int n = 0;

        for (unsigned i = 0; i < w->n_keys; i++) {
                Life *x = w->keys[i];

                if (k != KEYS && k != i)
                        continue;
                n += m == MODELS && (x->key.until > 0 || x->project->gate.until > 0);
                for (unsigned j = 0; j < MODELS; j++) {
                        const Pair *q = &x->pair[j];

                        if (m == MODELS || m == j)
                                n += q->strikes > 0 || q->rate.until > 0 || q->health.until > 0 ||
                                     x->project->bucket[j].until > 0;
                }
        }
        for (unsigned i = 0; i < w->n_keys; i++) {
                Life *x = w->keys[i];

                if (k != KEYS && k != i)
                        continue;
                if (m == MODELS)
                        x->key = x->project->gate = (Gate){};
                for (unsigned j = 0; j < MODELS; j++) {
                        if (m != MODELS && m != j)
                                continue;
                        x->project->throttled[j] = NULL;
                        x->project->overloaded[j] = 0;
                        x->project->bucket[j] = x->pair[j].rate = x->pair[j].health = (Gate){};
                        x->pair[j].strikes = 0;
                }
        }
        return n;
}

/* --- a reload, plainly --- */

static Owner *plain_owner(Plain *w, Life *k, unsigned project) {
        return project < SHARED ? &w->shared[project] : &k->own;
}

static void plain_inherit(Gate *to, bool *to_kind, const Gate *from, bool from_kind) {
        if (to->until > 0 || from->until == 0)
                return;
        *to = *from;
        to->probe = to->n_probes = 0;
        *to_kind = from_kind;
}

static void plain_move(Life *k, Owner *to) {
        Owner *from = k->project;

        from->gate.probe = from->gate.n_probes = 0;
        for (unsigned m = 0; m < MODELS; m++)
                from->bucket[m].probe = from->bucket[m].n_probes = 0;
        if (from == &k->own || to->fresh) {
                plain_inherit(&to->gate, &to->money, &from->gate, from->money);
                for (unsigned m = 0; m < MODELS; m++) {
                        if (to->bucket[m].until == 0 && from->bucket[m].until > 0)
                                to->daily[m] = from->daily[m];
                        plain_inherit(&to->bucket[m], &to->closed[m], &from->bucket[m], from->closed[m]);
                }
        }
        k->project = to;
        if (--from->n_keys == 0)
                *from = (Owner){};
}

static Life *plain_find(Plain *w, unsigned which) {
        for (unsigned i = 0; i < LIVES; i++)
                if (w->lives[i].used && !w->lives[i].gone && w->lives[i].which == which)
                        return &w->lives[i];
        return NULL;
}

Life *plain_new(Plain *w, const Wanted *wanted) {
        for (unsigned i = 0; i < LIVES; i++) {
                Life *k = &w->lives[i];

                if (k->used)
                        continue;
                k->used = true;
                k->which = wanted->which;
                k->told = wanted->disabled ? POOL_DISABLED : POOL_USABLE;
                k->disabled = k->configured = wanted->disabled;
                k->project = plain_owner(w, k, wanted->project);
                k->project->n_keys++;
                return k;
        }
        fail_msg("too many lives");
        return NULL;
}

void plain_set_keys(Plain *w, const Wanted *wanted, unsigned n, PoolChange *ret) {
        Life *before[KEYS], *after[KEYS];
        unsigned n_before = w->n_keys;

        *ret = (PoolChange){ 0 };
        for (unsigned i = 0; i < SHARED; i++)
                w->shared[i].fresh = w->shared[i].n_keys == 0;
        for (unsigned i = 0; i < LIVES; i++)
                w->lives[i].own.fresh = w->lives[i].own.n_keys == 0;
        memcpy(before, w->keys, sizeof(before));
        for (unsigned i = 0; i < n; i++) {
                Life *k = plain_find(w, wanted[i].which);

                after[i] = k ?: plain_new(w, wanted + i);
                *(k ? &ret->n_kept : &ret->n_added) += 1;
                if (!k)
                        continue;
                if (k->configured != wanted[i].disabled)
                        k->disabled = k->configured = wanted[i].disabled;
        }
        /* A project that one key joins while another one leaves is not forgotten. */
        for (unsigned i = 0; i < n; i++)
                plain_owner(w, after[i], wanted[i].project)->n_keys++;
        for (unsigned i = 0; i < n; i++) {
                Owner *to = plain_owner(w, after[i], wanted[i].project);

                if (after[i]->project != to)
                        plain_move(after[i], to);
                else
                        to->n_keys--;
        }
        for (unsigned i = 0; i < n_before; i++) {
                bool stays = false;

                for (unsigned j = 0; j < n; j++)
                        stays = stays || after[j] == before[i];
                if (stays)
                        continue;
                ret->n_removed++;
                before[i]->gone = true;
                plain_let_go(before[i]);
        }
        memcpy(w->keys, after, n * sizeof(Life *));
        w->n_keys = n;
        for (unsigned i = 0; i < n; i++)
                after[i]->index = i;
}
