/* SPDX-License-Identifier: MIT */

/* The sockets that libcurl wants to have watched. Those of connections are opened and closed here. */

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/curl-internal.h"

static CurlSocket *socket_get(CurlGlue *g, int fd) {
        CurlSocket **grown;
        size_t n;

        if ((size_t) fd >= g->n_sockets) {
                n = MAX((size_t) fd + 1, g->n_sockets * 2);
                grown = reallocarray(g->sockets, n, sizeof(CurlSocket *));
                if (!grown)
                        return NULL;
                memset(grown + g->n_sockets, 0, (n - g->n_sockets) * sizeof(CurlSocket *));
                g->sockets = grown;
                g->n_sockets = n;
        }
        if (!g->sockets[fd]) {
                g->sockets[fd] = calloc(1, sizeof(CurlSocket));
                if (!g->sockets[fd])
                        return NULL;
                *g->sockets[fd] = (CurlSocket){ .watch = LOOP_FD_NULL, .glue = g, .fd = fd };
        }
        return g->sockets[fd];
}

static void socket_drop(CurlSocket *s) {
        CurlGlue *g = s->glue;

        loop_fd_remove(g->loop, &s->watch);
        g->sockets[s->fd] = NULL;
        free(s);
}

static void on_socket_ready(uint32_t events, void *userdata) {
        CurlSocket *s = userdata;
        CurlGlue *g = s->glue;
        int running, mask = 0;

        if (events & EPOLLIN)
                mask |= CURL_CSELECT_IN;
        if (events & EPOLLOUT)
                mask |= CURL_CSELECT_OUT;
        if (events & (EPOLLERR | EPOLLHUP))
                mask |= CURL_CSELECT_ERR;
        (void) curl_multi_socket_action(g->multi, s->fd, mask, &running);
        loop_hook_ask(g->loop, &g->hook);
}

/*
 * A new socket has this number. libcurl closes one whose connect has not completed by itself, without
 * curl_socket_on_close(), and if the next one gets the same number and waits for the same events, it does
 * not call curl_socket_on_change() either. The kernel has dropped the former watch with the former socket,
 * so the new one is watched for what that one was.
 */
static int socket_renew(CurlSocket *s) {
        bool was_watched = s->watch.fd >= 0;
        uint32_t events = s->watch.events;

        loop_fd_forget(s->glue->loop, &s->watch);
        return was_watched ? loop_fd_add(s->glue->loop, &s->watch, s->fd, events, on_socket_ready, s) : 0;
}

int curl_socket_on_change(CURL *easy _unused_, curl_socket_t fd, int what, void *userdata,
                          void *socketp _unused_) {
        CurlGlue *g = userdata;
        uint32_t events;
        CurlSocket *s;

        if (what == CURL_POLL_REMOVE) {
                s = (size_t) fd < g->n_sockets ? g->sockets[fd] : NULL;
                if (s)
                        socket_drop(s);
                return 0;
        }

        events = (what & CURL_POLL_IN ? (uint32_t) EPOLLIN : 0) |
                 (what & CURL_POLL_OUT ? (uint32_t) EPOLLOUT : 0);
        s = socket_get(g, fd);
        if (!s)
                return -1;
        if (s->watch.fd >= 0)
                return loop_fd_modify(g->loop, &s->watch, events) < 0 ? -1 : 0;
        return loop_fd_add(g->loop, &s->watch, fd, events, on_socket_ready, s) < 0 ? -1 : 0;
}

curl_socket_t curl_socket_on_open(void *userdata, curlsocktype purpose _unused_,
                                  struct curl_sockaddr *address) {
        CurlGlue *g = userdata;
        CurlSocket *s;
        int fd;

        fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
        if (fd < 0)
                return CURL_SOCKET_BAD;
        s = socket_get(g, fd);
        if (!s || socket_renew(s) < 0) {
                (void) close(fd);
                return CURL_SOCKET_BAD;
        }
        return fd;
}

int curl_socket_on_close(void *userdata, curl_socket_t fd) {
        CurlGlue *g = userdata;

        if ((size_t) fd < g->n_sockets && g->sockets[fd])
                socket_drop(g->sockets[fd]);
        return close(fd);
}

void curl_sockets_done(CurlGlue *g) {
        for (size_t i = 0; i < g->n_sockets; i++)
                if (g->sockets[i])
                        socket_drop(g->sockets[i]);
        free(g->sockets);
}
