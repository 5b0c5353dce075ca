/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/text.h"
#include "http2-server.h"

#define HELD_MAX  (256U << 20)
#define LINES_MAX 16U

/* --- one connection --- */

static void conn_close(ServerConn *c) {
        if (c->fd < 0)
                return;
        loop_fd_remove(c->server->loop, &c->watch);
        c->fd = safe_close(c->fd);
        nghttp2_session_del(c->session);
        c->session = NULL;
        SSL_free(c->ssl);
        c->ssl = NULL;
        for (size_t i = 0; i < c->server->n_streams; i++)
                if (c->server->streams[i].conn == c)
                        c->server->streams[i].closed = true;
}

static void encrypt(ServerConn *c, size_t n) {
        while (n > 0) {
                int k = SSL_write(c->ssl, buf_data(&c->plain), (int) MIN(n, 16384U));

                assert_true(k > 0);
                buf_consume(&c->plain, (size_t) k);
                n -= (size_t) k;
        }
}

static void send_out(ServerConn *c) {
        static char bytes[65536];
        int n;

        while ((n = BIO_read(SSL_get_wbio(c->ssl), bytes, sizeof(bytes))) > 0)
                assert_int_equal(buf_append(&c->out, bytes, (size_t) n), 0);
        while (c->out.n > 0) {
                ssize_t k = send(c->fd, buf_data(&c->out), c->out.n, MSG_NOSIGNAL);

                if (k <= 0)
                        break;
                buf_consume(&c->out, (size_t) k);
        }
        (void) loop_fd_modify(c->server->loop, &c->watch,
                              (c->deaf ? 0U : (uint32_t) EPOLLIN) |
                                      (c->out.n > 0 ? (uint32_t) EPOLLOUT : 0U));
}

/* What libnghttp2 has to say is sent, or held. */
static void pump(ServerConn *c) {
        const uint8_t *p;
        ssize_t n;

        if (c->ended || c->fd < 0)
                return;
        while (c->session && (n = nghttp2_session_mem_send(c->session, &p)) > 0)
                assert_int_equal(buf_append(&c->plain, p, (size_t) n), 0);
        if (!c->holds)
                encrypt(c, c->plain.n);
        send_out(c);
}

/* --- what comes --- */

static Stream *stream_of(ServerConn *c, int32_t id) {
        for (size_t i = 0; i < c->server->n_streams; i++)
                if (c->server->streams[i].conn == c && c->server->streams[i].id == id)
                        return &c->server->streams[i];
        return NULL;
}

static int on_begin(nghttp2_session *session _unused_, const nghttp2_frame *f, void *userdata) {
        ServerConn *c = userdata;
        Server *s = c->server;
        Stream *t;

        if (f->headers.cat != NGHTTP2_HCAT_REQUEST)
                return 0;
        assert_true(s->n_streams < SERVER_STREAMS_MAX);
        t = &s->streams[s->n_streams++];
        *t = (Stream){
                .conn = c,
                .id = f->hd.stream_id,
                .head = BUF_INIT(HELD_MAX),
                .body = BUF_INIT(HELD_MAX),
                .out = BUF_INIT(HELD_MAX),
                .reset = UINT32_MAX,
        };
        if (s->deaf)
                c->deaf = true;
        return 0;
}

static int on_header(nghttp2_session *session _unused_, const nghttp2_frame *f, const uint8_t *name,
                     size_t n_name, const uint8_t *value, size_t n_value, uint8_t flags _unused_,
                     void *userdata) {
        Stream *t = stream_of(userdata, f->hd.stream_id);

        (void) buf_append(&t->head, name, n_name);
        (void) buf_puts(&t->head, ": ");
        (void) buf_append(&t->head, value, n_value);
        return buf_putc(&t->head, '\n');
}

static int on_data(nghttp2_session *session _unused_, uint8_t flags _unused_, int32_t id, const uint8_t *p,
                   size_t n, void *userdata) {
        Stream *t = stream_of(userdata, id);

        return buf_append(&t->body, p, n);
}

static int on_frame(nghttp2_session *session _unused_, const nghttp2_frame *f, void *userdata) {
        Stream *t = stream_of(userdata, f->hd.stream_id);
        ServerConn *c = userdata;

        if (f->hd.type == NGHTTP2_PING && !(f->hd.flags & NGHTTP2_FLAG_ACK))
                c->n_pings++;
        if (f->hd.type == NGHTTP2_GOAWAY)
                c->left = true;
        if (t && f->hd.type == NGHTTP2_RST_STREAM)
                t->reset = f->rst_stream.error_code;
        if (t && (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) &&
            (f->hd.flags & NGHTTP2_FLAG_END_STREAM))
                t->whole = true;
        return 0;
}

static int on_stream_close(nghttp2_session *session _unused_, int32_t id, uint32_t code _unused_,
                           void *userdata) {
        Stream *t = stream_of(userdata, id);

        if (t)
                t->closed = true;
        return 0;
}

