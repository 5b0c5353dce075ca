/* SPDX-License-Identifier: MIT */

/* Why each key would or would not be picked. It sorts a copy of the standings by the rule of the pick, so
 * that the pool itself does not change. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "pool/heap.h"
#include "pool/internal.h"
#include "pool/standing.h"

#define SENTENCE_MAX 640U /* the longest sentence is below 600 bytes */

typedef struct Standing {
        PoolKey *key;
        const PoolSlot *slot; /* or NULL */
        PoolQuota *quota;     /* or NULL */
        PoolStanding standing;
        usec_t last; /* it comes after all of a lower value: 0; an overloaded one's time; USEC_INFINITY */
        HeapRank rank;
        bool alike; /* another project's quota was refused in the same second */
} Standing;

/* Usable keys by the rule of the pick, the others by when they become usable. */
static HeapRank rank_of(const Pool *p, const Standing *s) {
        const PoolCounters *c = s->slot ? &s->slot->tally.counters : NULL;

        if (s->standing.available_at > 0)
                return (HeapRank){ .by = { s->standing.available_at }, .index = s->key->index };
        if (!c)
                return (HeapRank){ .index = s->key->index };
        return (HeapRank){
                .by = { s->slot->tally.day == p->day.start ? c->today : 0, c->total, c->last_used },
                .index = s->key->index,
        };
}

/* When the quota of a key without a known project was refused; 0: never, or its project is known. */
static usec_t refused_at(const Standing *s) {
        if (!s->quota || s->quota->closed || s->key->project != &s->key->own ||
            s->quota->breaker.until == 0)
                return 0;
        return s->quota->breaker.since / USEC_PER_SEC;
}

static int compare_refusals(const void *a, const void *b) {
        usec_t x = refused_at(a), y = refused_at(b);

        return x == y ? 0 : x < y ? -1 : 1;
}

static void mark_coincidences(Standing *all, size_t n) {
        qsort(all, n, sizeof(Standing), compare_refusals);
        for (size_t i = 1; i < n; i++)
                if (refused_at(all + i) > 0 && refused_at(all + i) == refused_at(all + i - 1))
                        all[i].alike = all[i - 1].alike = true;
}

/* A pick leaves overloaded projects out, as long as there are others. */
static usec_t last_of(const Pool *p, const Standing *s) {
        const PoolBucket *b = s->key->project->scratch;

        if (s->standing.available_at > 0)
                return USEC_INFINITY;
        return b && b->overloaded_until > p->day.now ? b->overloaded_until : 0;
}

static int compare(const void *a, const void *b) {
        const Standing *x = a, *y = b;

        if (x->last != y->last)
                return x->last < y->last ? -1 : 1;
        if (x->last > 0 && x->last < USEC_INFINITY && x->key->project != y->key->project)
                return x->key->project->first_key->index < y->key->project->first_key->index ? -1 : 1;
        return heap_rank_compare(&x->rank, &y->rank);
}

static void look(Pool *p, PoolModel *m, Standing *all) {
        if (m)
                pool_model_mark(m);
        for (size_t i = 0; i < p->n_keys; i++) {
                PoolKey *k = p->keys[i];

                all[i] = (Standing){ .key = k, .slot = k->scratch };
                if (k->project->scratch)
                        all[i].quota = k->project->scratch->quota;
                pool_standing(p, k, k->project->scratch, k->scratch, 0, &all[i].standing);
                all[i].rank = rank_of(p, all + i);
                all[i].last = last_of(p, all + i);
        }

        if (m)
                pool_model_unmark(m);
}

/* A duration for people: "41 s", "12 min", "3 h". */
static void span(usec_t u, char ret[static 32]) {
        unsigned long long s = (u + USEC_PER_SEC - 1) / USEC_PER_SEC;

        if (s < 120)
                (void) snprintf(ret, 32, "%llu s", s);
        else if (s < 120 * 60)
                (void) snprintf(ret, 32, "%llu min", (s + 59) / 60);
        else
                (void) snprintf(ret, 32, "%llu h", (s + 3599) / 3600);
}

/* --- the sentence --- */

typedef struct Sentence {
        char text[SENTENCE_MAX];
        size_t n;
} Sentence;

static void _printf_(2, 3) say(Sentence *t, const char *fmt, ...) {
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(t->text + t->n, sizeof(t->text) - t->n, fmt, ap);
        va_end(ap);
        assert(n >= 0);
        t->n = MIN(t->n + (size_t) n, sizeof(t->text) - 1);
}

