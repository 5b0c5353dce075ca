/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/text.h"
#include "io/http-body.h"
#include "io/http-pass.h"
#include "io/http-shard.h"

/* MHD allocates a block of this size for each reply in pieces of an unknown size, but uses it only for
 * HTTP/1.0: chunks are read into the connection's own pool. Every open stream has one. */
#define BLOCK_SIZE 256U

/* A larger whole reply is handed to MHD in pieces of this size, which shows whether its client reads; so is
 * a reply in pieces of a known size. */
#define PIECE_SIZE (64U << 10)

/* --- the request --- */

const char *http_request_method(const HttpRequest *r) {
        return r->method;
}

const char *http_request_path(const HttpRequest *r) {
        return r->path;
}

static bool may_have_header(const HttpRequest *r, const char *name) {
        return r->header_names & http_name_bit(name, strlen(name));
}

const char *http_request_header(HttpRequest *r, const char *name) {
        if (!may_have_header(r, name))
                return NULL;
        return MHD_lookup_connection_value(r->connection->mhd, MHD_HEADER_KIND, name);
}

const char *http_request_argument(HttpRequest *r, const char *name) {
        return MHD_lookup_connection_value(r->connection->mhd, MHD_GET_ARGUMENT_KIND, name);
}

typedef struct Each {
        void (*f)(const char *name, const char *value, void *userdata);
        void *userdata;
} Each;

static enum MHD_Result each_one(void *cls, enum MHD_ValueKind kind _unused_, const char *name,
                                const char *value) {
        const Each *e = cls;

        e->f(name, value, e->userdata);
        return MHD_YES;
}

void http_request_each_header(HttpRequest *r, void (*f)(const char *name, const char *value, void *userdata),
                              void *userdata) {
        Each e = { .f = f, .userdata = userdata };

        (void) MHD_get_connection_values(r->connection->mhd, MHD_HEADER_KIND, each_one, &e);
}

void http_request_each_argument(HttpRequest *r,
                                void (*f)(const char *name, const char *value, void *userdata),
                                void *userdata) {
        Each e = { .f = f, .userdata = userdata };

        (void) MHD_get_connection_values(r->connection->mhd, MHD_GET_ARGUMENT_KIND, each_one, &e);
}

typedef struct Joined {
        const char *name;
        Buf *out;
        bool any;
} Joined;

static void join_one(const char *name, const char *value, void *userdata) {
        Joined *j = userdata;

        if (!strcaseeq(name, j->name))
                return;
        if (j->any)
                (void) buf_puts(j->out, ", ");
        j->any = true;
        (void) buf_puts(j->out, strempty(value));
}

int http_request_header_joined(HttpRequest *r, const char *name, Buf *ret) {
        Joined j = { .name = name, .out = ret };

        if (!may_have_header(r, name))
                return -ENODATA;
        http_request_each_header(r, join_one, &j);
        return j.any ? ret->error : -ENODATA;
}

const char *http_request_head_fault(const HttpRequest *r) {
        return r->fault;
}

const char *http_request_chunk_fault(const HttpRequest *r) {
        const HttpFraming *f = &r->connection->framing;

        return http_framing_in_body(f) ? f->fault : NULL;
}

bool http_request_content_length(const HttpRequest *r, uint64_t *ret) {
        if (r->has_length)
                *ret = r->length;
        return r->has_length;
}

const struct sockaddr *http_request_peer(HttpRequest *r) {
        const struct sockaddr *peer = &r->connection->peer.sa;

        return peer->sa_family == AF_UNSPEC ? NULL : peer;
}

usec_t http_request_started(const HttpRequest *r) {
        return r->started;
}

void http_request_admit(HttpRequest *r, uint64_t client) {
        assert(!r->admitted);

        r->admitted = true;
        r->connection->server->n_admitted++;
        r->share.client = client;
}

void http_request_set_userdata(HttpRequest *r, void *p) {
        r->userdata = p;
}

void *http_request_userdata(const HttpRequest *r) {
        return r->userdata;
}

/* --- the reply --- */

void http_request_wake(HttpRequest *r) {
        if (!r->suspended)
                return;
        r->suspended = false;
        MHD_resume_connection(r->connection->mhd);
        http_shard_ask(r->connection->shard);
}

void http_request_gone(HttpRequest *r) {
        HttpServer *s = r->connection->server;

        if (r->gone)
                return;
        r->gone = true;
        s->ops.gone(r, s->userdata);
        http_request_wake(r);
}

int http_request_set_response(HttpRequest *r, int status, struct MHD_Response *response,
                              const HttpHeader *headers, size_t n_headers) {
        if (!response)
                return -ENOMEM;
        /* libmicrohttpd refuses an empty value, so such a header is left out. */
        for (size_t i = 0; i < n_headers; i++) {
                if (strcaseeq(headers[i].name, MHD_HTTP_HEADER_CONNECTION))
                        r->lasts = false;
                if (headers[i].value && headers[i].value[0] &&
                    MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES) {
                        MHD_destroy_response(response);
                        return -ENOMEM;
                }
        }
        r->response = response;
        r->status = status;
        r->replied = true;
        r->first_byte = clock_monotonic();
        http_request_wake(r);
        return 0;
}

