/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/eventfd.h>

#include "base/trace.h"
#include "io/loop-watchdog.h"

struct LoopWatchdog {
        Loop *loop;
        int fd;
        LoopFd watch;
        LoopHook hook;
        bool around; /* the hook was requested, and its first round is running */
        void (*beat)(void *userdata);
        void *userdata;
};

static void on_event(uint32_t events _unused_, void *userdata) {
        LoopWatchdog *p = userdata;
        uint64_t n;

        if (read(p->fd, &n, sizeof(n)) < 0)
                return;
        p->around = false;
        loop_hook_ask_all(p->loop);
}

/* The hook requests itself again: when it runs the second time, all other hooks of the first round have
 * run. */
static void on_hook(void *userdata) {
        LoopWatchdog *p = userdata;

        if (!p->around) {
                p->around = true;
                loop_hook_ask(p->loop, &p->hook);
                return;
        }
        p->around = false;
        trace(watchdog_beat, &log_no_request, "the loop has made a whole turn");
        p->beat(p->userdata);
}

int loop_watchdog_new(Loop *l, void (*beat)(void *userdata), void *userdata, LoopWatchdog **ret) {
        _cleanup_(loop_watchdog_freep) LoopWatchdog *p = NULL;
        int r;

        p = calloc(1, sizeof(LoopWatchdog));
        if (!p)
                return -ENOMEM;
        *p = (LoopWatchdog){
                .loop = l,
                .fd = -1,
                .watch = LOOP_FD_NULL,
                .beat = beat,
                .userdata = userdata,
        };
        loop_hook_add(l, &p->hook, on_hook, p);
        p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (p->fd < 0)
                return -errno;
        r = loop_fd_add(l, &p->watch, p->fd, EPOLLIN, on_event, p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

LoopWatchdog *loop_watchdog_free(LoopWatchdog *p) {
        if (!p)
                return NULL;
        loop_fd_remove(p->loop, &p->watch);
        (void) safe_close(p->fd);
        loop_hook_remove(&p->hook);
        free(p);
        return NULL;
}

void loop_watchdog_send(LoopWatchdog *p) {
        const uint64_t one = 1;

        (void) !write(p->fd, &one, sizeof(one));
}