static void say_usable(const Pool *p, const Standing *s, size_t place, Sentence *t) {
        unsigned long long today =
                s->slot && s->slot->tally.day == p->day.start ? s->slot->tally.counters.today : 0;

        if (place == 0)
                say(t, "would be picked first");
        else
                say(t, "would be picked after %zu other%s", place, place > 1 ? "s" : "");
        say(t, ": %llu request%s today", today, today == 1 ? "" : "s");
        if (s->last > 0)
                say(t, "; the model was overloaded for its project, so others come first");
        if (s->standing.proven != POOL_USABLE)
                say(t, "; it was ill and its next request is the probe");
        else if (s->quota && s->quota->breaker.until > 0)
                say(t, "; its quota was spent and its next request is the probe");
}

static const char *const ceiling_words[_CEILING_MAX] = {
        [CEILING_RPM] = "requests a minute",
        [CEILING_TPM] = "input tokens a minute",
        [CEILING_RPD] = "requests a day",
};

/* Whether Google has refused, or gemgate holds requests back because a ceiling is reached. */
static void say_cooling(const Pool *p, const Standing *s, Sentence *t) {
        if (s->standing.full < _CEILING_MAX)
                say(t, "full: its %s are used up", ceiling_words[s->standing.full]);
        else
                say(t, "cooling: the quota of this model is spent");
}

static void say_blocked(const Pool *p, const Standing *s, Sentence *t) {
        static const struct {
                const char *why, *then; /* `then`: what happens at that time */
        } sentences[_POOL_STATE_MAX] = {
                [POOL_USABLE] = { "usable", NULL },
                [POOL_PROBING] = { "probing: one request is finding out whether it works again", NULL },
                [POOL_COOLING] = { NULL, "frees" },
                [POOL_UNHEALTHY] = { "unhealthy: three errors in a row on this model", "is tried again" },
                [POOL_CLOSED] = { "closed: this model is not open to its project", "is tried again" },
                [POOL_BILLING] = { "billing: its project is out of credit or over its cap",
                                   "is tried again" },
                [POOL_DEAD] = { "dead: Google refuses this key for every model", "is tried again" },
                [POOL_DISABLED] = { "disabled: by the configuration or an administrator", NULL },
        };
        PoolState state = s->standing.state;
        char in[32];

        if (state == POOL_COOLING)
                say_cooling(p, s, t);
        else
                say(t, "%s", sentences[state].why);
        if (!sentences[state].then || s->standing.available_at == USEC_INFINITY)
                return;
        span(usec_sub(s->standing.available_at, p->day.now), in);
        say(t, "; %s in %s", sentences[state].then, in);
}

/* Another key's quota was found spent in the same second: they may belong to one project. */
static void say_coincidence(const Standing *s, Sentence *t) {
        if (s->alike)
                say(t, "; another key was refused in the same second: if it is of the same Google project, "
                       "say so in API_KEYS");
}

static void say_ceilings(const PoolReason *r, Sentence *t) {
        for (size_t i = 0; i < _CEILING_MAX; i++) {
                const PoolCeiling *c = r->ceilings + i;

                if (c->source != CEILING_UNKNOWN)
                        say(t, "; %llu of %llu %s (%s)", (unsigned long long) c->used,
                            (unsigned long long) c->limit, ceiling_words[i],
                            ceiling_source_to_string(c->source));
        }
}

/* A quota without requests so far has only the ceilings of the configuration. */
static void look_at_ceilings(Pool *p, const char *model, const Standing *s, PoolReason *r) {
        Ceiling untouched = {}, *c = &untouched;

        if (s->quota)
                c = &s->quota->ceiling;
        else
                pool_limits_find(p, model, s->key->project->name, untouched.told);
        ceiling_roll(c, p->day.now, p->day.start);
        for (CeilingKind i = 0; i < _CEILING_MAX; i++) {
                r->ceilings[i].limit = ceiling_limit(c, i, p->day.now, &r->ceilings[i].source);
                r->ceilings[i].used = ceiling_used(c, i);
        }
}

int pool_explain(Pool *p, const char *model, usec_t now, void (*f)(const PoolReason *r, void *userdata),
                 void *userdata) {
        _cleanup_free_ Standing *all = NULL;

        (void) pool_time(p, now);
        all = calloc(MAX(p->n_keys, 1U), sizeof(Standing));
        if (!all)
                return -ENOMEM;
        look(p, pool_model_find(p, model), all);
        mark_coincidences(all, p->n_keys);
        qsort(all, p->n_keys, sizeof(Standing), compare);

        for (size_t i = 0; i < p->n_keys; i++) {
                const PoolStanding *standing = &all[i].standing;
                Sentence t = { .n = 0 };
                PoolReason r = {
                        .key = all[i].key,
                        .usable = standing->available_at == 0,
                        .state = standing->state,
                        .available_at = standing->available_at,
                        .sentence = t.text,
                };

                look_at_ceilings(p, model, all + i, &r);
                if (r.usable)
                        say_usable(p, all + i, i, &t);
                else
                        say_blocked(p, all + i, &t);
                say_ceilings(&r, &t);
                say_coincidence(all + i, &t);
                f(&r, userdata);
        }
        return 0;
}
