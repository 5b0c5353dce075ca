/* SPDX-License-Identifier: MIT */
#pragma once

/* Listening sockets: those that gemgated opens (LISTEN), and checks of those that systemd passes. */

#include "base/macros.h"

#define LISTEN_NAME_MAX 128U

/* Opens `127.0.0.1:8080`, `[::]:8080`, `unix:/path` (mode 0660; a socket without a listener is replaced).
 * Host names are not resolved. -EINVAL for another form, else the error of socket(), bind() or listen(). */
int listen_open(const char *address, int *ret);

/* 0 for a listening stream socket, which becomes non-blocking; -ENOTSOCK, -EPROTOTYPE for anything else. */
int listen_check(int fd, bool *ret_unix);

/* The address as people write it: `127.0.0.1:8080`, `unix:/run/gemgate/http.sock`. */
void listen_format(int fd, char ret[static LISTEN_NAME_MAX]);
