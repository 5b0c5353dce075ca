/* SPDX-License-Identifier: MIT */

/* Why each key would or would not be picked. A copy of the standings is sorted by the rule of the pick, so
 * that nothing in the pool moves. */

#include <errno.h>
#include <stdio.h>

#include "core/heap.h"
#include "core/pool-internal.h"
#include "core/pool-view.h"

#define SENTENCE_MAX 192U

typedef struct Standing {
        PoolKey *key;
        const PoolSlot *slot; /* or NULL */
        PoolStanding standing;
        HeapRank rank;
} Standing;

/* Those that may go by the rule of the pick, then the others by the time at which they may. */
static HeapRank rank_of(const Pool *p, const Standing *s) {
        const PoolCounters *c = s->slot ? &s->slot->tally.counters : NULL;

        if (s->standing.available_at > 0)
                return (HeapRank){ .by = { UINT64_MAX, s->standing.available_at }, .index = s->key->index };
        if (!c)
                return (HeapRank){ .index = s->key->index };
        return (HeapRank){
                .by = { s->slot->tally.day == p->day ? c->today : 0, c->total, c->last_used },
                .index = s->key->index,
        };
}

static int compare(const void *a, const void *b) {
        return heap_rank_compare(&((const Standing *) a)->rank, &((const Standing *) b)->rank);
}

static void look(Pool *p, PoolModel *m, Standing *all) {
        if (m)
                LIST_FOREACH(i, &m->buckets) {
                        PoolBucket *b = list_entry(i, PoolBucket, by_model);

                        b->project->scratch = b;
                        LIST_FOREACH(j, &b->slots) {
                                PoolSlot *s = list_entry(j, PoolSlot, by_bucket);

                                s->key->scratch = s;
                        }
                }

        for (size_t i = 0; i < p->n_keys; i++) {
                PoolKey *k = p->keys[i];

                all[i] = (Standing){ .key = k, .slot = k->scratch };
                pool_standing(p, k, k->project->scratch, TAKE_PTR(k->scratch), 0,
                              &all[i].standing);
                all[i].rank = rank_of(p, all + i);
        }

        if (m)
                LIST_FOREACH(i, &m->buckets)
                        list_entry(i, PoolBucket, by_model)->project->scratch = NULL;
}

/* "41 s", "12 min", "3 h": how long it will be, to read. */
static void span(usec_t u, char ret[static 32]) {
        unsigned long long s = (u + USEC_PER_SEC - 1) / USEC_PER_SEC;

        if (s < 120)
                (void) snprintf(ret, 32, "%llu s", s);
        else if (s < 120 * 60)
                (void) snprintf(ret, 32, "%llu min", (s + 59) / 60);
        else
                (void) snprintf(ret, 32, "%llu h", (s + 3599) / 3600);
}

static void explain_usable(const Pool *p, const Standing *s, size_t place, char ret[static SENTENCE_MAX]) {
        unsigned long long today =
                s->slot && s->slot->tally.day == p->day ? s->slot->tally.counters.today : 0;
        const char *probe = "";
        char where[64];

        if (place == 0)
                (void) snprintf(where, sizeof(where), "would be picked first");
        else
                (void) snprintf(where, sizeof(where), "would be picked after %zu other%s", place,
                                place > 1 ? "s" : "");
        if (s->standing.proven != POOL_USABLE)
                probe = "; it was ill and its next request is the probe";
        (void) snprintf(ret, SENTENCE_MAX, "%s: %llu request%s today%s", where, today, today == 1 ? "" : "s",
                        probe);
}

static void explain_blocked(const Pool *p, const Standing *s, char ret[static SENTENCE_MAX]) {
        static const struct {
                const char *why, *then; /* what will happen at the time */
        } sentences[_POOL_STATE_MAX] = {
                [POOL_USABLE] = { "usable", NULL },
                [POOL_PROBING] = { "probing: one request is finding out whether it works again", NULL },
                [POOL_COOLING] = { "cooling: the quota of this model is spent", "frees" },
                [POOL_UNHEALTHY] = { "unhealthy: three errors in a row on this model", "is tried again" },
                [POOL_CLOSED] = { "closed: this model is not open to its project", "is tried again" },
                [POOL_BILLING] = { "billing: its project is out of credit or over its cap",
                                   "is tried again" },
                [POOL_DEAD] = { "dead: Google refuses this key for every model", "is tried again" },
                [POOL_DISABLED] = { "disabled: by the configuration or an administrator", NULL },
        };
        PoolState state = s->standing.state;
        char in[32];

        if (!sentences[state].then || s->standing.available_at == USEC_INFINITY) {
                (void) snprintf(ret, SENTENCE_MAX, "%s", sentences[state].why);
                return;
        }
        span(usec_sub(s->standing.available_at, p->now), in);
        (void) snprintf(ret, SENTENCE_MAX, "%s; %s in %s", sentences[state].why, sentences[state].then, in);
}

int pool_explain(Pool *p, const char *model, usec_t now, void (*f)(const PoolReason *r, void *userdata),
                 void *userdata) {
        _cleanup_free_ Standing *all = NULL;

        (void) pool_time(p, now);
        all = calloc(MAX(p->n_keys, 1U), sizeof(Standing));
        if (!all)
                return -ENOMEM;
        look(p, pool_model_find(p, model), all);
        qsort(all, p->n_keys, sizeof(Standing), compare);

        for (size_t i = 0; i < p->n_keys; i++) {
                bool usable = all[i].standing.available_at == 0;
                char sentence[SENTENCE_MAX];

                if (usable)
                        explain_usable(p, all + i, i, sentence);
                else
                        explain_blocked(p, all + i, sentence);
                f(
                        &(const PoolReason){
                                .key = all[i].key,
                                .usable = usable,
                                .state = all[i].standing.state,
                                .available_at = all[i].standing.available_at,
                                .sentence = sentence,
                        },
                        userdata);
        }
        return 0;
}
