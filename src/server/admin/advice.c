/* SPDX-License-Identifier: MIT */

/*
 * Advice to the operator, from the pool's present state, in sentences, the most urgent first:
 *
 *     1. the models: those that no key or only one key can serve now; those with mostly spent keys, and the
 *        number of keys that would help; those that fail often
 *     2. the keys: dead, out of credit, unhealthy or not allowed for a model
 *     3. the setup: no key, one key, keys that share a project
 *
 * Each kind of advice names MANAGE_NAMES_MAX keys at most, and then the number of the others: /stats has
 * all of them. Keys appear only by name and mask; keys in Google's messages were removed before the pool
 * got them.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/text.h"
#include "pool/admin.h"
#include "pool/survey.h"
#include "server/admin/internal.h"

#define SENTENCE_MAX    1024U
#define LABEL_MAX       128U
#define ERROR_RATE_HIGH 20U /* percent, of ERROR_RATE_BASE requests or more: fewer prove nothing */
#define ERROR_RATE_BASE 20U

struct Advice {
        JWriter *w;
        Pool *pool;
        const Zone *zone;
        usec_t now;
        size_t n; /* sentences so far */
        size_t n_keys[_POOL_STATE_MAX], n_enabled, n_warnings;

        /* the key whose slots are being visited */
        char label[LABEL_MAX];
        size_t n_unhealthy, n_closed; /* (key, model) pairs so far */

        /* the walk */
        void (*head)(Advice *a, void *userdata);
        void *userdata;
        enum { ADVICE_SURVEY, ADVICE_KEYS, ADVICE_SHARED } stage;
        size_t next_key, n_shared;
        uint64_t keys_serial;
        PoolSurvey survey;
};

/* --- texts --- */

static void _printf_(2, 3) say(Advice *a, const char *fmt, ...) {
        char text[SENTENCE_MAX];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        jwrite_string(a->w, NULL, text);
        a->n++;
}

static const char *plural(size_t n) {
        return n == 1 ? "" : "s";
}

/* `comes back at 2026-11-22T14:03:10-08:00, in 38 s`. */
static void return_format(const Advice *a, usec_t t, char *ret, size_t size) {
        char at[TIMESTAMP_STRING_MAX], in[SPAN_STRING_MAX];

        if (t == USEC_INFINITY)
                (void) snprintf(ret, size, "does not come back by itself");
        else if (t <= a->now)
                (void) snprintf(ret, size, "comes back with the next request");
        else {
                timestamp_format(t, zone_offset(a->zone, t), at);
                span_format(t - a->now, in);
                (void) snprintf(ret, size, "comes back at %s, in %s", at, in);
        }
}

#define RETURN_MAX (TIMESTAMP_STRING_MAX + SPAN_STRING_MAX + 32U)

/* `home (AIza****abcd)`, or the mask alone. */
static void label_format(const PoolKeyView *v, char ret[static LABEL_MAX]) {
        if (v->name)
                (void) snprintf(ret, LABEL_MAX, "%s (%s)", v->name, v->mask);
        else
                (void) snprintf(ret, LABEL_MAX, "%s", v->mask);
}

/* `7 cooling, 1 dead`: those that are not usable. */
static void states_format(const size_t n_keys[static _POOL_STATE_MAX], char *ret, size_t size) {
        size_t n = 0;

        ret[0] = 0;
        for (PoolState s = POOL_USABLE + 1; s < POOL_DISABLED && n < size; s++)
                if (n_keys[s] > 0)
                        n += (size_t) snprintf(ret + n, size - n, "%s%zu %s", n > 0 ? ", " : "", n_keys[s],
                                               pool_state_to_string(s));
}

/* --- models --- */

static void advise_capacity(Advice *a, const PoolModelView *v) {
        size_t cooling = v->standing.n_keys[POOL_COOLING];

        /* With x more keys and the same load at most half would rest: cooling / (total + x) = 1/2. */
        if (2 * cooling > v->total_keys)
                say(a,
                    "More than half of the keys of %s rest because their quota is spent (%zu of %zu). About "
                    "%zu more key%s, each in a separate Google project, would bring that down to half.",
                    v->name, cooling, v->total_keys, 2 * cooling - v->total_keys,
                    plural(2 * cooling - v->total_keys));
        else if (4 * cooling >= v->total_keys && cooling > 0 && v->usable_keys > 0)
                say(a, "%s is nearing its limits: quota is spent on %zu of its %zu keys.",
                    v->name, cooling, v->total_keys);
}

