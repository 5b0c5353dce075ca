/* SPDX-License-Identifier: MIT */
#include "test-data.h"

#include "base/text.h"
#include "dialect/gemini/error.h"
#include "pool-keys.h"

/*
 * Days of refusals, second by second: Google's own bodies (tests/golden/errors) from a bucket that is spent
 * at times, with delays that are right or wrong. On ordinary days and on days when the clocks change.
 *
 *   - where the body's delay is right, the bucket serves again within a minute after it is free;
 *   - where it is wrong, at most twelve probes are wasted in a day, and the bucket serves again within a
 *     minute after the reset.
 */

#define BODY_MAX   (256U << 10)
#define PROBES_MAX 12U
#define PATIENCE   USEC_PER_MINUTE
#define PACE       (15 * USEC_PER_SEC) /* between requests: below the lowest ceiling that a body names */
#define EPISODES   8U

static Zone *zone;

static const char *const days[] = {
        "2026-11-25T00:00:00-08:00", "2026-11-01T00:00:00-07:00", /* 25 hours */
        "2027-03-14T00:00:00-08:00",                              /* 23 hours */
};

static usec_t day_start(const char *text) {
        struct tm tm = {};
        int hours;

        assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
        assert_int_equal(sscanf(text + 19, "%d", &hours), 1);
        return (usec_t) (timegm(&tm) - hours * 3600) * USEC_PER_SEC;
}

static void classify(const char *name, Verdict *ret) {
        _cleanup_buf_ Buf body = BUF_INIT(BODY_MAX);
        char path[256];

        (void) snprintf(path, sizeof(path), "golden/errors/%s.json", name);
        assert_true(test_read(path, &body));
        gemini_error_classify(startswith(name, "billing-prepay") && !strstr(name, "429") ? 402 : 429,
                              buf_data(&body), body.n, NULL, ret);
}

/* When the bucket is spent, and its answer then. */
typedef struct Episode {
        usec_t from, until;
        const char *bodies[3]; /* in turn; NULL behind the last */
        bool lies;             /* keeps to the delay that the body has, not to what is left */
        usec_t said;           /* a delay in the place of the body's; 0: its own */
} Episode;

typedef struct Seen {
        unsigned refused;  /* in this episode */
        usec_t served_at;  /* the first that was served after it */
        usec_t idle_until; /* the pool would have let one go */
} Seen;

static Pool *pool_of(unsigned n_keys, usec_t now) {
        Pool *p;

        assert_int_equal(pool_new(zone, now, &p), 0);
        for (unsigned i = 0; i < n_keys; i++) {
                char text[] = "AIzaSyDay-0123456789-?..?";
                Secret *s;

                text[21] = text[24] = (char) ('a' + i);
                assert_int_equal(secret_new(text, strlen(text), &s), 0);
                assert_int_equal(pool_add_key(p, s, NULL, "one-project", false), 0);
                s = secret_unref(s);
        }
        return p;
}

/* A client that always has a request, and sends it as often as the pool allows. */
static void run(unsigned n_keys, usec_t from, usec_t until, const Episode *episodes, size_t n, Seen *seen) {
        _cleanup_(pool_freep) Pool *p = pool_of(n_keys, from);
        usec_t next = from;
        size_t at = 0;

        memset(seen, 0, n * sizeof(*seen));
        for (usec_t now = from; now < until; now += USEC_PER_SEC) {
                const Episode *e = NULL;
                Lease lease;
                Verdict v;

                if (now < next ||
                    pool_pick_for(p, &(PoolRequest){ .model = "m", .tokens = 100 }, now, &lease, NULL) != 0)
                        continue;
                while (at + 1 < n && episodes[at + 1].from <= now)
                        at++;
                for (size_t i = 0; i <= at; i++)
                        if (episodes[i].from <= now && now < episodes[i].until)
                                e = episodes + i;
                if (!e) {
                        for (size_t i = 0; i <= at; i++)
                                if (episodes[i].until <= now && seen[i].served_at == 0)
                                        seen[i].served_at = now;
                        verdict_init(&v, VERDICT_OK, 200, NULL);
                        next = now + PACE;
                } else {
                        Seen *s = seen + (e - episodes);
                        size_t n_bodies = 1;

                        while (n_bodies < ELEMENTSOF(e->bodies) && e->bodies[n_bodies])
                                n_bodies++;
                        classify(e->bodies[s->refused++ % n_bodies], &v);
                        if (e->said > 0)
                                v.retry_after = e->said;
                        if (!e->lies)
                                v.retry_after = e->until - now;
                }
                pool_report(p, &lease, &v, &(Usage){ .prompt = 100 }, now);
        }
}

static void fail_at(const char *what, const char *day, const Episode *e, const Seen *s, unsigned n_keys) {
        fail_msg("%s: %s, %u keys, %s, %llu s long: %u refused, served %lld s after it", what, day, n_keys,
                 e->bodies[0], (unsigned long long) (e->until - e->from) / USEC_PER_SEC, s->refused,
                 (long long) (s->served_at - e->until) / (long long) USEC_PER_SEC);
}

