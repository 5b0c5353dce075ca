/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "pool-keys.h"
#include "room-plain.h"
#include "walk.h"

/*
 * A random walk of a million steps through ceilings, quotas that are refused and probed, projects that are
 * learned, an alias that turns out to share a quota with its target, clocks that are set forward and back,
 * days of 23 or 25 hours, and reloads that add, remove, rename, move and disable keys and set other
 * ceilings. Beside it run the same rules, written as plainly as possible (room-plain.c). test-pool-walk
 * checks which key is picked; here a picked key must have been allowed, and if none is picked none may be
 * allowed.
 */

#define START (1792998000 * USEC_PER_SEC) /* 2026-10-26, in Los Angeles; in six days it has 25 hours */

/* The evenings before a night in which the clocks are changed, and one before which nothing is. */
static const usec_t evenings[] = {
        1793506800 * USEC_PER_SEC, /* 2026-10-31 */
        1805004000 * USEC_PER_SEC, /* 2027-03-13 */
        1795413600 * USEC_PER_SEC, /* 2026-11-22 */
        1824955200 * USEC_PER_SEC, /* 2027-10-31, a week before */
};

static char target[] = "target", other[] = "other", red[] = "red", learned[] = "projects/0";
static const CeilingRow first_rows[] = {
        { target, NULL, { [CEILING_RPM] = 6, [CEILING_TPM] = 3000, [CEILING_RPD] = 300 } },
        { other, red, { [CEILING_RPM] = 4 } },
};
static const CeilingRow more_rows[] = {
        { target, NULL, { [CEILING_RPM] = 20, [CEILING_RPD] = 900 } },
        { target, red, { [CEILING_RPM] = CEILING_NONE, [CEILING_TPM] = 5000 } },
        { other, NULL, { [CEILING_TPM] = 9000 } },
        { other, learned, { [CEILING_RPD] = 200 } },
};
static const CeilingRow fewer_rows[] = {
        { other, NULL, { [CEILING_RPM] = 3 } },
};
static const struct {
        const CeilingRow *rows;
        size_t n;
} limits[] = {
        { first_rows, ELEMENTSOF(first_rows) },
        { more_rows, ELEMENTSOF(more_rows) },
        { fewer_rows, ELEMENTSOF(fewer_rows) },
        { NULL, 0 },
};
#define LIMITS_N ELEMENTSOF(limits)
static Zone *zone;

typedef struct Room {
        RoomPlain plain;
        usec_t clock;
        uint64_t random, last, step;
        bool changing;
        size_t former, limiting; /* of `limits`: in force; being put in force, or LIMITS_N */
        Secret *secrets[ROOM_KEYS];
        Pool *pool;
        struct {
                Lease lease;
                RoomKey *key;
                unsigned model;
                uint64_t id;
        } out[ROOM_LEASES];
        unsigned n_out, n_picked, n_refused, n_probes, n_full, n_jumps, n_reloads, n_resets, n_moved, n_late,
                n_limited;
} Room;

static unsigned draw(Room *w, unsigned below) {
        w->random ^= w->random >> 12;
        w->random ^= w->random << 25;
        w->random ^= w->random >> 27;
        return (unsigned) ((w->random * 2685821657736338717ULL) >> 33) % below;
}

/* While a change of MODEL_LIMITS is carried out, a quota has the former ones or the new ones. */
static bool has_room(Room *w, RoomKey *k, const RoomQuota *q, unsigned m, uint64_t tokens, bool whole_slots,
                     bool for_sure) {
        RoomPlain *plain = &w->plain;
        bool after = room_has(plain, k, q, m, tokens, whole_slots), before;

        if (w->limiting == LIMITS_N)
                return after;
        plain->limits = limits[w->former].rows;
        plain->n_limits = limits[w->former].n;
        before = room_has(plain, k, q, m, tokens, whole_slots);
        plain->limits = limits[w->limiting].rows;
        plain->n_limits = limits[w->limiting].n;
        return for_sure ? before && after : before || after;
}

