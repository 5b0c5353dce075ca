/* SPDX-License-Identifier: MIT */

/*
 * What keeping costs: so many keys are used in each second, and what has changed is written as the daemon
 * writes it. Milliseconds of CPU a second, in the loop (rows are made) and in the thread (they are written).
 *
 *     bench-keep FILE [KEYS...]
 *
 * FILE is made, and overwritten.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "keys.h"
#include "pool/admin.h"
#include "pool/state/schema.h"
#include "daemon/state-format.h"
#include "io/store-sqlite.h"

#define NOON    (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)
#define SECONDS 20U

static void on_noted(bool urgent, void *userdata) {
}

static void on_done(const StoreReport *r, void *userdata) {
        if (r->error < 0) {
                fprintf(stderr, "bench-keep: %s\n", r->trouble);
                exit(EXIT_FAILURE);
        }
}

static double cpu(clockid_t clock) {
        struct timespec t;

        (void) clock_gettime(clock, &t);
        return (double) t.tv_sec * 1000 + (double) t.tv_nsec / 1e6;
}

static size_t flush(Pool *p, Store *s, Rows *rows) {
        size_t n = 0;

        for (int more = 1; more > 0;) {
                more = pool_save(p, true, rows);
                if (more < 0)
                        abort();
                n += rows->n;
                store_write(s, rows);
                store_wait(s);
                rows_clear(rows);
        }
        return n;
}

/* Each key once, for one of two models in turn. */
static void use_all(Pool *p, unsigned n, usec_t now) {
        Verdict ok;

        verdict_init(&ok, VERDICT_OK, 200, NULL);
        for (unsigned i = 0; i < n; i++) {
                const PoolRequest request = { .model = "gemini-flash-latest" };
                Lease lease;

                if (pool_pick_for(p, &request, now + i, &lease, NULL) != 0)
                        abort();
                pool_report(p, &lease, &ok, &(Usage){ .prompt = 1000 + i % 77, .completion = 200 }, now + i);
        }
}

static int bench(const Zone *zone, Loop *loop, const char *path, unsigned n_keys) {
        static const uint8_t secret[DIGEST_KEY_SIZE] = "not random, but as good here";
        _cleanup_(store_freep) Store *s = NULL;
        _cleanup_(pool_freep) Pool *p = NULL;
        Rows rows = ROWS_INIT(STATE_BATCH_MAX);
        double all = 0, mine = 0;
        PoolRestore *restore;
        size_t n = 0;
        int r;

        (void) unlink(path);
        r = pool_new(zone, NOON, &p);
        if (r >= 0)
                r = bench_set_keys(p, n_keys, NOON);
        if (r >= 0)
                r = store_sqlite_new(loop, path, &state_format, &s);
        if (r >= 0)
                r = store_start(s, &pool_schema, on_done, NULL);
        if (r < 0)
                return r;
        pool_keep(p, on_noted, NULL);
        r = pool_restore_begin(p, NOON, &restore); /* the file is new */
        if (r < 0)
                return r;
        (void) pool_restore_end(restore);
        r = pool_set_state_secret(p, secret);
        if (r < 0)
                return r;

        for (unsigned second = 0; second < SECONDS + 2; second++) {
                double before, mine_before;

                use_all(p, n_keys, NOON + second * USEC_PER_SEC);
                if (second < 2) { /* everything is made */
                        (void) flush(p, s, &rows);
                        continue;
                }
                before = cpu(CLOCK_PROCESS_CPUTIME_ID);
                mine_before = cpu(CLOCK_THREAD_CPUTIME_ID);
                n += flush(p, s, &rows);
                all += cpu(CLOCK_PROCESS_CPUTIME_ID) - before;
                mine += cpu(CLOCK_THREAD_CPUTIME_ID) - mine_before;
        }
        printf("%8u %10zu %10.3f %10.3f\n", n_keys, n / SECONDS, mine / SECONDS, (all - mine) / SECONDS);
        rows_done(&rows);
        pool_keep(p, NULL, NULL);
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_(zone_freep) Zone *zone = NULL;
        static const unsigned usual[] = { 10, 100, 1000, 10000 };
        Loop *loop = NULL;
        int r;

        if (argc < 2) {
                fprintf(stderr, "bench-keep FILE [KEYS...]\n");
                return 64;
        }
        r = zone_new("America/Los_Angeles", NOON, &zone);
        if (r >= 0)
                r = loop_new(&loop);
        printf("%8s %10s %10s %10s  ms of CPU a second\n", "keys", "rows", "loop", "thread");
        for (int i = 2; r >= 0 && i < argc; i++) {
                unsigned n;

                r = text_parse_uint(argv[i], &n);
                if (r >= 0)
                        r = bench(zone, loop, argv[1], n);
        }
        for (size_t i = 0; argc == 2 && r >= 0 && i < ELEMENTSOF(usual); i++)
                r = bench(zone, loop, argv[1], usual[i]);
        (void) loop_free(loop);
        if (r < 0)
                fprintf(stderr, "bench-keep: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
