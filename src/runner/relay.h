/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The CLI's only network: a connection to a port of the loopback is connected to the daemon's unix socket,
 * and bytes are copied both ways. If one side reads slowly, the relay stops reading from the other. A
 * request of the CLI needs one connection; RELAY_CONNECTIONS_MAX bounds anything else that it may try.
 */

#include <poll.h>

#include "base/buf.h"

#define RELAY_CONNECTIONS_MAX 8U
#define RELAY_FDS_MAX         (1U + 2U * RELAY_CONNECTIONS_MAX)

typedef struct Relay Relay;

/* Takes `listener` on success. -ENAMETOOLONG if the path is too long for a socket. */
int relay_new(int listener, const char *upstream, Relay **ret);
Relay *relay_free(Relay *r);
DEFINE_CLEANUP(Relay *, relay_free);

/* Opens a listening socket on a port of the loopback. With namespaces it is called inside them. */
int relay_listen(int *ret_fd);

/* Appends the descriptors to poll; pass the same entries after poll(), with their revents. */
size_t relay_prepare(Relay *r, struct pollfd fds[static RELAY_FDS_MAX]);
void relay_dispatch(Relay *r, const struct pollfd *fds, size_t n);
