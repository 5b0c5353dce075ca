/* SPDX-License-Identifier: MIT */

/*
 * Reads what is there, up to READ_MAX a turn, and passes on the complete lines. `alive` detects a callback
 * that frees the stream: free clears what it points to.
 *
 * A paused stream with nothing to write is not watched at all, because epoll always reports a hang-up, and
 * would report it without end. Lines that were read before the pause are passed on at the end of the turn in
 * which the pause ends.
 *
 * The end is always read, never concluded from a failed write: a peer that hangs up before it has read
 * everything may have sent the reason.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "io/line-stream.h"

#define READ_MAX (256U << 10)

struct LineStream {
        Loop *loop;
        int fd;
        LoopFd watch;
        LoopHook resumed;
        LineStreamOps ops;
        void *userdata;
        size_t line_max, scanned; /* of the first line in `in`: bytes searched for its end */
        Buf in, out;
        bool paused;
        bool write_closed; /* the peer reads nothing any more */
        bool *alive;
};

int line_stream_connect(const char *path, int *ret_fd) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;
        size_t n = strlen(path);

        if (n >= sizeof(a.sun_path))
                return -ENAMETOOLONG;
        memcpy(a.sun_path, path, n + 1);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *) &a, sizeof(a)) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void on_ready(uint32_t events, void *userdata);

/* 0, or the error that ends the stream. */
static int watch(LineStream *s) {
        uint32_t events = (s->paused ? 0 : EPOLLIN) | (s->out.n > 0 ? EPOLLOUT : 0);

        if (events == 0) {
                loop_fd_remove(s->loop, &s->watch);
                return 0;
        }
        if (s->watch.fd < 0)
                return loop_fd_add(s->loop, &s->watch, s->fd, events, on_ready, s);
        return loop_fd_modify(s->loop, &s->watch, events);
}

static void close_with(LineStream *s, int error) {
        loop_fd_remove(s->loop, &s->watch);
        s->fd = safe_close(s->fd);
        s->ops.closed(error, s->userdata);
}

/* Drops what was to be written: the peer does not read it. */
static void give_up_writing(LineStream *s) {
        s->write_closed = true;
        buf_done(&s->out);
        (void) shutdown(s->fd, SHUT_RDWR); /* what has arrived can still be read, then the end */
}

static void write_out(LineStream *s) {
        while (s->out.n > 0) {
                ssize_t k = send(s->fd, buf_data(&s->out), s->out.n, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0 && errno == EAGAIN)
                        return;
                if (k < 0)
                        return give_up_writing(s);
                buf_consume(&s->out, (size_t) k);
        }
        buf_done(&s->out); /* a prompt may be large, and is the only one */
}

/* 1: bytes arrived; 0: nothing now; -ECONNRESET: the end. */
static int read_in(LineStream *s) {
        ssize_t k;
        int r;

        r = buf_reserve(&s->in, READ_MAX);
        if (r < 0)
                return r;
        k = recv(s->fd, buf_data(&s->in) + s->in.n, READ_MAX, MSG_DONTWAIT);
        if (k < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (k == 0)
                return -ECONNRESET;
        s->in.n += (size_t) k;
        return 1;
}

/* The end of the first line, or NULL if it has not arrived. */
static const char *find_end(LineStream *s) {
        const char *lf = NULL;

        if (s->in.n > s->scanned)
                lf = memchr(buf_data(&s->in) + s->scanned, '\n', s->in.n - s->scanned);
        s->scanned = lf ? 0 : s->in.n;
        return lf;
}

enum { HANDED_ON, FREED };

/* Passes on the complete lines. -E2BIG for a line beyond the ceiling. */
static int hand_on(LineStream *s) {
        bool alive = true;
        const char *lf;
        size_t n = 0;

        s->alive = &alive;
        while (!s->paused && (lf = find_end(s))) {
                n = (size_t) (lf - buf_data(&s->in));
                if (n > s->line_max)
                        break;
                s->ops.line(buf_data(&s->in), n, s->userdata);
                if (!alive)
                        return FREED;
                buf_consume(&s->in, n + 1);
        }
        s->alive = NULL;
        return n > s->line_max || (!s->paused && s->in.n > s->line_max) ? -E2BIG : HANDED_ON;
}

static void on_ready(uint32_t events, void *userdata) {
        LineStream *s = userdata;
        int r = 0;

        if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
                write_out(s);
        if (!s->paused)
                r = read_in(s);
        if (r > 0) {
                r = hand_on(s);
                if (r == FREED)
                        return;
        }
        if (r >= 0)
                r = watch(s);
        if (r < 0)
                close_with(s, r == -ECONNRESET ? 0 : r);
}

static void on_resumed(void *userdata) {
        LineStream *s = userdata;
        int r;

        if (s->paused || s->fd < 0)
                return;
        r = hand_on(s);
        if (r == FREED)
                return;
        if (r >= 0)
                r = watch(s);
        if (r < 0)
                close_with(s, r);
}

int line_stream_new(Loop *l, int fd, size_t line_max, const LineStreamOps *ops, void *userdata,
                    LineStream **ret) {
        _cleanup_(line_stream_freep) LineStream *s = NULL;
        int flags, r;

        s = calloc(1, sizeof(LineStream));
        if (!s) {
                (void) close(fd);
                return -ENOMEM;
        }
        *s = (LineStream){
                .loop = l,
                .fd = fd,
                .watch = LOOP_FD_NULL,
                .ops = *ops,
                .userdata = userdata,
                .line_max = line_max,
                .in = BUF_INIT(line_max + 2 * READ_MAX),
                .out = BUF_INIT_SECRET(SIZE_MAX / 2), /* the caller bounds what it queues */
        };
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        r = loop_fd_add(l, &s->watch, fd, EPOLLIN, on_ready, s);
        if (r < 0)
                return r;
        loop_hook_add(l, &s->resumed, on_resumed, s);
        *ret = TAKE_PTR(s);
        return 0;
}

LineStream *line_stream_free(LineStream *s) {
        if (!s)
                return NULL;
        if (s->alive)
                *s->alive = false;
        loop_hook_remove(&s->resumed);
        loop_fd_remove(s->loop, &s->watch);
        (void) safe_close(s->fd);
        buf_done(&s->in);
        buf_done(&s->out);
        free(s);
        return NULL;
}

void line_stream_write(LineStream *s, const char *line, size_t n) {
        if (s->fd < 0 || s->write_closed)
                return;
        if (buf_append(&s->out, line, n) < 0 || buf_putc(&s->out, '\n') < 0)
                give_up_writing(s);
        else
                write_out(s);
        if (watch(s) < 0)
                give_up_writing(s);
}

void line_stream_pause(LineStream *s, bool paused) {
        if (s->paused == paused || s->fd < 0)
                return;
        s->paused = paused;
        if (!paused)
                loop_hook_ask(s->loop, &s->resumed);
}
