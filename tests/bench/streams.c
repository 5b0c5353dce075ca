/* SPDX-License-Identifier: MIT */
/*
 * Many streams at once against a gateway, each read to its end and checked. One thread, one epoll, so that
 * the client costs little beside what it measures.
 *
 *     bench-streams PORT REQUEST-FILE MARK STREAMS REPEAT TIMEOUT
 *
 * REQUEST-FILE holds the bytes of one HTTP request, head and body. STREAMS connections to 127.0.0.1:PORT
 * each send it REPEAT times, one after the other, on the same connection as long as the server keeps it. A
 * stream is good if its status is 200, its framing is whole, and its last event holds MARK. After TIMEOUT
 * seconds what still runs is counted as an error.
 *
 * Two lines are printed, both JSON: {"open": N} at the moment when every stream is open (each has its first
 * event, none has ended), for measurements of the server at that time; at the end, counts and latencies.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "answer.h"
#include "base/clock.h"
#include "base/text.h"

#define STREAMS_MAX 8000U
#define SAMPLES_MAX 1000000U
#define CONNECTS_PER_TURN 64U /* a burst that no listen backlog loses */
#define REQUEST_MAX (64U << 10)

typedef enum Fault {
        FAULT_CONNECT,
        FAULT_STATUS,
        FAULT_BROKEN,     /* closed or garbled inside the framing */
        FAULT_INCOMPLETE, /* ended properly, but not by the mark */
        FAULT_TIMEOUT,
        _FAULT_MAX,
} Fault;

static const char *const fault_names[_FAULT_MAX] = {
        [FAULT_CONNECT] = "connect",       [FAULT_STATUS] = "status",   [FAULT_BROKEN] = "broken",
        [FAULT_INCOMPLETE] = "incomplete", [FAULT_TIMEOUT] = "timeout",
};

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
        char request[REQUEST_MAX];
        size_t n_request;
        const char *mark;
        unsigned n_streams, n_running, n_open, peak_open;
        bool announced;
        int epoll;
        Stream *streams;

        unsigned n_good, n_faults[_FAULT_MAX];
        uint64_t n_events;
        uint32_t *first_us, *whole_us; /* SAMPLES: one per answer that got so far */
        unsigned n_first, n_whole;
        char detail[128]; /* the first fault's status line */
} Client;

static int stream_connect(Client *c, Stream *s) {
        struct sockaddr_in to = {
                .sin_family = AF_INET,
                .sin_port = htons(c->port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = s };
        int one = 1;

        s->fd = safe_close(s->fd);
        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (s->fd < 0)
                return -errno;
        (void) setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (connect(s->fd, (struct sockaddr *) &to, sizeof(to)) < 0 && errno != EINPROGRESS)
                return -errno;
        if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, s->fd, &event) < 0)
                return -errno;
        s->reused = false;
        return 0;
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
                c->whole_us[c->n_whole++] = (uint32_t) (clock_monotonic() - s->begun);
                s->left--;
        } else {
                if (!c->detail[0])
                        (void) snprintf(c->detail, sizeof(c->detail), "%s: %.*s", fault_names[fault],
                                        (int) strcspn(s->answer.head, "\r\n\"\\"), s->answer.head);
                c->n_faults[fault] += s->left;
                s->left = 0;
        }
        if (s->left == 0) {
                stream_finish(c, s);
                return;
        }

        s->reused = true;
        stream_begin(c, s);
}

static bool stream_send(Client *c, Stream *s) {
        while (s->n_sent < c->n_request) {
                ssize_t n = send(s->fd, c->request + s->n_sent, c->n_request - s->n_sent, MSG_NOSIGNAL);
                if (n < 0)
                        return errno == EAGAIN;
                s->n_sent += (size_t) n;
        }
        return true;
}

static void stream_fed(Client *c, Stream *s, const char *p, size_t n) {
        unsigned before = s->answer.n_events;

        answer_feed(&s->answer, p, n);
        if (before > 0 || s->answer.n_events == 0)
                return;
        c->first_us[c->n_first++] = (uint32_t) (clock_monotonic() - s->begun);
        c->n_open++;
        assert(c->n_open <= c->n_running);
        c->peak_open = MAX(c->peak_open, c->n_open);
        if (c->n_open == c->n_streams && !c->announced) {
                printf("{\"open\": %u}\n", c->n_open);
                (void) fflush(stdout);
                c->announced = true;
        }
}

/* -1: no verdict yet, or all is well; else the fault. */
static int stream_verdict(const Stream *s) {
        if (s->answer.state == ANSWER_BAD)
                return FAULT_BROKEN;
        if (s->answer.state > ANSWER_HEAD && s->answer.status != 200)
                return FAULT_STATUS;
        if (s->answer.state == ANSWER_DONE && !s->answer.complete)
                return FAULT_INCOMPLETE;
        return -1;
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
        r = stream_verdict(s);
        s->fd = safe_close(s->fd);
        stream_answered(c, s, r);
        if (s->left > 0 && stream_connect(c, s) < 0)
                stream_answered(c, s, FAULT_CONNECT);
}

