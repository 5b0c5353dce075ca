/* SPDX-License-Identifier: MIT */

/*
 * libmicrohttpd (0.9.75 and later) in gemgate's loop. Its traps:
 *
 *   - Its epoll descriptor is watched in the loop's own epoll, and MHD_run() is a hook: it runs once a turn,
 *     however many connections became ready or were resumed. The connections inside are edge-triggered, so
 *     after every run its time-out is read, and 0 means "run again now". Without that, a connection
 *     hangs.
 *   - Without threads, MHD_resume_connection() wakes nothing: the caller must ask for the hook. Each run
 *     with a resumption pending walks all suspended connections, another reason for one run a turn.
 *   - MHD does not watch a suspended connection, so it would notice a client that hangs up only at the
 *     second write. Therefore each connection has an EPOLLRDHUP watch of gemgate's, set once for its life. A
 *     client that only closes its sending side looks the same and is treated the same, as by other proxies:
 *     it is gone.
 *   - When a client's last bytes and its FIN arrive together, MHD reads the bytes, treats the short read as
 *     the end, and misses the FIN: the connection would stay until its time-out. After the run that has read
 *     the last byte gemgate shuts down its reading side, which makes a new edge; an answer that is still to
 *     be sent is not affected.
 *   - In a reply in pieces the reader either returns bytes, or suspends the connection and returns 0. To
 *     return 0 without suspending makes MHD spin.
 *   - At its limit of connections MHD takes its listening socket out of its epoll, and puts it back only at
 *     the run after the one in which a connection was closed.
 *   - MHD_stop_daemon() aborts the process if a connection is suspended: resume all and run once before.
 *   - Percent escapes are left encoded (%00 would cut the path): code that needs them decoded decodes and
 *     checks them.
 *   - There is one MHD daemon for each listening socket, and MHD closes that socket.
 */

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/limits.h"
#include "base/log.h"
#include "io/listen.h"
#include "io/http-internal.h"

#define IDLE_TIMEOUT_SEC 75U /* keep-alive, slow headers, and a client that reads nothing */
#define TIMER_ACCURACY (100 * USEC_PER_MSEC)
#define GRACE (500 * USEC_PER_MSEC) /* at the end, for clients that have connected but sent no request */

/* --- running --- */

static void listener_run(void *userdata) {
        HttpListener *l = userdata;
        MHD_UNSIGNED_LONG_LONG ms;

        l->server->n_runs++;
        (void) MHD_run(l->daemon);
        LIST_FOREACH(i, &l->hung) {
                HttpConnection *c = list_entry(i, HttpConnection, hung);
                int unread = 0;

                /* MHD is still reading, a piece in each run: the new edge must come after the last byte. */
                if (ioctl(c->fd, FIONREAD, &unread) == 0 && unread > 0)
                        continue;
                list_unlink(&c->hung);
                (void) shutdown(c->fd, SHUT_RD);
        }
        if (MHD_get_timeout(l->daemon, &ms) != MHD_YES)
                return;
        if (ms == 0)
                loop_hook_ask(l->server->loop, &l->hook);
        else if (!l->armed) {
                /* Only the time-out of an idle listener: set once, and set again if it fires too early. */
                l->armed = true;
                (void) sd_event_source_set_time(l->timer,
                                                usec_add(loop_now(l->server->loop), ms * USEC_PER_MSEC));
                (void) sd_event_source_set_enabled(l->timer, SD_EVENT_ONESHOT);
        }
}

static void on_mhd_ready(uint32_t events _unused_, void *userdata) {
        HttpListener *l = userdata;

        loop_hook_ask(l->server->loop, &l->hook);
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata) {
        HttpListener *l = userdata;

        l->armed = false;
        loop_hook_ask(l->server->loop, &l->hook);
        return 0;
}

/* --- connections --- */

static void server_settled(HttpServer *s) {
        if (s->quiesced && s->ops.settled)
                s->ops.settled(s->userdata);
}

static void request_gone(HttpRequest *r) {
        HttpServer *s = r->connection->listener->server;

        if (r->gone)
                return;
        r->gone = true;
        s->ops.gone(r, s->userdata);
        http_request_wake(r);
}

