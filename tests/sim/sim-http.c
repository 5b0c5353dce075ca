/* SPDX-License-Identifier: MIT */
/*
 * A connection is in one of four states:
 *
 *   READING   a request is arriving
 *   EXCHANGE  it was handed up and the answer isn't complete
 *   LEAVING   the answer is complete (or cut off) and the rest of it is sent; then READING again or DEAD
 *   DEAD      closed; freed at the end of the turn
 *
 * Only conn_pump() moves between them: it sends, ends an exchange when the kernel has the last byte, and
 * takes the next request if one is there. It is not entered twice: handlers that it calls only append and
 * mark.
 *
 * Descriptors are watched level-triggered, and interest is changed only when it has to be: EPOLLOUT while
 * the kernel's buffer is full, no EPOLLIN once the client's end was seen or too much was sent ahead. So a
 * request on a warm connection costs three calls: epoll_pwait2, recv, send.
 *
 * A client that closes its sending side while it waits for an answer counts as hung up: HTTP clients don't
 * close one half of a connection. An answer that is complete is still delivered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/text.h"
#include "sim-http.h"

#define CONN_READ_MIN  (4U << 10)
#define CONN_IN_MAX    (REQUEST_BODY_MAX + REQUEST_HEAD_MAX + CONN_READ_MIN)
#define CONN_AHEAD_MAX (256U << 10) /* of what a client sends before its answer is complete */
#define CONN_IN_KEPT   (128U << 10) /* memory that an idle connection keeps */
#define CONN_OUT_MAX   (512U << 20)

enum {
        CONN_READING,
        CONN_EXCHANGE,
        CONN_LEAVING,
        CONN_DEAD,
};

struct HttpServer {
        Source source;
        Loop *loop;
        int fd;
        unsigned port;
        bool deaf; /* out of descriptors: the listening socket is not watched */
        const HttpHandler *handler;
        void *userdata;
        List conns;
        HttpCounts counts;
};

struct Conn {
        Source source;
        HttpServer *server;
        List conns;
        int fd;
        unsigned state;
        uint32_t interest;
        bool pumping;
        bool eof;
        bool head_done;
        bool passes;   /* the body */
        uint64_t left; /* of it, unless it is in chunks */
        bool keep_alive;
        bool reset; /* leaves with RST */
        bool upgraded, held;
        Buf in;
        Buf out;
        Buf head;
        Buf body; /* of a chunked request; else the body lies in `in` */
        size_t scanned;
        ChunkDecoder chunks;
        Request request;
        uint64_t sent;
        void *data;
        /* dripping */
        Timer drip;
        size_t drip_size;
        usec_t drip_pace;
        uint64_t drip_left;  /* bytes that are still to be dripped */
        size_t drip_allowed; /* of these, what may leave now */
};

static const char malformed_answer[] =
        "HTTP/1.1 %s\r\nContent-Type: text/html; charset=UTF-8\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Length: %zu\r\nConnection: close\r\n\r\n%s";

Buf *conn_out(Conn *c) {
        return &c->out;
}

void **conn_data(Conn *c) {
        return &c->data;
}

uint64_t conn_sent(const Conn *c) {
        return c->sent;
}

static void conn_watch(Conn *c, uint32_t interest) {
        if (c->interest == interest)
                return;
        (void) loop_change(c->server->loop, c->fd, interest, &c->source);
        c->interest = interest;
}

static void conn_end_exchange(Conn *c, bool hung_up) {
        HttpServer *s = c->server;

        s->handler->ended(s->userdata, c, hung_up);
        timer_disarm(s->loop, &c->drip);
        c->drip_left = 0;
}

static void conn_kill(Conn *c, bool hung_up) {
        HttpServer *s = c->server;
        unsigned state = c->state;

        if (state == CONN_DEAD)
                return;
        c->state = CONN_DEAD;
        if (state == CONN_EXCHANGE || state == CONN_LEAVING)
                conn_end_exchange(c, hung_up);

        if (c->reset)
                (void) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
                                  sizeof(struct linger));
        c->fd = safe_close(c->fd);
        list_unlink(&c->conns);
        s->counts.connections--;
        s->handler->closed(s->userdata, c);
        loop_bury(s->loop, &c->source);

        if (s->deaf) {
                s->deaf = false;
                (void) loop_change(s->loop, s->fd, EPOLLIN, &s->source);
        }
}

