/* SPDX-License-Identifier: MIT */

/*
 * The way of a dial to one of the server's addresses.
 *
 * The address that has connected is the first one that later dials try, as long as the answer is kept: a
 * silent IPv6 delays one connection a minute.
 *
 * If all addresses fail, the cause is the first failure that is more than the lack of a route, since a
 * machine without IPv6 has no route to each IPv6 address.
 */

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "io/dial-internal.h"

/* --- connections --- */

static void attempt_close(DialAttempt *a) {
        if (a->fd < 0)
                return;
        loop_fd_remove(a->dial->dialer->loop, &a->watch);
        a->fd = safe_close(a->fd);
        a->dial->n_open--;
        dial_count(a->dial, MAX(a->dial->n_open, 1U));
}

static void take_connected(Dial *d, DialAttempt *a) {
        d->times.connected = clock_monotonic();
        resolver_prefer(d->dialer->resolver, d->answer, (size_t) (a - d->attempts));
        loop_fd_remove(d->dialer->loop, &a->watch);
        d->fd = TAKE_FD(a->fd);
        d->n_open--;
        for (size_t i = 0; i < d->n_begun; i++)
                attempt_close(&d->attempts[i]);
        timeout_stop(&d->next);
        dial_connected(d);
}

static bool is_lack_of_route(int error) {
        return error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static void note_error(Dial *d, int error) {
        if (d->error == 0 || (is_lack_of_route(d->error) && !is_lack_of_route(error)))
                d->error = error;
}

static void try_next(Dial *d);

static void on_attempt(uint32_t events _unused_, void *userdata) {
        DialAttempt *a = userdata;
        Dial *d = a->dial;
        int error = 0;

        if (getsockopt(a->fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){ sizeof(error) }) < 0)
                error = errno;
        if (error == 0) {
                take_connected(d, a);
                return;
        }
        note_error(d, error);
        attempt_close(a);
        try_next(d);
}

static int connect_to(const ResolverAddress *address, uint16_t port, int *ret_fd) {
        ResolverAddress to = *address;
        socklen_t size = to.any.sa_family == AF_INET6 ? sizeof(to.six) : sizeof(to.four);
        int fd, r;

        if (to.any.sa_family == AF_INET6)
                to.six.sin6_port = htons(port);
        else
                to.four.sin_port = htons(port);
        fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        r = connect(fd, &to.any, size) < 0 ? -errno : 1;
        if (r == -EINPROGRESS || r == -EINTR)
                r = 0;
        if (r < 0)
                (void) safe_close(fd);
        else
                *ret_fd = fd;
        return r;
}

/* 1: connected. 0: it is under way. -errno. */
static int attempt_begin(DialAttempt *a, Dial *d, const ResolverAddress *address) {
        int r, k;

        *a = (DialAttempt){ .dial = d, .watch = LOOP_FD_NULL, .fd = -1 };
        r = connect_to(address, d->port, &a->fd);
        if (r < 0)
                return r;
        dial_count(d, ++d->n_open);
        if (r > 0)
                return r;
        k = loop_fd_add(d->dialer->loop, &a->watch, a->fd, EPOLLOUT, on_attempt, a);
        if (k < 0)
                attempt_close(a);
        return k;
}

static void fail_to_connect(Dial *d) {
        resolver_forget(d->dialer->resolver, d->answer);
        dial_fail(d, "%s (%s port %u)", strerrordesc_np(d->error) ?: "No connection", d->host, d->port);
}

/* Begins the next attempt that does not fail at once. */
static void try_next(Dial *d) {
        while (d->n_begun < d->answer->n) {
                DialAttempt *a = &d->attempts[d->n_begun];
                int r;

                r = attempt_begin(a, d, &d->answer->addresses[d->n_begun++]);
                if (r > 0) {
                        take_connected(d, a);
                        return;
                }
                if (r == 0) {
                        timeout_start(d->dialer->next, &d->next);
                        return;
                }
                note_error(d, -r);
        }
        if (d->n_open == 0)
                fail_to_connect(d);
}

void dial_on_next(Timeout *t) {
        Dial *d = CONTAINER_OF(t, Dial, next);

        if (descriptors_admit(loop_descriptors(d->dialer->loop), DESCRIPTOR_UPSTREAM))
                try_next(d);
        else
                timeout_start(d->dialer->next, &d->next);
}

/* --- names --- */

static void take_answer(Dial *d, ResolverAnswer *answer) {
        d->answer = answer;
        d->times.resolved = clock_monotonic();
        if (answer->error != 0) {
                dial_fail(d, "Could not resolve host: %s (%s)", d->host, resolver_answer_words(answer));
                return;
        }
        d->attempts = calloc(answer->n, sizeof(DialAttempt));
        if (!d->attempts) {
                dial_fail(d, "out of memory");
                return;
        }
        dial_enter(d, DIAL_CONNECTING);
        try_next(d);
}

static void on_answer(ResolverWait *w, ResolverAnswer *answer) {
        take_answer(CONTAINER_OF(w, Dial, resolving), answer);
}

/* --- the whole --- */

int dial_addresses_start(Dial *d) {
        ResolverAnswer *answer;
        int r;

        r = resolver_ask(d->dialer->resolver, d->host, &d->resolving, on_answer, &answer);
        if (r == -ENOMEM)
                return r;
        if (r > 0)
                take_answer(d, answer);
        else if (r < 0)
                dial_fail(d, "Could not resolve host: %s (%s)", d->host,
                          r == -EMFILE ? "too many names at one time" : strerror(-r));
        return 0;
}

void dial_addresses_stop(Dial *d) {
        timeout_stop(&d->next);
        resolver_stop(&d->resolving);
        for (size_t i = 0; i < d->n_begun; i++)
                attempt_close(&d->attempts[i]);
}

void dial_addresses_late(Dial *d) {
        if (d->state == DIAL_RESOLVING) {
                dial_fail(d, "Could not resolve host: %s (no answer within CONNECT_TIMEOUT)", d->host);
                return;
        }
        resolver_forget(d->dialer->resolver, d->answer);
        dial_fail(d, "no connection within CONNECT_TIMEOUT (%s port %u)", d->host, d->port);
}