static void step_pick(Room *w) {
        uint64_t tokens = draw(w, 4) ? draw(w, 400) : draw(w, 3500);
        unsigned m = draw(w, ROOM_MODELS), n_enabled = 0;
        RoomPlain *plain = &w->plain;
        PoolRefusal refusal;
        RoomQuota *q;
        RoomKey *k;
        Lease lease;

        if (w->n_out == ROOM_LEASES)
                return;
        room_time(plain, w->clock);
        if (pool_pick_for(w->pool, &(PoolRequest){ .model = room_models[m], .tokens = tokens }, w->clock,
                          &lease, &refusal) != 0) {
                for (unsigned i = 0; i < plain->n_keys; i++) {
                        k = plain->keys[i];
                        q = room_quota(plain, k, m);
                        if (k->disabled)
                                continue;
                        n_enabled++;
                        if (!room_is_open(plain, q) && has_room(w, k, q, m, tokens, true, true))
                                fail_msg("step %llu: %s: nothing was picked, but key %u may go",
                                         (unsigned long long) w->step, room_models[m], i);
                        w->n_full += !room_is_open(plain, q);
                }
                assert_int_equal(refusal.is_quota, n_enabled > 0);
                assert_true(refusal.available_at > plain->now);
                w->n_refused++;
                return;
        }

        k = plain->keys[lease.key->index];
        q = room_quota(plain, k, m);
        assert_false(k->disabled);
        assert_false(room_is_open(plain, q));
        if (!has_room(w, k, q, m, tokens, true, false))
                fail_msg("step %llu: %s: key %u was picked, and is full", (unsigned long long) w->step,
                         room_models[m], k->index);
        assert_true(has_room(w, k, q, m, tokens, false, false)); /* the rolling minute itself */
        w->n_probes += q->until > 0;
        room_take(plain, k, m, tokens, ++w->last);
        w->out[w->n_out].lease = lease;
        w->out[w->n_out].key = k;
        w->out[w->n_out].model = m;
        w->out[w->n_out++].id = w->last;
        w->n_picked++;
}

static void step_report(Room *w) {
        static const VerdictClass classes[] = {
                VERDICT_OK, VERDICT_OK,          VERDICT_OK,     VERDICT_OK,  VERDICT_OK,
                VERDICT_OK, VERDICT_CLIENT_GONE, VERDICT_MINUTE, VERDICT_DAY,
        };
        const RoomGroup *before;
        Usage usage = {};
        RoomKey *k;
        unsigned i;
        Verdict v;

        if (w->n_out == 0)
                return;
        i = draw(w, w->n_out);
        k = w->out[i].key;
        verdict_init(&v, classes[draw(w, ELEMENTSOF(classes))], 0, NULL);
        if (draw(w, 2) == 0)
                usage.prompt = 1 + draw(w, 2000);
        if (v.class == VERDICT_MINUTE || v.class == VERDICT_DAY) {
                v.retry_after = draw(w, 3) * draw(w, 60) * USEC_PER_SEC;
                if (draw(w, 2) == 0)
                        v.ceilings[v.class == VERDICT_DAY ? CEILING_RPD : draw(w, 2)] = 3 + draw(w, 500);
                v.quota_value = 1; /* so nothing is guessed */
                /* The first part of the walk learns nothing. */
                if (w->last > 5000 && draw(w, 50) == 0)
                        (void) snprintf(v.consumer, sizeof(v.consumer), "projects/%u",
                                        w->changing ? draw(w, 2) : k->which % 2);
                if (w->last > 10000 && w->out[i].model == ALIAS && draw(w, 20) == 0)
                        (void) snprintf(v.model, sizeof(v.model), "target");
        }

        before = k->group;
        w->n_late += k->gone;
        room_time(&w->plain, w->clock);
        room_report(&w->plain, k, w->out[i].model, &v, usage.prompt, w->out[i].id);
        pool_report(w->pool, &w->out[i].lease, &v, &usage, w->clock);
        w->n_moved += k->used && k->group != before;
        w->out[i] = w->out[--w->n_out];
}

