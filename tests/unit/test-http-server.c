/* SPDX-License-Identifier: MIT */

/* The traps of libmicrohttpd, each as a conversation between raw client sockets and a server in the same
 * loop. */

#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>

#include "base/limits.h"
#include "io/http-shard.h"
#include "io/listen.h"

#define PATIENCE (20 * USEC_PER_SEC) /* only a hang reaches it */

typedef struct Fixture {
        Loop *loop;
        HttpServer *server;
        int fd;
        struct sockaddr_in address;
        uint64_t max_body;
        /* what the server received */
        unsigned n_head, n_body, n_gone, n_drained, n_end, n_complete;
        HttpRequest *last;
        HttpRequest *waiting[2100];
        size_t n_waiting;
        bool hold, stream, skip;
} Fixture;

static void on_head(HttpRequest *r, void *userdata) {
        Fixture *f = userdata;
        const char *fault = http_request_head_fault(r);
        uint64_t n;

        f->n_head++;
        f->last = r;
        if (fault)
                (void) http_request_reply(r, 400, NULL, 0, NULL);
        else if (http_request_content_length(r, &n) == 0 && n > f->max_body)
                (void) http_request_reply(r, 413, NULL, 0, NULL);
        else if (f->skip)
                http_request_skip_body(r, f->max_body);
        else
                http_request_take_body(r, f->max_body);
}

static void reply_text(HttpRequest *r, int status, const char *text) {
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);

        (void) buf_puts(&b, text);
        assert_int_equal(http_request_reply(r, status, NULL, 0, &b), 0);
}

static void on_body(HttpRequest *r, void *userdata) {
        static const int statuses[] = {
                [HTTP_BODY_TOO_LARGE] = 413, [HTTP_BODY_NO_ROOM] = 503, [HTTP_BODY_LATE] = 408,
        };
        Fixture *f = userdata;

        f->n_body++;
        if (http_request_body_fault(r) != HTTP_BODY_OK)
                return reply_text(r, statuses[http_request_body_fault(r)], "no");
        if (f->stream)
                assert_int_equal(http_request_stream(r, 200, NULL, 0), 0);
        if (f->hold || f->stream) {
                f->waiting[f->n_waiting++] = r;
                return;
        }
        reply_text(r, 200, "hello");
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

static int setup_with(void **state, usec_t head_timeout, usec_t body_window) {
        static const HttpServerOps ops = { on_head, on_body, on_gone, on_drained, on_end };
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
                                                 .body_window = body_window,
                                                 .head_late = "{\"late\":1}",
                                         },
                                         &ops, f, &f->server),
                         0);
        assert_int_equal(listen_open("127.0.0.1:0", &f->fd), 0);
        assert_int_equal(getsockname(f->fd, (struct sockaddr *) &f->address, &n), 0);
        assert_int_equal(http_server_listen(f->server, f->fd), 0);
        *state = f;
        return 0;
}

static int setup(void **state) {
        return setup_with(state, USEC_PER_HOUR, USEC_PER_HOUR);
}

static int setup_short_head(void **state) {
        return setup_with(state, 100 * USEC_PER_MSEC, USEC_PER_HOUR);
}

static int setup_short_body(void **state) {
        return setup_with(state, USEC_PER_HOUR, 100 * USEC_PER_MSEC);
}

static int teardown(void **state) {
        Fixture *f = *state;

        http_server_free(f->server);
        loop_free(f->loop);
        free(f);
        return 0;
}

/* Turns the loop until the condition holds; a hang fails. */
#define TURN_UNTIL(f, condition)                                                                  \
        do {                                                                                      \
                usec_t _end = clock_monotonic() + PATIENCE;                                       \
                while (!(condition)) {                                                            \
                        assert_true(clock_monotonic() < _end);                                    \
                        assert_true(sd_event_run(loop_event((f)->loop), 10 * USEC_PER_MSEC) >= 0); \
                }                                                                                 \
        } while (0)

static int dial(Fixture *f) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &f->address, sizeof(f->address)), 0);
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        return fd;
}

