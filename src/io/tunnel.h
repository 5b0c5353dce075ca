/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A tunnel: a connection to a server through a proxy, which passes on the bytes of both as they are.
 * libcurl makes it, in our loop (curl-glue.h), and speaks with the proxy alone: what goes through the
 * tunnel, and its TLS, is the caller's. See tunnel.c.
 */

#include <sys/types.h>

#include "base/proxy.h"
#include "io/curl-glue.h"

#define TUNNEL_CAUSE_MAX (PROXY_SHOWN_MAX + 256U)

typedef struct TunnelParams {
        const char *host; /* of the server; borrowed until it is open; an IPv6 address without brackets */
        uint16_t port;
        Proxy *proxy; /* never `none` */
        usec_t timeout; /* of the caller's own: libcurl waits for longer */
} TunnelParams;

/* Called once, and never from within tunnel_start(). It is open if `cause` is NULL; else that is the reason,
 * on one line and without the proxy's user. The tunnel may be freed in here. */
typedef void (*TunnelFn)(const char *cause, void *userdata);

int tunnel_start(CurlGlue *g, const TunnelParams *p, TunnelFn f, void *userdata, Tunnel **ret);
Tunnel *tunnel_free(Tunnel *t); /* waits for nothing */
DEFINE_CLEANUP(Tunnel *, tunnel_free);

/* CLOCK_MONOTONIC: when the proxy's name was resolved, and when the proxy was connected. 0: not reached. */
void tunnel_times(const Tunnel *t, usec_t *ret_resolved, usec_t *ret_connected);
void tunnel_late(const Tunnel *t, char ret[static TUNNEL_CAUSE_MAX]); /* why it is not open in time */

/* --- an open one --- */

/* Its socket, which is the caller's from now on, and outlives the tunnel. */
int tunnel_socket(const Tunnel *t, int *ret);

/* The bytes of the socket are not those of the tunnel, but TLS with the proxy. So tunnel_read() and
 * tunnel_write() pass them, and the socket only shows when. libcurl may hold bytes that epoll does not show:
 * tunnel_read() is called until it returns -EAGAIN. */
bool tunnel_is_wrapped(const Tunnel *t);
ssize_t tunnel_read(Tunnel *t, void *p, size_t n);        /* 0: the end; -EAGAIN; -errno */
ssize_t tunnel_write(Tunnel *t, const void *p, size_t n); /* after -EAGAIN the same memory; -errno */