static void advise_model(const PoolModelView *v, void *userdata) {
        Advice *a = userdata;
        char states[128], back[RETURN_MAX];
        const PoolCounters *c = &v->counters;

        if (v->total_keys == 0)
                return;
        if (v->missing)
                return say(a,
                           "Google does not know %s, which clients ask for: GET /v1/models lists the models "
                           "that exist, and MODEL_ALIASES can give one of them this name.",
                           v->name);
        states_format(v->standing.n_keys, states, sizeof(states));
        return_format(a, v->standing.available_at, back, sizeof(back));
        if (v->usable_keys == 0)
                say(a, "No key can serve %s now: %s of %zu. The first one %s.", v->name, states,
                    v->total_keys, back);
        else if (v->usable_keys == 1 && v->total_keys > 1)
                say(a, "Only one key of %zu can serve %s now: %s. The next one %s.", v->total_keys, v->name,
                    states, back);
        advise_capacity(a, v);
        if (c->total >= ERROR_RATE_BASE && 100 * c->errors >= ERROR_RATE_HIGH * c->total)
                say(a, "%s fails often: %llu of %llu attempts. See `last_error` of its keys in /stats.",
                    v->name, (unsigned long long) c->errors, (unsigned long long) c->total);
}

/* --- keys --- */

static void advise_slot(const PoolSlotView *v, void *userdata) {
        Advice *a = userdata;
        char back[RETURN_MAX];

        return_format(a, v->available_at, back, sizeof(back));
        if (v->state == POOL_UNHEALTHY && ++a->n_unhealthy <= MANAGE_NAMES_MAX)
                say(a, "The key %s is set aside for %s after %u errors in a row (“%s”). It %s, for one try.",
                    a->label, v->model, v->consecutive_errors, strempty(v->last_error), back);
        if (v->state == POOL_CLOSED && ++a->n_closed <= MANAGE_NAMES_MAX)
                say(a, "%s is closed to the project of the key %s: take another model, or another project.",
                    v->model, a->label);
}

static void advise_key(Advice *a, const PoolKey *k) {
        static const struct {
                PoolState state;
                const char *what, *remedy;
        } rows[] = {
                { POOL_DEAD, "is dead: Google refuses it",
                  "Replace or remove it in API_KEYS; once it is mended at Google, a reset revives it." },
                { POOL_BILLING, "is out of credit",
                  "Top up its project or lift its spending cap; then a reset revives it." },
        };
        PoolKeyView v;

        pool_key_view(a->pool, k, a->now, &v);
        a->n_keys[v.state]++;
        a->n_enabled += v.state != POOL_DISABLED;
        label_format(&v, a->label);
        pool_each_slot(a->pool, k, a->now, advise_slot, a);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (v.state == rows[i].state && a->n_keys[v.state] <= MANAGE_NAMES_MAX)
                        say(a, "The key %s %s%s%s%s. %s", a->label, rows[i].what, v.last_error ? " (“" : "",
                            strempty(v.last_error), v.last_error ? "”)" : "", rows[i].remedy);
}

static void advise_rest(Advice *a, size_t n, const char *what) {
        if (n > MANAGE_NAMES_MAX)
                say(a, "%zu more %s: /stats shows them all.", n - MANAGE_NAMES_MAX, what);
}

static void advise_keys_end(Advice *a) {
        advise_rest(a, a->n_unhealthy, "times a key is set aside for a model");
        advise_rest(a, a->n_closed, "times a project has no access to a model");
        advise_rest(a, a->n_keys[POOL_DEAD], "keys are dead");
        advise_rest(a, a->n_keys[POOL_BILLING], "keys are out of credit");
}

/* --- the setup --- */

