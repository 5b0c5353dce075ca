/* SPDX-License-Identifier: MIT */

/*
 * Quotas in the pool: how much of each is used (core/ceiling), and which were found spent (breaker.h).
 *
 * A bucket whose quota is full leaves the ready heap and waits until part of the quota frees, like one that
 * Google has refused. So no pick has to skip full buckets.
 *
 * Whether enough tokens are left depends on the request. One that does not fit into the rest of the first
 * bucket's minute takes another bucket. The first one is crowded then: it is left out until the request
 * would fit, so that the next large request does not look at it again; a smaller one may come back to it
 * when nothing else is left. A pick looks at FIT_TRIES buckets at most. If none of them fits, it takes the
 * next one and leaves the decision to Google: the size of a request is an estimate anyway.
 *
 * A bucket for which Google has just answered that the model is overloaded is left out in the same way: for
 * OVERLOAD_MEMORY, or until nothing else is left.
 */

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "pool/internal.h"
#include "pool/model-limits.h"

/* How many buckets one pick tries for a fit, and how many crowded ones. */
#define FIT_TRIES     256U
#define UNCROWD_TRIES 32U

#define THROTTLE_MEMORY USEC_PER_MINUTE

/* --- the quota of a bucket --- */

/* Another bucket of the project that shares its quota with this one. */
static PoolBucket *find_twin(const PoolBucket *b) {
        LIST_FOREACH(i, &b->project->buckets) {
                PoolBucket *other = list_entry(i, PoolBucket, by_project);

                if (other != b && other->quota &&
                    streq(pool_model_counted_as(other->model), pool_model_counted_as(b->model)))
                        return other;
        }
        return NULL;
}

static void attach(Pool *p, PoolBucket *b, PoolQuota *q) {
        b->quota = q;
        list_append(&q->buckets, &b->by_quota);
        pool_limits_take(p, q);
}

static PoolQuota *quota_new(const Pool *p) {
        PoolQuota *q = calloc(1, sizeof(PoolQuota));

        if (!q)
                return NULL;
        list_init(&q->buckets);
        list_init(&q->warned);
        pool_probe_init(&q->probe, NULL);
        q->ceiling.kept.day = p->day.start;
        return q;
}

int pool_quota_attach(Pool *p, PoolBucket *b) {
        PoolBucket *twin = find_twin(b);
        PoolQuota *q = twin ? twin->quota : quota_new(p);

        if (!q)
                return -ENOMEM;
        attach(p, b, q);
        if (twin) {
                pool_quota_note(p, q);
                pool_ceiling_note(p, q, true);
        }
        return 0;
}

void pool_quota_detach(PoolBucket *b) {
        PoolQuota *q = TAKE_PTR(b->quota);

        if (!q)
                return;
        list_unlink(&b->by_quota);
        if (!list_is_empty(&q->buckets))
                return;
        list_unlink(&q->probe.link);
        list_unlink(&q->warned);
        pool_error_clear(&q->error);
        free(q);
}

/* Moves the bucket to the quota of its twin, and merges its quota if it was the only bucket there; or gives
 * it a separate quota if it has no twin any more. */
static void regroup(Pool *p, PoolBucket *b) {
        PoolBucket *twin = find_twin(b);
        bool alone = list_is_single(&b->quota->buckets);
        PoolQuota *q = twin ? twin->quota : NULL;

        if (!q && alone) {
                pool_limits_take(p, b->quota); /* by its new name */
                pool_quota_place(p, b->quota);
        }
        if (q == b->quota || (!q && alone))
                return;
        if (!q)
                q = quota_new(p);
        else if (alone)
                pool_quota_inherit(p, q, b->quota);
        if (!q)
                return; /* out of memory: they stay together */
        if (!alone) {
                pool_bucket_uncount(p, b); /* the quota that it leaves has counted its requests */
                breaker_release(&b->quota->breaker, b->quota->breaker.until); /* its probe may leave, too */
        }
        pool_quota_detach(b);
        attach(p, b, q);
        b->crowded_until = 0;
        pool_quota_note(p, q);
        pool_ceiling_note(p, q, true);
        pool_quota_place(p, q);
}

void pool_model_learn_name(Pool *p, PoolModel *m, const char *name) {
        char *copy;

        if (streq(pool_model_counted_as(m), name))
                return;
        copy = strdup(name);
        if (!copy)
                return; /* out of memory: the next answer names it again */
        free(m->counted_as);
        m->counted_as = copy;
        pool_note(p, &m->alias_dirty, true);
        LIST_FOREACH(i, &m->buckets)
                regroup(p, list_entry(i, PoolBucket, by_model));
}

void pool_bucket_uncount(Pool *p, PoolBucket *b) {
        LIST_FOREACH(i, &b->slots)
                list_entry(i, PoolSlot, by_bucket)->uncounted = p->last_lease;
}

/* Each bucket has a row of the shared quota, so that it can be restored without the others. */
void pool_quota_note(Pool *p, PoolQuota *q) {
        LIST_FOREACH(i, &q->buckets)
                pool_note(p, &list_entry(i, PoolBucket, by_quota)->dirty, true);
}

