/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>

#include "runner/feed.h"

#define PIPE_SIZE (1 << 20) /* a whole prompt, if the kernel allows; else in pieces */

void feed_done(Feed *f) {
        f->stdin_fd = safe_close(f->stdin_fd);
        f->fifo_fd = safe_close(f->fifo_fd);
        buf_done(&f->stdin_text);
        buf_done(&f->fifo_text);
}

int feed_begin(Feed *f, int stdin_fd) {
        f->stdin_fd = stdin_fd;
        return write(stdin_fd, "\n", 1) < 0 ? -errno : 0;
}

int feed_job(Feed *f, RunnerJob *j, const Scratch *s) {
        bool dialogue = j->session.n > 0;
        Buf *fifo = dialogue ? &j->session : &j->system;
        int r;

        if (dialogue) {
                r = scratch_replace(s, SCRATCH_SYSTEM, buf_data(&j->system), j->system.n);
                if (r < 0)
                        return r;
        }
        f->fifo = dialogue ? SCRATCH_SESSION : SCRATCH_SYSTEM;
        f->fifo_text = *fifo;
        *fifo = (Buf){};
        f->stdin_text = j->prompt;
        j->prompt = (Buf){};
        (void) fcntl(f->stdin_fd, F_SETPIPE_SZ, PIPE_SIZE);
        return 0;
}

static int open_fifo(Feed *f, const Scratch *s) {
        int fd;

        fd = openat(s->fd, f->fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENXIO ? 0 : -errno;
        f->fifo_fd = fd;
        (void) fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
        return scratch_replace(s, TAKE_PTR(f->fifo), buf_data(&f->fifo_text), f->fifo_text.n);
}

/* Writes until it would block, all is written, or the reader is gone; then closes. */
static void write_some(int *fd, Buf *b) {
        while (b->n > 0) {
                ssize_t k = write(*fd, buf_data(b), b->n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0 && errno == EAGAIN)
                        return;
                if (k < 0)
                        break;
                buf_consume(b, (size_t) k);
        }
        *fd = safe_close(*fd);
        buf_done(b);
}

int feed_step(Feed *f, const Scratch *s) {
        int r = 0;

        if (f->fifo)
                r = open_fifo(f, s);
        if (f->fifo_fd >= 0)
                write_some(&f->fifo_fd, &f->fifo_text);
        if (f->stdin_fd >= 0 && f->stdin_text.n > 0)
                write_some(&f->stdin_fd, &f->stdin_text);
        return r;
}
