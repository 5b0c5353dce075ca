/* SPDX-License-Identifier: MIT */
/*
 * Many streams at once against a gateway, each read to its end and checked. One thread, one epoll, so that
 * the client costs little beside what it measures.
 *
 *     bench-streams PORT REQUEST-FILE MARK STREAMS REPEAT TIMEOUT [hold]
 *
 * REQUEST-FILE holds the bytes of one HTTP request, head and body. STREAMS connections to 127.0.0.1:PORT
 * each send it REPEAT times, one after the other, on the same connection as long as the server keeps it. A
 * stream is good if its status is 200, its framing is whole, and its last event holds MARK. After TIMEOUT
 * seconds what still runs is counted as an error. With `hold` the streams are silent ones, for another load
 * beside them: they are kept until stdin is closed, and each that is open then is good.
 *
 * Two lines are printed, both JSON: {"open": N} at the moment when every stream is open (each has its first
 * event, none has ended), for measurements of the server at that time; at the end, counts and latencies.
 * With `hold` the first line comes as well when some streams have failed and all others are open.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "samples.h"
#include "wire.h"

#define STREAMS_MAX 16000U
#define SAMPLES_MAX 1000000U
#define CONNECTS_PER_TURN 64U /* a burst that no listen backlog loses */

typedef struct Stream {
        int fd;
        unsigned left; /* requests still to send, the present one included; 0: finished */
        size_t n_sent;
        bool reused; /* the connection has carried an answer: a close before the next one is no fault */
        usec_t begun;
        Answer answer;
} Stream;

typedef struct Client {
        uint16_t port;
        WireRequest request;
        const char *mark;
        unsigned n_streams, n_running, n_open, peak_open;
        bool announced, holds, released;
        int epoll;
        Stream *streams;

        unsigned n_good;
        Faults faults;
        uint64_t n_events;
        Samples first, whole; /* one per answer that got so far */
} Client;

static int stream_connect(Client *c, Stream *s) {
        s->fd = safe_close(s->fd);
        s->fd = wire_connect(c->port, c->epoll, s);
        s->reused = false;
        return MIN(s->fd, 0);
}

static void stream_finish(Client *c, Stream *s) {
        s->fd = safe_close(s->fd);
        s->left = 0;
        c->n_running--;
}

static void stream_begin(Client *c, Stream *s) {
        answer_reset(&s->answer, c->mark);
        s->n_sent = 0;
        s->begun = clock_monotonic();
}

/* One answer is over, well or not. A fault ends the stream's whole row: trying again would hide it. */
static void stream_answered(Client *c, Stream *s, int fault) {
        if (s->answer.n_events > 0) {
                assert(c->n_open > 0);
                c->n_open--;
        }
        c->n_events += s->answer.n_events;

        if (fault < 0) {
                c->n_good++;
                samples_add(&c->whole, clock_monotonic() - s->begun);
                s->left--;
        } else {
                faults_note(&c->faults, (Fault) fault, s->left, &s->answer);
                s->left = 0;
        }
        if (s->left == 0) {
                stream_finish(c, s);
                return;
        }

        s->reused = true;
        stream_begin(c, s);
}

static void client_announce(Client *c) {
        if (c->announced)
                return;
        printf("{\"open\": %u}\n", c->n_open);
        (void) fflush(stdout);
        c->announced = true;
}

static void stream_fed(Client *c, Stream *s, const char *p, size_t n) {
        unsigned before = s->answer.n_events;

        answer_feed(&s->answer, p, n);
        if (before > 0 || s->answer.n_events == 0)
                return;
        samples_add(&c->first, clock_monotonic() - s->begun);
        c->n_open++;
        assert(c->n_open <= c->n_running);
        c->peak_open = MAX(c->peak_open, c->n_open);
        if (c->n_open == c->n_streams)
                client_announce(c);
}

static void stream_closed(Client *c, Stream *s) {
        int r;

        if (s->reused && s->answer.n_head == 0) {
                r = stream_connect(c, s);
                s->n_sent = 0;
                if (r < 0)
                        stream_answered(c, s, FAULT_CONNECT);
                return;
        }
        if (!answer_closed(&s->answer)) {
                stream_answered(c, s, s->n_sent == 0 ? FAULT_CONNECT : FAULT_BROKEN);
                return;
        }
        r = answer_fault(&s->answer);
        s->fd = safe_close(s->fd);
        stream_answered(c, s, r);
        if (s->left > 0 && stream_connect(c, s) < 0)
                stream_answered(c, s, FAULT_CONNECT);
}