static void advise_shared(Advice *a, const PoolKey *k) {
        size_t n = pool_key_n_sharing(k);
        PoolKeyView v;

        if (n < 2 || ++a->n_shared > MANAGE_NAMES_MAX)
                return;
        pool_key_view(a->pool, k, a->now, &v);
        say(a, "%zu keys share the project %s and its quota: they serve as much as one.", n, v.project);
}

static void advise_warning(const PoolKey *k, const char *project, const char *model, uint64_t used,
                           uint64_t limit, void *userdata) {
        Advice *a = userdata;

        if (++a->n_warnings <= MANAGE_NAMES_MAX)
                say(a, "%s: %llu of the %llu requests that %s %s has in a day are used.", model,
                    (unsigned long long) used, (unsigned long long) limit,
                    project ? "the project" : "the key", project ?: pool_key_id(k));
}

static void advise_setup(Advice *a) {
        if (pool_n_keys(a->pool) == 0)
                say(a, "There is no key: set API_KEYS.");
        else if (a->n_enabled == 0)
                say(a, "Every key is disabled: enable one in API_KEYS, or add one.");
        else if (a->n_enabled == 1)
                say(a, "There is only one key: when its quota is spent or Google refuses it, every client "
                       "is turned away. Add one of another Google project.");
}

static void advise_setup_end(Advice *a) {
        advise_rest(a, a->n_shared, "projects are shared by several keys");
        if (a->n_keys[POOL_DISABLED] > 0 && a->n_enabled > 0)
                say(a, "%zu key%s disabled in API_KEYS: no request goes through %s.",
                    a->n_keys[POOL_DISABLED], a->n_keys[POOL_DISABLED] == 1 ? " is" : "s are",
                    a->n_keys[POOL_DISABLED] == 1 ? "it" : "them");
}

/* --- the walk --- */

Advice *manage_advice_free(Advice *a) {
        free(a);
        return NULL;
}

int manage_advice_new(Pool *pool, const Zone *zone, void (*head)(Advice *a, void *userdata), void *userdata,
                      Advice **ret) {
        Advice *a;

        a = calloc(1, sizeof(Advice));
        if (!a)
                return -ENOMEM;
        a->pool = pool;
        a->zone = zone;
        a->head = head;
        a->userdata = userdata;
        a->keys_serial = pool_keys_serial(pool);
        pool_survey_begin(&a->survey, pool);
        *ret = a;
        return 0;
}

/* What follows the last key of each stage. */
static void stage_end(Advice *a) {
        a->next_key = 0;
        if (a->stage == ADVICE_SURVEY) {
                a->head(a, a->userdata);
                pool_survey_each_model(&a->survey, a->now, advise_model, a);
                pool_each_warning(a->pool, a->now, advise_warning, a);
                advise_rest(a, a->n_warnings, "quotas run low");
        } else if (a->stage == ADVICE_KEYS) {
                advise_keys_end(a);
                advise_setup(a);
        } else {
                advise_setup_end(a);
                if (a->n == 0)
                        say(a, "Nothing needs doing: all %zu keys can serve.", a->n_enabled);
        }
}

int manage_advice_step(Advice *a, JWriter *w, usec_t now) {
        size_t n_keys = pool_n_keys(a->pool), n = 0;

        if (a->keys_serial != pool_keys_serial(a->pool))
                return -ESTALE;
        a->w = w;
        a->now = now;
        for (; n < STATS_SLICE_ROWS && a->next_key < n_keys; a->next_key++) {
                const PoolKey *k = pool_key(a->pool, a->next_key);

                n += 1 + a->survey.n / STATS_MODELS_PER_ROW;
                if (a->stage == ADVICE_SURVEY)
                        pool_survey_key(&a->survey, k, now);
                else if (a->stage == ADVICE_KEYS)
                        advise_key(a, k);
                else
                        advise_shared(a, k);
        }
        if (a->next_key < n_keys)
                return 1;
        stage_end(a);
        return a->stage++ < ADVICE_SHARED;
}

void manage_advice_each_model(Advice *a, void (*f)(const PoolModelView *v, void *userdata), void *userdata) {
        pool_survey_each_model(&a->survey, a->now, f, userdata);
}
