/* SPDX-License-Identifier: MIT */
#include "http2-world.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/text.h"

#define TURNS_MAX 1000000U /* only a spin reaches it */
#define BODY_MAX (64U << 20)

/* --- the transport --- */

int transport_fd(const Transport *t) {
        return t->fd;
}

Transport *transport_free(Transport *t) {
        if (t) {
                (void) safe_close(t->fd);
                buf_done(&t->hidden);
                free(t);
        }
        return NULL;
}

ssize_t transport_read(Transport *t, void *p, size_t n) {
        ssize_t k;

        t->n_reads++;
        n = t->read_max > 0 ? MIN(n, t->read_max) : n;
        if (t->hides) {
                char all[65536];

                k = recv(t->fd, all, sizeof(all), MSG_DONTWAIT);
                if (k > 0)
                        MUST(buf_append(&t->hidden, all, (size_t) k) == 0);
                if (t->hidden.n == 0)
                        return k < 0 ? -errno : k;
                n = MIN(n, t->hidden.n);
                memcpy(p, buf_data(&t->hidden), n);
                buf_consume(&t->hidden, n);
                return (ssize_t) n;
        }
        k = recv(t->fd, p, n, MSG_DONTWAIT);
        return k < 0 ? -errno : k;
}

ssize_t transport_write(Transport *t, const struct iovec *v, int n_v) {
        ssize_t k;

        MUST(n_v == 1);
        t->n_writes++;
        if (t->broken)
                return -EPIPE;
        if (t->jammed)
                return -EAGAIN;
        k = send(t->fd, v->iov_base, t->write_max > 0 ? MIN(v->iov_len, t->write_max) : v->iov_len,
                 MSG_DONTWAIT | MSG_NOSIGNAL);
        return k < 0 ? -errno : k;
}

bool transport_has_pending(const Transport *t) {
        return t->hidden.n > 0;
}

const char *transport_error(const Transport *t _unused_) {
        return "Broken pipe";
}

/* --- works --- */

static Work *work_of(HttpWork *w) {
        return CONTAINER_OF(w, Work, w);
}

static void check_alive(const HttpWork *w) {
        MUST(w->connection && CONTAINER_OF(w, Work, w)->n_ends == 0);
}

void http_work_sent(HttpWork *w) {
        check_alive(w);
        work_of(w)->n_sent++;
}

int http_work_header(HttpWork *w, const char *line, size_t n) {
        Work *k = work_of(w);

        check_alive(w);
        MUST(n > 0 && line[0] != ':' && memchr(line, ':', n));
        (void) buf_append(&k->lines, line, n);
        (void) buf_putc(&k->lines, '\n');
        return k->fail_header ? -EIO : 0;
}

int http_work_head(HttpWork *w, int status) {
        check_alive(w);
        MUST(status >= 200 && status <= 999);
        w->status = status;
        return work_of(w)->fail_head ? -EIO : 0;
}

int http_work_data(HttpWork *w, const char *p, size_t n) {
        Work *k = work_of(w);

        check_alive(w);
        MUST(w->status >= 200 && n > 0);
        (void) buf_append(&k->body, p, n);
        return k->fail_data ? -EIO : 0;
}

ssize_t http_work_read(HttpWork *w, char *p, size_t n) {
        Work *k = work_of(w);

        check_alive(w);
        MUST(n > 0);
        if (k->read_error)
                return k->read_error;
        if (k->n_read == k->n_ready && k->n_ready < k->n_upload)
                return -EAGAIN;
        n = MIN(n, k->n_ready - k->n_read);
        memcpy(p, k->upload + k->n_read, n);
        k->n_read += n;
        return (ssize_t) n;
}

void http_work_end(HttpWork *w, HttpWorkEnd end, const char *cause) {
        Work *k = work_of(w);

        MUST(k->n_ends == 0 && !w->connection && !list_is_linked(&w->link) && !k->cancelled);
        MUST((end == HTTP_WORK_COMPLETE) == (cause == NULL));
        MUST(!cause || (cause[0] && strlen(cause) < HTTP_CAUSE_MAX));
        MUST(end != HTTP_WORK_STALE);
        MUST(end != HTTP_WORK_COMPLETE || w->status > 0);
        MUST(end != HTTP_WORK_UNSENT || w->status == 0);
        k->n_ends++;
        k->end = end;
        text_copy(k->cause, sizeof(k->cause), cause ?: "");
}