static void begin_session(ServerConn *c) {
        const nghttp2_settings_entry max = { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
                                             c->server->streams_max };
        nghttp2_session_callbacks *k;

        assert_int_equal(nghttp2_session_callbacks_new(&k), 0);
        nghttp2_session_callbacks_set_on_begin_headers_callback(k, on_begin);
        nghttp2_session_callbacks_set_on_header_callback(k, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(k, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(k, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(k, on_stream_close);
        assert_int_equal(nghttp2_session_server_new(&c->session, k, c), 0);
        nghttp2_session_callbacks_del(k);
        assert_int_equal(nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, &max, max.value > 0), 0);
}

static void decrypt(ServerConn *c) {
        static uint8_t bytes[16384];
        int n;

        if (!c->session) {
                if (SSL_accept(c->ssl) != 1)
                        return;
                begin_session(c);
        }
        while (!c->ended && (n = SSL_read(c->ssl, bytes, sizeof(bytes))) > 0)
                if (nghttp2_session_mem_recv(c->session, bytes, (size_t) n) != n)
                        c->ended = true;
}

static void on_conn(uint32_t events, void *userdata) {
        static char bytes[65536];
        ServerConn *c = userdata;

        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
                ssize_t k = recv(c->fd, bytes, sizeof(bytes), 0);

                if (k > 0) {
                        assert_int_equal(BIO_write(SSL_get_rbio(c->ssl), bytes, (int) k), k);
                        decrypt(c);
                } else if (k == 0 || errno != EAGAIN)
                        c->ended = true;
        }
        if (c->ended)
                loop_fd_remove(c->server->loop, &c->watch);
        else
                pump(c);
}

/* --- the server --- */

static void on_listener(uint32_t events _unused_, void *userdata) {
        Server *s = userdata;
        ServerConn *c = &s->conns[s->n_conns];
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0)
                return;
        assert_true(s->n_conns < SERVER_CONNS_MAX);
        assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)), 0);
        *c = (ServerConn){ .server = s, .fd = fd, .plain = BUF_INIT(HELD_MAX), .out = BUF_INIT(HELD_MAX) };
        c->ssl = SSL_new(s->ctx);
        assert_non_null(c->ssl);
        SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        assert_int_equal(loop_fd_add(s->loop, &c->watch, fd, EPOLLIN, on_conn, c), 0);
        s->n_conns++;
}

static int on_alpn(SSL *ssl _unused_, const unsigned char **ret, unsigned char *ret_n,
                   const unsigned char *p, unsigned n, void *userdata _unused_) {
        for (unsigned i = 0; i < n; i += 1U + p[i])
                if (p[i] == 2 && memcmp(p + i + 1, "h2", 2) == 0) {
                        *ret = p + i + 1;
                        *ret_n = p[i];
                        return SSL_TLSEXT_ERR_OK;
                }
        return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void server_open(Server *s, Loop *loop, const char *ca_file) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t n = sizeof(a);

        memset(s, 0, sizeof(*s));
        s->loop = loop;
        s->pair = pair_new(&(PairParams){ .name = "test", .alt = "IP:127.0.0.1", .is_ca = true });
        pairs_write(ca_file, (const Pair *const[]){ &s->pair, NULL });
        s->ctx = SSL_CTX_new(TLS_server_method());
        assert_non_null(s->ctx);
        assert_int_equal(SSL_CTX_use_certificate(s->ctx, s->pair.x), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, s->pair.key), 1);
        SSL_CTX_set_alpn_select_cb(s->ctx, on_alpn, NULL);
        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(s->fd >= 0);
        assert_int_equal(bind(s->fd, (struct sockaddr *) &a, sizeof(a)), 0);
        assert_int_equal(listen(s->fd, 64), 0);
        assert_int_equal(getsockname(s->fd, (struct sockaddr *) &a, &n), 0);
        s->port = ntohs(a.sin_port);
        assert_int_equal(loop_fd_add(loop, &s->watch, s->fd, EPOLLIN, on_listener, s), 0);
}

void server_stop_listening(Server *s) {
        if (s->fd >= 0)
                loop_fd_remove(s->loop, &s->watch);
        s->fd = safe_close(s->fd);
}

void server_close(Server *s) {
        server_stop_listening(s);
        for (size_t i = 0; i < s->n_conns; i++) {
                conn_close(&s->conns[i]);
                buf_done(&s->conns[i].plain);
                buf_done(&s->conns[i].out);
        }
        for (size_t i = 0; i < s->n_streams; i++) {
                buf_done(&s->streams[i].head);
                buf_done(&s->streams[i].body);
                buf_done(&s->streams[i].out);
        }
        SSL_CTX_free(s->ctx);
        pair_done(&s->pair);
}

/* --- requests --- */

Stream *server_find(Server *s, bool whole) {
        for (size_t i = 0; i < s->n_streams; i++) {
                Stream *t = &s->streams[i];

                if (!t->taken && (t->whole || !whole)) {
                        t->taken = true;
                        return t;
                }
        }
        return NULL;
}

