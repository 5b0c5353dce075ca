/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include "base/job-protocol.h"
#include "base/text.h"
#include "runner/child.h"
#include "runner/feed.h"
#include "runner/job.h"
#include "runner/orphans.h"
#include "runner/output.h"
#include "runner/relay.h"
#include "runner/report.h"
#include "runner/runner.h"

#define DAEMON_FD 0
#define PIECE     (64U << 10)

/* Above it the CLI's output is not read: the reader upstream is slow on purpose. */
#define OUT_HIGH_MARK (1U << 20)
#define TURN_MAX      16U /* reads at one time */
/* One read of the CLI's can add as much again, as escaped lines. */
#define OUT_MAX (OUT_HIGH_MARK + CLI_LINE_MAX * 8U)

/* After its result the CLI takes 50 to 160 ms to end. Beyond this it is killed. */
#define EXIT_GRACE (3 * USEC_PER_SEC)

/* The time for the daemon to close its side. */
#define LEAVE_GRACE (2 * USEC_PER_SEC)

typedef struct Runner {
        const RunnerOptions *options;
        Place place;
        Libraries libraries;

        int signal_fd;
        Buf in, out;    /* from and to the daemon */
        size_t scanned; /* of `in`, without a newline */
        bool has_start, has_job;
        JobStart start;
        usec_t give_up; /* the end without a job */

        RunnerChild child;
        Feed feed;
        Relay *relay;
        CliOutput output;
        Buf stderr_tail;
        usec_t kill_at; /* USEC_INFINITY: there is no result yet */
        bool all_read;  /* its output was read to the current end */
        bool ended;     /* the CLI's process, and how: */
        int exit_code, signal;

        bool reported; /* the result is in `out` */
        bool hung_up;
} Runner;

static void say(const char *fmt, ...) _printf_(1, 2);
static void say(const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        (void) fputs("gemgate-runner: ", stderr);
        (void) vfprintf(stderr, fmt, ap);
        (void) fputc('\n', stderr);
        va_end(ap);
}

/* Removes the CLI and its files. */
static void cleanup(Runner *r) {
        child_kill(&r->child);
        r->relay = relay_free(r->relay);
        feed_done(&r->feed);
        child_done(&r->child);
}

static void runner_done(Runner *r) {
        cleanup(r);
        output_done(&r->output);
        place_done(&r->place);
        libraries_done(&r->libraries);
        buf_done(&r->in);
        buf_done(&r->out);
        buf_done(&r->stderr_tail);
        (void) safe_close(r->signal_fd);
}

/* --- lines to the daemon --- */

/* The last line. `message` is the runner's own, or NULL for the CLI's. */
static int report(Runner *r, const char *message) {
        static const char *const status[] = {
                [CLI_STATUS_NONE] = JOB_STATUS_NONE,
                [CLI_STATUS_SUCCESS] = JOB_STATUS_SUCCESS,
                [CLI_STATUS_ERROR] = JOB_STATUS_ERROR,
        };
        const Result result = {
                .status = status[r->output.status],
                .message = message ?: r->output.message,
                .messages = r->output.messages,
                .skipped = r->output.skipped,
                .exit_code = r->exit_code,
                .signal = r->signal,
                .stderr_tail = buf_cstr(&r->stderr_tail),
                .n_stderr_tail = r->stderr_tail.n,
                .argv = r->child.command.argv,
        };

        r->reported = true;
        return report_result(&r->out, &result);
}

static int refuse(Runner *r, const char *fmt, ...) _printf_(2, 3);
static int refuse(Runner *r, const char *fmt, ...) {
        char message[512];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(message, sizeof(message), fmt, ap);
        va_end(ap);
        child_kill(&r->child);
        return report(r, message);
}

/* --- the CLI --- */

static int start_child(Runner *r, bool namespaces, const char **ret_step) {
        return child_start(
                &(const ChildPlan){
                        .place = &r->place,
                        .libraries = &r->libraries,
                        .token = r->start.token,
                        .dialogue = r->start.dialogue,
                        .namespaces = namespaces,
                },
                &r->child, ret_step);
}

