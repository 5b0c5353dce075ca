/* SPDX-License-Identifier: MIT */
#pragma once

/* Addresses of loopback that take connections, refuse them, or are silent. */

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"

static inline struct sockaddr_in6 address_of(const char *host, uint16_t port) {
        struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

        assert_int_equal(inet_pton(AF_INET6, host, &a.sin6_addr), 1);
        return a;
}

/* On an address of loopback, and on a port that is the same for all of them. It is below those that the
 * kernel gives to connections, so that none of them has it on the next address. */
static inline int listen_on(const char *host, int backlog, uint16_t *port) {
        static unsigned n_ports;
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_in6 a = address_of(host, *port);
        int r;

        assert_true(fd >= 0);
        do {
                unsigned at = 16U * (unsigned) getpid() + n_ports++;

                if (*port == 0)
                        a.sin6_port = htons((uint16_t) (16384 + at % 16384));
                r = bind(fd, (const struct sockaddr *) &a, sizeof(a));
        } while (r < 0 && errno == EADDRINUSE && *port == 0 && n_ports < 16384);
        assert_int_equal(r, 0);
        assert_int_equal(listen(fd, backlog), 0);
        *port = ntohs(a.sin6_port);
        return fd;
}

/* An address that never answers: the queue of its listener is full, so the kernel drops each SYN. */
typedef struct Hole {
        int listener, fillers[4];
} Hole;

static inline Hole hole_on(const char *host, uint16_t *port) {
        Hole h = { .listener = listen_on(host, 0, port) };
        struct sockaddr_in6 a = address_of(host, *port);

        for (size_t i = 0; i < ELEMENTSOF(h.fillers); i++) {
                h.fillers[i] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                (void) connect(h.fillers[i], (const struct sockaddr *) &a, sizeof(a));
        }
        return h;
}

static inline void hole_done(Hole *h) {
        for (size_t i = 0; i < ELEMENTSOF(h->fillers); i++)
                (void) close(h->fillers[i]);
        (void) close(h->listener);
}

static inline uint16_t closed_port(void) {
        uint16_t port = 0;

        (void) close(listen_on("::1", 1, &port));
        return port;
}
