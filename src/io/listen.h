/* SPDX-License-Identifier: MIT */
#pragma once

/* Listening sockets: those we open ourselves (LISTEN), and what is to be known of those
 * passed by systemd. */

#include "base/macros.h"

#define LISTEN_NAME_MAX 128U

/* `127.0.0.1:8080`, `[::]:8080`, `unix:/path` (0660; one that nobody listens on any more is replaced). Host
 * names are not resolved. -EINVAL for another form, else what socket(), bind() or listen() said. */
int listen_open(const char *address, int *ret);

/* 0 for a stream socket that listens, made non-blocking; -ENOTSOCK, -EPROTOTYPE for anything else. */
int listen_check(int fd, bool *ret_unix);

/* How people write it: `127.0.0.1:8080`, `unix:/run/gemgate/http.sock`. */
void listen_format(int fd, char ret[static LISTEN_NAME_MAX]);
