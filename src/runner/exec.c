/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>

#include "runner/exec.h"
#include "runner/privilege.h"

static int become(const Command *c, const int stdio[static 3]) {
        sigset_t none;
        int r;

        /* Blocked and ignored signals would be inherited. */
        (void) sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || signal(SIGPIPE, SIG_DFL) == SIG_ERR)
                return -errno;
        for (int i = 0; i < 3; i++)
                if (dup2(stdio[i], i) < 0)
                        return -errno;
        if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return -errno;
        r = privilege_limit();
        if (r < 0)
                return r;
        if (chdir(c->folder) < 0)
                return -errno;
        (void) execve(c->argv[0], c->argv, c->env);
        return -errno;
}

void exec_command(const Command *c, const int stdio[static 3], int error_fd) {
        int r = become(c, stdio);

        (void) !write(error_fd, &r, sizeof(r));
        _exit(127);
}

int exec_result(int error_fd) {
        int e;
        ssize_t k;

        do
                k = read(error_fd, &e, sizeof(e));
        while (k < 0 && errno == EINTR);
        if (k < 0)
                return -errno;
        return k == (ssize_t) sizeof(e) ? e : 0;
}