static void say(int fd, const char *text) {
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Appends what has come; false once the server has closed. */
static bool hear(int fd, Buf *b) {
        char p[16384];
        ssize_t n;

        while ((n = recv(fd, p, sizeof(p), 0)) > 0)
                assert_int_equal(buf_append(b, p, (size_t) n), 0);
        return n < 0 && errno == EAGAIN;
}

static bool has(Buf *b, const char *text) {
        return b->n > 0 && memmem(buf_data(b), b->n, text, strlen(text));
}

static void test_framing(void **state) {
        static const struct {
                const char *request, *status;
        } rows[] = {
                { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", " 200 " },
                { "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", " 200 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", " 200 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                  " 200 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n0\r\n\r\n",
                  " 400 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
                  " 400 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
                  " 400 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                  " 400 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", " 400 " },
                { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n",
                  " 413 " },
                { "GET / HTTP/1.1\r\n\r\n", " 400 " },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                bool open = true;

                say(fd, rows[i].request);
                TURN_UNTIL(f, !(open = hear(fd, &b)) || has(&b, "\r\n\r\n"));
                if (!has(&b, rows[i].status))
                        fail_msg("%s: %s", rows[i].request, b.n > 0 ? buf_cstr(&b) : "nothing");
        }
}

static void test_too_large_while_uploading(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        char chunk[4 + 2 + 600 + 2 + 1] = "258\r\n"; /* 600 bytes */

        memset(chunk + 5, 'x', 600);
        memcpy(chunk + 605, "\r\n", 3);
        say(fd, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (unsigned i = 0; i < 4; i++)
                say(fd, chunk);
        say(fd, "0\r\n\r\n");
        TURN_UNTIL(f, !hear(fd, &b) || has(&b, "\r\n\r\n"));
        assert_true(has(&b, " 413 "));
        assert_int_equal(f->server->room.held, 0);
}

/* The last bytes and the FIN in one segment: the connection ends now, not at its time-out. */
static void test_half_closed(void **state) {
        static const struct {
                const char *request;
                bool answered;
        } rows[] = {
                { "\r\n\r\n", false },
                { "GET", false },
                { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", true },
                { "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabc", false },
                { "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Fixture *f = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);

                say(fd, rows[i].request);
                assert_int_equal(shutdown(fd, SHUT_WR), 0);
                TURN_UNTIL(f, !hear(fd, &b));
                assert_int_equal(has(&b, "hello"), rows[i].answered);
        }
        assert_int_equal(((Fixture *) *state)->server->n_requests, 0);
}

/* The bytes of a refused body are not counted any more, so others can use them. */
static void test_room_is_given_back(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20), c = BUF_INIT(1 << 20);
        _cleanup_close_ int first = dial(f), second = dial(f);

        http_server_set_max_inflight(f->server, 800);
        say(first, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcd");
        TURN_UNTIL(f, f->server->room.held == 4);
        say(second, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
        for (unsigned i = 0; i < 100; i++)
                say(second, "0123456789");
        TURN_UNTIL(f, hear(second, &b) && has(&b, "\r\n\r\n"));
        assert_true(has(&b, " 503 "));
        say(first, "e");
        TURN_UNTIL(f, hear(first, &c) && has(&c, "hello"));
}

/* A reply that is given later, outside of any callback, must reach the client: nothing else wakes
 * libmicrohttpd. */
static void test_resume_wakes(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        f->hold = true;
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_waiting == 1);
        reply_text(f->waiting[0], 200, "later");
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "later"));
        TURN_UNTIL(f, f->n_complete == 1);
}

static void test_pipelining(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int fd = dial(f);

        say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 "
                "HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_complete == 3);
        assert_int_equal(f->server->n_requests, 0);
}

static void test_hangup_while_suspended(void **state) {
        Fixture *f = *state;
        int fd = dial(f);

        f->hold = true;
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_waiting == 1);
        assert_int_equal(f->n_gone, 0);
        (void) close(fd);
        TURN_UNTIL(f, f->n_gone == 1 && f->n_end == 1);
        assert_int_equal(f->n_complete, 0);
        assert_int_equal(f->server->n_requests, 0);
}

static void test_hangup_of_a_quiet_stream(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        int fd = dial(f);

        f->stream = true;
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_waiting == 1);
        (void) buf_puts(http_request_out(f->waiting[0]), "one");
        http_request_flush(f->waiting[0]);
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "one"));
        (void) close(fd);
        TURN_UNTIL(f, f->n_gone == 1 && f->n_end == 1);
}