static int start_cli(Runner *r) {
        const char *step = "", *isolation = r->options->isolation == ISOLATION_UNIT ? JOB_ISOLATION_UNIT
                                                                                    : JOB_ISOLATION_PROCESS;
        int e = -EOPNOTSUPP;

        if (r->options->isolation == ISOLATION_NAMESPACES) {
                e = start_child(r, true, &step);
                if (e < 0)
                        say("no namespaces: %s: %s", step, strerror(-e));
                else
                        isolation = JOB_ISOLATION_NAMESPACES;
        }
        if (e < 0)
                e = start_child(r, false, &step);
        if (e < 0)
                return refuse(r, "cannot start the Gemini CLI: %s: %s", step, strerror(-e));

        e = feed_begin(&r->feed, TAKE_FD(r->child.stdin_fd));
        if (e >= 0)
                e = relay_new(r->child.listener, r->options->upstream, &r->relay);
        if (e < 0)
                return refuse(r, "cannot start the Gemini CLI: %s", strerror(-e));
        r->child.listener = -1;
        return report_ready(&r->out, isolation, r->place.version);
}

static int find_cli(Runner *r) {
        _cleanup_free_ char *why = NULL;
        int e;

        e = place_find(r->options->cli, &r->place, &why);
        if (e < 0)
                return refuse(r, "%s", why ?: strerror(-e));
        if (r->options->isolation == ISOLATION_NAMESPACES) {
                e = libraries_find(r->place.node, &r->libraries);
                if (e < 0)
                        say("cannot list the libraries of %s: %s", r->place.node, strerror(-e));
        }
        return 0;
}

static void on_end(Runner *r) {
        child_reap(&r->child, &r->exit_code, &r->signal);
        r->ended = true;
        r->kill_at = USEC_INFINITY;
}

static void on_grace_over(Runner *r) {
        child_kill(&r->child);
        r->exit_code = -1;
        r->signal = SIGKILL;
        r->ended = true;
        r->kill_at = USEC_INFINITY;
}