static void conn_destroy(Source *source) {
        Conn *c = CONTAINER_OF(source, Conn, source);

        buf_done(&c->in);
        buf_done(&c->out);
        buf_done(&c->head);
        buf_done(&c->body);
        free(c);
}

/* --- out --- */

void conn_finish(Conn *c, bool keep_alive) {
        if (c->state != CONN_EXCHANGE)
                return;
        c->state = CONN_LEAVING;
        c->keep_alive = c->keep_alive && keep_alive;
}

void conn_upgrade(Conn *c) {
        c->upgraded = true;
}

void conn_hold(Conn *c) {
        c->held = true;
}

void conn_cut(Conn *c) {
        conn_finish(c, false);
}

void conn_reset(Conn *c) {
        conn_finish(c, false);
        c->reset = true;
}

void conn_drip(Conn *c, size_t size, usec_t pace, uint64_t n) {
        c->drip_size = size;
        c->drip_pace = pace;
        c->drip_left = n;
        c->drip_allowed = size;
}

static void conn_on_drip(Timer *t) {
        Conn *c = CONTAINER_OF(t, Conn, drip);

        c->drip_allowed = c->drip_size;
        conn_pump(c);
}

/* 1: all is sent, 0: must wait, <0: the connection is broken. */
static int conn_send(Conn *c) {
        while (c->out.n > 0) {
                size_t n = c->out.n;
                ssize_t k;

                if (c->drip_left > 0) {
                        n = MIN(MIN(n, c->drip_left), c->drip_allowed);
                        if (n == 0) {
                                if (c->drip.slot == 0)
                                        (void) timer_arm(c->server->loop, &c->drip,
                                                         usec_add(loop_now(c->server->loop), c->drip_pace));
                                return 0;
                        }
                }

                k = send(c->fd, buf_data(&c->out), n, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (k < 0) {
                        if (errno == EINTR)
                                continue;
                        if (errno != EAGAIN)
                                return -errno;
                        conn_watch(c, c->interest | EPOLLOUT);
                        return 0;
                }
                buf_consume(&c->out, (size_t) k);
                c->sent += (uint64_t) k;
                if (c->drip_left > 0) {
                        c->drip_left -= (uint64_t) k;
                        c->drip_allowed -= (size_t) k;
                }
        }

        conn_watch(c, c->interest & ~(uint32_t) EPOLLOUT);
        return 1;
}

/* --- in --- */

static void conn_refuse(Conn *c, const char *status, const char *text) {
        c->server->counts.malformed++;
        (void) buf_printf(&c->out, malformed_answer, status, strlen(text), text);
        (void) conn_send(c);
        conn_kill(c, false);
}

/* 1: a head was read, 0: more is needed, <0: it is none. */
static int conn_read_head(Conn *c) {
        const char *end;
        size_t n;
        int r;

        end = memmem(buf_data(&c->in) + c->scanned, c->in.n - c->scanned, "\r\n\r\n", 4);
        if (!end) {
                c->scanned = c->in.n > 3 ? c->in.n - 3 : 0;
                return c->in.n > REQUEST_HEAD_MAX ? -E2BIG : 0;
        }

        n = (size_t) (end - buf_data(&c->in)) + 4;
        buf_clear(&c->head);
        r = buf_append(&c->head, buf_data(&c->in), n);
        if (r < 0)
                return r;
        buf_consume(&c->in, n);
        c->scanned = 0;

        r = request_parse_head(&c->request, buf_data(&c->head), n);
        if (r < 0)
                return r;
        c->passes = c->server->handler->passes(c->server->userdata, &c->request);
        c->left = c->request.length;
        if (c->request.length > REQUEST_BODY_MAX && !c->passes)
                return -EFBIG;
        c->head_done = true;
        c->keep_alive = c->request.keep_alive;
        buf_clear(&c->body);
        if (c->request.expects_continue && c->in.n == 0 && (c->request.chunked || c->request.length > 0))
                return buf_puts(&c->out, "HTTP/1.1 100 Continue\r\n\r\n") < 0 ? -ENOMEM : 1;
        return 1;
}

/* Passes on what has come of the body. 1: that was all, 0: more is needed, <0: it is malformed. */
static int conn_pass(Conn *c) {
        HttpServer *s = c->server;
        Buf *from = &c->in;
        size_t n = MIN(c->in.n, c->left);
        int r = 0;

        if (c->request.chunked) {
                r = chunk_decode(&c->chunks, &c->in, &c->body);
                if (r < 0)
                        return r;
                from = &c->body;
                n = from->n;
        }
        if (n > 0)
                s->handler->piece(s->userdata, c, &c->request, buf_data(from), n);
        buf_consume(from, n);
        if (!c->request.chunked) {
                c->left -= n;
                r = c->left == 0;
        }
        c->request.body = "";
        c->request.n_body = 0;
        return r;
}

/* 1: a request is complete, 0: more is needed, <0: it is malformed. */
static int conn_read_request(Conn *c) {
        int r;

        if (!c->head_done) {
                if (c->in.n == 0)
                        return 0;
                r = conn_read_head(c);
                if (r <= 0)
                        return r;
        }

        if (c->passes)
                return conn_pass(c);
        if (c->request.chunked) {
                r = chunk_decode(&c->chunks, &c->in, &c->body);
                if (r <= 0)
                        return r;
                c->request.body = buf_cstr(&c->body);
                c->request.n_body = c->body.n;
                return 1;
        }

        if (c->in.n < c->request.length)
                return buf_reserve(&c->in, c->request.length - c->in.n);
        c->request.body = c->request.length > 0 ? buf_data(&c->in) : "";
        c->request.n_body = c->request.length;
        return 1;
}

static void conn_begin_exchange(Conn *c) {
        HttpServer *s = c->server;

        c->state = CONN_EXCHANGE;
        c->sent = 0;
        s->handler->request(s->userdata, c, &c->request);

        /* The handler has copied what it keeps. */
        c->head_done = false;
        if (!c->request.chunked && !c->passes)
                buf_consume(&c->in, c->request.length);
        if (c->in.n == 0 && c->in.size > CONN_IN_KEPT)
                buf_done(&c->in);
}

/* One step; false when there is nothing to do now. */
static bool conn_step(Conn *c) {
        HttpServer *s = c->server;
        int r;

        r = conn_send(c);
        if (r < 0) {
                conn_kill(c, true);
                return false;
        }
        if (r == 0)
                return false;

        switch (c->state) {
        case CONN_READING:
                r = conn_read_request(c);
                if (r < 0) {
                        conn_refuse(c, r == -EFBIG ? "413 Request Entity Too Large" : "400 Bad Request",
                                    "<html><title>Error</title><p>That is no request.</html>\n");
                        return false;
                }
                if (r == 0) {
                        if (c->eof)
                                conn_kill(c, false);
                        return c->out.n > 0;
                }
                conn_begin_exchange(c);
                return true;
        case CONN_EXCHANGE:
                if (c->upgraded && !c->held && c->in.n > 0)
                        s->handler->bytes(s->userdata, c, &c->in);
                if (c->upgraded && !c->held && !c->eof)
                        conn_watch(c, c->interest | EPOLLIN | EPOLLRDHUP);
                if (c->eof && c->state == CONN_EXCHANGE) {
                        conn_kill(c, true);
                        return false;
                }
                s->handler->more(s->userdata, c);
                return c->out.n > 0 || c->state != CONN_EXCHANGE;
        case CONN_LEAVING:
                if (!c->keep_alive) {
                        conn_kill(c, false);
                        return false;
                }
                conn_end_exchange(c, false);
                c->state = CONN_READING;
                if (c->out.size > 4 * CONN_OUT_MARK)
                        buf_done(&c->out);
                if (!c->eof)
                        conn_watch(c, EPOLLIN | EPOLLRDHUP);
                return true;
        default:
                return false;
        }
}

void conn_pump(Conn *c) {
        if (c->pumping || c->state == CONN_DEAD)
                return;
        c->pumping = true;
        while (conn_step(c))
                ;
        c->pumping = false;
}

static int conn_read(Conn *c) {
        size_t room;
        ssize_t k;
        int r;

        /* Of a long body that is held all the rest has been reserved. */
        r = buf_reserve(&c->in, c->passes ? CONN_IN_KEPT : CONN_READ_MIN);
        if (r < 0)
                return r;
        room = c->in.size - c->in.off - c->in.n - 1;

        k = recv(c->fd, buf_data(&c->in) + c->in.n, MIN(room, c->in.max - c->in.n), MSG_DONTWAIT);
        if (k < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (k == 0)
                c->eof = true;
        c->in.n += (size_t) k;
        return 0;
}

static void conn_ready(Source *source, uint32_t events) {
        Conn *c = CONTAINER_OF(source, Conn, source);
        int r = 0;

        if (events & EPOLLERR)
                r = -ECONNRESET;
        else if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
                r = conn_read(c);
        if (r < 0) {
                conn_kill(c, true);
                return;
        }

        if (c->eof || (c->state != CONN_READING && c->in.n > CONN_AHEAD_MAX &&
                       (!c->upgraded || c->held || c->out.n > 0)))
                conn_watch(c, c->interest & ~(uint32_t) (EPOLLIN | EPOLLRDHUP));
        if (c->eof && c->state == CONN_EXCHANGE && !c->upgraded) {
                conn_kill(c, true);
                return;
        }
        conn_pump(c);
}

/* --- the server --- */

static int conn_new(HttpServer *s, int fd) {
        Conn *c;
        int r;

        c = calloc(1, sizeof(*c));
        if (!c)
                return -ENOMEM;
        c->source = (Source){ .ready = conn_ready, .destroy = conn_destroy };
        c->drip.fire = conn_on_drip;
        c->server = s;
        c->fd = fd;
        c->interest = EPOLLIN | EPOLLRDHUP;
        c->in = BUF_INIT(CONN_IN_MAX);
        c->out = BUF_INIT(CONN_OUT_MAX);
        c->head = BUF_INIT(REQUEST_HEAD_MAX * 2);
        c->body = BUF_INIT(REQUEST_BODY_MAX);

        r = loop_add(s->loop, fd, c->interest, &c->source);
        if (r < 0) {
                free(c);
                return r;
        }
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
        list_append(&s->conns, &c->conns);
        s->counts.accepted++;
        s->counts.connections++;
        return 0;
}

static void http_server_accept(Source *source, uint32_t events) {
        HttpServer *s = CONTAINER_OF(source, HttpServer, source);

        for (unsigned i = 0; i < 64; i++) {
                int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

                if (fd < 0) {
                        if (errno == EMFILE || errno == ENFILE) {
                                s->deaf = true;
                                (void) loop_change(s->loop, s->fd, 0, &s->source);
                        }
                        return;
                }
                if (conn_new(s, fd) < 0)
                        safe_close(fd);
        }
}

static int listen_parse(const char *s, struct sockaddr_in *ret) {
        _cleanup_free_ char *address = NULL;
        const char *colon;
        unsigned port;

        colon = strrchr(s, ':');
        if (!colon || text_parse_uint(colon + 1, &port) < 0 || port > UINT16_MAX)
                return -EINVAL;
        address = strndup(s, (size_t) (colon - s));
        if (!address)
                return -ENOMEM;

        *ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
        if (inet_pton(AF_INET, streq(address, "localhost") ? "127.0.0.1" : address, &ret->sin_addr) != 1)
                return -EINVAL;
        if (ntohl(ret->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
                return -EACCES;
        return 0;
}

static void http_server_destroy(Source *source) {
}

int http_server_new(Loop *l, const char *listen_on, const HttpHandler *handler, void *userdata,
                    HttpServer **ret) {
        _cleanup_(http_server_freep) HttpServer *s = NULL;
        struct sockaddr_in address;
        socklen_t n = sizeof(address);
        int r;

        r = listen_parse(listen_on, &address);
        if (r < 0)
                return r;

        s = calloc(1, sizeof(*s));
        if (!s)
                return -ENOMEM;
        s->source = (Source){ .ready = http_server_accept, .destroy = http_server_destroy };
        s->loop = l;
        s->handler = handler;
        s->userdata = userdata;
        list_init(&s->conns);

        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (s->fd < 0)
                return -errno;
        (void) setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
        if (bind(s->fd, (struct sockaddr *) &address, sizeof(address)) < 0 || listen(s->fd, SOMAXCONN) < 0 ||
            getsockname(s->fd, (struct sockaddr *) &address, &n) < 0)
                return -errno;
        s->port = ntohs(address.sin_port);

        r = loop_add(l, s->fd, EPOLLIN, &s->source);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

HttpServer *http_server_free(HttpServer *s) {
        if (!s)
                return NULL;
        LIST_FOREACH(i, &s->conns)
                conn_kill(list_entry(i, Conn, conns), false);
        safe_close(s->fd);
        free(s);
        return NULL;
}

unsigned http_server_port(const HttpServer *s) {
        return s->port;
}

const HttpCounts *http_server_counts(const HttpServer *s) {
        return &s->counts;
}
