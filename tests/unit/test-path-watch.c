/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/text.h"
#include "io/path-watch.h"

typedef struct Fixture {
        char dir[32];
        Loop *loop;
        PathWatch *watch;
        unsigned n; /* calls */
} Fixture;

static int setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        (void) snprintf(f->dir, sizeof(f->dir), "/tmp/test-path-watch-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        assert_int_equal(chdir(f->dir), 0);
        assert_int_equal(loop_new(&f->loop), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        path_watch_free(f->watch);
        loop_free(f->loop);
        assert_int_equal(rmdir(f->dir), 0);
        free(f);
        return 0;
}

static void make(const char *name) {
        int fd = open(name, O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        safe_close(fd);
}

static void on_path(void *userdata) {
        Fixture *f = userdata;

        f->n++;
        f->watch = path_watch_free(f->watch);
}

static int watch(Fixture *f, const char *name) {
        char path[128];

        (void) snprintf(path, sizeof(path), "%s/%s", f->dir, name);
        return path_watch_new(f->loop, path, on_path, f, &f->watch);
}

/* All that is ready now; returns how often the loop had something to do. */
static unsigned run(Fixture *f) {
        unsigned n = 0;

        while (sd_event_run(loop_event(f->loop), 0) > 0)
                n++;
        return n;
}

static void test_exists(void **state) {
        Fixture *f = *state;

        make("socket");
        assert_int_equal(watch(f, "socket"), 1);
        assert_null(f->watch);
        assert_int_equal(watch(f, "socket/below"), -EAGAIN);
        assert_null(f->watch);
        assert_int_equal(unlink("socket"), 0);
}

static void test_appears(void **state) {
        Fixture *f = *state;

        assert_int_equal(watch(f, "socket"), 0);
        assert_int_equal(run(f), 0);
        make("sock");
        make("socket2");
        run(f);
        assert_int_equal(f->n, 0);
        make("socket");
        run(f);
        assert_int_equal(f->n, 1);
        assert_null(f->watch);
        assert_int_equal(unlink("socket"), 0);
        make("socket");
        assert_int_equal(run(f), 0);
        assert_int_equal(f->n, 1);

        assert_int_equal(unlink("socket"), 0);
        assert_int_equal(watch(f, "socket"), 0);
        assert_int_equal(rename("sock", "socket"), 0);
        run(f);
        assert_int_equal(f->n, 2);
        assert_int_equal(unlink("socket"), 0);
        assert_int_equal(unlink("socket2"), 0);
}

/* Each part of the path on its own, and all parts before the loop looks. */
static void test_folders(void **state) {
        Fixture *f = *state;

        for (unsigned at_once = 0; at_once < 2; at_once++) {
                f->n = 0;
                assert_int_equal(watch(f, "one/two/socket"), 0);
                assert_int_equal(mkdir("one", 0700), 0);
                if (!at_once)
                        run(f);
                make("one/socket");
                assert_int_equal(mkdir("one/two", 0700), 0);
                if (!at_once)
                        run(f);
                assert_int_equal(f->n, 0);
                make("one/two/socket");
                run(f);
                assert_int_equal(f->n, 1);

                assert_int_equal(unlink("one/two/socket"), 0);
                assert_int_equal(rmdir("one/two"), 0);
                assert_int_equal(unlink("one/socket"), 0);
                assert_int_equal(rmdir("one"), 0);
        }
}

/* The watched folder goes, by removal and by another name, and comes again. */
static void test_folder_goes(void **state) {
        Fixture *f = *state;

        assert_int_equal(mkdir("one", 0700), 0);
        assert_int_equal(watch(f, "one/socket"), 0);
        assert_int_equal(rmdir("one"), 0);
        run(f);
        assert_int_equal(mkdir("one", 0700), 0);
        run(f);
        assert_int_equal(rename("one", "other"), 0);
        run(f);
        make("other/socket");
        run(f);
        assert_int_equal(f->n, 0);
        assert_int_equal(mkdir("one", 0700), 0);
        make("one/socket");
        run(f);
        assert_int_equal(f->n, 1);
        assert_int_equal(unlink("one/socket"), 0);
        assert_int_equal(unlink("other/socket"), 0);
        assert_int_equal(rmdir("one"), 0);
        assert_int_equal(rmdir("other"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_exists, setup, teardown),
                cmocka_unit_test_setup_teardown(test_appears, setup, teardown),
                cmocka_unit_test_setup_teardown(test_folders, setup, teardown),
                cmocka_unit_test_setup_teardown(test_folder_goes, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