static void on_hangup(uint32_t events _unused_, void *userdata) {
        HttpConnection *c = userdata;
        HttpRequest *r = c->request;

        c->hup = true;
        loop_fd_remove(c->listener->server->loop, &c->watch);
        list_append(&c->listener->hung, &c->hung);
        loop_hook_ask(c->listener->server->loop, &c->listener->hook);
        /* While the request is being read, MHD notices by itself; a whole reply is still sent. */
        if (r && r->bodied && (r->suspended || r->streaming))
                request_gone(r);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode what) {
        HttpListener *l = cls;
        HttpConnection *c = *context;
        const union MHD_ConnectionInfo *info;

        if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
                if (l->n_connections-- == l->server->params.max_connections)
                        loop_hook_ask(l->server->loop, &l->hook);
                if (!c)
                        return;
                loop_fd_remove(l->server->loop, &c->watch);
                list_unlink(&c->hung);
                list_unlink(&c->link);
                free(c);
                *context = NULL;
                server_settled(l->server);
                return;
        }

        l->n_connections++;
        c = calloc(1, sizeof(HttpConnection));
        if (!c)
                return; /* its requests are refused in on_access() */
        *c = (HttpConnection){ .listener = l, .mhd = mhd, .watch = LOOP_FD_NULL, .fd = -1 };
        list_init(&c->hung);
        list_append(&l->connections, &c->link);
        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info) {
                c->fd = info->connect_fd;
                (void) loop_fd_add(l->server->loop, &c->watch, c->fd, EPOLLRDHUP | EPOLLET, on_hangup, c);
        }
        *context = c;
}

/* --- requests --- */

static enum MHD_Result request_answer(HttpRequest *r) {
        HttpServer *s = r->connection->listener->server;
        enum MHD_Result ok;

        if (r->gone || r->failed)
                return MHD_NO;
        if (r->replied && !r->queued) {
                if (s->quiesced)
                        (void) MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONNECTION, "close");
                ok = MHD_queue_response(r->connection->mhd, (unsigned) r->status, r->response);
                MHD_destroy_response(r->response);
                r->response = NULL;
                r->queued = true;
                return ok;
        }
        if (!r->bodied)
                return MHD_YES;
        if (r->connection->hup) {
                /* The client hung up before its request was complete, and there is no answer yet. */
                request_gone(r);
                return MHD_NO;
        }
        r->suspended = true;
        MHD_suspend_connection(r->connection->mhd);
        return MHD_YES;
}

/* Takes a piece of the body; false if the connection must be cut. */
static bool request_upload(HttpRequest *r, const char *p, size_t n) {
        HttpServer *s = r->connection->listener->server;

        if (r->body_fault == HTTP_BODY_OK) {
                if (n > r->body_max || r->body.n > r->body_max - n)
                        r->body_fault = HTTP_BODY_TOO_LARGE;
                else if (s->inflight + n > s->params.max_inflight || buf_append(&r->body, p, n) < 0)
                        r->body_fault = HTTP_BODY_NO_ROOM;
                else {
                        r->accounted += n;
                        s->inflight += n;
                        return true;
                }
                buf_done(&r->body);
                s->inflight -= r->accounted; /* a refused request must not take room from others */
                r->accounted = 0;
        }
        /* MHD cannot queue an answer in the middle of an upload: read on for a while, so that it can at the
         * end. */
        r->swallowed += n;
        return r->swallowed <= HTTP_SWALLOW_MAX;
}

static HttpRequest *request_new(HttpConnection *c, const char *method, const char *path) {
        HttpRequest *r;

        r = calloc(1, sizeof(HttpRequest));
        if (!r)
                return NULL;
        *r = (HttpRequest){
                .connection = c,
                .method = method,
                .path = path,
                .started = clock_monotonic(),
                .body = BUF_INIT(SIZE_MAX / 2), /* bounded by body_max */
                .out = BUF_INIT(STREAM_BUFFER_MAX),
        };
        c->request = r;
        c->listener->server->n_requests++;
        return r;
}