void pool_ceiling_note(Pool *p, PoolQuota *q, bool urgent) {
        if (!p->save.on)
                return;
        LIST_FOREACH(i, &q->buckets)
                pool_note(p, &list_entry(i, PoolBucket, by_quota)->ceiling_dirty, urgent);
}

void pool_quota_place(Pool *p, PoolQuota *q) {
        LIST_FOREACH(i, &q->buckets)
                pool_bucket_place(p, list_entry(i, PoolBucket, by_quota));
}

void pool_quota_take_cooldown(Pool *p, PoolQuota *to, const PoolQuota *from) {
        if (to->breaker.until > 0 || from->breaker.until == 0)
                return;
        to->breaker = from->breaker;
        breaker_release(&to->breaker, to->breaker.until);
        to->closed = from->closed;
        to->daily = from->daily;
        pool_error_copy(&to->error, &from->error);
        pool_quota_note(p, to);
}

void pool_quota_inherit(Pool *p, PoolQuota *to, PoolQuota *from) {
        pool_quota_take_cooldown(p, to, from);
        ceiling_roll(&to->ceiling, p->day.now, p->day.start);
        ceiling_roll(&from->ceiling, p->day.now, p->day.start);
        ceiling_merge(&to->ceiling, &from->ceiling);
        pool_quota_note_warned(p, to);
        breaker_close(&from->breaker);
        pool_error_clear(&from->error);
        ceiling_forget(&from->ceiling);
        pool_quota_note(p, to);
        pool_quota_note(p, from);
        pool_ceiling_note(p, to, true);
        pool_ceiling_note(p, from, true);
}

bool pool_quota_is_throttled(Pool *p, const PoolSlot *s, VerdictClass class) {
        PoolQuota *q = s->bucket->quota;
        bool by_another = q->throttled && q->throttled != s &&
                          p->day.now - q->throttled_at < THROTTLE_MEMORY;

        if (class == VERDICT_OK)
                q->throttled = NULL;
        if (class != VERDICT_RATE_UNKNOWN)
                return false;
        q->throttled = s;
        q->throttled_at = p->day.now;
        return by_another;
}

/* --- reservations and use --- */

usec_t pool_quota_free_at(Pool *p, PoolQuota *q, uint64_t tokens, CeilingKind *ret_kind) {
        ceiling_roll(&q->ceiling, p->day.now, p->day.start);
        return ceiling_free_at(&q->ceiling, tokens, q->breaker.until > 0, p->day.now, p->day.end, ret_kind);
}

void pool_quota_take(Pool *p, PoolQuota *q, uint64_t tokens) {
        ceiling_roll(&q->ceiling, p->day.now, p->day.start);
        ceiling_take(&q->ceiling, tokens);
        pool_ceiling_note(p, q, false);
}

/* True if Gemini has done no work for the request. It may have worked for one that was cut off on the way
 * (the client hung up, a time-out). */
static bool was_refused(VerdictClass class) {
        switch (class) {
        case VERDICT_OK:
        case VERDICT_CUT:
        case VERDICT_TIMEOUT:
        case VERDICT_CLIENT_GONE:
        case VERDICT_INTERNAL:
                return false;
        default:
                return true;
        }
}

static bool has_ceiling(const Verdict *v) {
        for (size_t i = 0; i < _CEILING_MAX; i++)
                if (v->ceilings[i] > 0)
                        return true;
        return false;
}

static void learn(PoolQuota *q, const Verdict *v, usec_t taken_at, usec_t now) {
        Ceiling *c = &q->ceiling;

        ceiling_learn(c, v->ceilings, now);
        if (v->class == VERDICT_DAY && v->quota_value == VERDICT_NO_VALUE)
                ceiling_guess(c, CEILING_RPD);
        else if (v->class == VERDICT_MINUTE && v->quota_value == VERDICT_NO_VALUE)
                ceiling_guess(c, CEILING_RPM);
        else if (v->class == VERDICT_OK)
                ceiling_answered(c, taken_at);
}

/* Moves only buckets that are in the wrong heap: a bucket that is removed and pushed again loses its place
 * in the run (heap.c), and nearly every report changes nothing. */
static void settle(Pool *p, PoolQuota *q, bool more) {
        CeilingKind kind;
        usec_t at = pool_quota_free_at(p, q, 0, &kind);

        LIST_FOREACH(i, &q->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_quota);
                const Heap *heap = b->ready.node.heap;
                bool aside = heap == &b->model->waiting_buckets || heap == &b->model->crowded;

                if (more)
                        b->crowded_until = 0;
                /* A ceiling that was disproved frees earlier than expected. */
                if (aside ? more || at < b->ready.node.rank.by[0] : at > 0)
                        pool_bucket_place(p, b);
        }
}

