/* SPDX-License-Identifier: MIT */

/*
 * libmicrohttpd (0.9.75 and later) in gemgate's loop. Its traps:
 *
 *   - Each run with a resumption pending walks all suspended connections of the daemon. Therefore a daemon
 *     has at most HTTP_SHARD_MAX connections, and a listener has as many daemons, called shards, as it
 *     needs: a request costs the same beside thousands of silent streams as alone. For the same reason there
 *     is one run a turn.
 *   - Its epoll descriptor is watched in the loop's own epoll, and MHD_run() is a hook: it runs once a turn,
 *     however many connections became ready or were resumed. The connections inside are edge-triggered, so
 *     after every run its time-out is read, and 0 means "run again now". Without that, a connection
 *     hangs.
 *   - Without threads, MHD_resume_connection() wakes nothing: the caller must ask for the hook. The eventfd
 *     that newer versions write to at each resumption is of no use here, so MHD_USE_ITC is masked out.
 *   - MHD does not watch a suspended connection, so it would notice a client that hangs up only at the
 *     second write. Therefore each connection has an EPOLLRDHUP watch of gemgate's, set once for its life. A
 *     client that only closes its sending side looks the same and is treated the same, as by other proxies:
 *     it is gone.
 *   - When a client's last bytes and its FIN arrive together, MHD reads the bytes, treats the short read as
 *     the end, and misses the FIN: the connection would stay until its time-out. After the run that has read
 *     the last byte gemgate shuts down its reading side, which makes a new edge; an answer that is still to
 *     be sent is not affected.
 *   - A connection that MHD closes because its reader reports an error is not freed, and its descriptor
 *     stays open, until MHD looks at it again, which can take until its time-out. In each run MHD looks at
 *     all connections whose time-out is not the common one, so a closed connection gets another. The same
 *     happens, without any callback, when there is no memory for an error page about a head.
 *   - In a reply in pieces the reader either returns bytes, or suspends the connection and returns 0. To
 *     return 0 without suspending makes MHD spin.
 *   - From 1.0 on MHD takes an added connection only in its next run, when its address is not known here any
 *     more, unless it knows that there is one thread only (SINGLE_THREAD). No connection of a TCP listener
 *     may be without an address, because it would be taken for one of a unix socket, which may connect.
 *   - From 1.0 on MHD takes the LF behind a chunk's extension for the first byte of the data, so a right
 *     body is malformed for it, and it answers with a page or not at all. Extensions are a fault there
 *     (NO_EXTENSIONS). A first line with more blanks than two it answers by a redirection to itself, so it
 *     does not get one with a fault.
 *   - MHD does not know that a connection which is passed to it is a unix socket: for each piece that it
 *     sends it tries to set TCP's options, and complains. These complaints are not logged.
 *   - MHD_stop_daemon() aborts the process if a connection is suspended: resume all and run once before.
 *   - Percent escapes are left encoded (%00 would cut the path): code that needs them decoded decodes and
 *     checks them.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "io/http-body.h"
#include "io/http-park.h"
#include "io/http-receive.h"
#include "io/http-stall.h"
#include "io/http-wire.h"

#if MHD_VERSION >= 0x00097707
#define SINGLE_THREAD MHD_USE_NO_THREAD_SAFETY
#define NO_EXTENSIONS true
#else
#define SINGLE_THREAD 0U
#define NO_EXTENSIONS false
#endif

#define CLOSED_TIMEOUT_SEC 80U /* of a closed connection: it must differ from HTTP_IDLE_TIMEOUT_SEC */
#define STALL_PAUSE (10 * USEC_PER_MSEC)
#define TIMER_ACCURACY (100 * USEC_PER_MSEC)

/* --- running --- */

