/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "daemon/notify.h"

#define DELAY (5 * USEC_PER_MSEC)

/* A service manager: the datagrams that it got. */
typedef struct Fixture {
        char path[64], dir[32];
        int fd;
        Loop *loop;
        Notify *notify;
        char line[NOTIFY_STATUS_MAX];
        usec_t span;
        unsigned n_lines; /* how often it was made */
        char said[512];
} Fixture;

static usec_t on_line(char ret[static NOTIFY_STATUS_MAX], void *userdata) {
        Fixture *f = userdata;
        usec_t span = f->span;

        f->n_lines++;
        f->span = USEC_INFINITY;
        memcpy(ret, f->line, sizeof(f->line));
        return span;
}

static void set_line(Fixture *f, const char *line) {
        (void) snprintf(f->line, sizeof(f->line), "%s", line);
}

static void begin(Fixture *f) {
        assert_int_equal(notify_new(
                                 &(NotifyParams){
                                         .loop = f->loop,
                                         .status = on_line,
                                         .userdata = f,
                                         .delay = DELAY,
                                 },
                                 &f->notify),
                         0);
}

static int setup(void **state) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        (void) snprintf(f->dir, sizeof(f->dir), "/tmp/test-notify-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        (void) snprintf(f->path, sizeof(f->path), "%s/notify", f->dir);
        (void) snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
        f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(f->fd >= 0);
        assert_int_equal(bind(f->fd, (struct sockaddr *) &a, sizeof(a)), 0);
        assert_int_equal(setenv("NOTIFY_SOCKET", f->path, 1), 0);
        assert_int_equal(unsetenv("WATCHDOG_USEC"), 0);
        assert_int_equal(loop_new(&f->loop), 0);
        f->span = USEC_INFINITY;
        *state = f;
        return 0;
}

static int teardown(void **state) {
        Fixture *f = *state;

        notify_free(f->notify);
        loop_free(f->loop);
        (void) close(f->fd);
        (void) unlink(f->path);
        (void) rmdir(f->dir);
        free(f);
        return 0;
}

/* The next datagram, or NULL. */
static const char *heard(Fixture *f) {
        ssize_t n = recv(f->fd, f->said, sizeof(f->said) - 1, 0);

        if (n < 0)
                return NULL;
        f->said[n] = 0;
        return f->said;
}

static void assert_heard(Fixture *f, const char *what) {
        const char *said = heard(f);

        assert_non_null(said);
        assert_string_equal(said, what);
}

/* Waits until a datagram arrives. */
static const char *await(Fixture *f) {
        const char *said;

        while (!(said = heard(f)))
                assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
        return said;
}

static void test_line(void **state) {
        Fixture *f = *state;

        begin(f);
        assert_null(heard(f));
        set_line(f, "1 of 1 keys usable");
        notify_ready(f->notify);
        assert_heard(f, "READY=1");
        assert_heard(f, "STATUS=1 of 1 keys usable");

        /* A thousand changes on the way of as many requests are one line, made later. */
        set_line(f, "3 requests today");
        f->n_lines = 0;
        for (unsigned i = 0; i < 1000; i++)
                notify_changed(f->notify);
        assert_int_equal(f->n_lines, 0);
        assert_string_equal(await(f), "STATUS=3 requests today");
        assert_int_equal(f->n_lines, 1);

        /* The same again is not sent, and does not keep the next from being sent. */
        notify_changed(f->notify);
        while (f->n_lines < 2)
                assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
        assert_null(heard(f));
        set_line(f, "4 requests today");
        notify_changed(f->notify);
        assert_string_equal(await(f), "STATUS=4 requests today");

        set_line(f, "finishing");
        notify_stopping(f->notify, 30 * USEC_PER_SEC);
        assert_heard(f, "STOPPING=1\nEXTEND_TIMEOUT_USEC=35000000");
        assert_heard(f, "STATUS=finishing");

        notify_changed(NULL); /* before there is one */
}

/* At midnight the requests of today are none. */
static void test_line_changes_by_itself(void **state) {
        Fixture *f = *state;

        begin(f);
        set_line(f, "9 requests today");
        f->span = 10 * USEC_PER_MSEC;
        notify_ready(f->notify);
        assert_heard(f, "READY=1");
        assert_heard(f, "STATUS=9 requests today");
        set_line(f, "0 requests today");
        assert_string_equal(await(f), "STATUS=0 requests today");
}

static void test_reload(void **state) {
        Fixture *f = *state;
        const char *said;

        begin(f);
        notify_reloading(f->notify);
        said = heard(f);
        assert_non_null(said);
        assert_non_null(startswith(said, "RELOADING=1\nMONOTONIC_USEC="));
        notify_ready(f->notify);
        assert_heard(f, "READY=1");
}

static void watch(void) {
        char pid[24];

        (void) snprintf(pid, sizeof(pid), "%ld", (long) getpid());
        assert_int_equal(setenv("WATCHDOG_PID", pid, 1), 0);
        assert_int_equal(setenv("WATCHDOG_USEC", "30000", 1), 0);
}

/* Without requests it still feeds the watchdog. */
static void test_watchdog(void **state) {
        Fixture *f = *state;

        watch();
        begin(f);
        for (unsigned i = 0; i < 3; i++)
                assert_string_equal(await(f), "WATCHDOG=1");
        assert_int_equal(f->n_lines, 0);
}