/* 0: nothing for now; 1: bytes were read; -ENODATA: the end. */
static int read_pipe(int *fd, char piece[static PIECE], size_t *ret_n) {
        ssize_t k = read(*fd, piece, PIECE);

        if (k < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (k <= 0) {
                *fd = safe_close(*fd);
                return -ENODATA;
        }
        *ret_n = (size_t) k;
        return 1;
}

/* Reads as much as there is and the daemon accepts, but leaves time for the rest of the loop. */
static int on_stdout(Runner *r) {
        char piece[PIECE];
        size_t n = 1;
        int e = 0;

        r->all_read = false;
        for (unsigned i = 0; i < TURN_MAX && e >= 0 && n > 0 && r->out.n < OUT_HIGH_MARK; i++) {
                e = tail_read(&r->child.output, piece, sizeof(piece), &n);
                if (e >= 0 && n > 0)
                        e = output_feed(&r->output, piece, n, &r->out);
        }
        r->all_read = n == 0;
        if (r->output.status != CLI_STATUS_NONE && !r->ended && r->kill_at == USEC_INFINITY)
                r->kill_at = usec_add(clock_monotonic(), EXIT_GRACE);
        return e;
}

static int on_stderr(Runner *r) {
        char piece[PIECE];
        const char *p = piece;
        size_t n;

        if (read_pipe(&r->child.stderr_fd, piece, &n) <= 0)
                return 0;
        if (n > JOB_STDERR_MAX) {
                p += n - JOB_STDERR_MAX;
                n = JOB_STDERR_MAX;
        }
        if (r->stderr_tail.n + n > JOB_STDERR_MAX)
                buf_consume(&r->stderr_tail, r->stderr_tail.n + n - JOB_STDERR_MAX);
        return buf_append(&r->stderr_tail, p, n);
}

/* --- the daemon --- */

static int on_start(Runner *r, const char *line, size_t n) {
        const char *why = NULL;
        int e;

        e = job_parse_start(line, n, &r->start, &why);
        if (e == -EBADMSG)
                return refuse(r, "%s", why);
        if (e < 0)
                return e;
        r->has_start = true;
        return start_cli(r);
}

static int on_job(Runner *r, const char *line, size_t n) {
        _cleanup_(job_done) RunnerJob job = {};
        const char *why = NULL;
        int e;

        e = job_parse(line, n, r->start.dialogue, &job, &why);
        if (e == -EBADMSG)
                return refuse(r, "%s", why);
        if (e < 0)
                return e;
        r->has_job = true;
        r->give_up = USEC_INFINITY;
        if (r->ended)
                return 0; /* the reason is reported in a moment */
        return feed_job(&r->feed, &job, &r->child.scratch);
}

/* Handles all complete lines. After the job nothing but the end is expected. */
static int on_lines(Runner *r) {
        int e = 0;

        while (e >= 0 && !r->has_job && !r->reported) {
                char *p = buf_data(&r->in);
                const char *end =
                        r->in.n > r->scanned ? memchr(p + r->scanned, '\n', r->in.n - r->scanned) : NULL;
                size_t n;

                if (!end) {
                        r->scanned = r->in.n;
                        break;
                }
                n = (size_t) (end - p);
                e = r->has_start ? on_job(r, p, n) : on_start(r, p, n);
                buf_consume(&r->in, n + 1);
                r->scanned = 0;
        }
        if (r->has_job || r->reported)
                buf_done(&r->in);
        return e;
}

static int on_daemon(Runner *r) {
        char piece[PIECE];
        ssize_t k;

        k = recv(DAEMON_FD, piece, sizeof(piece), MSG_DONTWAIT);
        if (k < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (k <= 0) {
                r->hung_up = true;
                return 0;
        }
        if (r->has_job || r->reported)
                return 0;
        if (buf_append(&r->in, piece, (size_t) k) == -E2BIG)
                return refuse(r, "the line is too long");
        return r->in.error < 0 ? r->in.error : on_lines(r);
}

static void write_daemon(Runner *r) {
        while (r->out.n > 0) {
                ssize_t k = send(DAEMON_FD, buf_data(&r->out), r->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0) {
                        r->hung_up = r->hung_up || errno != EAGAIN;
                        return;
                }
                buf_consume(&r->out, (size_t) k);
        }
}

/* --- the loop --- */

enum {
        SLOT_DAEMON,
        SLOT_SIGNAL,
        SLOT_CHILD,
        SLOT_STDOUT,
        SLOT_STDERR,
        SLOT_STDIN,
        SLOT_FIFO,
        SLOT_RELAY, /* and all after it */
};

#define POLL_MAX (SLOT_RELAY + RELAY_FDS_MAX)

static size_t prepare(Runner *r, struct pollfd fds[static POLL_MAX]) {
        fds[SLOT_DAEMON] = (struct pollfd){
                .fd = DAEMON_FD,
                .events = (short) (POLLIN | (r->out.n > 0 ? POLLOUT : 0)),
        };
        fds[SLOT_SIGNAL] = (struct pollfd){ .fd = r->signal_fd, .events = POLLIN };
        fds[SLOT_CHILD] = (struct pollfd){ .fd = r->child.pidfd, .events = POLLIN };
        fds[SLOT_STDOUT] = (struct pollfd){ .fd = r->child.output.notify, .events = POLLIN };
        fds[SLOT_STDERR] = (struct pollfd){ .fd = r->child.stderr_fd, .events = POLLIN };
        fds[SLOT_STDIN] = (struct pollfd){ .fd = feed_wants_stdin(&r->feed), .events = POLLOUT };
        fds[SLOT_FIFO] = (struct pollfd){ .fd = feed_wants_fifo(&r->feed), .events = POLLOUT };
        return SLOT_RELAY + (r->relay ? relay_prepare(r->relay, fds + SLOT_RELAY) : 0);
}

static int timeout(const Runner *r) {
        usec_t now = clock_monotonic(), at = MIN(r->give_up, r->kill_at);

        if (feed_waits_for_reader(&r->feed))
                at = MIN(at, now + FEED_RETRY);
        if (r->child.output.fd >= 0 && r->child.output.notify < 0 && !r->ended)
                at = MIN(at, now + TAIL_PAUSE);
        if (!r->all_read && r->child.output.fd >= 0 && r->out.n < OUT_HIGH_MARK)
                at = now;
        if (at == USEC_INFINITY)
                return -1;
        return (int) MIN((usec_sub(at, now) + USEC_PER_MSEC - 1) / USEC_PER_MSEC, 3600U * 1000U);
}

static void on_time(Runner *r) {
        usec_t now = clock_monotonic();

        /* No job came: as if the daemon had closed the connection. */
        if (now >= r->give_up)
                r->hung_up = true;
        if (now >= r->kill_at)
                on_grace_over(r);
}

static int dispatch(Runner *r, const struct pollfd *fds, size_t n) {
        const short readable = POLLIN | POLLHUP | POLLERR;
        int e = 0;

        if (fds[SLOT_SIGNAL].revents)
                r->hung_up = true;
        if (fds[SLOT_DAEMON].revents & readable)
                e = on_daemon(r);
        if (r->hung_up || r->reported || e < 0)
                return e;
        if (r->relay && n > SLOT_RELAY)
                relay_dispatch(r->relay, fds + SLOT_RELAY, n - SLOT_RELAY);
        if (fds[SLOT_CHILD].revents & readable)
                on_end(r);
        if (r->child.output.fd >= 0)
                e = on_stdout(r); /* after on_end(), when it is known whether more can come */
        if (e >= 0 && fds[SLOT_STDERR].revents & readable)
                e = on_stderr(r);
        if (e >= 0 && !r->ended && r->child.pidfd >= 0)
                e = feed_step(&r->feed, &r->child.scratch);
        if (e >= 0 && r->ended && r->all_read && r->child.stderr_fd < 0) {
                e = output_end(&r->output, &r->out);
                if (e >= 0)
                        e = report(r, NULL);
        }
        return e;
}

static int loop(Runner *r) {
        while (!r->hung_up && !(r->reported && r->out.n == 0)) {
                struct pollfd fds[POLL_MAX];
                size_t n = prepare(r, fds);
                int e;

                if (poll(fds, (nfds_t) n, timeout(r)) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                on_time(r);
                e = dispatch(r, fds, n);
                if (e < 0)
                        return e;
                write_daemon(r);
        }
        return 0;
}

/* The result is sent. Closing now would reset the connection if the daemon still writes, and it would lose
 * the result. So the runner shuts down its side, and waits a while for the daemon to close. */
static void take_leave(Runner *r) {
        usec_t end = usec_add(clock_monotonic(), LEAVE_GRACE);

        (void) shutdown(DAEMON_FD, SHUT_WR);
        for (usec_t left = LEAVE_GRACE; left > 0 && !r->hung_up; left = usec_sub(end, clock_monotonic())) {
                struct pollfd fd = { .fd = DAEMON_FD, .events = POLLIN };

                if (poll(&fd, 1, (int) (left / USEC_PER_MSEC)) > 0)
                        (void) on_daemon(r);
        }
}

static int setup(Runner *r) {
        sigset_t signals;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        (void) sigaddset(&signals, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return -errno;
        r->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (r->signal_fd < 0)
                return -errno;
        output_init(&r->output);
        return orphans_adopt();
}

int runner_run(const RunnerOptions *o) {
        _cleanup_(runner_done) Runner r = {
                .options = o,
                .signal_fd = -1,
                .in = BUF_INIT(JOB_LINE_MAX),
                .out = BUF_INIT(OUT_MAX),
                .stderr_tail = BUF_INIT(2 * JOB_STDERR_MAX),
                .give_up = usec_add(clock_monotonic(), o->max_wait),
                .kill_at = USEC_INFINITY,
                .child = CHILD_INIT,
                .feed = FEED_INIT,
                .exit_code = -1,
        };
        int e;

        e = setup(&r);
        if (e >= 0)
                e = find_cli(&r);
        if (e >= 0)
                e = loop(&r);
        if (e >= 0 && !r.hung_up) {
                cleanup(&r);
                take_leave(&r);
        }
        if (e < 0)
                say("%s", strerror(-e));
        return e;
}
