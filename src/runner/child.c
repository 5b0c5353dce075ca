/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "runner/child.h"
#include "runner/exec.h"
#include "runner/inside.h"
#include "runner/namespaces.h"
#include "runner/orphans.h"
#include "runner/privilege.h"
#include "runner/relay.h"
#include "runner/root.h"

/* Each pair is as from pipe(): [0] is read from, [1] is written to. */
typedef struct Pipes {
        int in[2], err[2];
        int out[2];  /* [1] is the writer of the output's file, [0] is unused */
        int exec[2]; /* exec_command()'s */
} Pipes;

#define PIPES_INIT ((Pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } })

static void pipes_done(Pipes *p) {
        int *const pairs[] = { p->in, p->err, p->out, p->exec };

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
                for (size_t k = 0; k < 2; k++)
                        (void) safe_close(pairs[i][k]);
}

static int pipes_make(Pipes *p) {
        int *const pairs[] = { p->in, p->err, p->exec };
        int *const ours[] = { p->in + 1, p->err };

        for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
                if (pipe2(pairs[i], O_CLOEXEC) < 0)
                        return -errno;
        for (size_t i = 0; i < ELEMENTSOF(ours); i++)
                if (fcntl(*ours[i], F_SETFL, O_NONBLOCK) < 0)
                        return -errno;
        return 0;
}

static int failed(int r, const char *step, const char **ret_step) {
        *ret_step = step;
        return r;
}

static int start_inside(const ChildPlan *plan, const Identity *who, Pipes *p, RunnerChild *c,
                        const char **ret_step) {
        static char step[INSIDE_STEP_MAX]; /* outlives the call: the caller prints it */
        int pair[2], scratch, r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return failed(-errno, "making a socket pair", ret_step);
        c->channel = pair[0];
        c->pid = namespaces_fork(who);
        if (c->pid == 0)
                inside_run(&(const InsidePlan){
                        .who = who,
                        .place = plan->place,
                        .libraries = plan->libraries,
                        .token = plan->token,
                        .dialogue = plan->dialogue,
                        .stdio = { p->in[0], p->out[1], p->err[1] },
                        .error_fd = p->exec[1],
                        .channel = pair[1],
                });
        r = c->pid < 0 ? -errno : 0;
        (void) close(pair[1]);
        if (r < 0)
                return failed(r, "making namespaces", ret_step);

        r = inside_greet(c->channel, &c->listener, &scratch, step);
        if (r < 0)
                return failed(r, step, ret_step);
        c->scratch = (Scratch){ .fd = scratch, .path = strdup(ROOT_SCRATCH) };
        if (!c->scratch.path)
                return failed(-ENOMEM, "making the scratch", ret_step);
        return 0;
}

static void run_cli(const RunnerChild *c, const Identity *who, const Pipes *p, pid_t runner) {
        const int stdio[] = { p->in[0], p->out[1], p->err[1] };
        int r;

        (void) setsid();
        r = privilege_drop(who->uid);
        if (r >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                r = -errno;
        if (r < 0) {
                (void) !write(p->exec[1], &r, sizeof(r));
                _exit(127);
        }
        if (getppid() != runner)
                _exit(127);
        exec_command(&c->command, stdio, p->exec[1]);
}

static int make_command(const ChildPlan *plan, RunnerChild *c) {
        struct sockaddr_in a = {};
        socklen_t n = sizeof(a);

        if (getsockname(c->listener, (struct sockaddr *) &a, &n) < 0)
                return -errno;
        return command_make(plan->place, c->scratch.path, plan->token, plan->dialogue, ntohs(a.sin_port),
                            &c->command);
}

static int start(const ChildPlan *plan, Pipes *p, RunnerChild *c, const char **ret_step) {
        Identity who;
        int r;

        privilege_identify(plan->namespaces, &who);
        r = pipes_make(p);
        if (r < 0)
                return failed(r, "making pipes", ret_step);
        r = tail_open(&c->output, p->out + 1);
        if (r < 0)
                return failed(r, "making a file for its output", ret_step);
        if (plan->namespaces)
                r = start_inside(plan, &who, p, c, ret_step);
        else {
                r = scratch_make(&c->scratch);
                if (r < 0)
                        return failed(r, "making the scratch", ret_step);
                r = relay_listen(&c->listener);
                if (r < 0)
                        return failed(r, "listening on the loopback", ret_step);
        }
        if (r < 0)
                return r;

        r = scratch_fill(&c->scratch, plan->dialogue, who.uid);
        if (r < 0)
                return failed(r, "filling the scratch", ret_step);
        r = make_command(plan, c);
        if (r < 0)
                return failed(r, "making the command", ret_step);

        if (plan->namespaces)
                r = inside_go(c->channel);
        else {
                pid_t runner = getpid();

                c->pid = fork();
                if (c->pid == 0)
                        run_cli(c, &who, p, runner);
                r = c->pid < 0 ? -errno : 0;
        }
        if (r < 0)
                return failed(r, "starting a process", ret_step);
        c->pidfd = pidfd_open(c->pid, 0);
        if (c->pidfd < 0)
                return failed(-errno, "holding the process", ret_step);

        p->exec[1] = safe_close(p->exec[1]);
        r = exec_result(p->exec[0]);
        return r < 0 ? failed(r, "executing node", ret_step) : 0;
}

int child_start(const ChildPlan *plan, RunnerChild *ret, const char **ret_step) {
        _cleanup_(pipes_done) Pipes p = PIPES_INIT;
        RunnerChild c = CHILD_INIT;
        int r;

        r = start(plan, &p, &c, ret_step);
        if (r < 0) {
                child_kill(&c);
                child_done(&c);
                return r;
        }
        c.stdin_fd = TAKE_FD(p.in[1]);
        c.stderr_fd = TAKE_FD(p.err[0]);
        *ret = c;
        return 0;
}

void child_reap(RunnerChild *c, int *ret_exit_code, int *ret_signal) {
        siginfo_t info = {};
        int status;

        /* Not reaped yet: until then its number is not reused. */
        while (waitid(P_PID, (id_t) c->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
                ;
        *ret_exit_code = info.si_code == CLD_EXITED ? info.si_status : -1;
        *ret_signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
        if (c->channel >= 0 && inside_status(c->channel, &status) >= 0) {
                *ret_exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
                *ret_signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        }
        child_kill(c);
}

void child_kill(RunnerChild *c) {
        if (c->pid > 0)
                orphans_kill(c->pid);
        c->pid = 0;
        c->pidfd = safe_close(c->pidfd);
}

void child_done(RunnerChild *c) {
        int *const fds[] = { &c->channel, &c->stdin_fd, &c->stderr_fd, &c->listener };

        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                *fds[i] = safe_close(*fds[i]);
        tail_done(&c->output);
        scratch_done(&c->scratch);
        command_done(&c->command);
        c->command = (Command){};
}