void pool_quota_report(Pool *p, const Lease *lease, const Verdict *v, const Usage *usage) {
        PoolQuota *q;
        bool refused = was_refused(v->class), is_counted = lease->id > lease->slot->uncounted, more = false;
        uint64_t tokens = lease->taken.tokens;
        bool was_known;

        if (v->model[0])
                pool_model_learn_name(p, lease->slot->bucket->model, v->model);
        q = lease->slot->bucket->quota;
        was_known = ceiling_is_known(&q->ceiling); /* if the last ceiling is disproved, the wait ends */
        ceiling_roll(&q->ceiling, p->day.now, p->day.start);
        learn(q, v, is_counted ? lease->taken.at : 0, p->day.now); /* counts the request as used */
        if (refused)
                tokens = 0;
        else if (usage && usage->prompt > 0)
                tokens = usage->prompt;
        if (is_counted)
                more = ceiling_settle(&q->ceiling, &lease->taken, tokens, refused);
        pool_ceiling_note(p, q, has_ceiling(v));
        if (was_known || ceiling_is_known(&q->ceiling))
                settle(p, q, more);
}

bool pool_bucket_is_spent(Pool *p, PoolBucket *b) {
        CeilingKind kind;

        return b->quota->breaker.until > 0 || pool_quota_free_at(p, b->quota, 0, &kind) > 0;
}

/* A reset by an administrator: what was counted and learned is forgotten, too. */
void pool_quota_reset(Pool *p, PoolQuota *q) {
        breaker_close(&q->breaker);
        pool_error_clear(&q->error);
        ceiling_forget(&q->ceiling);
        pool_quota_note(p, q);
        pool_ceiling_note(p, q, true);
        q->throttled = NULL;
        LIST_FOREACH(i, &q->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_quota);

                b->crowded_until = b->overloaded_until = 0;
                pool_bucket_uncount(p, b);
        }
        pool_quota_place(p, q);
}

/* --- the warning --- */

void pool_set_warn_at(Pool *p, unsigned percent) {
        p->warn_at = percent;
}

void pool_notify_warning(Pool *p, const PoolSlot *s) {
        Ceiling *c = &s->bucket->quota->ceiling;
        CeilingSource source;
        uint64_t limit;

        if (p->warn_at == 0 || c->kept.warned == p->day.start)
                return;
        limit = ceiling_limit(c, CEILING_RPD, p->day.now, &source);
        if (source < CEILING_LEARNED || c->kept.today * 100 < limit * p->warn_at)
                return;
        c->kept.warned = p->day.start;
        pool_quota_note_warned(p, s->bucket->quota);
        if (p->observer.quota_warning)
                p->observer.quota_warning(s->key, s->key->project->name, s->bucket->model->name,
                                          c->kept.today, limit, p->observer_userdata);
}

void pool_quota_note_warned(Pool *p, PoolQuota *q) {
        if (q->ceiling.kept.warned == p->day.start && !list_is_linked(&q->warned))
                list_append(&p->warned, &q->warned);
}

void pool_each_warning(Pool *p, usec_t now,
                       void (*f)(const PoolKey *k, const char *project, const char *model, uint64_t used,
                                 uint64_t limit, void *userdata),
                       void *userdata) {
        (void) pool_time(p, now);
        LIST_FOREACH(i, &p->warned) {
                PoolQuota *q = list_entry(i, PoolQuota, warned);
                CeilingSource source;
                uint64_t limit = ceiling_limit(&q->ceiling, CEILING_RPD, p->day.now, &source);

                if (q->ceiling.kept.warned != p->day.start) { /* on another day */
                        list_unlink(i);
                        continue;
                }
                LIST_FOREACH(j, &q->buckets) {
                        const PoolBucket *b = list_entry(j, PoolBucket, by_quota);

                        if (source >= CEILING_LEARNED && b->project->first_key)
                                f(b->project->first_key, b->project->name, b->model->name,
                                  q->ceiling.kept.today, limit, userdata);
                }
        }
}

/* --- picking by room --- */

static bool bucket_fits(Pool *p, PoolBucket *b, uint64_t tokens, usec_t *ret_at) {
        CeilingKind kind;

        *ret_at = pool_quota_free_at(p, b->quota, tokens, &kind);
        return *ret_at == 0;
}

bool pool_bucket_try(Pool *p, PoolBucket *b, uint64_t tokens, unsigned *tries) {
        usec_t at;

        if (bucket_fits(p, b, tokens, &at) || ++*tries > FIT_TRIES)
                return true;
        b->crowded_until = at;
        pool_bucket_place(p, b);
        return false;
}

/* Tries the crowded buckets one after the other until one fits; the others are put back. */
bool pool_model_uncrowd(Pool *p, PoolModel *m, uint64_t tokens) {
        PoolBucket *aside[UNCROWD_TRIES];
        bool found = false;
        size_t n = 0;
        HeapNode *first;

        while (!found && n < UNCROWD_TRIES && (first = heap_first(&m->crowded))) {
                PoolBucket *b = CONTAINER_OF(first, PoolQueue, node)->bucket;
                usec_t at;

                found = bucket_fits(p, b, tokens, &at);
                if (found) {
                        b->crowded_until = b->overloaded_until = 0;
                        pool_bucket_place(p, b);
                } else {
                        heap_remove(first);
                        aside[n++] = b;
                }
        }
        for (size_t i = 0; i < n; i++)
                pool_bucket_place(p, aside[i]);
        return found;
}
