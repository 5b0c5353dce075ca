/* SPDX-License-Identifier: MIT */
#include "room-plain.h"

#include "base/text.h"
#include "core/cooldown.h"

const char *const room_models[ROOM_MODELS] = { "alias", "target", "other" };
const char *const room_projects[ROOM_PROJECTS] = { "red", "green", "projects/0", "projects/1" };

static usec_t today(const RoomPlain *w) {
        return zone_day_start(w->zone, w->now);
}

static void quota_clear(RoomQuota *q) {
        memset(q, 0, offsetof(RoomQuota, takes));
}

/* --- time --- */

/* After a jump back everything stays, only earlier. A request from an unknown time is in no minute, and its
 * outcome is not counted. */
static void quota_shift(RoomQuota *q, usec_t back, bool other_day) {
        if (q->until > 0)
                q->until = MAX(usec_sub(q->until, back), (usec_t) 1);
        q->since = usec_sub(q->since, back);
        q->passes = usec_sub(q->passes, back);
        for (unsigned i = 0; i < _CEILING_MAX; i++)
                q->learned_at[i] = usec_sub(q->learned_at[i], back);
        for (unsigned i = 0; i < q->n; i++) {
                q->takes[i].in_minute = false;
                q->takes[i].id = 0;
                if (other_day)
                        q->takes[i].day = 0;
        }
}

static void group_shift(RoomGroup *g, usec_t back, bool other_day) {
        for (unsigned m = 0; m < ROOM_MODELS; m++)
                quota_shift(g->quotas + m, back, other_day);
}

/* A probe that has not been refused for two seconds has passed. */
static void group_pass(RoomGroup *g, usec_t now) {
        for (unsigned m = 0; m < ROOM_MODELS; m++) {
                RoomQuota *q = g->quotas + m;

                if (q->probe != 0 && q->passes > 0 && q->passes <= now)
                        q->until = q->probe = q->n_probes = 0;
        }
}

static void jump(RoomPlain *w, usec_t back, usec_t day) {
        for (unsigned i = 0; i < ROOM_LIVES; i++)
                group_shift(&w->lives[i].own, back, today(w) != day);
        for (unsigned i = 0; i < ROOM_PROJECTS; i++)
                group_shift(w->projects + i, back, today(w) != day);
}

void room_time(RoomPlain *w, usec_t now) {
        usec_t back = usec_sub(w->now, now), day = today(w);

        if (back == 0 || back >= USEC_PER_MINUTE)
                w->now = now;
        if (back >= USEC_PER_MINUTE)
                jump(w, back, day);
        for (unsigned i = 0; i < ROOM_LIVES; i++)
                group_pass(&w->lives[i].own, w->now);
        for (unsigned i = 0; i < ROOM_PROJECTS; i++)
                group_pass(w->projects + i, w->now);
}

/* --- ceilings --- */

static unsigned counted_as(const RoomPlain *w, unsigned model) {
        return w->merged && model == ALIAS ? TARGET : model;
}

RoomQuota *room_quota(RoomPlain *w, RoomKey *k, unsigned model) {
        return &k->group->quotas[counted_as(w, model)];
}

static const char *project_name(const RoomPlain *w, const RoomKey *k) {
        return k->group == &k->own ? NULL : room_projects[k->group - w->projects];
}

/* The project's row, number by number, before the model's. */
static uint64_t told(const RoomPlain *w, const RoomKey *k, unsigned model, CeilingKind kind) {
        uint64_t of_model = 0, of_project = 0;

        for (size_t i = 0; i < w->n_limits; i++) {
                const CeilingRow *row = w->limits + i;

                if (!streq(row->model, room_models[counted_as(w, model)]))
                        continue;
                if (!row->project)
                        of_model = row->value[kind];
                else if (streq_ptr(row->project, project_name(w, k)))
                        of_project = row->value[kind];
        }
        of_project = of_project ?: of_model;
        return of_project == CEILING_NONE ? 0 : of_project;
}

