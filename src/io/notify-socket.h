/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The socket of the service manager ($NOTIFY_SOCKET), as sd_notify() uses it, but without waiting: while the
 * service manager does not read and its queue is full, sd_notify() blocks, and with it the loop.
 */

/* Opens a socket for $NOTIFY_SOCKET. Returns the descriptor; -ENOENT: there is no service manager. */
int notify_socket_open(void);

/* Sends one message. -EAGAIN: the queue is full. */
int notify_socket_send(int fd, const char *message);
