/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/macros.h"
#include "ctl/agent.h"

#define READY_TIMEOUT_MSEC 2000

extern char **environ;

static pid_t agent; /* 0: none, -1: could not be started */

/* The agent closes its end of the pipe when it is registered with polkit. */
static void wait_ready(int fd) {
        struct pollfd p = { .fd = fd };

        (void) poll(&p, 1, READY_TIMEOUT_MSEC);
}

void agent_start(void) {
        char name[] = "pkttyagent", fallback[] = "--fallback", notify[32];
        char *argv[] = { name, notify, fallback, NULL };
        posix_spawn_file_actions_t actions;
        int fds[2];

        if (agent != 0 || geteuid() == 0 || !isatty(STDIN_FILENO))
                return;
        agent = -1;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return;
        (void) snprintf(notify, sizeof(notify), "--notify-fd=%d", 3);
        if (posix_spawn_file_actions_init(&actions) == 0) {
                if (posix_spawn_file_actions_adddup2(&actions, fds[1], 3) == 0 &&
                    posix_spawnp(&agent, name, &actions, NULL, argv, environ) != 0)
                        agent = -1;
                (void) posix_spawn_file_actions_destroy(&actions);
        }
        (void) safe_close(fds[1]);
        if (agent > 0)
                wait_ready(fds[0]);
        (void) safe_close(fds[0]);
}

void agent_stop(void) {
        if (agent <= 0)
                return;
        (void) kill(agent, SIGTERM);
        (void) kill(agent, SIGCONT);
        while (waitpid(agent, NULL, 0) < 0 && errno == EINTR)
                ;
        agent = -1;
}
