/* SPDX-License-Identifier: MIT */
/*
 * Requests at a constant rate against a gateway: an open loop (schedule.h). One thread, one epoll.
 *
 *     bench-rate PORT REQUEST-FILE MARK CONNECTIONS RATE SECONDS
 *
 * REQUEST-FILE holds the bytes of one HTTP request, head and body. It is sent RATE times a second, each
 * time over the connection to 127.0.0.1:PORT that has been idle for longest. An answer is good if its
 * status is 200, its framing is whole, and, unless MARK is empty, its last event holds MARK. All latencies
 * count from the moment at which the request was due. One line of JSON is printed: counts, how many
 * requests had to wait for a connection, and latencies of the first event and of the whole answer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/text.h"
#include "samples.h"
#include "schedule.h"
#include "wire.h"

#define CONNECTIONS_MAX 8000U
#define REQUESTS_MAX    4000000U
#define CONNECTS_AT_ONCE 64U                  /* a burst that no listen backlog loses */
#define SETTLE           (200 * USEC_PER_MSEC) /* from the last connection to the first request */
#define GRACE            (10 * USEC_PER_SEC)   /* for the last answers */

typedef struct Connection {
        int fd;
        bool busy;
        bool reused; /* it has carried an answer: a close before the next one is no fault */
        size_t n_sent;
        usec_t due;
        Answer answer;
} Connection;

typedef struct Client {
        uint16_t port;
        WireRequest request;
        const char *mark;
        int epoll;
        Schedule schedule;
        Connection *connections;
        unsigned n_connections;
        Connection **idle; /* a ring, the first one has been idle for longest */
        unsigned idle_first, n_idle;

        unsigned n_good, n_waited, n_busy;
        Faults faults;
        Samples first, whole;
} Client;

static int connection_open(Client *c, Connection *n) {
        n->fd = safe_close(n->fd);
        n->fd = wire_connect(c->port, c->epoll, n);
        n->reused = false;
        n->n_sent = 0;
        return MIN(n->fd, 0);
}

static void connection_idle(Client *c, Connection *n) {
        assert(c->n_idle < c->n_connections);

        n->busy = false;
        c->idle[(c->idle_first + c->n_idle++) % c->n_connections] = n;
}

static void connection_answered(Client *c, Connection *n, int fault) {
        assert(c->n_busy > 0);

        c->n_busy--;
        if (fault < 0) {
                c->n_good++;
                samples_add(&c->whole, clock_monotonic() - n->due);
        } else {
                faults_note(&c->faults, (Fault) fault, 1, &n->answer);
                /* What is left of the bad answer must not be taken for the next. */
                if (connection_open(c, n) < 0)
                        n->fd = -1;
        }
        n->reused = fault < 0;
        connection_idle(c, n);
}

static void connection_closed(Client *c, Connection *n) {
        int fault;

        if (!n->busy) {
                if (connection_open(c, n) < 0)
                        n->fd = -1;
                return;
        }
        if (n->reused && n->answer.n_head == 0) {
                if (connection_open(c, n) < 0)
                        connection_answered(c, n, FAULT_CONNECT);
                return;
        }
        if (!answer_closed(&n->answer))
                fault = n->n_sent == 0 ? FAULT_CONNECT : FAULT_BROKEN;
        else
                fault = answer_fault(&n->answer);
        connection_answered(c, n, fault);
        if (fault < 0 && connection_open(c, n) < 0)
                n->fd = -1;
}

/* Edge-triggered: everything is done until EAGAIN. */
static void connection_step(Client *c, Connection *n) {
        char bytes[16384];

        if (n->busy && !wire_send(n->fd, &c->request, &n->n_sent)) {
                connection_closed(c, n);
                return;
        }
        for (;;) {
                unsigned before = n->answer.n_events;
                ssize_t size = recv(n->fd, bytes, sizeof(bytes), 0);
                if (size < 0 && errno == EAGAIN)
                        return;
                if (size <= 0) {
                        connection_closed(c, n);
                        return;
                }
                answer_feed(&n->answer, bytes, (size_t) size);
                if (!n->busy) {
                        connection_closed(c, n);
                        return;
                }
                if (before == 0 && n->answer.n_events > 0)
                        samples_add(&c->first, clock_monotonic() - n->due);
                int fault = answer_fault(&n->answer);
                if (fault >= 0 || n->answer.state == ANSWER_DONE) {
                        connection_answered(c, n, fault);
                        return;
                }
        }
}

static void client_send(Client *c, usec_t now) {
        while (c->n_idle > 0 && schedule_due(&c->schedule, now)) {
                Connection *n = c->idle[c->idle_first];
                c->idle_first = (c->idle_first + 1) % c->n_connections;
                c->n_idle--;
                c->n_busy++;
                n->busy = true;
                n->n_sent = 0;
                n->due = schedule_take(&c->schedule);
                answer_reset(&n->answer, c->mark);
                if (n->fd < 0 && connection_open(c, n) < 0) {
                        connection_answered(c, n, FAULT_CONNECT);
                        continue;
                }
                connection_step(c, n);
        }
}

