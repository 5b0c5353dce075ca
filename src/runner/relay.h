/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The CLI's way out: whoever connects to a port of the loopback is connected to the daemon's unix socket,
 * and what one says is told the other, byte for byte. Who reads slowly is not read from faster. Of the CLI's
 * one request needs one connection; the ceiling is there for what else it may try.
 */

#include <poll.h>

#include "base/buf.h"

#define RELAY_CONNECTIONS_MAX 8U
#define RELAY_FDS_MAX         (1U + 2U * RELAY_CONNECTIONS_MAX)

typedef struct Relay Relay;

/* `listener` is taken on success. -ENAMETOOLONG for a path that is none of a socket. */
int relay_new(int listener, const char *upstream, Relay **ret);
Relay *relay_free(Relay *r);
DEFINE_CLEANUP(Relay *, relay_free);

/* A loopback port that listens. In namespaces it is made there. */
int relay_listen(int *ret_fd);

/* Appends what it waits for; after poll(), the same entries with their revents. */
size_t relay_prepare(Relay *r, struct pollfd fds[static RELAY_FDS_MAX]);
void relay_dispatch(Relay *r, const struct pollfd *fds, size_t n);