/* Spent from the day's first hour to its end, while the answers always ask for the same. */
static void test_lies(void **state) {
        static const struct {
                const char *bodies[3];
                const char *said; /* "0": what the body has */
        } rows[] = {
                { { "day-free" }, "0" },
                { { "day-paid" }, "0" },
                { { "day-free" }, "1s" },
                { { "day-free" }, "9h" },
                { { "day-tokens" }, "0" },
                { { "limit-zero" }, "0" },
                { { "limit-zero-value" }, "0" },
                { { "minute-requests" }, "0" },
                { { "minute-requests-free" }, "7s" },
                { { "minute-tokens-free" }, "0" },
                { { "mixed-day-minute-tokens" }, "0" },
                { { "rate-only-delay" }, "0" },
                { { "rate-unknown" }, "0" },
                { { "billing-spend-cap" }, "0" },
                { { "billing-prepay" }, "0" },
                { { "billing-prepay-429" }, "0" },
                { { "day-free", "rate-unknown", "minute-requests" }, "0" },
                { { "rate-unknown", "minute-requests-free" }, "0" },
                { { "billing-spend-cap", "day-free" }, "0" },
        };

        for (size_t d = 0; d < ELEMENTSOF(days); d++) {
                usec_t from = day_start(days[d]), reset = zone_next_midnight(zone, from);
                unsigned most = 0;
                usec_t longest = 0;

                for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                        for (unsigned n_keys = 1; n_keys <= 4; n_keys += 3) {
                                Episode e = {
                                        .from = from + USEC_PER_HOUR,
                                        .until = reset,
                                        .lies = true,
                                };
                                Seen seen;

                                memcpy(e.bodies, rows[i].bodies, sizeof(e.bodies));
                                assert_int_equal(duration_parse(rows[i].said, &e.said), 0);
                                run(n_keys, from, reset + USEC_PER_HOUR, &e, 1, &seen);
                                /* The first refusal of each key was no probe, if nothing shows that the
                                 * quota belongs to the project. */
                                if (seen.refused > 1 + PROBES_MAX)
                                        fail_at("too many probes", days[d], &e, &seen, n_keys);
                                if (seen.refused < 2)
                                        fail_at("no probes", days[d], &e, &seen, n_keys);
                                if (seen.served_at == 0 || seen.served_at > reset + PATIENCE)
                                        fail_at("idle past the reset", days[d], &e, &seen, n_keys);
                                most = MAX(most, seen.refused - 1);
                                longest = MAX(longest, seen.served_at - reset);
                        }
                print_message("           %.10s: at most %u probes were wasted, %u s idle after the reset\n",
                              days[d], most, (unsigned) (longest / USEC_PER_SEC));
        }
}

static unsigned draw(uint64_t *random, unsigned below) {
        *random ^= *random >> 12;
        *random ^= *random << 25;
        *random ^= *random >> 27;
        return (unsigned) ((*random * 2685821657736338717ULL) >> 33) % below;
}

/* A day of many episodes, short and long, each with another body and the true delay. */
static void test_truth(void **state) {
        static const char *const bodies[] = {
                "day-free",
                "day-paid",
                "day-tokens",
                "minute-requests",
                "minute-tokens-free",
                "limit-zero",
                "rate-only-delay",
                "mixed-day-minute-tokens",
                "minute-requests-free",
                "minute-tokens-paid",
        };
        static const unsigned spans[] = { 2, 7, 38, 61, 150, 1200, 3599, 3601, 7200, 4 * 3600 };

        for (size_t d = 0; d < ELEMENTSOF(days); d++) {
                usec_t from = day_start(days[d]), reset = zone_next_midnight(zone, from), longest = 0;
                uint64_t random = d + 1;
                unsigned most = 0, n_seen = 0;

                for (unsigned round = 0; round < 40; round++) {
                        Episode episodes[EPISODES] = {};
                        usec_t at = from + draw(&random, 3600) * USEC_PER_SEC;
                        Seen seen[EPISODES];
                        size_t n = 0;

                        while (n < EPISODES && at < reset - USEC_PER_MINUTE) {
                                Episode *e = episodes + n;

                                *e = (Episode){ .from = at,
                                                .bodies = { bodies[draw(&random, ELEMENTSOF(bodies))] } };
                                e->until = at + spans[draw(&random, ELEMENTSOF(spans))] * USEC_PER_SEC;
                                if (e->until >= reset)
                                        break;
                                at = e->until + (180 + draw(&random, 3600)) * USEC_PER_SEC;
                                n++;
                        }
                        run(1 + round % 2 * 3, from, reset + USEC_PER_HOUR, episodes, n, seen);
                        for (size_t i = 0; i < n; i++) {
                                if (seen[i].refused == 0)
                                        continue; /* no request came */
                                n_seen++;
                                if (seen[i].served_at == 0 ||
                                    seen[i].served_at > episodes[i].until + PATIENCE)
                                        fail_at("too long", days[d], episodes + i, seen + i, 0);
                                if (seen[i].refused > 3)
                                        fail_at("too many probes", days[d], episodes + i, seen + i, 0);
                                most = MAX(most, seen[i].refused - 1);
                                longest = MAX(longest, seen[i].served_at - episodes[i].until);
                        }
                }
                print_message("           %.10s: %u times spent, at most %u probes, %u s idle\n", days[d],
                              n_seen, most, (unsigned) (longest / USEC_PER_SEC));
                assert_true(n_seen > 100);
        }
}

/* A true delay of nine hours is believed the second time. */
static void test_nine_hours(void **state) {
        usec_t from = day_start(days[0]);
        Episode e = { .from = from + USEC_PER_HOUR,
                      .until = from + 10 * USEC_PER_HOUR,
                      .bodies = { "day-free" } };
        Seen seen;

        run(1, from, from + 12 * USEC_PER_HOUR, &e, 1, &seen);
        assert_int_equal(seen.refused, 2);
        assert_in_range(seen.served_at, e.until, e.until + USEC_PER_SEC);
}

static int setup(void **state) {
        return zone_new("America/Los_Angeles", day_start(days[0]), &zone);
}

static int teardown(void **state) {
        zone = zone_free(zone);
        return 0;
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lies),
                cmocka_unit_test(test_truth),
                cmocka_unit_test(test_nine_hours),
        };

        return cmocka_run_group_tests_name("quota-day", tests, setup, teardown);
}