static void test_stream_ends(void **state) {
        static const bool cleans[] = { true, false };

        for (size_t i = 0; i < ELEMENTSOF(cleans); i++) {
                Fixture *f = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);

                f->stream = true;
                f->n_waiting = 0;
                say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                TURN_UNTIL(f, f->n_waiting == 1);
                (void) buf_puts(http_request_out(f->waiting[0]), "one");
                http_request_flush(f->waiting[0]);
                http_request_finish(f->waiting[0], cleans[i]);
                TURN_UNTIL(f, f->n_end == i + 1);
                (void) hear(fd, &b);
                assert_true(has(&b, "one"));
                assert_int_equal(has(&b, "\r\n0\r\n\r\n"), cleans[i]);
        }
}

static void test_back_pressure(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(64 << 20);
        _cleanup_close_ int fd = dial(f);
        char block[65536] = "";
        HttpRequest *r;
        size_t sent = 0;

        f->stream = true;
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_waiting == 1);
        r = f->waiting[0];
        /* The client does not read: the kernel takes some, then the buffer fills up to its mark,
         * which it reports. */
        while (!http_request_is_full(r)) {
                assert_true(sent < 32 << 20);
                assert_int_equal(buf_append(http_request_out(r), block, sizeof(block)), 0);
                sent += sizeof(block);
                http_request_flush(r);
                for (unsigned i = 0; i < 4; i++)
                        assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
        }
        assert_int_equal(f->n_drained, 0);
        TURN_UNTIL(f, hear(fd, &b) && f->n_drained == 1);
        assert_false(http_request_is_full(r));
}

/* 1,000 suspended streams, 20 rounds of one event each: runs of MHD go with the rounds, not with the
 * streams. */
static void test_thousand_streams(void **state) {
        enum { STREAMS = 1000, ROUNDS = 20 };
        Fixture *f = *state;
        static int fds[STREAMS];
        static Buf heard[STREAMS];
        uint64_t before;

        f->stream = true;
        for (size_t i = 0; i < STREAMS; i++) {
                fds[i] = dial(f);
                heard[i] = BUF_INIT(1 << 16);
                say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                if (i % 100 == 99)
                        TURN_UNTIL(f, f->n_waiting == i + 1);
        }
        before = f->server->n_runs;
        for (unsigned round = 0; round < ROUNDS; round++) {
                char text[16];

                (void) snprintf(text, sizeof(text), "event-%02u.", round);
                for (size_t i = 0; i < STREAMS; i++) {
                        (void) buf_puts(http_request_out(f->waiting[i]), text);
                        http_request_flush(f->waiting[i]);
                }
                for (size_t i = 0; i < STREAMS; i++)
                        TURN_UNTIL(f, hear(fds[i], &heard[i]) && has(&heard[i], text));
        }
        /* Two a round would be ideal; one a stream and round would be 20,000. */
        assert_in_range(f->server->n_runs - before, 1, ROUNDS * 50);
        for (size_t i = 0; i < STREAMS; i++) {
                (void) close(fds[i]);
                buf_done(&heard[i]);
        }
        TURN_UNTIL(f, f->n_end == STREAMS);
}

static usec_t cpu_time(void) {
        struct timespec ts;

        assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts), 0);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

/* The CPU of some requests on an open connection: the least of several rounds, for a machine that also does
 * other things. */
