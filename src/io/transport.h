/* SPDX-License-Identifier: MIT */
#pragma once

/* A connected stream socket, with TLS or without. */

#include <sys/types.h>
#include <sys/uio.h>

#include "io/forward.h"
#include "io/loop.h"

typedef struct ssl_st SSL;

int transport_new(int fd, SSL *ssl, Transport **ret); /* NULL: plain. Both are taken, also by a failure */
/* Plain, and the descriptor is another's, who closes it: freed() comes at the end of transport_free(). */
int transport_new_lent(int fd, void (*freed)(void *userdata), void *userdata, Transport **ret);
Transport *transport_free(Transport *t); /* sends close_notify without waiting, and closes */
DEFINE_CLEANUP(Transport *, transport_free);

void transport_count(Transport *t, Descriptors *d, size_t n); /* as n of them, until it is freed */

int transport_fd(const Transport *t); /* the owner watches it with a LoopFd */

/* Bytes; 0: the end; -EAGAIN; -errno, of TLS -EPROTO. An end without close_notify is -EPROTO, too. */
ssize_t transport_read(Transport *t, void *p, size_t n);

/* Bytes taken, at least one; -EAGAIN; -errno. Of TLS it is one record, of up to 16 KiB: pieces are joined.
 * After -EAGAIN the next write must begin with the same bytes; more may follow. */
ssize_t transport_write(Transport *t, const struct iovec *v, int n_v);

/* TLS has bytes that epoll does not show. False after a read that returned -EAGAIN. */
bool transport_has_pending(const Transport *t);

bool transport_is_http2(const Transport *t);     /* ALPN chose h2 */
const char *transport_error(const Transport *t); /* the reason of the last -errno; static */
