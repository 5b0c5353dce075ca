/* SPDX-License-Identifier: MIT */

/* The way of a dial through a proxy (io/tunnel). The deadline is the dial's. */

#include <errno.h>
#include <string.h>

#include "io/dial-internal.h"

static void on_tunnel(const char *cause, void *userdata) {
        Dial *d = userdata;
        int r;

        tunnel_times(d->tunnel, &d->times.resolved, &d->times.connected);
        if (cause) {
                dial_fail_at_proxy(d, cause);
                return;
        }
        r = tunnel_socket(d->tunnel, &d->fd);
        if (r < 0) {
                dial_fail(d, "%s (%s port %u)", strerror(-r), d->host, d->port);
                return;
        }
        if (!tunnel_is_wrapped(d->tunnel)) {
                d->tunnel = tunnel_free(d->tunnel);
                dial_count(d, 1);
        }
        dial_connected(d);
}

int dial_proxy_start(Dial *d, usec_t timeout) {
        dial_enter(d, DIAL_TUNNELLING);
        return tunnel_start(d->dialer->glue,
                            &(TunnelParams){
                                    .host = d->host,
                                    .port = d->port,
                                    .proxy = d->proxy,
                                    .timeout = timeout,
                            },
                            on_tunnel, d, &d->tunnel);
}

void dial_proxy_late(Dial *d) {
        char cause[TUNNEL_CAUSE_MAX];

        tunnel_late(d->tunnel, cause);
        dial_fail_at_proxy(d, cause);
}