static uint64_t rule(const RoomPlain *w, const RoomKey *k, const RoomQuota *q, unsigned model,
                     CeilingKind kind) {
        uint64_t value = told(w, k, model, kind);

        if (value > 0)
                return value;
        if (q->learned[kind] > 0 && q->until == 0 && w->now < q->learned_at[kind] + USEC_PER_DAY)
                return q->learned[kind];
        return UINT64_MAX;
}

static uint64_t count_today(const RoomPlain *w, const RoomQuota *q) {
        usec_t day = today(w);
        uint64_t n = 0;

        for (unsigned i = 0; i < q->n; i++)
                n += q->takes[i].day == day && !q->takes[i].refused;
        return n;
}

bool room_has(const RoomPlain *w, const RoomKey *k, const RoomQuota *q, unsigned model, uint64_t tokens,
              bool whole_slots) {
        uint64_t requests = 0, sum = 0, tpm = rule(w, k, q, model, CEILING_TPM);

        for (unsigned i = 0; i < q->n; i++) {
                const RoomTake *t = q->takes + i;

                if (!t->in_minute ||
                    (whole_slots ? t->at / CEILING_SLOT + CEILING_SLOTS <= w->now / CEILING_SLOT
                                 : t->at + USEC_PER_MINUTE <= w->now))
                        continue;
                requests++;
                sum += t->tokens;
        }
        return requests < rule(w, k, q, model, CEILING_RPM) &&
               (sum == 0 || (sum < tpm && tokens <= tpm - sum)) &&
               count_today(w, q) < rule(w, k, q, model, CEILING_RPD);
}

bool room_is_open(const RoomPlain *w, const RoomQuota *q) {
        unsigned width = 1;

        if (q->until == 0 || q->probe == 0)
                return w->now < q->until;
        if (q->slow && q->passes > 0) /* four, and twice as many with each half second */
                width = 4U << (w->now + 2 * USEC_PER_SEC - q->passes) / (USEC_PER_SEC / 2);
        return q->n_probes >= width;
}

/* --- a request --- */

/* What is too old for every rule is forgotten, so that the walk stays fast. */
static void prune(const RoomPlain *w, RoomQuota *q) {
        usec_t day = today(w);
        unsigned n = 0;

        if (q->n < ROOM_TAKES / 2)
                return;
        for (unsigned i = 0; i < q->n; i++)
                if (q->takes[i].day == day ||
                    (q->takes[i].in_minute && q->takes[i].at + 2 * USEC_PER_MINUTE > w->now))
                        q->takes[n++] = q->takes[i];
        q->n = n;
        assert_true(n < ROOM_TAKES);
}

void room_take(RoomPlain *w, RoomKey *k, unsigned model, uint64_t tokens, uint64_t id) {
        RoomQuota *q = room_quota(w, k, model);

        if (q->until > 0 && q->probe == 0) {
                q->probe = id;
                q->passes = q->daily ? 0 : w->now + 2 * USEC_PER_SEC;
        }
        q->n_probes += q->until > 0;
        prune(w, q);
        q->takes[q->n++] = (RoomTake){ w->now, today(w), id, tokens, false, true };
        k->n_out++;
}

/* Merges two quotas into the second, because Google counts them as one. Where both have a value, the
 * second's is kept. */
static void take_cooldown(RoomQuota *to, const RoomQuota *from) {
        if (to->until > 0 || from->until == 0)
                return;
        to->until = from->until;
        to->since = from->since;
        to->strikes = from->strikes;
        to->slow = from->slow;
        to->daily = from->daily;
        to->probe = to->n_probes = 0;
}

static void merge(const RoomPlain *w, RoomQuota *to, RoomQuota *from) {
        take_cooldown(to, from);
        prune(w, to);
        for (unsigned i = 0; i < from->n; i++) {
                assert_true(to->n < ROOM_TAKES);
                to->takes[to->n++] = from->takes[i];
        }
        for (unsigned i = 0; i < _CEILING_MAX; i++)
                if (from->learned_at[i] > to->learned_at[i]) {
                        to->learned[i] = from->learned[i];
                        to->learned_at[i] = from->learned_at[i];
                }
        quota_clear(from);
}

