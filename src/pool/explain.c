/* SPDX-License-Identifier: MIT */

/*
 * Why each key would or would not be picked. It sorts copies of the standings by the rule of the pick, so
 * that the pool itself does not change. All is done in slices: the copies go into a heap while the keys are
 * looked at, and come out of it in order. Slots and buckets may go between two slices, so a copy refers to
 * none; the keys stay as long as the set of keys is the same.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pool/explain.h"
#include "pool/heap.h"
#include "pool/internal.h"
#include "pool/model-limits.h"
#include "pool/standing.h"

#define SENTENCE_MAX 1024U /* the longest sentence is below 600 bytes, and the proxy's below 320 */

typedef struct Standing {
        const PoolKey *key;
        const PoolProject *project; /* only compared */
        uint32_t project_index;     /* of its first key */
        bool is_spent;              /* the breaker of its quota is open or half-open */
        bool alike;                 /* another project's quota was refused in the same second */
        uint64_t today;             /* requests */
        usec_t refused_at;          /* in seconds: the quota, if the key's project is not known; or 0 */
        usec_t last; /* it comes after all of a lower value: 0; an overloaded one's time; USEC_INFINITY */
        PoolStanding standing;
        HeapRank rank;
} Standing;

typedef int (*Compare)(const Standing *a, const Standing *b);

/* A binary heap of pointers into an array. */
typedef struct Order {
        Standing **first;
        size_t n;
        Compare compare;
} Order;

struct PoolExplain {
        Pool *pool;
        char *model;
        uint64_t serial;
        Standing *all;
        size_t n, n_seen, n_done;
        Order order, refusals;
        Standing *refused; /* the last one that came out of `refusals` */
};

/* --- the order --- */

static void swap(Standing **a, Standing **b) {
        Standing *t = *a;

        *a = *b;
        *b = t;
}

static void order_push(Order *o, Standing *s) {
        size_t i = o->n++;

        o->first[i] = s;
        for (; i > 0 && o->compare(o->first[i], o->first[(i - 1) / 2]) < 0; i = (i - 1) / 2)
                swap(o->first + i, o->first + (i - 1) / 2);
}

static Standing *order_pop(Order *o) {
        Standing *s = o->first[0];

        o->first[0] = o->first[--o->n];
        for (size_t i = 0, k; (k = 2 * i + 1) < o->n; i = k) {
                if (k + 1 < o->n && o->compare(o->first[k + 1], o->first[k]) < 0)
                        k++;
                if (o->compare(o->first[i], o->first[k]) <= 0)
                        break;
                swap(o->first + i, o->first + k);
        }
        return s;
}

/* Usable keys by the rule of the pick, the others by when they become usable. */
static HeapRank rank_of(const Pool *p, const Standing *s, const PoolSlot *slot) {
        const PoolCounters *c = slot ? &slot->tally.counters : NULL;

        if (s->standing.available_at > 0)
                return (HeapRank){ .by = { s->standing.available_at }, .index = s->key->index };
        if (!c)
                return (HeapRank){ .index = s->key->index };
        return (HeapRank){
                .by = { slot->tally.day == p->day.start ? c->today : 0, c->total, c->last_used },
                .index = s->key->index,
        };
}

static usec_t refused_at(const PoolKey *k, const PoolQuota *quota) {
        if (!quota || quota->closed || k->project != &k->own || quota->breaker.until == 0)
                return 0;
        return quota->breaker.since / USEC_PER_SEC;
}

static int compare_refusals(const Standing *a, const Standing *b) {
        return a->refused_at == b->refused_at ? 0 : a->refused_at < b->refused_at ? -1 : 1;
}

/* A pick leaves overloaded projects out, as long as there are others. */
static usec_t last_of(const Pool *p, const Standing *s, const PoolBucket *b) {
        if (s->standing.available_at > 0)
                return USEC_INFINITY;
        return b && b->overloaded_until > p->day.now ? b->overloaded_until : 0;
}

