/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "runner/libraries.h"

#define ANSWER_MAX (64U << 10)
#define PATIENCE   (5 * USEC_PER_SEC) /* it takes milliseconds */

void libraries_done(Libraries *l) {
        for (size_t i = 0; i < l->n; i++)
                free(l->path[i]);
        l->n = 0;
}

/* `\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)` or `\t/lib64/ld-linux-x86-64.so.2 (0x…)`; the
 * kernel's own (linux-vdso.so.1) has no path. */
int libraries_add_line(Libraries *l, const char *line) {
        const char *arrow, *path, *end;

        if (*line != '\t')
                return 0;
        arrow = strstr(line, " => ");
        path = arrow ? arrow + 4 : line + 1;
        end = strstr(path, " (0x");
        if (*path != '/' || !end)
                return 0;
        if (l->n >= LIBRARIES_MAX)
                return -E2BIG;
        l->path[l->n] = strndup(path, (size_t) (end - path));
        if (!l->path[l->n])
                return -ENOMEM;
        l->n++;
        return 0;
}

static int start(const char *program, pid_t *ret_pid, int *ret_fd) {
        char *const argv[] = { (char *) program, (char *) "--version", NULL };
        char *const env[] = { (char *) "LD_TRACE_LOADED_OBJECTS=1", NULL };
        posix_spawn_file_actions_t actions;
        _cleanup_close_ int from = -1, to = -1;
        int fd[2], r;

        if (pipe2(fd, O_CLOEXEC) < 0)
                return -errno;
        from = fd[0];
        to = fd[1];
        r = posix_spawn_file_actions_init(&actions);
        if (r != 0)
                return -r;
        r = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, to, 1);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn(ret_pid, program, &actions, NULL, argv, env);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return -r;
        *ret_fd = TAKE_FD(from);
        return 0;
}

/* Reads to the end, or until the time-out. */
static int read_answer(int fd, Buf *b) {
        usec_t end = usec_add(clock_monotonic(), PATIENCE);

        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                usec_t left = usec_sub(end, clock_monotonic());
                char piece[4096];
                ssize_t k;

                if (poll(&p, 1, (int) (left / USEC_PER_MSEC)) == 0)
                        return -ETIMEDOUT;
                k = read(fd, piece, sizeof(piece));
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                if (k == 0)
                        return b->error;
                if (buf_append(b, piece, (size_t) k) < 0)
                        return b->error;
        }
}

int libraries_find(const char *program, Libraries *ret) {
        _cleanup_(libraries_done) Libraries l = {};
        _cleanup_buf_ Buf b = BUF_INIT(ANSWER_MAX);
        _cleanup_close_ int fd = -1;
        char *rest, *line;
        pid_t pid;
        int r;

        r = start(program, &pid, &fd);
        if (r < 0)
                return r;
        r = read_answer(fd, &b);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return r;

        rest = buf_cstr(&b);
        if (!rest)
                return -ENOMEM;
        while (r >= 0 && (line = strsep(&rest, "\n")))
                r = libraries_add_line(&l, line);
        if (r < 0)
                return r;
        *ret = l;
        l.n = 0;
        return 0;
}
