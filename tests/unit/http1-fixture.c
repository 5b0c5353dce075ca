/* SPDX-License-Identifier: MIT */
#include "http1-fixture.h"

#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/text.h"

static Side *side; /* of the test that runs */

int __real_epoll_ctl(int fd, int op, int other, struct epoll_event *e);
int __wrap_epoll_ctl(int fd, int op, int other, struct epoll_event *e);

/* sd-event has its own epoll instance, whose watches are not counted: it calls the library's function. */
int __wrap_epoll_ctl(int fd, int op, int other, struct epoll_event *e) {
        if (side)
                side->n_watches++;
        return __real_epoll_ctl(fd, op, other, e);
}

/* --- allocations --- */

static unsigned fails_in; /* how many more allocations; 0: none fails */
static bool has_failed;

void *__real_malloc(size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_realloc(void *p, size_t n);

static bool fails_now(void) {
        if (fails_in == 0 || --fails_in > 0)
                return false;
        has_failed = true;
        return true;
}

void *__wrap_malloc(size_t n) {
        return fails_now() ? NULL : __real_malloc(n);
}

void *__wrap_realloc(void *p, size_t n) {
        return fails_now() ? NULL : __real_realloc(p, n);
}

void side_fail_allocation(unsigned n) {
        fails_in = n;
        has_failed = false;
}

bool side_has_failed(void) {
        fails_in = 0;
        return has_failed;
}

/* --- the transport --- */

struct Transport {
        int fd;
};

int transport_new(int fd, SSL *ssl _unused_, Transport **ret) {
        Transport *t = calloc(1, sizeof(Transport));

        assert_non_null(t);
        t->fd = fd;
        *ret = t;
        return 0;
}

Transport *transport_free(Transport *t) {
        (void) safe_close(t->fd);
        free(t);
        return NULL;
}

int transport_fd(const Transport *t) {
        return t->fd;
}

ssize_t transport_read(Transport *t, void *p, size_t n) {
        ssize_t k;

        side->n_reads++;
        n = MIN(n, side->read_max);
        if (side->is_endless) {
                memset(p, 'x', n);
                side->n_read += n;
                return (ssize_t) n;
        }
        if (side->is_tls && side->held.n == 0) {
                char record[16384];

                k = recv(t->fd, record, sizeof(record), 0);
                if (k <= 0)
                        return k < 0 ? -errno : 0;
                if (side->swallows)
                        return -EAGAIN;
                assert_int_equal(buf_append(&side->held, record, (size_t) k), 0);
        }
        if (side->held.n > 0) {
                n = MIN(n, side->held.n);
                memcpy(p, buf_data(&side->held), n);
                buf_consume(&side->held, n);
                side->n_read += n;
                return (ssize_t) n;
        }
        k = recv(t->fd, p, n, 0);
        if (k > 0)
                side->n_read += (size_t) k;
        return k < 0 ? -errno : k;
}

ssize_t transport_write(Transport *t, const struct iovec *v, int n_v) {
        struct iovec few[2];
        struct msghdr m = { .msg_iov = few };
        size_t room = side->write_max;
        ssize_t k;

        side->n_writes++;
        if (side->write_error < 0)
                return side->write_error;
        for (int i = 0; i < n_v && room > 0; i++) {
                few[i] = (struct iovec){ v[i].iov_base, MIN(v[i].iov_len, room) };
                room -= few[i].iov_len;
                m.msg_iovlen++;
        }
        k = sendmsg(t->fd, &m, MSG_NOSIGNAL);
        return k < 0 ? -errno : k;
}

bool transport_has_pending(const Transport *t _unused_) {
        return side->is_endless || side->held.n > 0;
}

bool transport_is_http2(const Transport *t _unused_) {
        return false;
}

const char *transport_error(const Transport *t _unused_) {
        return "the transport's words";
}

/* --- the work --- */

void http_work_sent(HttpWork *w) {
        assert_ptr_equal(w, &side->w);
        assert_int_equal(side->n_ends, 0);
        side->n_sent++;
}

int http_work_header(HttpWork *w, const char *line, size_t n) {
        assert_ptr_equal(w, &side->w);
        assert_int_equal(side->n_ends, 0);
        assert_int_equal(w->status, 0);
        assert_int_equal(buf_append(&side->headers_seen, line, n), 0);
        assert_int_equal(buf_putc(&side->headers_seen, '|'), 0);
        return side->header_error;
}

int http_work_head(HttpWork *w, int status) {
        assert_ptr_equal(w, &side->w);
        assert_int_equal(side->n_ends, 0);
        assert_int_equal(w->status, 0);
        w->status = status;
        return side->head_error;
}

int http_work_data(HttpWork *w, const char *p, size_t n) {
        assert_ptr_equal(w, &side->w);
        assert_int_equal(side->n_ends, 0);
        assert_true(w->status > 0 && n > 0);
        assert_int_equal(buf_append(&side->data, p, n), 0);
        if (side->pauses)
                w->paused = true;
        return side->data_error;
}

ssize_t http_work_read(HttpWork *w, char *p, size_t n) {
        size_t k = MIN(MIN(n, side->body_max), side->n_body - side->n_body_given);

        assert_ptr_equal(w, &side->w);
        assert_int_equal(side->n_ends, 0);
        assert_true(n > 0);
        if (side->body_error < 0)
                return side->body_error;
        if (k == 0)
                return side->body_ends ? 0 : -EAGAIN;
        memcpy(p, side->body + side->n_body_given, k);
        side->n_body_given += k;
        return (ssize_t) k;
}

void http_work_end(HttpWork *w, HttpWorkEnd end, const char *cause) {
        assert_ptr_equal(w, &side->w);
        assert_null(w->connection);
        assert_int_equal(side->n_ends++, 0);
        assert_int_equal(!cause, end == HTTP_WORK_COMPLETE);
        side->end = end;
        text_copy(side->cause, sizeof(side->cause), strempty(cause));
}

/* --- the owner --- */

static void on_idle(Http1 *c, void *userdata) {
        Side *s = userdata;

        assert_ptr_equal(c, s->c);
        s->n_idle++;
        if (s->frees)
                s->c = http1_free(s->c);
}

static void on_closed(Http1 *c, void *userdata) {
        Side *s = userdata;

        assert_ptr_equal(c, s->c);
        assert_int_equal(s->n_closed++, 0);
        if (s->frees)
                s->c = http1_free(s->c);
}

static void drop(Side *s) {
        s->c = http1_free(s->c);
        s->fd = safe_close(s->fd);
        buf_done(&s->held);
        buf_done(&s->headers_seen);
        buf_done(&s->data);
        buf_done(&s->sent);
        secret_unref(s->w.p.secret);
        s->w = (HttpWork){};
}

void side_renew(Side *s) {
        static const Http1Ops ops = { .idle = on_idle, .closed = on_closed };
        Loop *loop = s->loop;
        Transport *t;
        int fds[2];

        drop(s);
        *s = (Side){
                .loop = loop,
                .read_max = SIZE_MAX,
                .write_max = SIZE_MAX,
                .body_max = SIZE_MAX,
                .held = BUF_INIT(1 << 24),
                .headers_seen = BUF_INIT(1 << 24),
                .data = BUF_INIT(1 << 26),
                .sent = BUF_INIT(1 << 26),
        };
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        s->fd = fds[1];
        assert_int_equal(transport_new(fds[0], NULL, &t), 0);
        assert_int_equal(http1_new(loop, t, &ops, s, &s->c), 0);
}

int side_setup(void **state) {
        Side *s = calloc(1, sizeof(Side));

        assert_non_null(s);
        assert_int_equal(loop_new(&s->loop), 0);
        s->fd = -1;
        side = s;
        side_renew(s);
        *state = s;
        return 0;
}

int side_teardown(void **state) {
        Side *s = *state;

        drop(s);
        loop_free(s->loop);
        free(s);
        side = NULL;
        return 0;
}

static ssize_t read_nothing(char *p _unused_, size_t n _unused_, void *userdata _unused_) {
        abort(); /* http_work_read() is the test's */
}

void side_begin(Side *s, const char *method, const char *body) {
        Secret *secret = TAKE_PTR(s->w.p.secret);

        secret_unref(secret);
        s->w = (HttpWork){
                .method = method,
                .scheme = "https",
                .authority = "a.example",
                .target = "/b?c",
                .p = { .body = body, .n_body = body ? strlen(body) : 0, .headers = s->headers },
        };
        buf_clear(&s->headers_seen);
        buf_clear(&s->data);
        buf_clear(&s->sent);
        s->n_sent = s->n_ends = 0;
        s->cause[0] = 0;
}

void side_begin_read(Side *s, size_t n_body) {
        side_begin(s, "POST", NULL);
        s->w.p.n_body = n_body;
        s->w.call.ops.read = read_nothing;
        s->n_body_given = 0;
}

void side_start(Side *s, const char *method, const char *body) {
        side_begin(s, method, body);
        http1_start(s->c, &s->w);
        assert_int_equal(s->n_ends, 0);
}

void side_turn(Side *s) {
        assert_true(sd_event_run(loop_event(s->loop), 0) >= 0);
}

void side_turns(Side *s) {
        unsigned n = 0;
        int r;

        do {
                r = sd_event_run(loop_event(s->loop), 0);
                assert_true(r >= 0);
                if (++n > 100000)
                        fail_msg("the loop never rests");
        } while (r > 0);
}

void side_send(Side *s, const void *p, size_t n) {
        for (size_t at = 0; at < n;) {
                ssize_t k = send(s->fd, (const char *) p + at, n - at, MSG_NOSIGNAL);

                if (k < 0 && errno == EAGAIN)
                        side_turn(s);
                else if (k < 0)
                        return; /* the connection was closed */
                else
                        at += (size_t) k;
        }
}

void side_send_text(Side *s, const char *text) {
        side_send(s, text, strlen(text));
}

void side_close(Side *s) {
        s->fd = safe_close(s->fd);
}

void side_receive(Side *s) {
        char p[65536];
        ssize_t n;

        while ((n = recv(s->fd, p, sizeof(p), 0)) > 0)
                assert_int_equal(buf_append(&s->sent, p, (size_t) n), 0);
}

void side_check_body(Side *s, const char *body, size_t n) {
        const char *p = strstr(buf_cstr(&s->sent), "\r\n\r\n");

        assert_non_null(p);
        p += 4;
        assert_int_equal(s->sent.n - (size_t) (p - buf_data(&s->sent)), n);
        assert_memory_equal(p, body, n);
}

char *side_text(size_t n) {
        char *p = malloc(n + 1);

        assert_non_null(p);
        for (size_t i = 0; i < n; i++)
                p[i] = (char) ('a' + (i * 7 + i / 1000) % 26);
        p[n] = 0;
        return p;
}