static HttpConnection *connection_of(struct MHD_Connection *mhd) {
        const union MHD_ConnectionInfo *info;

        info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
        return info ? info->socket_context : NULL;
}

/* MHD's first callback for a request. */
static void *on_request_line(void *cls _unused_, const char *uri _unused_, struct MHD_Connection *mhd) {
        HttpConnection *c = connection_of(mhd);

        if (c)
                c->has_sent = c->begun = true;
        return NULL;
}

static enum MHD_Result on_access(void *cls, struct MHD_Connection *mhd, const char *path, const char *method,
                                 const char *version _unused_, const char *data, size_t *n_data,
                                 void **context) {
        HttpListener *l = cls;
        HttpServer *s = l->server;
        HttpRequest *r = *context;

        if (!r) {
                HttpConnection *c = connection_of(mhd);

                if (!c)
                        return MHD_NO;
                c->begun = false;
                r = request_new(c, method, path);
                if (!r)
                        return MHD_NO;
                *context = r;
                r->headed = true;
                s->ops.head(r, s->userdata);
                return r->replied ? request_answer(r) : MHD_YES;
        }
        if (*n_data > 0) {
                if (!request_upload(r, data, *n_data))
                        return MHD_NO;
                *n_data = 0;
                return MHD_YES;
        }
        if (!r->bodied) {
                r->bodied = true;
                s->ops.body(r, s->userdata);
        }
        return request_answer(r);
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code) {
        HttpListener *l = cls;
        HttpServer *s = l->server;
        HttpConnection *c = connection_of(mhd);
        HttpRequest *r = *context;

        if (c)
                c->begun = false; /* refused by MHD itself */
        if (!r)
                return;
        *context = NULL;
        r->connection->request = NULL;
        s->ops.end(r, code == MHD_REQUEST_TERMINATED_COMPLETED_OK, s->userdata);
        s->inflight -= r->accounted;
        s->n_requests--;
        if (r->response)
                MHD_destroy_response(r->response);
        buf_done(&r->body);
        buf_done(&r->out);
        free(r);
}

/* --- the server --- */

static size_t on_unescape(void *cls _unused_, struct MHD_Connection *c _unused_, char *s) {
        return strlen(s);
}

static void _printf_(2, 0) on_log(void *cls _unused_, const char *fmt, va_list ap) {
        char line[512];
        size_t n;

        (void) vsnprintf(line, sizeof(line), fmt, ap);
        n = strlen(line);
        while (n > 0 && line[n - 1] == '\n')
                line[--n] = 0;
        log_debug("http: %s", line);
}

static void on_panic(void *cls _unused_, const char *file, unsigned line, const char *reason) {
        log_error("libmicrohttpd gave up at %s:%u: %s", file, line, reason ?: "no reason");
        abort();
}

int http_server_new(Loop *loop, const HttpServerParams *p, const HttpServerOps *ops, void *userdata,
                    HttpServer **ret) {
        HttpServer *s;

        s = calloc(1, sizeof(HttpServer));
        if (!s)
                return -ENOMEM;
        *s = (HttpServer){ .loop = loop, .params = *p, .ops = *ops, .userdata = userdata };
        list_init(&s->listeners);
        MHD_set_panic_func(on_panic, NULL);
        *ret = s;
        return 0;
}

static HttpListener *listener_free(HttpListener *l) {
        if (!l)
                return NULL;

        if (l->daemon) {
                LIST_FOREACH(i, &l->connections) {
                        HttpConnection *c = list_entry(i, HttpConnection, link);

                        if (c->request && c->request->suspended)
                                request_gone(c->request);
                }
                (void) MHD_run(l->daemon);
                loop_fd_remove(l->server->loop, &l->watch);
                MHD_stop_daemon(l->daemon);
        }
        loop_hook_remove(&l->hook);
        sd_event_source_unref(l->timer);
        list_unlink(&l->link);
        free(l);
        return NULL;
}
DEFINE_CLEANUP(HttpListener *, listener_free);

