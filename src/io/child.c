/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>

#include "io/child.h"

typedef struct Child {
        List link;
        Children *children;
        pid_t pid;
        int pidfd;
        LoopFd watch;
} Child;

struct Children {
        Loop *loop;
        List all;
        sd_event_source *sigchld; /* NULL unless gemgated is PID 1 */
};

static void child_free(Child *c) {
        loop_fd_remove(c->children->loop, &c->watch);
        (void) safe_close(c->pidfd);
        list_unlink(&c->link);
        free(c);
}

static void child_reap(Child *c) {
        siginfo_t si;

        while (waitid(P_PID, (id_t) c->pid, &si, WEXITED) < 0 && errno == EINTR)
                ;
        child_free(c);
}

static int on_sigchld(sd_event_source *s _unused_, const struct signalfd_siginfo *si _unused_,
                      void *userdata) {
        Children *c = userdata;
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                LIST_FOREACH(i, &c->all) {
                        Child *child = list_entry(i, Child, link);

                        if (child->pid == pid)
                                child_free(child);
                }
        return 0;
}

static int adopt_orphans(Children *c) {
        sigset_t mask;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        return sd_event_add_signal(loop_event(c->loop), &c->sigchld, SIGCHLD, on_sigchld, c);
}

int children_new(Loop *l, Children **ret) {
        _cleanup_(children_freep) Children *c = calloc(1, sizeof(Children));
        int r;

        if (!c)
                return -ENOMEM;
        c->loop = l;
        list_init(&c->all);
        if (getpid() == 1) {
                r = adopt_orphans(c);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(c);
        return 0;
}

static void on_exit_of(uint32_t events _unused_, void *userdata) {
        child_reap(userdata);
}

Children *children_free(Children *c) {
        if (!c)
                return NULL;
        LIST_FOREACH(i, &c->all) {
                Child *child = list_entry(i, Child, link);

                (void) kill(-child->pid, SIGKILL);
                child_reap(child);
        }
        sd_event_source_unref(c->sigchld);
        free(c);
        return NULL;
}

/* The child must not get the daemon's environment. */
static int spawn(const char *const argv[], int fd, pid_t *ret) {
        char path[4096] = "PATH=/usr/local/bin:/usr/bin:/bin", tmpdir[4096] = "TMPDIR=/tmp";
        char *const env[] = { path, tmpdir, NULL };
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        sigset_t none, all;
        int r;

        if (getenv("PATH"))
                (void) snprintf(path, sizeof(path), "PATH=%s", getenv("PATH"));
        if (getenv("TMPDIR"))
                (void) snprintf(tmpdir, sizeof(tmpdir), "TMPDIR=%s", getenv("TMPDIR"));
        (void) sigemptyset(&none);
        (void) sigfillset(&all);

        r = posix_spawn_file_actions_init(&files);
        if (r != 0)
                return -r;
        r = posix_spawnattr_init(&attr);
        if (r != 0) {
                (void) posix_spawn_file_actions_destroy(&files);
                return -r;
        }
        (void) posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                       POSIX_SPAWN_SETSIGDEF);
        (void) posix_spawnattr_setsigmask(&attr, &none);
        (void) posix_spawnattr_setsigdefault(&attr, &all);
        r = posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
        if (r == 0)
                r = posix_spawn(ret, argv[0], &files, &attr, (char *const *) argv, env);
        (void) posix_spawnattr_destroy(&attr);
        (void) posix_spawn_file_actions_destroy(&files);
        return -r;
}

int child_spawn(Children *c, const char *const argv[], int *ret_fd) {
        _cleanup_close_ int ours = -1, theirs = -1;
        _cleanup_free_ Child *child = NULL;
        int pair[2], r;

        child = calloc(1, sizeof(Child));
        if (!child)
                return -ENOMEM;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];

        *child = (Child){ .children = c, .pidfd = -1, .watch = LOOP_FD_NULL };
        r = spawn(argv, theirs, &child->pid);
        if (r < 0)
                return r;
        list_append(&c->all, &child->link);
        child->pidfd = (int) syscall(SYS_pidfd_open, child->pid, 0);
        r = child->pidfd < 0 ? -errno
                             : loop_fd_add(c->loop, &child->watch, child->pidfd, EPOLLIN, on_exit_of, child);
        if (r < 0) {
                (void) kill(-child->pid, SIGKILL);
                child_reap(TAKE_PTR(child));
                return r;
        }
        TAKE_PTR(child);
        *ret_fd = TAKE_FD(ours);
        return 0;
}