static usec_t cost_of_requests(Fixture *f, int fd) {
        enum { ROUNDS = 10, REQUESTS = 50 };
        usec_t least = USEC_INFINITY;

        for (unsigned round = 0; round < ROUNDS; round++) {
                usec_t began = cpu_time(), took;

                for (unsigned i = 0; i < REQUESTS; i++) {
                        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);

                        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                        TURN_UNTIL(f, f->n_waiting > 0);
                        reply_text(f->waiting[--f->n_waiting], 200, "hello");
                        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
                }
                took = cpu_time() - began;
                least = MIN(least, took);
        }
        return least;
}

/* A request beside 2,000 silent streams: libmicrohttpd walks the suspended connections of one shard, not
 * all. */
static void test_silent_streams_cost_nothing(void **state) {
        enum { STREAMS = 2000 };
        Fixture *f = *state;
        static int fds[STREAMS];
        _cleanup_close_ int fd = dial(f), other = -1;
        HttpListener *l = list_entry(f->server->listeners.next, HttpListener, link);
        usec_t alone, beside;
        unsigned n_shards = 0;
        uint64_t runs, runs_alone;

        f->hold = true;
        alone = cost_of_requests(f, fd);
        runs = f->server->n_runs;
        (void) cost_of_requests(f, fd);
        runs_alone = f->server->n_runs - runs;

        f->stream = true;
        for (size_t i = 0; i < STREAMS; i++) {
                fds[i] = dial(f);
                say(fds[i], "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                if (i % 100 == 99)
                        TURN_UNTIL(f, f->n_waiting == i + 1);
        }
        LIST_FOREACH(i, &l->shards) {
                assert_in_range(list_entry(i, HttpShard, link)->n_connections, 1, HTTP_SHARD_MAX);
                n_shards++;
        }
        assert_int_equal(n_shards, (STREAMS + 1 + HTTP_SHARD_MAX - 1) / HTTP_SHARD_MAX);

        f->stream = false;
        f->n_waiting = 0;
        runs = f->server->n_runs;
        beside = cost_of_requests(f, fd); /* in a full shard */
        assert_in_range(f->server->n_runs - runs, 1, runs_alone + 10);
        other = dial(f);
        beside = MAX(beside, cost_of_requests(f, other));
        assert_in_range(beside, 1, 3 * alone); /* with one daemon for all 4 times as much, or more */

        for (size_t i = 0; i < STREAMS; i++)
                (void) close(fds[i]);
        TURN_UNTIL(f, l->n_connections == 2);
}

/* At MAX_CONNECTIONS a client waits in the backlog, without making the loop spin, until a place is free. */
static void test_limit_of_connections(void **state) {
        Fixture *f = *state;
        HttpListener *l = list_entry(f->server->listeners.next, HttpListener, link);
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int second = -1, third = -1;
        int first = dial(f);

        f->server->params.max_connections = 2;
        second = dial(f);
        TURN_UNTIL(f, l->n_connections == 2);
        third = dial(f);
        say(third, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, l->watch.fd < 0);
        assert_int_equal(sd_event_run(loop_event(f->loop), 0), 0); /* nothing to do */
        assert_int_equal(l->n_connections, 2);
        (void) close(first);
        TURN_UNTIL(f, hear(third, &b) && has(&b, "hello"));
        assert_int_equal(l->n_connections, 2);
}

/* Without a free descriptor nothing is accepted for a while; the loop does not spin. */
static void test_no_descriptor(void **state) {
        Fixture *f = *state;
        HttpListener *l = list_entry(f->server->listeners.next, HttpListener, link);
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        struct rlimit rl, few;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
        few = rl;
        few.rlim_cur = 3;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, l->watch.fd < 0);
        assert_int_equal(l->n_connections, 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
}

/* Connections that are open when the server is freed are cut; libmicrohttpd would abort the process if one
 * were still suspended. */
static void test_free_with_open_streams(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int a = dial(f), b = dial(f);

        f->stream = true;
        say(a, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_waiting == 1);
        f->stream = false;
        f->hold = true;
        say(b, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_waiting == 2);
        f->server = http_server_free(f->server);
        assert_int_equal(f->n_end, 2);
        assert_int_equal(f->n_complete, 0);
}

static void test_quiesce(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f), late = -1;

        f->hold = true;
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, f->n_waiting == 1);
        http_server_quiesce(f->server);
        late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(late, (struct sockaddr *) &f->address, sizeof(f->address)), -1);
        reply_text(f->waiting[0], 200, "last");
        TURN_UNTIL(f, !hear(fd, &b)); /* and the connection is closed */
        assert_true(has(&b, "last"));
        assert_true(has(&b, "Connection: close"));
}