static void judge(const RoomPlain *w, RoomQuota *q, const RoomKey *k, const Verdict *v, uint64_t id) {
        bool probe = q->probe != 0 && id >= q->probe;
        usec_t midnight = zone_next_midnight(w->zone, w->now);

        if (v->class == VERDICT_OK) {
                if (probe)
                        q->until = q->since = q->probe = q->n_probes = q->strikes = 0;
                else if (q->until == 0)
                        q->strikes = 0;
        } else if (v->class == VERDICT_DAY || v->class == VERDICT_MINUTE) {
                if (!probe && q->until > 0) { /* the later end holds, without a strike */
                        if (q->probe != 0)
                                return;
                        q->until = MAX(q->until, cooldown_until(v->class, q->strikes - 1, v->retry_after,
                                                                w->now, midnight, k->index));
                        q->daily = q->daily || v->class == VERDICT_DAY;
                        q->slow = q->slow && !q->daily;
                        return;
                }
                if (q->since < today(w))
                        q->strikes = 0;
                q->until = cooldown_until(v->class, q->strikes++, v->retry_after, w->now, midnight,
                                          k->index);
                q->since = w->now;
                q->probe = q->n_probes = 0;
                q->daily = v->class == VERDICT_DAY;
                q->slow = !q->daily && v->retry_after > 0 && q->strikes == 1;
        } else if (probe && --q->n_probes == 0)
                q->probe = 0;
}

/* `take` NULL: the request is in no count any more, and proves nothing. */
static void learn(const RoomPlain *w, RoomQuota *q, const Verdict *v, const RoomTake *take) {
        usec_t said = q->learned_at[CEILING_RPD];

        for (unsigned i = 0; i < _CEILING_MAX; i++)
                if (v->ceilings[i] > 0) {
                        q->learned[i] = v->ceilings[i];
                        q->learned_at[i] = w->now;
                }
        if (v->class == VERDICT_OK &&
            (count_today(w, q) > q->learned[CEILING_RPD] || (take && said >= today(w) && take->at > said)))
                q->learned[CEILING_RPD] = 0;
}

static void settle(const RoomPlain *w, RoomTake *t, const Verdict *v, uint64_t prompt) {
        t->refused = v->class == VERDICT_MINUTE || v->class == VERDICT_DAY;
        /* Beyond its minute the size of a request is forgotten. */
        if (t->at / CEILING_SLOT + CEILING_SLOTS <= w->now / CEILING_SLOT)
                return;
        if (t->refused)
                t->tokens = 0;
        else if (prompt > 0)
                t->tokens = prompt;
}

/* --- keys --- */

static void group_leave(RoomGroup *g) {
        if (--g->n_keys > 0)
                return;
        for (unsigned m = 0; m < ROOM_MODELS; m++)
                quota_clear(g->quotas + m);
}

/* `to` has counted it already. The key takes no probe along from the project that it leaves, but it brings
 * a quota that was only its own, and a new project begins with the cooldowns of the former one. */
static void move(RoomPlain *w, RoomKey *k, RoomGroup *to) {
        RoomGroup *from = k->group;

        for (unsigned m = 0; m < ROOM_MODELS; m++)
                from->quotas[m].probe = from->quotas[m].n_probes = 0;
        for (unsigned m = 0; m < ROOM_MODELS; m++)
                if (from == &k->own)
                        merge(w, to->quotas + m, from->quotas + m);
                else if (to->fresh)
                        take_cooldown(to->quotas + m, from->quotas + m);
        k->group = to;
        group_leave(from);
}

static void let_go(RoomKey *k) {
        if (!k->gone || k->n_out > 0)
                return;
        group_leave(k->group);
        k->used = k->gone = false;
}

static RoomGroup *group_of(RoomPlain *w, RoomKey *k, unsigned project) {
        return project < ROOM_PROJECTS ? w->projects + project : &k->own;
}

