/* SPDX-License-Identifier: MIT */

#include "pool/internal.h"
#include "pool/survey.h"

void pool_survey_begin(PoolSurvey *s, Pool *p) {
        *s = (PoolSurvey){ .pool = p };
        LIST_FOREACH(i, &p->models) {
                const PoolModel *m = list_entry(i, PoolModel, models);

                s->models[m->place].serial = m->serial;
                s->models[m->place].census.refusal.available_at = USEC_INFINITY;
                s->places[s->n++] = m->place;
        }
}

static bool is_surveyed(const PoolSurvey *s, const PoolModel *m) {
        return s->models[m->place].serial == m->serial;
}

static void find_buckets(PoolSurvey *s, const PoolKey *k) {
        for (size_t i = 0; i < s->n; i++) {
                s->models[s->places[i]].bucket = NULL;
                s->models[s->places[i]].slot = NULL;
        }
        LIST_FOREACH(i, &k->project->buckets) {
                PoolBucket *b = list_entry(i, PoolBucket, by_project);

                if (is_surveyed(s, b->model))
                        s->models[b->model->place].bucket = b;
        }
        LIST_FOREACH(i, &k->slots) {
                PoolSlot *slot = list_entry(i, PoolSlot, by_key);

                if (is_surveyed(s, slot->bucket->model))
                        s->models[slot->bucket->model->place].slot = slot;
        }
}

void pool_survey_key(PoolSurvey *s, const PoolKey *key, usec_t now) {
        PoolKey *k = (PoolKey *) key;
        PoolStanding alone, standing;
        Pool *p = s->pool;

        (void) pool_time(p, now);
        find_buckets(s, k);
        pool_standing(p, k, NULL, NULL, 0, &alone);
        for (size_t i = 0; i < s->n; i++) {
                PoolBucket *b = s->models[s->places[i]].bucket;

                if (b)
                        pool_standing(p, k, b, s->models[s->places[i]].slot, 0, &standing);
                pool_census_add(&s->models[s->places[i]].census, k, b ? &standing : &alone);
        }
}

void pool_survey_each_model(PoolSurvey *s, usec_t now, void (*f)(const PoolModelView *v, void *userdata),
                            void *userdata) {
        Pool *p = s->pool;

        (void) pool_time(p, now);
        LIST_FOREACH(i, &p->models) {
                const PoolModel *m = list_entry(i, PoolModel, models);
                const PoolCensus *c = &s->models[m->place].census;
                bool missing = pool_model_is_missing(m);

                if (!is_surveyed(s, m))
                        continue;
                f(&(const PoolModelView){
                          .name = m->name,
                          .usable_keys = missing ? 0 : c->n_usable,
                          .missing = missing,
                          .total_keys = c->n_total,
                          .healthy_keys = c->n_healthy,
                          .standing = c->refusal,
                          .counters = pool_tally_counters(&m->tally, p->day.start),
                  },
                  userdata);
        }
}

void pool_each_model(Pool *p, usec_t now, void (*f)(const PoolModelView *v, void *userdata),
                     void *userdata) {
        PoolSurvey s;

        pool_survey_begin(&s, p);
        for (size_t i = 0; i < p->n_keys; i++)
                pool_survey_key(&s, p->keys[i], now);
        pool_survey_each_model(&s, now, f, userdata);
}