/* Edge-triggered: everything is done until EAGAIN. */
static void stream_step(Client *c, Stream *s) {
        char bytes[16384];

        while (s->left > 0) {
                if (!stream_send(c, s)) {
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
                int fault = stream_verdict(s);
                if (fault >= 0 || s->answer.state == ANSWER_DONE)
                        stream_answered(c, s, fault);
        }
}

static int client_run(Client *c, unsigned repeat, usec_t deadline) {
        struct epoll_event events[256];
        unsigned n_begun = 0;

        c->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (c->epoll < 0)
                return -errno;
        c->n_running = c->n_streams;

        while (c->n_running > 0 && clock_monotonic() < deadline) {
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
                        stream_step(c, events[i].data.ptr);
        }

        for (unsigned i = 0; i < n_begun; i++)
                if (c->streams[i].left > 0)
                        stream_answered(c, c->streams + i, FAULT_TIMEOUT);
        c->n_faults[FAULT_TIMEOUT] += (c->n_streams - n_begun) * repeat;
        c->epoll = safe_close(c->epoll);
        return 0;
}

static int compare_u32(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
        return (x > y) - (x < y);
}

static void print_latency(const char *name, uint32_t *us, unsigned n) {
        qsort(us, n, sizeof(*us), compare_u32);
        printf(", \"%s\": {\"p50\": %u, \"p99\": %u, \"max\": %u}", name, n ? us[n / 2] : 0,
               n ? us[(uint64_t) n * 99 / 100] : 0, n ? us[n - 1] : 0);
}

static void client_print(Client *c, usec_t took) {
        unsigned n_errors = 0;

        for (Fault f = 0; f < _FAULT_MAX; f++)
                n_errors += c->n_faults[f];
        printf("{\"ok\": %u, \"errors\": %u, \"events\": %" PRIu64 ", \"peak_open\": %u, \"seconds\": %.3f",
               c->n_good, n_errors, c->n_events, c->peak_open, (double) took / USEC_PER_SEC);
        print_latency("first_event_us", c->first_us, c->n_first);
        print_latency("stream_us", c->whole_us, c->n_whole);
        for (Fault f = 0; f < _FAULT_MAX; f++)
                printf(", \"%s\": %u", fault_names[f], c->n_faults[f]);
        printf(", \"detail\": \"%s\"}\n", c->detail);
}

static int read_request(const char *path, Client *c) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, c->request, sizeof(c->request) - 1);
        if (n < 0)
                return -errno;
        c->n_request = (size_t) n;
        return 0;
}

static int raise_descriptor_limit(unsigned n_streams) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        limit.rlim_cur = limit.rlim_max;
        if (limit.rlim_cur < n_streams + 16)
                return -EMFILE;
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int main(int argc, char **argv) {
        static Client client = { .epoll = -1 };
        Client *c = &client;
        unsigned port, repeat, timeout;
        usec_t begun;
        int r;

        if (argc != 7 || text_parse_uint(argv[1], &port) < 0 || port > UINT16_MAX ||
            text_parse_uint(argv[4], &c->n_streams) < 0 || c->n_streams > STREAMS_MAX ||
            text_parse_uint(argv[5], &repeat) < 0 || repeat == 0 || repeat > SAMPLES_MAX / STREAMS_MAX ||
            text_parse_uint(argv[6], &timeout) < 0) {
                fprintf(stderr, "usage: bench-streams PORT REQUEST-FILE MARK STREAMS REPEAT TIMEOUT\n");
                return 64;
        }
        c->port = (uint16_t) port;
        c->mark = argv[3];

        _cleanup_free_ Stream *streams = calloc(c->n_streams, sizeof(Stream));
        _cleanup_free_ uint32_t *first_us = calloc((size_t) c->n_streams * repeat, sizeof(uint32_t));
        _cleanup_free_ uint32_t *whole_us = calloc((size_t) c->n_streams * repeat, sizeof(uint32_t));
        if (!streams || !first_us || !whole_us)
                return 70;
        for (unsigned i = 0; i < c->n_streams; i++)
                streams[i].fd = -1;
        c->streams = streams;
        c->first_us = first_us;
        c->whole_us = whole_us;

        begun = clock_monotonic();
        r = read_request(argv[2], c);
        if (r >= 0)
                r = raise_descriptor_limit(c->n_streams);
        if (r >= 0)
                r = client_run(c, repeat, begun + timeout * USEC_PER_SEC);
        if (r < 0) {
                fprintf(stderr, "bench-streams: %s\n", strerror(-r));
                return 70;
        }
        client_print(c, clock_monotonic() - begun);
        return 0;
}