/* Without a reply the client would wait for ever, so its connection is closed. */
int http_request_give_up(HttpRequest *r, int error) {
        r->failed = r->replied = true;
        http_request_wake(r);
        return error;
}

static int request_reply_directly(HttpRequest *r, int status, const HttpHeader *headers, size_t n_headers,
                                  const Buf *body) {
        size_t n = body ? body->n : 0;
        int k;

        r->replied = true;
        r->first_byte = clock_monotonic();
        r->sent = n;
        k = http_connection_answer(r->connection, status, headers, n_headers, n > 0 ? buf_data(body) : NULL,
                                   n);
        if (k < 0) {
                http_connection_cut(r->connection);
                return http_request_give_up(r, k);
        }
        if (r->passes && r->body_fault != HTTP_BODY_MALFORMED) /* else nothing can be read any more */
                http_pass_linger(r);
        return 0;
}

static ssize_t on_read_whole(void *cls, uint64_t pos, char *p, size_t max) {
        HttpRequest *r = cls;
        size_t n = MIN(r->n_whole - pos, max);

        r->connection->shard->n_events++;
        r->progress = clock_monotonic();
        memcpy(p, r->whole + pos, n);
        return (ssize_t) n;
}

static struct MHD_Response *response_of(HttpRequest *r, char *p, size_t n) {
        if (n <= PIECE_SIZE)
                return MHD_create_response_from_buffer(n, p,
                                                       p ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
        r->whole = p;
        r->n_whole = n;
        return MHD_create_response_from_callback(n, PIECE_SIZE, on_read_whole, r, NULL);
}

int http_request_reply(HttpRequest *r, int status, const HttpHeader *headers, size_t n_headers, Buf *body) {
        struct MHD_Response *response;
        char *p = NULL;
        size_t n = 0;
        int k;

        assert(!r->replied);

        if (r->direct)
                return request_reply_directly(r, status, headers, n_headers, body);
        if (body && body->n > 0) {
                k = buf_steal(body, &p, &n);
                if (k < 0)
                        return http_request_give_up(r, k);
        }
        response = response_of(r, p, n);
        if (response)
                r->sent = n;
        else if (!r->whole)
                free(p);
        k = http_request_set_response(r, status, response, headers, n_headers);
        return k < 0 ? http_request_give_up(r, k) : 0;
}

static ssize_t on_read(void *cls, uint64_t pos _unused_, char *p, size_t max) {
        HttpRequest *r = cls;
        HttpServer *s = r->connection->server;
        size_t n = MIN(r->out.n, max);

        r->connection->shard->n_events++;
        if (r->gone || r->out.error < 0)
                return MHD_CONTENT_READER_END_WITH_ERROR;
        if (n > 0) {
                memcpy(p, buf_data(&r->out), n);
                buf_consume(&r->out, n);
                r->sent += n;
                if (r->full && r->out.n <= STREAM_LOW_MARK) {
                        r->full = false;
                        s->ops.drained(r, s->userdata);
                }
                return (ssize_t) n;
        }
        if (r->finished)
                return r->clean ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
        r->suspended = true;
        MHD_suspend_connection(r->connection->mhd);
        return 0;
}

/* The kernel would take megabytes of a file at once, and then none for as long as a slow client needs for
 * most of them: its progress could not be seen. */
static void take_little(HttpRequest *r) {
        (void) setsockopt(r->connection->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &(int){ PIECE_SIZE },
                          sizeof(int));
}

int http_request_stream(HttpRequest *r, int status, const HttpHeader *headers, size_t n_headers,
                        uint64_t size) {
        struct MHD_Response *response;

        assert(!r->replied);

        static_assert(HTTP_SIZE_UNKNOWN == MHD_SIZE_UNKNOWN, "it is passed on");
        response = MHD_create_response_from_callback(
                size, size == HTTP_SIZE_UNKNOWN ? BLOCK_SIZE : PIECE_SIZE, on_read, r, NULL);
        r->streaming = true;
        if (size != HTTP_SIZE_UNKNOWN)
                take_little(r);
        return http_request_set_response(r, status, response, headers, n_headers);
}

Buf *http_request_out(HttpRequest *r) {
        return &r->out;
}

void http_request_flush(HttpRequest *r) {
        if (r->out.n > STREAM_HIGH_MARK)
                r->full = true;
        if (r->queued)
                http_request_wake(r);
}

void http_request_finish(HttpRequest *r, bool clean) {
        r->finished = true;
        r->clean = clean;
        if (r->queued)
                http_request_wake(r);
}

bool http_request_is_replied(const HttpRequest *r) {
        return r->replied;
}

bool http_request_is_full(const HttpRequest *r) {
        return r->full;
}

uint64_t http_request_sent(const HttpRequest *r) {
        return r->sent;
}

usec_t http_request_progress(const HttpRequest *r) {
        return MAX(r->progress, r->first_byte);
}

void http_request_cut(HttpRequest *r) {
        http_connection_cut(r->connection);
}

usec_t http_request_first_byte(const HttpRequest *r) {
        return r->first_byte;
}