static void shard_run_later(HttpShard *d, usec_t delay) {
        d->armed = true;
        (void) sd_event_source_set_time(d->timer, usec_add(loop_now(d->listener->server->loop), delay));
        (void) sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

/* Gives the connections whose head is arriving another time-out, or the common one. */
static void shard_set_timeouts(HttpShard *d, unsigned seconds) {
        LIST_FOREACH(i, &d->connections) {
                HttpConnection *c = list_entry(i, HttpConnection, link);

                if (c->begun && !c->closed && !c->stalled)
                        (void) MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
        }
}

/* MHD has refused a head: it may have closed the connection, without calling anything. */
static void shard_free_closed(HttpShard *d) {
        d->refused = false;
        d->is_ready = true;
        shard_set_timeouts(d, CLOSED_TIMEOUT_SEC);
        http_wire_run(d);
        shard_set_timeouts(d, HTTP_IDLE_TIMEOUT_SEC);
}

static void shard_run(void *userdata) {
        HttpShard *d = userdata;
        HttpServer *s = d->listener->server;
        MHD_UNSIGNED_LONG_LONG ms;

        s->n_runs++;
        http_wire_run(d);
        if (d->refused)
                shard_free_closed(d);
        LIST_FOREACH(i, &d->hung) {
                HttpConnection *c = list_entry(i, HttpConnection, hung);
                int unread = 0;

                /* MHD is still reading, a piece in each run: the new edge must come after the last byte. */
                if (ioctl(c->fd, FIONREAD, &unread) == 0 && unread > 0)
                        continue;
                list_unlink(&c->hung);
                (void) shutdown(c->fd, SHUT_RD);
        }
        if (MHD_get_timeout(d->daemon, &ms) != MHD_YES)
                return;
        if (ms > 0) {
                d->n_idle_runs = 0;
                /* Only the time-out of an idle shard: set once, and set again if it fires too early. */
                if (!d->armed)
                        shard_run_later(d, ms * USEC_PER_MSEC);
        } else if (http_stall_continue(d))
                http_shard_ask(d);
        else
                shard_run_later(d, STALL_PAUSE);
}

static void on_mhd_ready(uint32_t events _unused_, void *userdata) {
        HttpShard *d = userdata;

        d->is_ready = true;
        http_shard_ask(d);
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        HttpShard *d = userdata;

        d->armed = false;
        http_shard_ask(d);
        return 0;
}

/* --- connections --- */

static void on_socket(uint32_t events, void *userdata) {
        HttpConnection *c = userdata;
        HttpRequest *r = c->request;

        c->unread = true;
        http_unpark(c);
        if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
                return http_connection_sends(c);
        c->hup = true;
        loop_fd_remove(c->server->loop, &c->watch);
        list_append(&c->shard->hung, &c->hung);
        http_shard_ask(c->shard);
        /* While the request is being read, MHD notices by itself; a whole reply is still sent. */
        if (r && (r->bodied || r->passes) && (r->suspended || r->streaming))
                http_request_gone(r);
}

static void connection_free(HttpConnection *c) {
        HttpServer *s;

        if (!c)
                return;
        s = c->server;
        s->n_guests -= c->guest;
        /* Its head was being read, and no end of it was reported: there was no memory for all its parts. */
        if (c->begun && !c->cut)
                http_connection_refuse(c, 431, s->params.head_too_large);
        if (c->fd >= 0)
                http_wire_remove(c);
        loop_fd_remove(s->loop, &c->watch);
        timeout_stop(&c->due);
        list_unlink(&c->hung);
        list_unlink(&c->trial);
        list_unlink(&c->link);
        free(c);
        http_server_settled(s);
}

static HttpConnection *connection_new(HttpShard *d, struct MHD_Connection *mhd) {
        const union MHD_ConnectionInfo *info;
        HttpConnection *c;

        c = calloc(1, sizeof(HttpConnection));
        if (!c)
                return NULL; /* its requests are refused in http_receive() */
        *c = (HttpConnection){
                .server = d->listener->server,
                .shard = d,
                .mhd = mhd,
                .watch = LOOP_FD_NULL,
                .fd = -1,
                .framing.no_extensions = NO_EXTENSIONS,
                .framing.whole_line = NO_EXTENSIONS,
                .ahead = BUF_INIT_SECRET(HTTP_HEADERS_MAX), /* a head in it has a token */
        };
        if (d->accepting && d->accepting->sa_family == AF_INET)
                memcpy(&c->peer.in, d->accepting, sizeof(c->peer.in));
        else if (d->accepting && d->accepting->sa_family == AF_INET6)
                memcpy(&c->peer.in6, d->accepting, sizeof(c->peer.in6));
        c->guest = d->accepting_guest;
        c->server->n_guests += c->guest;
        list_init(&c->hung);
        list_init(&c->trial);
        list_init(&c->broken);
        list_append(&d->connections, &c->link);
        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (c->peer.sa.sa_family != AF_UNSPEC || d->listener->is_unix)
                c->fd = info ? info->connect_fd : -1;
        if (c->fd < 0 || http_wire_add(c) < 0) {
                connection_free(c);
                return NULL; /* as above */
        }
        (void) loop_fd_add(c->server->loop, &c->watch, c->fd, EPOLLIN | EPOLLRDHUP | EPOLLET, on_socket, c);
        http_connection_opened(c);
        return c;
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what) {
        HttpShard *d = cls;

        d->n_events++;
        if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
                connection_free(*context);
                *context = NULL;
                http_listener_closed(d->listener, d);
        } else {
                http_listener_opened(d->listener, d);
                *context = connection_new(d, mhd);
        }
}

void http_shard_add(HttpShard *d, int fd, const struct sockaddr *peer, socklen_t n_peer, bool guest) {
        assert(d->n_connections < HTTP_SHARD_MAX);

        d->accepting = peer;
        d->accepting_guest = guest;
        (void) MHD_add_connection(d->daemon, fd, peer, n_peer); /* closes the descriptor if it fails */
        d->accepting = NULL;
        d->is_ready = true; /* its first bytes may be there */
        http_shard_ask(d);
}