static int compare(const Standing *x, const Standing *y) {
        if (x->last != y->last)
                return x->last < y->last ? -1 : 1;
        if (x->last > 0 && x->last < USEC_INFINITY && x->project != y->project)
                return x->project_index < y->project_index ? -1 : 1;
        return heap_rank_compare(&x->rank, &y->rank);
}

/* --- the keys --- */

static PoolBucket *bucket_of(const PoolKey *k, const PoolModel *m) {
        LIST_FOREACH(i, &k->project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                if (b->model == m)
                        return b;
        }
        return NULL;
}

static PoolSlot *slot_of(const PoolKey *k, const PoolModel *m) {
        LIST_FOREACH(i, &k->slots) {
                PoolSlot *s = list_entry(i, PoolSlot, by_key);

                if (s->bucket->model == m)
                        return s;
        }
        return NULL;
}

static void look(PoolExplain *e, const PoolModel *m) {
        Pool *p = e->pool;
        PoolKey *k = p->keys[e->n_seen];
        PoolBucket *b = m ? bucket_of(k, m) : NULL;
        PoolSlot *slot = m ? slot_of(k, m) : NULL;
        Standing *s = e->all + e->n_seen++;

        *s = (Standing){
                .key = k,
                .project = k->project,
                .project_index = k->project->first_key ? k->project->first_key->index : k->index,
                .is_spent = b && b->quota->breaker.until > 0,
                .today = slot && slot->tally.day == p->day.start ? slot->tally.counters.today : 0,
                .refused_at = refused_at(k, b ? b->quota : NULL),
        };
        pool_standing(p, k, b, slot, 0, &s->standing);
        s->rank = rank_of(p, s, slot);
        s->last = last_of(p, s, b);
        order_push(&e->order, s);
        if (s->refused_at > 0)
                order_push(&e->refusals, s);
}