typedef struct Spin {
        usec_t end;
        bool over;
} Spin;

static int on_spin(sd_event_source *s, void *userdata) {
        Spin *spin = userdata;

        spin->over = clock_monotonic() >= spin->end;
        if (spin->over)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

/* The loop turns and the timers fire, but no client would be served: no keep-alive for several periods. */
static void test_watchdog_of_a_spinning_loop(void **state) {
        Spin spin = { .end = clock_monotonic() + 100 * USEC_PER_MSEC };
        sd_event_source *s = NULL;
        Fixture *f = *state;

        watch();
        begin(f);
        assert_int_equal(sd_event_add_defer(loop_event(f->loop), &s, on_spin, &spin), 0);
        assert_int_equal(sd_event_source_set_enabled(s, SD_EVENT_ON), 0);
        assert_int_equal(sd_event_source_set_priority(s, -1), 0);
        while (!spin.over) {
                assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
                assert_null(heard(f));
        }
        assert_string_equal(await(f), "WATCHDOG=1"); /* it came back */
        sd_event_source_disable_unref(s);
}

/* Fills the service manager's queue; returns with how many messages. */
static unsigned fill(const Fixture *f) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        unsigned n = 0;

        (void) snprintf(a.sun_path, sizeof(a.sun_path), "%s", f->path);
        while (sendto(fd, "full", 4, 0, (struct sockaddr *) &a, sizeof(a)) == 4)
                n++;
        assert_int_equal(errno, EAGAIN);
        return n;
}

/* Nothing waits; when there is room, the latest reload, the stop and the latest line are sent in order. */
static void test_full_queue(void **state) {
        Fixture *f = *state;
        unsigned n;

        begin(f);
        n = fill(f);
        set_line(f, "1 request today");
        notify_ready(f->notify);
        for (unsigned i = 0; i < 3; i++) {
                notify_reloading(f->notify);
                notify_ready(f->notify);
                notify_ready(f->notify);
        }
        notify_stopping(f->notify, 0);
        set_line(f, "finishing");
        notify_stopping(f->notify, 30 * USEC_PER_SEC);
        notify_ready(f->notify); /* the end of a reload that was under way */

        while (n-- > 0)
                assert_heard(f, "full");
        assert_null(heard(f));
        assert_string_equal(await(f), "READY=1");
        assert_non_null(startswith(await(f), "RELOADING=1\nMONOTONIC_USEC="));
        assert_string_equal(await(f), "READY=1");
        assert_string_equal(await(f), "STOPPING=1\nEXTEND_TIMEOUT_USEC=35000000");
        assert_string_equal(await(f), "STATUS=finishing");
        assert_null(heard(f));
}

/* A line that has no room is made again when there is. */
static void test_line_without_room(void **state) {
        Fixture *f = *state;
        unsigned n;

        begin(f);
        set_line(f, "0 requests today");
        notify_ready(f->notify);
        assert_heard(f, "READY=1");
        assert_heard(f, "STATUS=0 requests today");
        n = fill(f);
        set_line(f, "1 request today");
        notify_changed(f->notify);
        f->n_lines = 0;
        while (f->n_lines < 3)
                assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
        set_line(f, "2 requests today");
        while (n-- > 0)
                assert_heard(f, "full");
        assert_string_equal(await(f), "STATUS=2 requests today");
}

static void test_watchdog_without_room(void **state) {
        Fixture *f = *state;
        unsigned n;

        watch();
        begin(f);
        n = fill(f);
        for (unsigned i = 0; i < 5; i++)
                assert_true(sd_event_run(loop_event(f->loop), 10 * USEC_PER_SEC) > 0);
        while (n-- > 0)
                assert_heard(f, "full");
        assert_string_equal(await(f), "WATCHDOG=1");
}

/* $NOTIFY_SOCKET may begin with @ for an abstract name. */
static void test_abstract_name(void **state) {
        Fixture *f = *state;
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "%s", f->path);

        assert_int_equal(close(f->fd), 0);
        f->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(f->fd, (struct sockaddr *) &a,
                              (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1) + (socklen_t) n),
                         0);
        a.sun_path[0] = '@';
        assert_int_equal(setenv("NOTIFY_SOCKET", a.sun_path, 1), 0);
        begin(f);
        notify_ready(f->notify);
        assert_heard(f, "READY=1");
}

/* Without a service manager nothing is sent, and without WatchdogSec= nothing is fed. */
static void test_nobody(void **state) {
        Fixture *f = *state;

        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
        begin(f);
        notify_ready(f->notify);
        notify_changed(f->notify);
        notify_reloading(f->notify);
        notify_stopping(f->notify, 0);
        assert_int_equal(f->n_lines, 0);
        assert_int_equal(sd_event_run(loop_event(f->loop), 0), 0); /* nothing is armed */
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_line, setup, teardown),
                cmocka_unit_test_setup_teardown(test_line_changes_by_itself, setup, teardown),
                cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
                cmocka_unit_test_setup_teardown(test_watchdog, setup, teardown),
                cmocka_unit_test_setup_teardown(test_watchdog_of_a_spinning_loop, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_queue, setup, teardown),
                cmocka_unit_test_setup_teardown(test_line_without_room, setup, teardown),
                cmocka_unit_test_setup_teardown(test_watchdog_without_room, setup, teardown),
                cmocka_unit_test_setup_teardown(test_abstract_name, setup, teardown),
                cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