static void step_time(Room *w) {
        switch (draw(w, w->changing ? 2400 : 2000)) {
        case 0:
                w->clock += draw(w, 4 * 3600) * USEC_PER_SEC;
                break;
        case 1 ... 40:
                w->clock += draw(w, 120) * USEC_PER_SEC;
                break;
        case 2000 ... 2019: /* is waited out */
                w->clock -= draw(w, 59) * USEC_PER_SEC;
                break;
        case 2020 ... 2029:
                w->clock -= draw(w, 2 * 3600) * USEC_PER_SEC;
                w->n_jumps++;
                break;
        case 2030 ... 2033:
                w->clock -= draw(w, 3 * 86400) * USEC_PER_SEC;
                w->n_jumps++;
                break;
        case 2034 ... 2036:
                w->clock += draw(w, 3 * 86400) * USEC_PER_SEC;
                w->n_jumps++;
                break;
        case 2037 ... 2040:
                w->clock = evenings[draw(w, ELEMENTSOF(evenings))] + draw(w, 12 * 3600) * USEC_PER_SEC;
                w->n_jumps++;
                break;
        default:
                w->clock += draw(w, 3000) * USEC_PER_MSEC;
        }
}

/* A new order, some keys that were not there, some others gone, others in another project, under another
 * name. */
static void set_keys(Room *w) {
        unsigned n = 1 + draw(w, ROOM_KEYS), order[ROOM_KEYS];
        PoolKeyWanted wanted[ROOM_KEYS];
        RoomWanted plain[ROOM_KEYS];
        char names[ROOM_KEYS][16];
        PoolChange change;

        for (unsigned i = 0; i < ROOM_KEYS; i++)
                order[i] = i;
        for (unsigned i = 0; i < n; i++) {
                unsigned j = i + draw(w, ROOM_KEYS - i), t = order[i];

                order[i] = order[j];
                order[j] = t;
                /* Mostly none: what is learned counts then. */
                plain[i] = (RoomWanted){ order[i], draw(w, 3) ? NO_PROJECT : draw(w, LEARNED_1),
                                         draw(w, 12) == 0 };
                (void) snprintf(names[i], sizeof(names[i]), "%u-%u", order[i], draw(w, 3));
                wanted[i] = (PoolKeyWanted){
                        .secret = w->secrets[order[i]],
                        .name = draw(w, 4) ? NULL : names[i],
                        .project = plain[i].project < ROOM_PROJECTS ? room_projects[plain[i].project] : NULL,
                        .disabled = plain[i].disabled,
                };
        }
        room_set_keys(&w->plain, plain, n);
        assert_int_equal(pool_set_keys(w->pool, wanted, n, w->clock, &change), 0);
        assert_int_equal(pool_n_keys(w->pool), n);
}

static void step_limits(Room *w) {
        if (w->limiting == LIMITS_N || draw(w, 8) > 0)
                return;
        room_time(&w->plain, w->clock);
        if (pool_limits_step(w->pool, w->clock, 1 + draw(w, 4)))
                return;
        w->former = w->limiting;
        w->limiting = LIMITS_N;
        w->n_limited++;
}

static void set_limits(Room *w) {
        size_t i = draw(w, LIMITS_N);

        if (w->limiting != LIMITS_N)
                return;
        w->plain.limits = limits[i].rows;
        w->plain.n_limits = limits[i].n;
        if (draw(w, 2) == 0) {
                pool_set_limits(w->pool, limits[i].rows, limits[i].n, w->clock);
                w->former = i;
        } else {
                (void) pool_limits_begin(w->pool, limits[i].rows, limits[i].n, w->clock);
                w->limiting = i;
        }
}

/* As the daemon reloads: keys and ceilings in one turn, or what has changed of them. */
static void step_change(Room *w) {
        unsigned what = draw(w, 400);

        if (!w->changing || what > 4)
                return;
        if (what == 1 && w->limiting != LIMITS_N)
                return; /* the pool is not called, so its time stays */
        room_time(&w->plain, w->clock);
        if (what == 0) {
                room_reset(&w->plain);
                assert_in_range(pool_reset(w->pool, NULL, NULL, w->clock), 0, ROOM_KEYS * (ROOM_MODELS + 1));
                w->n_resets++;
                return;
        }
        if (what != 1)
                set_keys(w);
        if (what < 3)
                set_limits(w);
        w->n_reloads++;
}