int http_server_listen(HttpServer *s, int fd) {
        _cleanup_(listener_freep) HttpListener *l = NULL;
        const union MHD_DaemonInfo *info;
        bool is_unix;
        int r;

        r = listen_check(fd, &is_unix);
        if (r < 0)
                return r;
        l = calloc(1, sizeof(HttpListener));
        if (!l)
                return -ENOMEM;
        *l = (HttpListener){ .server = s, .watch = LOOP_FD_NULL, .is_unix = is_unix };
        list_init(&l->connections);
        list_init(&l->hung);
        list_init(&l->link);
        loop_hook_add(s->loop, &l->hook, listener_run, l);

        r = sd_event_add_time(loop_event(s->loop), &l->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer,
                              l);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(l->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;

        l->daemon = MHD_start_daemon(
                MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_access, l,
                MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, /* first, else some lines are not passed to it */
                MHD_OPTION_LISTEN_SOCKET, (MHD_socket) fd, MHD_OPTION_CONNECTION_LIMIT,
                s->params.max_connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) HTTP_HEADERS_MAX,
                MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_SEC, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL, MHD_OPTION_URI_LOG_CALLBACK,
                on_request_line, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, l,
                MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_END);
        if (!l->daemon)
                return -EIO;
        info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        if (!info)
                return -EIO;
        r = loop_fd_add(s->loop, &l->watch, info->epoll_fd, EPOLLIN, on_mhd_ready, l);
        if (r < 0)
                return r;
        list_append(&s->listeners, &TAKE_PTR(l)->link);
        return 0;
}

void http_server_quiesce(HttpServer *s) {
        if (s->quiesced)
                return;
        s->quiesced = true;
        LIST_FOREACH(i, &s->listeners) {
                HttpListener *l = list_entry(i, HttpListener, link);

                (void) safe_close(MHD_quiesce_daemon(l->daemon));
                loop_hook_ask(s->loop, &l->hook);
        }
}

void http_server_set_max_inflight(HttpServer *s, uint64_t max) {
        s->params.max_inflight = max;
}

size_t http_server_n_requests(const HttpServer *s) {
        return s->n_requests;
}

typedef enum Expectation {
        EXPECT_NOTHING,
        EXPECT_MAYBE,   /* no request yet, or unread bytes */
        EXPECT_REQUEST, /* its headers have begun */
} Expectation;

static Expectation connection_expects(const HttpConnection *c) {
        int unread = 0;

        if (c->begun)
                return EXPECT_REQUEST;
        if (!c->has_sent || (c->fd >= 0 && ioctl(c->fd, FIONREAD, &unread) >= 0 && unread > 0))
                return EXPECT_MAYBE;
        return EXPECT_NOTHING;
}

static Expectation server_expects(const HttpServer *s) {
        Expectation most = EXPECT_NOTHING;

        LIST_FOREACH(i, &s->listeners)
                LIST_FOREACH(j, &list_entry(i, HttpListener, link)->connections) {
                        Expectation e = connection_expects(list_entry(j, HttpConnection, link));

                        most = MAX(most, e);
                }
        return most;
}

static int on_grace(sd_event_source *source _unused_, uint64_t usec _unused_, void *userdata) {
        HttpServer *s = userdata;

        s->grace_over = true;
        server_settled(s);
        return 0;
}

bool http_server_is_quiet(HttpServer *s) {
        Expectation e;
        usec_t end;

        if (s->n_requests > 0)
                return false;
        e = server_expects(s);
        if (e == EXPECT_NOTHING || (e == EXPECT_MAYBE && s->grace_over))
                return true;
        if (s->grace)
                return false;
        /* Only for a while: a client that connects and sends nothing must not keep the daemon running. */
        end = usec_add(loop_now(s->loop), GRACE);
        return sd_event_add_time(loop_event(s->loop), &s->grace, CLOCK_MONOTONIC, end, USEC_PER_MSEC,
                                 on_grace, s) < 0;
}

HttpServer *http_server_free(HttpServer *s) {
        if (!s)
                return NULL;
        LIST_FOREACH(i, &s->listeners)
                listener_free(list_entry(i, HttpListener, link));
        sd_event_source_unref(s->grace);
        free(s);
        return NULL;
}