static void mark_coincidence(PoolExplain *e) {
        Standing *s = order_pop(&e->refusals);

        if (e->refused && e->refused->refused_at == s->refused_at)
                s->alike = e->refused->alike = true;
        e->refused = s;
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

static void say_usable(const Standing *s, size_t place, Sentence *t) {
        unsigned long long today = s->today;

        if (place == 0)
                say(t, "would be picked first");
        else
                say(t, "would be picked after %zu other%s", place, place > 1 ? "s" : "");
        say(t, ": %llu attempt%s today", today, today == 1 ? "" : "s");
        if (s->last > 0)
                say(t, "; the model was overloaded for its project, or not reached, so others come first");
        if (s->standing.proven != POOL_USABLE)
                say(t, "; it was ill and its next request is the probe");
        else if (s->is_spent)
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
                [POOL_UNHEALTHY] = { "unhealthy: three errors in a row on this model, or a refusal of the "
                                     "key without a reason",
                                     "is tried again" },
                [POOL_CLOSED] = { "closed: this model is not open to its project", "is tried again" },
                [POOL_BILLING] = { "billing: its project is out of credit or over its cap",
                                   "is tried again" },
                [POOL_DEAD] = { "dead: Google refuses this key for every model", "is tried again" },
                [POOL_DISABLED] = { "disabled: by the configuration or an administrator", NULL },
        };
        PoolState state = s->standing.state;
        char in[SPAN_STRING_MAX];

        if (state == POOL_COOLING)
                say_cooling(p, s, t);
        else
                say(t, "%s", sentences[state].why);
        if (!sentences[state].then || s->standing.available_at == USEC_INFINITY)
                return;
        span_format_short(usec_sub(s->standing.available_at, p->day.now), in);
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

/* Only if there is something to say. */
static void say_proxy(const Pool *p, const PoolKey *k, Sentence *t) {
        const Proxy *used = pool_key_proxy(p, k);

        if (used)
                say(t, "; through the proxy %s", proxy_shown(used));
        else if (pool_key_own_proxy(p, k))
                say(t, "; without a proxy");
}

/* A quota without requests so far has only the ceilings of the configuration. */
static void look_at_ceilings(const PoolExplain *e, const PoolModel *m, const PoolKey *k, PoolReason *r) {
        Pool *p = e->pool;
        PoolBucket *b = m ? bucket_of(k, m) : NULL;
        Ceiling untouched = {}, *c = &untouched;

        if (b)
                c = &b->quota->ceiling;
        else
                pool_limits_find(p, e->model, k->project->name, untouched.told);
        ceiling_roll(c, p->day.now, p->day.start);
        for (CeilingKind i = 0; i < _CEILING_MAX; i++) {
                r->ceilings[i].limit = ceiling_limit(c, i, p->day.now, &r->ceilings[i].source);
                r->ceilings[i].used = ceiling_used(c, i);
        }
}

static void explain(PoolExplain *e, const PoolModel *m, void (*f)(const PoolReason *r, void *userdata),
                    void *userdata) {
        const Standing *s = order_pop(&e->order);
        Sentence t = { .n = 0 };
        PoolReason r = {
                .key = s->key,
                .usable = s->standing.available_at == 0,
                .state = s->standing.state,
                .available_at = s->standing.available_at,
                .sentence = t.text,
        };

        look_at_ceilings(e, m, s->key, &r);
        if (r.usable)
                say_usable(s, e->n_done, &t);
        else
                say_blocked(e->pool, s, &t);
        say_ceilings(&r, &t);
        say_coincidence(s, &t);
        say_proxy(e->pool, s->key, &t);
        e->n_done++;
        f(&r, userdata);
}

/* --- the whole --- */

int pool_explain_new(Pool *p, const char *model, PoolExplain **ret) {
        _cleanup_(pool_explain_freep) PoolExplain *e = NULL;
        size_t n = MAX(p->n_keys, 1U);

        e = calloc(1, sizeof(PoolExplain));
        if (!e)
                return -ENOMEM;
        e->pool = p;
        e->serial = p->last_set;
        e->n = p->n_keys;
        e->model = strdup(model);
        /* Not calloc(): the slices fill them, and zeros in 12 MB take 10 ms. */
        e->all = reallocarray(NULL, n, sizeof(Standing));
        e->order = (Order){ .first = reallocarray(NULL, n, sizeof(Standing *)), .compare = compare };
        e->refusals = (Order){ .first = reallocarray(NULL, n, sizeof(Standing *)),
                               .compare = compare_refusals };
        if (!e->model || !e->all || !e->order.first || !e->refusals.first)
                return -ENOMEM;
        *ret = TAKE_PTR(e);
        return 0;
}

int pool_explain_step(PoolExplain *e, usec_t now, size_t n,
                      void (*f)(const PoolReason *r, void *userdata), void *userdata) {
        const PoolModel *m;

        if (e->serial != e->pool->last_set)
                return -ESTALE;
        (void) pool_time(e->pool, now);
        m = pool_model_find(e->pool, e->model);
        for (; n > 0 && e->n_done < e->n; n--)
                if (e->n_seen < e->n)
                        look(e, m);
                else if (e->refusals.n > 0)
                        mark_coincidence(e);
                else
                        explain(e, m, f, userdata);
        return e->n_done < e->n;
}

PoolExplain *pool_explain_free(PoolExplain *e) {
        if (!e)
                return NULL;
        free(e->model);
        free(e->all);
        free(e->order.first);
        free(e->refusals.first);
        free(e);
        return NULL;
}

int pool_explain(Pool *p, const char *model, usec_t now, void (*f)(const PoolReason *r, void *userdata),
                 void *userdata) {
        _cleanup_(pool_explain_freep) PoolExplain *e = NULL;
        int r;

        r = pool_explain_new(p, model, &e);
        return r < 0 ? r : pool_explain_step(e, now, SIZE_MAX, f, userdata);
}
