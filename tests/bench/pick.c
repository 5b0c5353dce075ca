/* SPDX-License-Identifier: MIT */

/*
 * What a pick costs, by the number of keys: nanoseconds, the best of a few rounds.
 *
 *     bench-pick [KEYS...]
 *
 *   first    a key's first request for a model, which makes its slot
 *   pick     a key that was used before
 *   cycle    a pick and the report of its success
 *   refused  nothing is usable, and the answer why
 *
 * The rows with a + know ceilings of each quota, and count what is used of them.
 */
#include <stdio.h>

#include "base/text.h"
#include "keys.h"
#include "pool/admin.h"

#define NOON    (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)
#define ROUNDS  5U
#define BATCH   1000U /* requests under way together */
#define BATCHES 100U

static double best(double a, double b) {
        return a == 0 || b < a ? b : a;
}

/* `n` picks, timed one batch at a time; their reports are timed if `whole`. Nanoseconds a pick. */
static double run(Pool *p, size_t n, usec_t *now, bool whole) {
        static const PoolRequest request = { .model = "gemini-flash-latest", .tokens = 1000 };
        static Lease leases[BATCH];
        Verdict ok;
        usec_t spent = 0, t;

        verdict_init(&ok, VERDICT_OK, 200, NULL);
        for (size_t done = 0; done < n;) {
                size_t k = MIN(n - done, (size_t) BATCH);

                t = clock_monotonic();
                for (size_t i = 0; i < k; i++)
                        if (pool_pick_for(p, &request, (*now)++, leases + i, NULL) != 0)
                                abort();
                if (!whole)
                        spent += clock_monotonic() - t;
                for (size_t i = 0; i < k; i++)
                        pool_report(p, leases + i, &ok, NULL, *now);
                if (whole)
                        spent += clock_monotonic() - t;
                done += k;
        }
        return (double) spent * 1000 / (double) n;
}

static double run_refused(Pool *p, usec_t now) {
        static const PoolRequest request = { .model = "gemini-flash-latest" };
        usec_t t;

        for (Lease lease; pool_pick_for(p, &request, now, &lease, NULL) == 0;) {
                Verdict day;

                verdict_init(&day, VERDICT_DAY, 429, NULL);
                pool_report(p, &lease, &day, NULL, now);
        }
        t = clock_monotonic();
        for (size_t i = 0; i < BATCH * BATCHES; i++) {
                PoolRefusal refusal;
                Lease lease;

                /* 100 µs between them, so ten counts of all keys are in it. */
                if (pool_pick_for(p, &request, now + i * 100, &lease, &refusal) != POOL_E_EXHAUSTED)
                        abort();
        }
        return (double) (clock_monotonic() - t) * 1000 / (BATCH * BATCHES);
}

static int bench(const Zone *zone, unsigned n_keys, bool ceilings) {
        static char model[] = "gemini-flash-latest";
        static const CeilingRow rows[] = {
                { model,
                  NULL,
                  { [CEILING_RPM] = 1000000, [CEILING_TPM] = 1000000000, [CEILING_RPD] = 1000000 } },
        };
        double first = 0, pick = 0, cycle = 0, refused = 0;

        for (unsigned round = 0; round < ROUNDS; round++) {
                _cleanup_(pool_freep) Pool *p = NULL;
                usec_t now = NOON;
                int r;

                r = pool_new(zone, NOON, &p);
                if (r >= 0)
                        r = bench_set_keys(p, n_keys, NOON);
                if (r < 0)
                        return r;
                /* Far above what is asked for here, so that all that they cost is the counting. */
                if (ceilings)
                        pool_set_limits(p, rows, ELEMENTSOF(rows), NOON);

                first = best(first, run(p, n_keys, &now, false));
                pick = best(pick, run(p, BATCH * BATCHES, &now, false));
                cycle = best(cycle, run(p, BATCH * BATCHES, &now, true));
                refused = best(refused, run_refused(p, now));
        }
        printf("%8u%s %10.0f %10.0f %10.0f %10.0f\n", n_keys, ceilings ? "+" : " ", first, pick, cycle,
               refused);
        return 0;
}

static int bench_both(const Zone *zone, unsigned n_keys) {
        int r;

        r = bench(zone, n_keys, false);
        return r < 0 ? r : bench(zone, n_keys, true);
}

int main(int argc, char *argv[]) {
        _cleanup_(zone_freep) Zone *zone = NULL;
        static const unsigned usual[] = { 10, 1000, 100000 };
        int r;

        r = zone_new("America/Los_Angeles", NOON, &zone);
        printf("%8s  %10s %10s %10s %10s  ns\n", "keys", "first", "pick", "cycle", "refused");
        if (argc > 1)
                for (int i = 1; r >= 0 && i < argc; i++) {
                        unsigned n;

                        r = text_parse_uint(argv[i], &n);
                        if (r >= 0)
                                r = bench_both(zone, n);
                }
        else
                for (size_t i = 0; r >= 0 && i < ELEMENTSOF(usual); i++)
                        r = bench_both(zone, usual[i]);
        if (r < 0)
                fprintf(stderr, "bench-pick: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