static HttpShard *shard_of(const Fixture *f) {
        const HttpListener *l = list_entry(f->server->listeners.next, HttpListener, link);

        return list_is_empty(&l->shards) ? NULL : list_entry(l->shards.next, HttpShard, link);
}

static HttpConnection *connection_of(const Fixture *f) {
        const HttpShard *d = shard_of(f);

        return !d || list_is_empty(&d->connections) ? NULL :
                                                      list_entry(d->connections.next, HttpConnection, link);
}

/* At the stop an idle connection is not waited for, and for a short while one without a request, with half a
 * head or with half a request of a stranger; a known client's upload for as long as the drain. */
static void test_what_a_stop_waits_for(void **state) {
        static const char *const strangers[] = {
                "",
                "GET / HTTP/1.1\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab",
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(strangers); i++) {
                _cleanup_close_ int fd = dial(f);

                say(fd, strangers[i]);
                TURN_UNTIL(f, connection_of(f) && (i == 0 || connection_of(f)->has_sent));
                TURN_UNTIL(f, i < 2 || connection_of(f)->request);
                f->server->grace = sd_event_source_unref(f->server->grace);
                f->server->grace_over = false;
                assert_false(http_server_is_quiet(f->server));
                TURN_UNTIL(f, http_server_is_quiet(f->server));
                assert_true(f->server->grace_over);
                (void) shutdown(fd, SHUT_RDWR);
                TURN_UNTIL(f, !connection_of(f));
        }
        {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);

                say(fd, strangers[2]);
                TURN_UNTIL(f, connection_of(f) && connection_of(f)->request);
                http_request_admit(connection_of(f)->request, 1);
                assert_false(http_server_is_quiet(f->server));
                say(fd, "cde");
                TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello") && f->n_complete == 1);
                f->server->grace_over = false;
                assert_true(http_server_is_quiet(f->server)); /* idle */
        }
}

/* --- clients that take their time --- */

/* A byte now and then does not prolong the time of a head. */
static void test_head_drips(void **state) {
        static const char head[] = "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ................................";
        Fixture *f = *state;

        for (unsigned answered = 0; answered < 2; answered++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                usec_t began;

                if (answered) {
                        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
                        TURN_UNTIL(f, f->n_complete == 1);
                        /* idle: not the time of a head */
                        assert_false(list_is_linked(&connection_of(f)->due.link));
                }
                began = clock_monotonic();
                for (const char *p = head; *p && hear(fd, &b); p++) {
                        (void) send(fd, p, 1, MSG_NOSIGNAL);
                        TURN_UNTIL(f, clock_monotonic() >= began + (usec_t) (p - head) * 10 * USEC_PER_MSEC);
                }
                TURN_UNTIL(f, !hear(fd, &b));
                assert_true(has(&b, "HTTP/1.1 408 Request Timeout\r\n"));
                assert_true(has(&b, "Connection: close\r\nContent-Length: 10\r\n\r\n{\"late\":1}"));
                assert_in_range(clock_monotonic() - began, 100 * USEC_PER_MSEC, PATIENCE / 2);
                TURN_UNTIL(f, !connection_of(f));
        }
}

/* Who sends nothing is not answered. */
static void test_no_head(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        TURN_UNTIL(f, !hear(fd, &b));
        assert_int_equal(b.n, 0);
}