void http_shard_drop(HttpConnection *c) {
        c->closed = true;
        (void) MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, CLOSED_TIMEOUT_SEC);
        http_shard_ask(c->shard);
}

/* --- start and end --- */

static size_t on_unescape(void *cls _unused_, struct MHD_Connection *c _unused_, char *s) {
        return strlen(s);
}

static bool is_tcp_complaint(const char *fmt) {
        return startswith(fmt, "Setting %s option") || startswith(fmt, "Failed to push the data");
}

/* Two messages tell what nothing else does. */
static void _printf_(2, 0) note_message(HttpShard *d, const char *fmt, va_list ap) {
        const HttpServer *s = d->listener->server;
        va_list arguments;

        va_copy(arguments, ap);
        if (startswith(fmt, "Error processing request (HTTP response code is %u")) {
                d->refused = true;
                if (s->ops.refused)
                        s->ops.refused((int) va_arg(arguments, unsigned), s->userdata);
        } else if (startswith(fmt, "%s") &&
                   startswith(va_arg(arguments, const char *), "Closing connection (failed to create"))
                d->unanswered = true;
        va_end(arguments);
}

static void _printf_(2, 0) on_log(void *cls, const char *fmt, va_list ap) {
        HttpShard *d = cls;
        char line[512];
        size_t n;

        note_message(d, fmt, ap);
        if (log_get_level() < LOG_LEVEL_DEBUG || (d->listener->is_unix && is_tcp_complaint(fmt)))
                return;
        (void) vsnprintf(line, sizeof(line), fmt, ap);
        n = strlen(line);
        while (n > 0 && line[n - 1] == '\n')
                line[--n] = 0;
        log_debug("http: %s", line);
}

int http_shard_new(HttpListener *l, HttpShard **ret) {
        _cleanup_(http_shard_freep) HttpShard *d = NULL;
        const union MHD_DaemonInfo *info;
        HttpServer *s = l->server;
        int r;

        d = calloc(1, sizeof(HttpShard));
        if (!d)
                return -ENOMEM;
        *d = (HttpShard){ .listener = l, .watch = LOOP_FD_NULL };
        list_init(&d->connections);
        list_init(&d->hung);
        list_init(&d->broken);
        list_init(&d->link);
        loop_hook_add(s->loop, &d->hook, shard_run, d);

        r = sd_event_add_time(loop_event(s->loop), &d->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer,
                              d);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;

        d->daemon = MHD_start_daemon(
                MHD_USE_EPOLL | ((MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE) & ~(unsigned) MHD_USE_ITC) |
                        MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG | SINGLE_THREAD,
                0, NULL, NULL, http_receive, s,
                MHD_OPTION_EXTERNAL_LOGGER, on_log, d, /* first, else some lines are not passed to it */
                MHD_OPTION_CONNECTION_LIMIT, HTTP_SHARD_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                (size_t) HTTP_HEADERS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, HTTP_IDLE_TIMEOUT_SEC,
                MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
                MHD_OPTION_URI_LOG_CALLBACK, http_receive_line, NULL, MHD_OPTION_NOTIFY_CONNECTION,
                on_connection, d, MHD_OPTION_NOTIFY_COMPLETED, http_receive_end, s, MHD_OPTION_END);
        if (!d->daemon)
                return -EIO;
        descriptors_take(loop_descriptors(s->loop), DESCRIPTOR_OTHER);
        info = MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        if (!info)
                return -EIO;
        r = loop_fd_add(s->loop, &d->watch, info->epoll_fd, EPOLLIN, on_mhd_ready, d);
        if (r < 0)
                return r;
        list_append(l->shards.next, &d->link); /* before the first: it has room */
        *ret = TAKE_PTR(d);
        return 0;
}

HttpShard *http_shard_free(HttpShard *d) {
        if (!d)
                return NULL;

        if (d->daemon) {
                LIST_FOREACH(i, &d->connections) {
                        HttpConnection *c = list_entry(i, HttpConnection, link);

                        if (c->request && (c->request->suspended || c->request->upgrade_fn))
                                http_request_gone(c->request);
                        assert(!c->request || !c->request->upgrade); /* its owner has freed the WebSocket */
                        http_unpark(c);
                }
                d->is_ready = true;
                http_wire_run(d);
                loop_fd_remove(d->listener->server->loop, &d->watch);
                MHD_stop_daemon(d->daemon);
                descriptors_give(loop_descriptors(d->listener->server->loop), DESCRIPTOR_OTHER);
        }
        loop_hook_remove(&d->hook);
        sd_event_source_unref(d->timer);
        list_unlink(&d->link);
        free(d);
        return NULL;
}
