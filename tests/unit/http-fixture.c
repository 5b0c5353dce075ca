/* SPDX-License-Identifier: MIT */
#include "http-fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "io/listen.h"

static void on_head(HttpRequest *r, void *userdata) {
        Fixture *f = userdata;
        const char *fault = http_request_head_fault(r);
        uint64_t n;

        f->n_head++;
        f->last = r;
        if (fault)
                (void) http_request_reply(r, 400, NULL, 0, NULL);
        else if (http_request_content_length(r, &n) && n > f->max_body)
                (void) http_request_reply(r, 413, NULL, 0, NULL);
        else if (f->refuse)
                (void) http_request_reply(r, 401, NULL, 0, NULL);
        else if (f->pass) {
                if (!http_request_pass_body(r, f->max_body))
                        (void) http_request_reply(r, 503, NULL, 0, NULL);
        } else if (f->skip)
                http_request_skip_body(r, f->max_body);
        else
                http_request_take_body(r, f->max_body);
}

void reply_text(HttpRequest *r, int status, const char *text) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);

        (void) buf_puts(&b, text);
        assert_int_equal(http_request_reply(r, status, NULL, 0, &b), 0);
}

static void on_body(HttpRequest *r, void *userdata) {
        static const int statuses[] = {
                [HTTP_BODY_TOO_LARGE] = 413, [HTTP_BODY_NO_ROOM] = 503, [HTTP_BODY_LATE] = 408,
                [HTTP_BODY_MALFORMED] = 400,
        };
        Fixture *f = userdata;

        f->n_body++;
        if (http_request_body_fault(r) != HTTP_BODY_OK)
                return reply_text(r, statuses[http_request_body_fault(r)], "no");
        if (f->stream)
                assert_int_equal(http_request_stream(r, 200, NULL, 0, HTTP_SIZE_UNKNOWN), 0);
        if (f->hold || f->stream) {
                f->waiting[f->n_waiting++] = r;
                return;
        }
        reply_text(r, 200, "hello");
}

static void on_piece(HttpRequest *r _unused_, void *userdata) {
        Fixture *f = userdata;

        f->n_piece++;
}

static void on_gone(HttpRequest *r _unused_, void *userdata) {
        Fixture *f = userdata;

        f->n_gone++;
}

static void on_drained(HttpRequest *r _unused_, void *userdata) {
        Fixture *f = userdata;

        f->n_drained++;
}

static void on_end(HttpRequest *r, bool complete, void *userdata) {
        Fixture *f = userdata;

        f->n_end++;
        f->n_complete += complete;
        for (size_t i = 0; i < f->n_waiting; i++)
                if (f->waiting[i] == r)
                        f->waiting[i] = NULL;
}

static bool on_welcome(const struct sockaddr *peer, void *userdata) {
        const Fixture *f = userdata;

        assert_int_equal(peer->sa_family, AF_INET);
        return !f->unwelcome;
}

static void on_full(unsigned n _unused_, HttpFull what, void *userdata) {
        Fixture *f = userdata;

        f->n_full[what]++;
}

int setup_with(void **state, usec_t head_timeout, usec_t body_window) {
        static const HttpServerOps ops = {
                .head = on_head,
                .body = on_body,
                .piece = on_piece,
                .gone = on_gone,
                .drained = on_drained,
                .end = on_end,
                .welcomes = on_welcome,
                .full = on_full,
        };
        struct rlimit rl;
        socklen_t n = sizeof(struct sockaddr_in);
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
        rl.rlim_cur = rl.rlim_max;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
        f->max_body = 1000;
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(http_server_new(f->loop,
                                         &(HttpServerParams){
                                                 .max_connections = 2100,
                                                 .max_inflight = 1 << 20,
                                                 .head_timeout = head_timeout,
                                                 .guest_timeout = 100 * USEC_PER_MSEC,
                                                 .body_window = body_window,
                                                 .head_late = "{\"late\":1}",
                                                 .head_malformed = "{\"malformed\":1}",
                                         },
                                         &ops, f, &f->server),
                         0);
        assert_int_equal(listen_open("127.0.0.1:0", &f->fd), 0);
        assert_int_equal(getsockname(f->fd, (struct sockaddr *) &f->address, &n), 0);
        assert_int_equal(http_server_listen(f->server, f->fd), 0);
        *state = f;
        return 0;
}

int setup(void **state) {
        return setup_with(state, USEC_PER_HOUR, USEC_PER_HOUR);
}

int teardown(void **state) {
        Fixture *f = *state;

        http_server_free(f->server);
        loop_free(f->loop);
        free(f);
        return 0;
}

int dial(Fixture *f) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &f->address, sizeof(f->address)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

void say(int fd, const char *text) {
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

bool hear(int fd, Buf *b) {
        char p[16384];
        ssize_t n;

        while ((n = recv(fd, p, sizeof(p), 0)) > 0)
                assert_int_equal(buf_append(b, p, (size_t) n), 0);
        return n < 0 && errno == EAGAIN;
}

bool has(Buf *b, const char *text) {
        return b->n > 0 && memmem(buf_data(b), b->n, text, strlen(text));
}

static HttpShard *shard_of(const Fixture *f) {
        const HttpListener *l = list_entry(f->server->listeners.next, HttpListener, link);

        return list_is_empty(&l->shards) ? NULL : list_entry(l->shards.next, HttpShard, link);
}

HttpConnection *connection_of(const Fixture *f) {
        const HttpShard *d = shard_of(f);

        return !d || list_is_empty(&d->connections) ? NULL :
                                                      list_entry(d->connections.next, HttpConnection, link);
}
