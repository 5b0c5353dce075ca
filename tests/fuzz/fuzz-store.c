/* SPDX-License-Identifier: MIT */

/*
 * A file of any bytes, where the state is to be: opened, read into a pool, and written to. Whatever it
 * holds, the store has a file that works when it was opened, and the pool still keeps its promises: numbers
 * that are numbers, and no key that is locked for longer than the pool itself would lock it.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "pool/internal.h"
#include "daemon/state-format.h"

#define NOON (1795334400 * USEC_PER_SEC + 12 * USEC_PER_HOUR)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[64], path[96];
static Zone *zone;

static void check(bool good) {
        if (!good)
                abort();
}

static void empty(void) {
        DIR *d = opendir(directory);
        struct dirent *e;

        check(d);
        while ((e = readdir(d))) {
                char name[512];

                (void) snprintf(name, sizeof(name), "%s/%s", directory, e->d_name);
                if (e->d_name[0] != '.')
                        (void) unlink(name);
        }
        (void) closedir(d);
}

static void leave(void) {
        empty();
        (void) rmdir(directory);
        zone = zone_free(zone);
}

static void set_up(void) {
        if (zone)
                return;
        check(zone_new("America/Los_Angeles", NOON, &zone) == 0);
        /* Nothing of it needs a disk. */
        (void) snprintf(directory, sizeof(directory), "%s/fuzz-store-XXXXXX",
                        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        check(mkdtemp(directory));
        (void) snprintf(path, sizeof(path), "%s/state.db", directory);
        check(atexit(leave) == 0);
}

static void put_file(const uint8_t *data, size_t size) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        check(fd >= 0 && write(fd, data, size) == (ssize_t) size);
        (void) close(fd);
}

static void set_keys(Pool *p) {
        PoolKeyWanted keys[2] = { [1].project = "p" };
        PoolChange change;

        check(secret_new("AIzaSyKeyNumberOne-0001", 23, &keys[0].secret) == 0);
        check(secret_new("AIzaSyKeyNumberTwo-0002", 23, &keys[1].secret) == 0);
        check(pool_set_keys(p, keys, ELEMENTSOF(keys), NOON, &change) == 0);
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                (void) secret_unref(keys[i].secret);
}

static int on_row(unsigned table, const RowValue *values, unsigned n, void *userdata) {
        return pool_restore_row(userdata, (PoolTable) table, values, n);
}

static void ignore(bool urgent, void *userdata) {
}

static void check_slot(const PoolSlotView *v, void *userdata) {
        check(v->available_at == USEC_INFINITY || v->available_at <= NOON + 3 * USEC_PER_DAY);
        check(v->counters.today <= v->counters.total && v->counters.last_used <= NOON + USEC_PER_SEC);
        check(strlen(v->model) <= MODEL_NAME_MAX);
}

static void check_day(const DayRow *row, void *userdata) {
        check(row->date <= 20261122);
}

/* The keys are those of the corpus. */
static void use(Pool *p, Rows *rows) {
        static const uint8_t secret[DIGEST_KEY_SIZE] = "only if the file has none";
        static const PoolRequest request = { .model = "gemini-3.8-flash" };
        PoolRefusal refusal;
        Lease lease;
        Verdict v;

        check(pool_set_state_secret(p, secret) == 0);
        for (size_t i = 0; i < pool_n_keys(p); i++)
                pool_each_slot(p, pool_key(p, i), NOON, check_slot, NULL);
        pool_each_day(p, 4000, NOON, check_day, NULL);
        if (pool_pick_for(p, &request, NOON, &lease, &refusal) == 0) {
                verdict_init(&v, VERDICT_DAY, 429, NULL);
                pool_report(p, &lease, &v, NULL, NOON);
        }
        (void) pool_reset(p, NULL, NULL, NOON);
        check(pool_pick_for(p, &request, NOON, &lease, &refusal) == 0);
        verdict_init(&v, VERDICT_OK, 200, NULL);
        pool_report(p, &lease, &v, NULL, NOON);
        check(pool_save(p, true, rows) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(pool_freep) Pool *p = NULL;
        Rows rows = ROWS_INIT(4U << 20);
        SqliteReport report = {};
        PoolRestore *restore;
        SqliteFile *f;
        int r;

        set_up();
        put_file(data, size);
        check(pool_new(zone, NOON, &p) == 0);
        set_keys(p);
        pool_keep(p, ignore, NULL);

        check(sqlite_file_open(path, &state_format, &pool_schema, &f, &report) == 0);
        check(pool_restore_begin(p, NOON, &restore) == 0);
        r = sqlite_file_read(path, &pool_schema, on_row, restore, &report);
        check(r == 0 || r == -EUCLEAN || r == -EPROTO || r == -ENOMEM);
        (void) pool_restore_end(restore);
        use(p, &rows);

        if (r == 0)
                r = sqlite_file_write(f, &rows, &report);
        if (r < 0) {
                check(sqlite_file_set_aside(f, &report) == 0);
                check(sqlite_file_open(path, &state_format, &pool_schema, &f, &report) == 0);
                check(report.is_new);
                check(sqlite_file_write(f, &rows, &report) == 0);
        }
        (void) sqlite_file_close(f);
        rows_done(&rows);
        empty();
        return 0;
}