/* A request that waits for its answer, and an idle connection, are not late. */
static void test_answer_takes_its_time(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        usec_t began = clock_monotonic();

        f->hold = true;
        say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
        TURN_UNTIL(f, f->n_waiting == 1 && clock_monotonic() > began + 300 * USEC_PER_MSEC);
        reply_text(f->waiting[0], 200, "hello");
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
        began = clock_monotonic();
        TURN_UNTIL(f, clock_monotonic() > began + 300 * USEC_PER_MSEC);
        assert_true(hear(fd, &b));
}

static void test_body_drips(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);

        f->max_body = 1 << 20;
        say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        while (hear(fd, &b)) {
                (void) send(fd, "x", 1, MSG_NOSIGNAL);
                assert_true(sd_event_run(loop_event(f->loop), USEC_PER_MSEC) >= 0);
        }
        assert_true(has(&b, "HTTP/1.1 408 Request Timeout\r\n") && has(&b, "\r\n\r\nno"));
        TURN_UNTIL(f, !connection_of(f));
        assert_int_equal(f->server->room.held, 0);
        assert_int_equal(f->n_body, 1);
        assert_int_equal(f->n_end, 1);
}

/* Enough in each window: several windows pass. Then nothing more comes, and the body is late. */
static void test_body_goes_on(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        static char piece[HTTP_BODY_WINDOW_MIN];
        HttpRequest *r;

        f->max_body = 1 << 20;
        say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
        TURN_UNTIL(f, f->last);
        r = f->last;
        for (unsigned n = 0; n < 4; n++) {
                size_t sent = 0;

                while (sent < sizeof(piece)) {
                        ssize_t k = send(fd, piece, sizeof(piece) - sent, MSG_NOSIGNAL);

                        sent += k > 0 ? (size_t) k : 0;
                        assert_true(sd_event_run(loop_event(f->loop), 0) >= 0);
                }
                TURN_UNTIL(f, r->n_windows == n + 1);
        }
        TURN_UNTIL(f, !hear(fd, &b));
        assert_true(has(&b, " 408 "));
}

/* A body that is not wanted: a small one is dropped, a larger one is refused before it has come. */
static void test_body_is_skipped(void **state) {
        static const struct {
                const char *request, *status;
        } rows[] = {
                { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                  " 200 " },
                { "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\nfff\r\nx",
                  " 413 " },
        };
        Fixture *f = *state;

        f->skip = true;
        f->max_body = 5;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);
                bool open = true;

                say(fd, rows[i].request);
                TURN_UNTIL(f, !(open = hear(fd, &b)) || has(&b, "\r\n\r\n"));
                if (!has(&b, rows[i].status))
                        fail_msg("%s: %s", rows[i].request, b.n > 0 ? buf_cstr(&b) : "nothing");
                assert_int_equal(f->server->room.held, 0);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_framing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_too_large_while_uploading, setup, teardown),
                cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_room_is_given_back, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume_wakes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pipelining, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hangup_while_suspended, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hangup_of_a_quiet_stream, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stream_ends, setup, teardown),
                cmocka_unit_test_setup_teardown(test_back_pressure, setup, teardown),
                cmocka_unit_test_setup_teardown(test_thousand_streams, setup, teardown),
                cmocka_unit_test_setup_teardown(test_silent_streams_cost_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limit_of_connections, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_descriptor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_with_open_streams, setup, teardown),
                cmocka_unit_test_setup_teardown(test_quiesce, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_a_stop_waits_for, setup, teardown),
                cmocka_unit_test_setup_teardown(test_head_drips, setup_short_head, teardown),
                cmocka_unit_test_setup_teardown(test_no_head, setup_short_head, teardown),
                cmocka_unit_test_setup_teardown(test_answer_takes_its_time, setup_short_head, teardown),
                cmocka_unit_test_setup_teardown(test_body_drips, setup_short_body, teardown),
                cmocka_unit_test_setup_teardown(test_body_goes_on, setup_short_body, teardown),
                cmocka_unit_test_setup_teardown(test_body_is_skipped, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
