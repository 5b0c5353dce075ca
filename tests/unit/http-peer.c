/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "http-peer.h"

#define HELD_MAX (256U << 20)

static void conn_close(PeerConn *c) {
        loop_fd_remove(c->peer->loop, &c->watch);
        c->fd = safe_close(c->fd);
}

static void flush(PeerConn *c) {
        while (c->out.n > 0) {
                ssize_t k = send(c->fd, buf_data(&c->out), c->out.n, MSG_NOSIGNAL);

                if (k <= 0)
                        break;
                buf_consume(&c->out, (size_t) k);
        }
        (void) loop_fd_modify(c->peer->loop, &c->watch,
                              (c->deaf || c->ended ? 0U : (uint32_t) EPOLLIN) |
                                      (c->out.n > 0 && !c->ended ? (uint32_t) EPOLLOUT : 0U));
}

/* The proxy's part: what comes behind the CONNECT is for the server. */
static void take_connect(PeerConn *c) {
        const char *end = memmem(buf_data(&c->in), c->in.n, "\r\n\r\n", 4);
        size_t n;

        if (!end)
                return;
        n = (size_t) (end - buf_data(&c->in)) + 4;
        assert_true(n < sizeof(c->connect));
        memcpy(c->connect, buf_data(&c->in), n);
        assert_non_null(startswith(c->connect, "CONNECT "));
        buf_consume(&c->in, n);
        n = strlen(c->peer->proxy_answer);
        assert_int_equal(buf_append(&c->out, c->peer->proxy_answer, n), 0);
}

static void on_conn(uint32_t events, void *userdata) {
        static char bytes[65536];
        PeerConn *c = userdata;

        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                ssize_t k = recv(c->fd, bytes, sizeof(bytes), 0);

                if (k > 0)
                        assert_int_equal(buf_append(&c->in, bytes, (size_t) k), 0);
                else if (k == 0 || errno != EAGAIN)
                        c->ended = true;
        }
        if (c->peer->proxy_answer && !c->connect[0] && c->in.n > 0)
                take_connect(c);
        if (c->ended)
                loop_fd_remove(c->peer->loop, &c->watch);
        else
                flush(c);
}

static void on_listener(uint32_t events _unused_, void *userdata) {
        Peer *p = userdata;
        PeerConn *c = &p->conns[p->n_conns];
        int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        uint32_t wanted;

        if (fd < 0)
                return;
        assert_true(p->n_conns < PEER_CONNS_MAX);
        /* Each piece goes out at once. */
        assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)), 0);
        *c = (PeerConn){ .peer = p, .fd = fd, .in = BUF_INIT(HELD_MAX), .out = BUF_INIT(HELD_MAX) };
        c->deaf = p->deaf;
        wanted = c->deaf && !p->proxy_answer ? 0 : EPOLLIN;
        assert_int_equal(loop_fd_add(p->loop, &c->watch, fd, wanted, on_conn, c), 0);
        p->n_conns++;
}

void peer_open(Peer *p, Loop *loop) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t n = sizeof(a);

        *p = (Peer){ .loop = loop };
        p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(p->fd >= 0);
        assert_int_equal(bind(p->fd, (struct sockaddr *) &a, sizeof(a)), 0);
        assert_int_equal(listen(p->fd, 64), 0);
        assert_int_equal(getsockname(p->fd, (struct sockaddr *) &a, &n), 0);
        p->port = ntohs(a.sin_port);
        assert_int_equal(loop_fd_add(loop, &p->watch, p->fd, EPOLLIN, on_listener, p), 0);
}

void peer_stop_listening(Peer *p) {
        if (p->fd >= 0)
                loop_fd_remove(p->loop, &p->watch);
        p->fd = safe_close(p->fd);
}

void peer_close(Peer *p) {
        peer_stop_listening(p);
        for (size_t i = 0; i < p->n_conns; i++) {
                conn_close(&p->conns[i]);
                buf_done(&p->conns[i].in);
                buf_done(&p->conns[i].out);
        }
}

void peer_turn(Peer *p, usec_t longest) {
        assert_true(sd_event_run(loop_event(p->loop), longest) >= 0);
}

void peer_settle(Peer *p) {
        int r;

        while ((r = sd_event_run(loop_event(p->loop), 0)) > 0)
                ;
        assert_int_equal(r, 0);
}

/* --- requests --- */

/* Where the body begins; 0: the head is not complete. */
static size_t head_length(const PeerConn *c) {
        const char *end = c->in.n > 0 ? memmem(buf_data(&c->in), c->in.n, "\r\n\r\n", 4) : NULL;

        return end ? (size_t) (end - buf_data(&c->in)) + 4 : 0;
}

static const char *head_value(const PeerConn *c, const char *name) {
        size_t n = head_length(c), k = strlen(name);
        const char *p = buf_data(&c->in), *end = p + n;

        while ((p = memchr(p, '\n', (size_t) (end - p)))) {
                p++;
                if ((size_t) (end - p) > k && strncasecmp(p, name, k) == 0 && p[k] == ':')
                        return p + k + 1;
        }
        return NULL;
}

/* False if its end has not come. */
static bool join_chunks(const char *p, const char *end, Buf *ret) {
        while (p < end) {
                const char *line = memchr(p, '\n', (size_t) (end - p));
                size_t n;

                if (!line)
                        return false;
                n = strtoul(p, NULL, 16);
                p = line + 1;
                if ((size_t) (end - p) < n + 2)
                        return false;
                if (n == 0)
                        return true;
                if (ret)
                        assert_int_equal(buf_append(ret, p, n), 0);
                p += n + 2;
        }
        return false;
}

static bool find_body(const PeerConn *c, Buf *ret) {
        size_t n = head_length(c), length;
        const char *value, *body;

        if (n == 0)
                return false;
        body = buf_data(&c->in) + n;
        if (head_value(c, "Transfer-Encoding"))
                return join_chunks(body, buf_data(&c->in) + c->in.n, ret);
        value = head_value(c, "Content-Length");
        length = value ? strtoul(value, NULL, 10) : 0;
        if (c->in.n - n < length)
                return false;
        if (ret)
                assert_int_equal(buf_append(ret, body, length), 0);
        return true;
}

static PeerConn *find_request(Peer *p) {
        for (size_t i = 0; i < p->n_conns; i++)
                if (p->conns[i].fd >= 0 && !p->conns[i].ended && !p->conns[i].taken &&
                    (!p->proxy_answer || p->conns[i].connect[0]) &&
                    find_body(&p->conns[i], NULL))
                        return &p->conns[i];
        return NULL;
}

PeerConn *peer_request(Peer *p) {
        PeerConn *c;

        peer_until(p, (c = find_request(p)));
        c->taken = true;
        return c;
}

bool peer_is_quiet(Peer *p) {
        peer_settle(p);
        return !find_request(p);
}

void peer_forget(PeerConn *c) {
        buf_clear(&c->in);
        c->taken = false;
}

void peer_body(const PeerConn *c, Buf *ret) {
        assert_true(find_body(c, ret));
}

/* --- answers --- */

void peer_write(PeerConn *c, const void *data, size_t n) {
        assert_true(c->fd >= 0);
        assert_int_equal(buf_append(&c->out, data, n), 0);
        flush(c);
}

void peer_say(PeerConn *c, const char *text) {
        peer_write(c, text, strlen(text));
}

void peer_end(PeerConn *c) {
        peer_until(c->peer, c->out.n == 0);
        conn_close(c);
}

void peer_reset(PeerConn *c) {
        const struct linger l = { .l_onoff = 1, .l_linger = 0 };

        assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
        conn_close(c);
}