Stream *server_wait(Server *s, Peer *peer, bool whole) {
        Stream *t;

        peer_until(peer, (t = server_find(s, whole)));
        return t;
}

bool stream_has(const Stream *t, const char *line) {
        size_t n = strlen(line);
        const char *p = t->head.n > 0 ? buf_data(&t->head) : "", *end = p + t->head.n;

        for (const char *eol; p < end && (eol = memchr(p, '\n', (size_t) (end - p))); p = eol + 1)
                if ((size_t) (eol - p) == n && memcmp(p, line, n) == 0)
                        return true;
        return false;
}

/* --- answers --- */

static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *p, size_t n, uint32_t *flags,
                    nghttp2_data_source *source, void *userdata _unused_) {
        Stream *t = source->ptr;

        n = MIN(n, t->out.n);
        if (n == 0 && !t->ends)
                return NGHTTP2_ERR_DEFERRED;
        if (n > 0)
                memcpy(p, buf_data(&t->out), n);
        buf_consume(&t->out, n);
        if (t->out.n > 0 || !t->ends)
                return (ssize_t) n;
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (t->trailers) {
                const char *value = strchr(t->trailers, ':') + 2;
                nghttp2_nv line = {
                        (uint8_t *) (uintptr_t) t->trailers, (uint8_t *) (uintptr_t) value,
                        (size_t) (value - t->trailers) - 2,  strlen(value), NGHTTP2_NV_FLAG_NONE,
                };

                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                assert_int_equal(nghttp2_submit_trailer(session, id, &line, 1), 0);
        }
        return (ssize_t) n;
}

void stream_head(Stream *t, const char *status, const char *lines, bool ends) {
        nghttp2_data_provider body = { .source.ptr = t, .read_callback = give };
        nghttp2_session *session = t->conn->session;
        nghttp2_nv nv[LINES_MAX] = { { (uint8_t *) (uintptr_t) ":status", (uint8_t *) (uintptr_t) status, 7,
                                       strlen(status), NGHTTP2_NV_FLAG_NONE } };
        size_t n = 1;

        for (const char *p = lines, *eol; *p; p = eol + 1) {
                const char *colon = strchr(p, ':');

                eol = strchr(p, '\n');
                assert_true(colon && eol && colon < eol && n < LINES_MAX);
                nv[n++] = (nghttp2_nv){
                        (uint8_t *) (uintptr_t) p, (uint8_t *) (uintptr_t) (colon + 2),
                        (size_t) (colon - p),      (size_t) (eol - colon) - 2, NGHTTP2_NV_FLAG_NONE,
                };
        }
        if (status[0] == '1')
                assert_int_equal(
                        nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, t->id, NULL, nv, n, NULL), 0);
        else
                assert_int_equal(nghttp2_submit_response(session, t->id, nv, n, ends ? NULL : &body), 0);
        pump(t->conn);
}

void stream_data(Stream *t, const void *p, size_t n, bool ends) {
        assert_int_equal(buf_append(&t->out, p, n), 0);
        t->ends = ends;
        (void) nghttp2_session_resume_data(t->conn->session, t->id);
        pump(t->conn);
}

void stream_say(Stream *t, const char *text, bool ends) {
        stream_data(t, text, strlen(text), ends);
}

void stream_answer(Stream *t, const char *text) {
        stream_head(t, "200", "", false);
        stream_say(t, text, true);
}

void stream_reset(Stream *t, uint32_t code) {
        assert_int_equal(nghttp2_submit_rst_stream(t->conn->session, NGHTTP2_FLAG_NONE, t->id, code), 0);
        pump(t->conn);
}

/* --- the connection --- */

void server_goaway(ServerConn *c, int32_t last, uint32_t code, const char *text) {
        assert_int_equal(nghttp2_submit_goaway(c->session, NGHTTP2_FLAG_NONE, last, code,
                                               (const uint8_t *) text, strlen(text)),
                         0);
        pump(c);
}

void server_raw(ServerConn *c, const void *p, size_t n) {
        pump(c);
        assert_int_equal(buf_append(&c->plain, p, n), 0);
        pump(c);
}

void server_hold(ServerConn *c) {
        c->holds = true;
}

size_t server_held(ServerConn *c) {
        pump(c);
        return c->plain.n;
}

void server_let_go(ServerConn *c, size_t n) {
        assert_true(c->holds && n <= c->plain.n);
        c->holds = n < c->plain.n;
        encrypt(c, n);
        send_out(c);
}

void server_deafen(ServerConn *c) {
        c->deaf = true;
        send_out(c);
}

void server_listen_again(ServerConn *c) {
        c->deaf = c->server->deaf = false;
        send_out(c);
}

void server_end(ServerConn *c) {
        if (c->session && !c->ended) {
                (void) SSL_shutdown(c->ssl);
                send_out(c);
        }
        conn_close(c);
}

void server_drop(ServerConn *c) {
        const struct linger l = { .l_onoff = 1, .l_linger = 0 };

        assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
        conn_close(c);
}
