/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runner/relay.h"

#define BUFFER (64U << 10)

/* One direction: bytes read from `from` and not yet written to `to`, which are 0 or 1. */
typedef struct Half {
        Buf held;
        bool eof;  /* `from` has ended */
        bool done; /* and `to` was shut down */
} Half;

/* fd[0] is the CLI's, fd[1] the daemon's; half[i] is read from fd[i]. */
typedef struct Link {
        int fd[2];
        Half half[2];
        int slot[2]; /* in the array passed to poll(), or -1 */
} Link;

struct Relay {
        int listener;
        struct sockaddr_un upstream;
        Link links[RELAY_CONNECTIONS_MAX];
        size_t n;
};

int relay_listen(int *ret_fd) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        _cleanup_close_ int fd = -1;

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (bind(fd, (const struct sockaddr *) &a, sizeof(a)) < 0 || listen(fd, RELAY_CONNECTIONS_MAX) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int relay_new(int listener, const char *upstream, Relay **ret) {
        size_t n = strlen(upstream);
        Relay *r;

        if (n >= sizeof(r->upstream.sun_path))
                return -ENAMETOOLONG;
        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->listener = listener;
        r->upstream.sun_family = AF_UNIX;
        memcpy(r->upstream.sun_path, upstream, n + 1);
        *ret = r;
        return 0;
}

static void link_done(Link *l) {
        for (size_t i = 0; i < 2; i++) {
                l->fd[i] = safe_close(l->fd[i]);
                buf_done(&l->half[i].held);
        }
}

Relay *relay_free(Relay *r) {
        if (!r)
                return NULL;
        for (size_t i = 0; i < r->n; i++)
                link_done(r->links + i);
        r->listener = safe_close(r->listener);
        free(r);
        return NULL;
}

/* A unix socket connects at once or not at all; on failure the CLI's connection is closed. */
static int connect_upstream(const Relay *r, int *ret_fd) {
        _cleanup_close_ int fd = -1;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &r->upstream, sizeof(r->upstream)) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void accept_one(Relay *r) {
        _cleanup_close_ int fd = -1;
        static const int yes = 1;
        int upstream = -1;

        fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 || connect_upstream(r, &upstream) < 0)
                return;
        /* Streaming needs small pieces at once. */
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
        r->links[r->n++] = (Link){
                .fd = { TAKE_FD(fd), upstream },
                .half = { { .held = BUF_INIT(BUFFER) }, { .held = BUF_INIT(BUFFER) } },
        };
}

static short wanted(const Link *l, size_t i) {
        short events = 0;

        if (!l->half[i].eof && l->half[i].held.n < BUFFER)
                events |= POLLIN;
        if (l->half[!i].held.n > 0)
                events |= POLLOUT;
        return events;
}

size_t relay_prepare(Relay *r, struct pollfd fds[static RELAY_FDS_MAX]) {
        size_t n = 0;

        fds[n++] = (struct pollfd){
                .fd = r->n < RELAY_CONNECTIONS_MAX ? r->listener : -1,
                .events = POLLIN,
        };
        for (size_t i = 0; i < r->n; i++)
                for (size_t k = 0; k < 2; k++) {
                        short events = wanted(r->links + i, k);

                        /* poll() would report a hang-up without end even if no event is wanted. */
                        r->links[i].slot[k] = events ? (int) n : -1;
                        if (events)
                                fds[n++] = (struct pollfd){ .fd = r->links[i].fd[k], .events = events };
                }
        return n;
}

static int read_some(Link *l, size_t i) {
        Half *h = l->half + i;
        char p[BUFFER];
        ssize_t k;

        k = recv(l->fd[i], p, BUFFER - h->held.n, 0);
        if (k < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        h->eof = k == 0;
        return buf_append(&h->held, p, (size_t) k);
}

static int write_some(Link *l, size_t i) {
        Half *h = l->half + i;
        ssize_t k;

        if (h->held.n > 0) {
                k = send(l->fd[!i], buf_data(&h->held), h->held.n, MSG_NOSIGNAL);
                if (k < 0)
                        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
                buf_consume(&h->held, (size_t) k);
        }
        if (h->held.n == 0 && h->eof && !h->done) {
                h->done = true;
                return shutdown(l->fd[!i], SHUT_WR) < 0 ? -errno : 0;
        }
        return 0;
}

/* False when both directions are done. */
static bool link_step(Link *l, const struct pollfd *fds) {
        int r = 0;

        for (size_t i = 0; i < 2 && r >= 0; i++)
                if (l->slot[i] >= 0 && fds[l->slot[i]].revents & (POLLIN | POLLHUP | POLLERR) &&
                    !l->half[i].eof && l->half[i].held.n < BUFFER)
                        r = read_some(l, i);
        for (size_t i = 0; i < 2 && r >= 0; i++)
                r = write_some(l, i);
        return r >= 0 && !(l->half[0].done && l->half[1].done);
}

void relay_dispatch(Relay *r, const struct pollfd *fds, size_t n) {
        size_t kept = 0;

        for (size_t i = 0; i < r->n; i++) {
                if (link_step(r->links + i, fds))
                        r->links[kept++] = r->links[i];
                else
                        link_done(r->links + i);
        }
        r->n = kept;
        if (fds[0].revents & POLLIN)
                accept_one(r);
}
