/* SPDX-License-Identifier: MIT */

/*
 * The thread owns its object until it has written to the eventfd. It reads and parses the files, which
 * touches nothing of the loop's: each secret is a new object, and messages are kept until the loop takes
 * them. What depends on the process (TZ for the time zone, the running configuration) is done afterwards, in
 * the loop, by config_load_finish().
 */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/buf.h"
#include "base/thread.h"
#include "daemon/config-thread.h"
#include "dialect/json.h"

#define LINES_MAX (1U << 20) /* of messages; beyond that none is logged, and the reload is refused anyway */

struct ConfigThread {
        Loop *loop;
        ConfigPaths paths;
        ConfigSay say;
        ConfigThreadFn done;
        void *userdata;
        LoopFd watch;
        int event_fd;
        pthread_t thread;
        bool has_thread;

        /* of the thread, until the event */
        Buf lines; /* each a byte for the level, and the line with its NUL */
        int r, faults;
        Config *config;
};

/* Until the process ends: its thread may still use it, or has just ended. Only a leak checker reads this. */
static ConfigThread *volatile left_behind;

static void keep_line(LogLevel level, const char *line, void *userdata) {
        ConfigThread *t = userdata;
        char c = (char) level;

        if (buf_append(&t->lines, &c, 1) >= 0)
                (void) buf_append(&t->lines, line, strlen(line) + 1);
}

static void *run(void *userdata) {
        ConfigThread *t = userdata;

        (void) pthread_setname_np(pthread_self(), "gemgated-config");
        t->r = config_load_read(&t->paths, keep_line, t, &t->config, &t->faults);
        json_thread_done(); /* the package.json of the Gemini CLI was read */
        (void) eventfd_write(t->event_fd, 1);
        return NULL;
}

static void say_lines(ConfigThread *t) {
        const char *p = buf_cstr(&t->lines), *end = p ? p + t->lines.n : NULL;

        for (; p < end; p += 1 + strlen(p + 1) + 1)
                t->say((LogLevel) *p, p + 1, t->userdata);
}

static void on_event(uint32_t events _unused_, void *userdata) {
        ConfigThread *t = userdata;
        Config *c;

        loop_fd_remove(t->loop, &t->watch);
        (void) pthread_join(t->thread, NULL);
        t->has_thread = false;
        say_lines(t);
        c = TAKE_PTR(t->config);
        t->done(t->r, t->faults, c, t->userdata); /* may free it */
}

int config_thread_start(Loop *l, const ConfigPaths *paths, ConfigSay say, ConfigThreadFn done,
                        void *userdata, ConfigThread **ret) {
        ConfigThread *t = calloc(1, sizeof(ConfigThread));
        int r;

        if (!t)
                return -ENOMEM;
        *t = (ConfigThread){
                .loop = l,
                .paths = *paths,
                .say = say,
                .done = done,
                .userdata = userdata,
                .watch = LOOP_FD_NULL,
                .lines = BUF_INIT(LINES_MAX),
        };
        t->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        r = t->event_fd < 0 ? -errno : loop_fd_add(l, &t->watch, t->event_fd, EPOLLIN, on_event, t);
        if (r >= 0)
                r = thread_start(run, t, &t->thread);
        t->has_thread = r >= 0;
        if (r < 0) {
                (void) config_thread_free(t);
                return r;
        }
        *ret = t;
        return 0;
}

ConfigThread *config_thread_free(ConfigThread *t) {
        if (!t)
                return NULL;
        loop_fd_remove(t->loop, &t->watch);
        if (t->has_thread) {
                (void) pthread_detach(t->thread);
                left_behind = t;
                config_load_abandon();
                return NULL;
        }
        (void) config_unref(t->config);
        buf_done(&t->lines);
        (void) safe_close(t->event_fd);
        free(t);
        return NULL;
}