static int client_turn(Client *c, usec_t wait) {
        struct timespec t = {
                .tv_sec = (time_t) (wait / USEC_PER_SEC),
                .tv_nsec = (long) (wait % USEC_PER_SEC * 1000),
        };
        struct epoll_event events[256];
        int n;

        n = epoll_pwait2(c->epoll, events, ELEMENTSOF(events), &t, NULL);
        if (n < 0 && errno != EINTR)
                return -errno;
        for (int i = 0; i < n; i++)
                connection_step(c, events[i].data.ptr);
        return 0;
}

static int client_connect(Client *c) {
        usec_t settled;
        int r;

        for (unsigned i = 0; i < c->n_connections; i++) {
                answer_reset(&c->connections[i].answer, c->mark);
                r = connection_open(c, c->connections + i);
                if (r < 0)
                        return r;
                connection_idle(c, c->connections + i);
                if (i % CONNECTS_AT_ONCE == CONNECTS_AT_ONCE - 1) {
                        r = client_turn(c, USEC_PER_MSEC);
                        if (r < 0)
                                return r;
                }
        }
        settled = clock_monotonic() + SETTLE;
        for (usec_t now; (now = clock_monotonic()) < settled;) {
                r = client_turn(c, settled - now);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int client_run(Client *c) {
        usec_t now, end, wait;
        int r;

        c->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (c->epoll < 0)
                return -errno;
        r = client_connect(c);
        if (r < 0)
                return r;
        c->schedule.begin = clock_monotonic();
        end = schedule_time(&c->schedule, c->schedule.n_all) + GRACE;

        while ((!schedule_done(&c->schedule) || c->n_busy > 0) && (now = clock_monotonic()) < end) {
                if (c->n_idle == 0 && schedule_due(&c->schedule, now))
                        c->n_waited++;
                client_send(c, now);
                wait = end - now;
                if (c->n_idle > 0)
                        wait = MIN(wait, schedule_wait(&c->schedule, now));
                r = client_turn(c, wait);
                if (r < 0)
                        return r;
        }

        c->faults.n[FAULT_TIMEOUT] += c->n_busy + (unsigned) (c->schedule.n_all - c->schedule.n_taken);
        return 0;
}

int main(int argc, char **argv) {
        static Client client = { .epoll = -1 };
        Client *c = &client;
        unsigned port, seconds;
        usec_t begun;
        int r;

        if (argc != 7 || text_parse_uint(argv[1], &port) < 0 || port > UINT16_MAX ||
            text_parse_uint(argv[4], &c->n_connections) < 0 || c->n_connections == 0 ||
            c->n_connections > CONNECTIONS_MAX || text_parse_uint(argv[5], &c->schedule.rate) < 0 ||
            text_parse_uint(argv[6], &seconds) < 0 || c->schedule.rate == 0 || seconds == 0 ||
            (uint64_t) c->schedule.rate * seconds > REQUESTS_MAX) {
                fprintf(stderr, "usage: bench-rate PORT REQUEST-FILE MARK CONNECTIONS RATE SECONDS\n");
                return 64;
        }
        c->port = (uint16_t) port;
        c->mark = argv[3];
        c->schedule.n_all = (uint64_t) c->schedule.rate * seconds;

        _cleanup_free_ Connection *connections = calloc(c->n_connections, sizeof(Connection));
        _cleanup_free_ Connection **idle = calloc(c->n_connections, sizeof(Connection *));
        if (!connections || !idle || samples_init(&c->first, c->schedule.n_all) < 0 ||
            samples_init(&c->whole, c->schedule.n_all) < 0)
                return 70;
        for (unsigned i = 0; i < c->n_connections; i++)
                connections[i].fd = -1;
        c->connections = connections;
        c->idle = idle;

        /* The kernel may wake a sleeper 50 µs late unless it is asked not to. */
        (void) prctl(PR_SET_TIMERSLACK, 1UL);
        begun = clock_monotonic();
        r = wire_read_request(argv[2], &c->request);
        if (r >= 0)
                r = wire_allow_connections(c->n_connections);
        if (r >= 0)
                r = client_run(c);
        if (r < 0) {
                fprintf(stderr, "bench-rate: %s\n", strerror(-r));
                return 70;
        }

        printf("{\"ok\": %u, \"errors\": %u, \"waited\": %u, \"seconds\": %.3f", c->n_good,
               faults_total(&c->faults), c->n_waited, (double) (clock_monotonic() - begun) / USEC_PER_SEC);
        samples_print(&c->first, "first_event_us");
        samples_print(&c->whole, "whole_us");
        faults_print(&c->faults);
        samples_done(&c->first);
        samples_done(&c->whole);
        return 0;
}