static ssize_t never(char *p _unused_, size_t n _unused_, void *userdata _unused_) {
        abort();
}

Work *world_work(World *w) {
        Work *k = &w->works[w->n_works++];

        MUST(w->n_works <= WORKS_MAX);
        *k = (Work){
                .w = {
                        .method = "GET",
                        .scheme = "https",
                        .authority = "generativelanguage.googleapis.com",
                        .target = "/v1beta/models?x=1",
                        .p = { .secret_header = "x-goog-api-key", .secret = w->secret },
                        .link = LIST_INIT(k->w.link),
                },
                .body = BUF_INIT(BODY_MAX),
                .lines = BUF_INIT(BODY_MAX),
        };
        return k;
}

void work_upload(Work *k, const char *p, size_t n, size_t n_promised) {
        k->w.method = "POST";
        k->w.p.n_body = n_promised;
        k->w.call.ops.read = never; /* http_work_read() of this file is called instead */
        k->upload = p;
        k->n_upload = k->n_ready = n;
}

int world_start(World *w, Work *k) {
        return http2_start(w->c, &k->w);
}

Work *world_get(World *w) {
        Work *k = world_work(w);

        MUST(world_start(w, k) == 0);
        return k;
}

void world_cancel(World *w, Work *k) {
        http2_cancel(w->c, &k->w);
        MUST(!k->w.connection && !list_is_linked(&k->w.link));
        k->cancelled = true;
}

/* --- the world --- */

static void on_room(Http2 *c, void *userdata) {
        World *w = userdata;

        MUST(http2_room(c) > 0);
        w->n_room++;
}

static void on_closed(Http2 *c, void *userdata) {
        World *w = userdata;

        MUST(!w->closed && http2_n_works(c) == 0 && http2_room(c) == 0);
        w->closed = true;
}

void world_prepare(World *w) {
        int fds[2];

        *w = (World){ .in = BUF_INIT(BODY_MAX), .preface = true };
        MUST(secret_new(SECRET, strlen(SECRET), &w->secret) == 0);
        MUST(loop_new(&w->loop) == 0);
        MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
        w->transport = calloc(1, sizeof(Transport));
        MUST(w->transport);
        w->transport->fd = fds[0];
        w->transport->hidden = BUF_INIT(BODY_MAX);
        w->fd = fds[1];
        MUST(buf_reserve(&w->in, 256U << 10) == 0); /* a test may let each later allocation fail */
}

int world_open(World *w) {
        static const Http2Ops ops = { on_room, on_closed };
        int r;

        r = http2_new(w->loop, w->transport, &ops, w, &w->c);
        if (r < 0)
                w->transport = NULL;
        return r;
}

void world_begin(World *w) {
        world_prepare(w);
        MUST(world_open(w) == 0);
}

void world_end(World *w) {
        for (unsigned i = 0; i < w->n_works; i++) {
                Work *k = &w->works[i];

                if (k->w.connection)
                        world_cancel(w, k);
                MUST(k->n_ends + k->cancelled <= 1);
                buf_done(&k->body);
                buf_done(&k->lines);
        }
        w->c = http2_free(w->c); /* and the transport */
        w->fd = safe_close(w->fd);
        w->secret = secret_unref(w->secret);
        buf_done(&w->in);
        w->loop = loop_free(w->loop);
}

static bool receive(World *w) {
        char p[65536];
        ssize_t n = w->fd < 0 ? 0 : recv(w->fd, p, sizeof(p), MSG_DONTWAIT);

        if (n <= 0)
                return false;
        MUST(buf_append(&w->in, p, (size_t) n) == 0);
        return true;
}

void world_turn(World *w) {
        for (unsigned i = 0; i < TURNS_MAX; i++) {
                int r = sd_event_run(loop_event(w->loop), 0);

                MUST(r >= 0);
                if (r == 0 && !receive(w))
                        return;
                /* The socket is writable, only the transport is not. */
                if (w->c && !w->closed && w->transport->jammed && i > 50)
                        return;
        }
        MUST(!"the loop spins");
}

/* --- the server's frames --- */