static void begin(Room *w) {
        RoomWanted wanted[ROOM_KEYS];

        w->random = walk_seed(42);
        w->clock = w->plain.now = START;
        w->plain.zone = zone;
        assert_int_equal(pool_new(zone, START, &w->pool), 0);
        w->pool->n_moves_max = 1;
        for (unsigned k = 0; k < ROOM_KEYS; k++) {
                char text[] = "AIzaSyRoom-0123456789-?..?";

                text[22] = text[25] = (char) ('a' + k);
                assert_int_equal(secret_new(text, strlen(text), &w->secrets[k]), 0);
                assert_int_equal(pool_add_key(w->pool, w->secrets[k], NULL, k >= 6 ? "red" : NULL, false),
                                 0);
                wanted[k] = (RoomWanted){ k, k >= 6 ? RED : NO_PROJECT, false };
        }
        room_set_keys(&w->plain, wanted, ROOM_KEYS);
        /* Each key is asked for each model once, so that all there is is there. */
        for (unsigned m = 0; m < ROOM_MODELS; m++)
                for (unsigned k = 0; k < ROOM_KEYS; k++) {
                        Lease lease;
                        Verdict v;

                        verdict_init(&v, VERDICT_OK, 0, NULL);
                        assert_int_equal(pool_pick(w->pool, room_models[m], NULL, 0, w->clock, &lease, NULL),
                                         0);
                        room_take(&w->plain, w->plain.keys[lease.key->index], m, 0, ++w->last);
                        room_report(&w->plain, w->plain.keys[lease.key->index], m, &v, 0, w->last);
                        pool_report(w->pool, &lease, &v, NULL, w->clock);
                }
        w->plain.limits = first_rows;
        w->plain.n_limits = ELEMENTSOF(first_rows);
        w->limiting = LIMITS_N;
        pool_set_limits(w->pool, first_rows, ELEMENTSOF(first_rows), w->clock);
}

static void test_room(void **state) {
        static void (*const steps[])(Room *) = { step_pick, step_pick,   step_report, step_report,
                                                 step_time, step_change, step_limits };
        Room *w = calloc(1, sizeof(Room));
        unsigned n_steps = walk_steps(1000000);

        assert_non_null(w);
        begin(w);
        for (w->step = 0; w->step < n_steps; w->step++) {
                steps[draw(w, ELEMENTSOF(steps))](w);
                walk_same_time(w->step, w->plain.now, w->pool->day.now);
                /* First without reloads: projects and the alias are learned by keys that stay. */
                w->changing = w->changing || (w->plain.merged && w->last > 20000);
        }
        print_message("           %u picks, %u of them probes, %u refusals, %u times full\n", w->n_picked,
                      w->n_probes, w->n_refused, w->n_full);
        print_message("           %u jumps, %u reloads, %u resets, %u keys moved, %u reports of keys that "
                      "were gone\n",
                      w->n_jumps, w->n_reloads, w->n_resets, w->n_moved, w->n_late);
        assert_true(w->changing);
        assert_true(w->n_picked > 50000);
        assert_true(w->n_probes > 1000);
        assert_true(w->n_refused > 10000);
        assert_true(w->n_full > 10000);
        assert_true(w->n_jumps > 500);
        assert_true(w->n_reloads > 300);
        assert_true(w->n_resets > 50);
        assert_true(w->n_moved > 100);
        assert_true(w->n_late > 100);
        assert_true(w->n_limited > 50);
        while (w->n_out > 0)
                step_report(w);
        w->pool = pool_free(w->pool);
        for (unsigned k = 0; k < ROOM_KEYS; k++)
                w->secrets[k] = secret_unref(w->secrets[k]);
        free(w);
}

static int setup(void **state) {
        return zone_new("America/Los_Angeles", START, &zone);
}

static int teardown(void **state) {
        zone = zone_free(zone);
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_room),
        };

        return cmocka_run_group_tests_name("pool-room", tests, setup, teardown);
}
