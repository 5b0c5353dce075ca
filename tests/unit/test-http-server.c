/* SPDX-License-Identifier: MIT */

/* The traps of libmicrohttpd, each as a conversation between raw client sockets and a server in the same
 * loop. */

#include "http-fixture.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/limits.h"

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

/* Asks until the connection is parked. Bytes that libmicrohttpd reads before the watch reports them can
 * delay it. */
static HttpConnection *park(Fixture *f, int fd) {
        HttpConnection *c = NULL;

        for (unsigned i = 0; i < 3 && (!c || !c->parked); i++) {
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);

                say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
                c = connection_of(f);
                assert_non_null(c);
        }
        assert_true(c->parked);
        return c;
}

static void test_parked(void **state) {
        Fixture *f = *state;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int fd = dial(f);
        HttpConnection *c = park(f, fd);

        /* the next head in two pieces */
        f->n_head = 0;
        say(fd, "GET / HTTP/1.1\r\nHo");
        TURN_UNTIL(f, !c->parked && c->framing.n_head > 0);
        assert_int_equal(f->n_head, 0);
        say(fd, "st: x\r\n\r\n");
        TURN_UNTIL(f, hear(fd, &b) && has(&b, "hello"));
        park(f, fd);

        /* a client that goes */
        (void) shutdown(fd, SHUT_RDWR);
        TURN_UNTIL(f, !connection_of(f));
        assert_int_equal(f->server->n_requests, 0);
}

/* Requests that have come before the answer is given: the connection does not wait for more bytes. */
static void test_not_parked_with_requests(void **state) {
        static const char both[] = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n";

        for (unsigned i = 0; i < 3; i++) {
                Fixture *f = *state;
                _cleanup_close_ int fd = dial(f);

                f->hold = false;
                park(f, fd);
                f->hold = true;
                f->n_waiting = 0;
                if (i == 0)
                        say(fd, both);
                else
                        say(fd, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
                TURN_UNTIL(f, f->n_waiting == 1);
                if (i > 0)
                        say(fd, i == 1 ? "GET /2 HTTP/1.1\r\nHost: x\r\n\r\n" : "GET /2 HT");
                if (i == 1)
                        TURN_UNTIL(f, f->waiting[0]->connection->unread);
                reply_text(f->waiting[0], 200, "first");
                if (i == 2)
                        say(fd, "TP/1.1\r\nHost: x\r\n\r\n");
                TURN_UNTIL(f, f->n_waiting == 2);
                reply_text(f->waiting[1], 200, "second");
                TURN_UNTIL(f, f->server->n_requests == 0);
        }
}

static void test_not_parked_at_the_end(void **state) {
        static const char *const heads[] = {
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: x, Close\r\n\r\n",
                "GET / HTTP/1.0\r\n\r\n",
        };

        for (size_t i = 0; i < ELEMENTSOF(heads); i++) {
                Fixture *f = *state;
                _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
                _cleanup_close_ int fd = dial(f);

                park(f, fd);
                say(fd, heads[i]);
                TURN_UNTIL(f, !hear(fd, &b));
                assert_true(has(&b, "hello"));
                TURN_UNTIL(f, !connection_of(f));
        }
}

/* Both by the teardown's end of the server, and by the time-out. */
static void test_parked_too_long(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int stays = dial(f), idle = -1;
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);

        park(f, stays);
        timeout_queue_set_duration(f->server->idle_due, USEC_PER_MSEC);
        idle = dial(f);
        say(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, hear(idle, &b) && has(&b, "hello"));
        say(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, !hear(idle, &b));
        TURN_UNTIL(f, f->server->n_connections == 1);
        assert_true(connection_of(f)->parked);
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

/* A limit of open files that leaves room for two clients, a shard and the connections upstream that they may
 * need: the third waits in the backlog, without making the loop spin, until one is between two requests. */
static void test_limit_of_descriptors(void **state) {
        Fixture *f = *state;
        HttpListener *l = list_entry(f->server->listeners.next, HttpListener, link);
        _cleanup_buf_ Buf b = BUF_INIT(1 << 20);
        _cleanup_close_ int first = dial(f), second = -1, third = -1;

        descriptors_set_limit(loop_descriptors(f->loop), 12);
        second = dial(f);
        TURN_UNTIL(f, l->n_connections == 2);
        third = dial(f);
        say(third, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, l->watch.fd < 0);
        assert_int_equal(f->n_full[HTTP_FULL_DESCRIPTORS], 1);
        assert_int_equal(f->n_full[HTTP_FULL_CONNECTIONS], 0);
        assert_int_equal(sd_event_run(loop_event(f->loop), 0), 0); /* nothing to do */
        assert_int_equal(l->n_connections, 2);
        say(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        TURN_UNTIL(f, hear(third, &b) && has(&b, "hello"));
        assert_int_equal(l->n_connections, 3);
        assert_int_equal(descriptors_used(loop_descriptors(f->loop), DESCRIPTOR_CLIENT), 3);
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

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_framing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_too_large_while_uploading, setup, teardown),
                cmocka_unit_test_setup_teardown(test_half_closed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_room_is_given_back, setup, teardown),
                cmocka_unit_test_setup_teardown(test_resume_wakes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_pipelining, setup, teardown),
                cmocka_unit_test_setup_teardown(test_parked, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_parked_with_requests, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_parked_at_the_end, setup, teardown),
                cmocka_unit_test_setup_teardown(test_parked_too_long, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hangup_while_suspended, setup, teardown),
                cmocka_unit_test_setup_teardown(test_hangup_of_a_quiet_stream, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stream_ends, setup, teardown),
                cmocka_unit_test_setup_teardown(test_back_pressure, setup, teardown),
                cmocka_unit_test_setup_teardown(test_thousand_streams, setup, teardown),
                cmocka_unit_test_setup_teardown(test_silent_streams_cost_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limit_of_connections, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limit_of_descriptors, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_descriptor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_with_open_streams, setup, teardown),
                cmocka_unit_test_setup_teardown(test_quiesce, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_a_stop_waits_for, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