void frame_put(Buf *b, unsigned type, unsigned flags, int32_t stream, const void *p, size_t n) {
        const unsigned char head[9] = {
                (unsigned char) (n >> 16),
                (unsigned char) (n >> 8),
                (unsigned char) n,
                (unsigned char) type,
                (unsigned char) flags,
                (unsigned char) (stream >> 24),
                (unsigned char) (stream >> 16),
                (unsigned char) (stream >> 8),
                (unsigned char) stream,
        };

        (void) buf_append(b, head, sizeof(head));
        if (n > 0)
                (void) buf_append(b, p, n);
}

void world_send(World *w, const void *p, size_t n) {
        const char *at = p;

        while (n > 0 && w->fd >= 0) {
                ssize_t k = send(w->fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (k < 0 && errno != EAGAIN)
                        return;
                if (k < 0) {
                        if (w->closed)
                                return;
                        world_turn(w);
                        continue;
                }
                at += k;
                n -= (size_t) k;
        }
}

void world_frame(World *w, unsigned type, unsigned flags, int32_t stream, const void *p, size_t n) {
        Buf b = BUF_INIT(BODY_MAX);

        frame_put(&b, type, flags, stream, p, n);
        world_send(w, buf_data(&b), b.n);
        buf_done(&b);
}

void header_put(Buf *b, const char *name, const char *value) {
        size_t n = strlen(value);

        MUST(strlen(name) < 127);
        (void) buf_putc(b, 0); /* without indexing, a new name */
        (void) buf_putc(b, (char) strlen(name));
        (void) buf_puts(b, name);
        if (n < 127)
                (void) buf_putc(b, (char) n);
        else {
                (void) buf_putc(b, 127);
                for (n -= 127; n >= 128; n >>= 7)
                        (void) buf_putc(b, (char) (128 | (n & 127)));
                (void) buf_putc(b, (char) n);
        }
        (void) buf_puts(b, value);
}

void world_head(World *w, int32_t stream, const char *status, bool end) {
        Buf b = BUF_INIT(BODY_MAX);

        header_put(&b, ":status", status);
        header_put(&b, "content-type", "text/plain");
        world_frame(w, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | (end ? NGHTTP2_FLAG_END_STREAM : 0),
                    stream, buf_data(&b), b.n);
        buf_done(&b);
}

void world_data(World *w, int32_t stream, const char *text, bool end) {
        world_frame(w, NGHTTP2_DATA, end ? NGHTTP2_FLAG_END_STREAM : 0, stream, text, strlen(text));
}

/* And an answer to the client's, whose windows hold from then on. */
void world_settings(World *w, unsigned id, uint32_t value) {
        const unsigned char p[6] = {
                0, (unsigned char) id, (unsigned char) (value >> 24), (unsigned char) (value >> 16),
                (unsigned char) (value >> 8), (unsigned char) value,
        };

        world_frame(w, NGHTTP2_SETTINGS, 0, 0, p, id > 0 ? sizeof(p) : 0);
        if (!w->has_settings)
                world_frame(w, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
        w->has_settings = true;
}

static uint32_t number(const unsigned char *p) {
        return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

uint32_t frame_number(const Frame *f) {
        MUST(f->n >= 4);
        return number(f->p);
}

bool world_next(World *w, Frame *ret) {
        const unsigned char *p;
        size_t n;

        while (receive(w))
                ;
        if (w->preface && w->in.n >= NGHTTP2_CLIENT_MAGIC_LEN) {
                MUST(memcmp(buf_data(&w->in), NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN) == 0);
                buf_consume(&w->in, NGHTTP2_CLIENT_MAGIC_LEN);
                w->preface = false;
        }
        if (w->preface || w->in.n < 9)
                return false;
        p = (const unsigned char *) buf_data(&w->in);
        n = (size_t) p[0] << 16 | (size_t) p[1] << 8 | p[2];
        if (w->in.n < 9 + n)
                return false;
        *ret = (Frame){
                .type = p[3],
                .flags = p[4],
                .stream = (int32_t) number(p + 5),
                .n = n,
                .p = p + 9, /* until the next call */
        };
        buf_consume(&w->in, 9 + n);
        return true;
}

bool world_find(World *w, unsigned type, Frame *ret) {
        while (world_next(w, ret))
                if (ret->type == type)
                        return true;
        return false;
}