/* Edge-triggered: everything is done until EAGAIN. */
static void stream_step(Client *c, Stream *s) {
        char bytes[16384];

        while (s->left > 0) {
                if (!wire_send(s->fd, &c->request, &s->n_sent)) {
                        stream_closed(c, s);
                        return;
                }
                ssize_t n = recv(s->fd, bytes, sizeof(bytes), 0);
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0) {
                        stream_closed(c, s);
                        return;
                }
                stream_fed(c, s, bytes, (size_t) n);
                int fault = answer_fault(&s->answer);
                if (fault >= 0 || s->answer.state == ANSWER_DONE)
                        stream_answered(c, s, fault);
        }
}

static int client_run(Client *c, unsigned repeat, usec_t deadline) {
        struct epoll_event events[256], release = { .events = EPOLLIN };
        unsigned n_begun = 0;

        c->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (c->epoll < 0)
                return -errno;
        if (c->holds && epoll_ctl(c->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &release) < 0)
                return -errno;
        c->n_running = c->n_streams;

        while (c->n_running > 0 && !c->released && clock_monotonic() < deadline) {
                for (unsigned i = 0; i < CONNECTS_PER_TURN && n_begun < c->n_streams; i++, n_begun++) {
                        Stream *s = c->streams + n_begun;
                        s->left = repeat;
                        stream_begin(c, s);
                        if (stream_connect(c, s) < 0)
                                stream_answered(c, s, FAULT_CONNECT);
                }
                int n = epoll_wait(c->epoll, events, ELEMENTSOF(events), n_begun < c->n_streams ? 1 : 100);
                if (n < 0 && errno != EINTR)
                        return -errno;
                for (int i = 0; i < n; i++)
                        if (events[i].data.ptr)
                                stream_step(c, events[i].data.ptr);
                        else
                                c->released = true;
                if (c->holds && n_begun == c->n_streams && c->n_open == c->n_running)
                        client_announce(c);
        }

        for (unsigned i = 0; i < n_begun; i++) {
                Stream *s = c->streams + i;
                if (s->left > 0 && c->released && s->answer.n_events > 0)
                        c->n_good++;
                else if (s->left > 0)
                        stream_answered(c, s, FAULT_TIMEOUT);
        }
        c->faults.n[FAULT_TIMEOUT] += (c->n_streams - n_begun) * repeat;
        c->epoll = safe_close(c->epoll);
        return 0;
}

static void client_print(Client *c, usec_t took) {
        printf("{\"ok\": %u, \"errors\": %u, \"events\": %" PRIu64 ", \"peak_open\": %u, \"seconds\": %.3f",
               c->n_good, faults_total(&c->faults), c->n_events, c->peak_open, (double) took / USEC_PER_SEC);
        samples_print(&c->first, "first_event_us");
        samples_print(&c->whole, "stream_us");
        faults_print(&c->faults);
}

int main(int argc, char **argv) {
        static Client client = { .epoll = -1 };
        Client *c = &client;
        unsigned port, repeat, timeout;
        usec_t begun;
        int r;

        if (argc < 7 || argc > 8 || (argc == 8 && !streq(argv[7], "hold")) ||
            text_parse_uint(argv[1], &port) < 0 || port > UINT16_MAX ||
            text_parse_uint(argv[4], &c->n_streams) < 0 || c->n_streams > STREAMS_MAX ||
            text_parse_uint(argv[5], &repeat) < 0 || repeat == 0 ||
            repeat > SAMPLES_MAX / MAX(c->n_streams, 1U) ||
            text_parse_uint(argv[6], &timeout) < 0) {
                fprintf(stderr,
                        "usage: bench-streams PORT REQUEST-FILE MARK STREAMS REPEAT TIMEOUT [hold]\n");
                return 64;
        }
        c->port = (uint16_t) port;
        c->mark = argv[3];
        c->holds = argc == 8;

        _cleanup_free_ Stream *streams = calloc(c->n_streams, sizeof(Stream));
        if (!streams || samples_init(&c->first, (size_t) c->n_streams * repeat) < 0 ||
            samples_init(&c->whole, (size_t) c->n_streams * repeat) < 0)
                return 70;
        for (unsigned i = 0; i < c->n_streams; i++)
                streams[i].fd = -1;
        c->streams = streams;

        begun = clock_monotonic();
        r = wire_read_request(argv[2], &c->request);
        if (r >= 0)
                r = wire_allow_connections(c->n_streams);
        if (r >= 0)
                r = client_run(c, repeat, begun + timeout * USEC_PER_SEC);
        if (r < 0) {
                fprintf(stderr, "bench-streams: %s\n", strerror(-r));
                return 70;
        }
        client_print(c, clock_monotonic() - begun);
        samples_done(&c->first);
        samples_done(&c->whole);
        return 0;
}
