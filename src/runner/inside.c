/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "runner/exec.h"
#include "runner/inside.h"
#include "runner/namespaces.h"
#include "runner/relay.h"
#include "runner/root.h"

#define FDS 2U

typedef struct Greeting {
        int r;
        char step[INSIDE_STEP_MAX];
} Greeting;

typedef union Control {
        struct cmsghdr header;
        char space[CMSG_SPACE(FDS * sizeof(int))];
} Control;

static int send_greeting(int channel, int r, const char *step, int listener, int scratch) {
        const int fds[FDS] = { listener, scratch };
        Greeting g = { .r = r };
        Control control = {};
        struct iovec iov = { .iov_base = &g, .iov_len = sizeof(g) };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

        (void) snprintf(g.step, sizeof(g.step), "%s", step ?: "");
        if (r >= 0) {
                m.msg_control = &control;
                m.msg_controllen = sizeof(control);
                control.header = (struct cmsghdr){
                        .cmsg_len = CMSG_LEN(sizeof(fds)),
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                };
                memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
        }
        return sendmsg(channel, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int inside_greet(int channel, int *ret_listener, int *ret_scratch, char ret_step[static INSIDE_STEP_MAX]) {
        Greeting g = {};
        Control control = {};
        struct iovec iov = { .iov_base = &g, .iov_len = sizeof(g) };
        struct msghdr m = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
        };
        int fds[FDS];
        ssize_t k;

        do
                k = recvmsg(channel, &m, MSG_CMSG_CLOEXEC);
        while (k < 0 && errno == EINTR);
        if (k != (ssize_t) sizeof(g)) {
                (void) snprintf(ret_step, INSIDE_STEP_MAX, "starting in namespaces");
                return k < 0 ? -errno : -EPIPE;
        }
        if (g.r < 0) {
                memcpy(ret_step, g.step, INSIDE_STEP_MAX);
                return g.r;
        }
        if (m.msg_controllen < CMSG_LEN(sizeof(fds)))
                return -EBADMSG;
        memcpy(fds, CMSG_DATA(&control.header), sizeof(fds));
        *ret_listener = fds[0];
        *ret_scratch = fds[1];
        return 0;
}

int inside_go(int channel) {
        return send(channel, "", 1, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int inside_status(int channel, int *ret_status) {
        int status;

        if (recv(channel, &status, sizeof(status), MSG_DONTWAIT) != (ssize_t) sizeof(status))
                return -ENODATA;
        *ret_status = status;
        return 0;
}

/* Closes all that the plan does not name, above all the runner's ends of the pipes: else the CLI's stdin
 * would never end. */
static void close_others(const InsidePlan *p) {
        int from = 0;

        for (;;) {
                const int kept[] = { p->stdio[0], p->stdio[1], p->stdio[2], p->error_fd, p->channel };
                int next = -1;

                for (size_t i = 0; i < ELEMENTSOF(kept); i++)
                        if (kept[i] >= from && (next < 0 || kept[i] < next))
                                next = kept[i];
                if (next < 0) {
                        (void) close_range((unsigned) from, ~0U, 0);
                        return;
                }
                if (next > from)
                        (void) close_range((unsigned) from, (unsigned) next - 1, 0);
                from = next + 1;
        }
}

/* Changing the user clears this setting, so it is set again then. */
static int die_with_parent(void) {
        return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;
}

static int start_cli(const InsidePlan *p, int listener, pid_t *ret) {
        _cleanup_(command_done) Command c = {};
        struct sockaddr_in a = {};
        socklen_t n = sizeof(a);
        pid_t pid;
        int r;

        if (getsockname(listener, (struct sockaddr *) &a, &n) < 0)
                return -errno;
        r = command_make(p->place, ROOT_SCRATCH, p->token, p->dialogue, ntohs(a.sin_port), &c);
        if (r >= 0)
                r = root_seal(c.folder);
        if (r >= 0)
                r = privilege_drop(p->who->uid);
        if (r >= 0)
                r = die_with_parent();
        if (r < 0)
                return r;
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                exec_command(&c, p->stdio, p->error_fd);
        *ret = pid;
        return 0;
}

static int reap_until(pid_t wanted) {
        int status = 0;

        for (;;) {
                pid_t pid = waitpid(-1, &status, 0);

                if (pid == wanted || (pid < 0 && errno != EINTR))
                        return status;
        }
}

void inside_run(const InsidePlan *p) {
        _cleanup_close_ int listener = -1, scratch = -1;
        const char *step = NULL;
        pid_t pid = -1;
        char go;
        int r;

        close_others(p);
        (void) setsid();
        r = die_with_parent();
        if (r >= 0)
                r = namespaces_enter(p->who, p->place, p->libraries, &listener, &scratch, &step);
        if (send_greeting(p->channel, r, step, listener, scratch) < 0 || r < 0)
                _exit(1);
        /* The runner may have ended before this process asked to die with it. */
        if (recv(p->channel, &go, 1, 0) != 1)
                _exit(0);

        r = start_cli(p, listener, &pid);
        if (r < 0) {
                (void) !write(p->error_fd, &r, sizeof(r));
                _exit(1);
        }
        for (size_t i = 0; i < 3; i++)
                (void) close(p->stdio[i]);
        (void) close(p->error_fd);
        (void) close(listener);
        (void) close(scratch);
        r = reap_until(pid);
        (void) send(p->channel, &r, sizeof(r), MSG_NOSIGNAL);
        _exit(0);
}