static void learn_project(RoomPlain *w, RoomKey *k, const char *name) {
        unsigned project = 0;

        while (!streq(room_projects[project], name))
                project++;
        if (k->gone || k->learned == project)
                return;
        k->learned = project;
        if (k->placed != NO_PROJECT || k->group == w->projects + project)
                return;
        w->projects[project].fresh = false;
        w->projects[project].n_keys++;
        move(w, k, w->projects + project);
}

void room_report(RoomPlain *w, RoomKey *k, unsigned model, const Verdict *v, uint64_t prompt, uint64_t id) {
        RoomQuota *q = room_quota(w, k, model);
        RoomTake *take = NULL;

        judge(w, q, k, v, id);
        if (v->model[0] && !w->merged) {
                for (unsigned i = 0; i < ROOM_LIVES; i++)
                        merge(w, &w->lives[i].own.quotas[TARGET], &w->lives[i].own.quotas[ALIAS]);
                for (unsigned i = 0; i < ROOM_PROJECTS; i++)
                        merge(w, &w->projects[i].quotas[TARGET], &w->projects[i].quotas[ALIAS]);
                w->merged = true;
                q = room_quota(w, k, model);
        }
        for (unsigned i = 0; i < q->n; i++)
                if (q->takes[i].id == id)
                        take = q->takes + i;
        learn(w, q, v, take);
        if (take)
                settle(w, take, v, prompt);
        if (v->consumer[0])
                learn_project(w, k, v->consumer);
        k->n_out--;
        let_go(k);
}

void room_reset(RoomPlain *w) {
        for (unsigned i = 0; i < w->n_keys; i++)
                for (unsigned m = 0; m < ROOM_MODELS; m++)
                        quota_clear(w->keys[i]->group->quotas + m);
}

static RoomKey *find(RoomPlain *w, unsigned which) {
        for (unsigned i = 0; i < ROOM_LIVES; i++)
                if (w->lives[i].used && !w->lives[i].gone && w->lives[i].which == which)
                        return w->lives + i;
        return NULL;
}

static RoomKey *make(RoomPlain *w, const RoomWanted *wanted) {
        for (unsigned i = 0; i < ROOM_LIVES; i++) {
                RoomKey *k = w->lives + i;

                if (k->used)
                        continue;
                k->used = true;
                k->which = wanted->which;
                k->learned = NO_PROJECT;
                k->n_out = 0;
                k->group = group_of(w, k, wanted->project);
                k->group->n_keys++;
                return k;
        }
        fail_msg("too many lives");
        return NULL;
}

void room_set_keys(RoomPlain *w, const RoomWanted *wanted, unsigned n) {
        RoomKey *before[ROOM_KEYS], *after[ROOM_KEYS];
        RoomGroup *to[ROOM_KEYS];
        unsigned n_before = w->n_keys;

        memcpy(before, w->keys, sizeof(before));
        for (unsigned i = 0; i < ROOM_PROJECTS; i++)
                w->projects[i].fresh = w->projects[i].n_keys == 0;
        for (unsigned i = 0; i < ROOM_LIVES; i++)
                w->lives[i].own.fresh = w->lives[i].own.n_keys == 0;
        /* A project that one key joins while another one leaves is not forgotten. */
        for (unsigned i = 0; i < n; i++) {
                unsigned project = wanted[i].project;

                after[i] = find(w, wanted[i].which) ?: make(w, wanted + i);
                if (project == NO_PROJECT)
                        project = after[i]->learned;
                to[i] = group_of(w, after[i], project);
                if (after[i]->group != to[i])
                        to[i]->n_keys++;
                after[i]->placed = wanted[i].project;
                after[i]->disabled = wanted[i].disabled;
                after[i]->index = i;
        }
        for (unsigned i = 0; i < n; i++)
                if (after[i]->group != to[i])
                        move(w, after[i], to[i]);
        for (unsigned i = 0; i < n_before; i++) {
                bool stays = false;

                for (unsigned j = 0; j < n; j++)
                        stays = stays || after[j] == before[i];
                if (stays)
                        continue;
                before[i]->gone = true;
                let_go(before[i]);
        }
        memcpy(w->keys, after, n * sizeof(RoomKey *));
        w->n_keys = n;
}
