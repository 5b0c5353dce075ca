/* SPDX-License-Identifier: MIT */
/*
 * Calls by gemgate's own pool of connections, side by side: what a number of HTTP/2 connections means to
 * their latency when packets are lost. The pool alone, so that nothing else is measured.
 *
 *     bench-spread URL CA-FILE BODY-FILE CONNECTIONS STREAMS CALLS SECONDS
 *
 * CALLS calls are always under way: the end of one begins the next. The pool makes up to CONNECTIONS
 * connections before they are needed, the next one when each has STREAMS streams; 0 and 0 are the
 * daemon's own numbers. The first calls begin one after the other, because connections are made when calls
 * begin; four seconds after the first one SECONDS are measured. One line of JSON is printed: counts,
 * latencies of whole calls, and the gaps between two pieces of an answer that arrive one after the other,
 * which for a stream are the gaps between its events.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "io/http-pool.h"
#include "io/timer.h"
#include "samples.h"

#define CALLS_MAX   1000U
#define SAMPLES_MAX 4000000U
#define BEGIN       USEC_PER_SEC /* in which the first calls begin */
#define WARM        (4 * USEC_PER_SEC)
#define GRACE       (30 * USEC_PER_SEC) /* for the last answers */
#define KEY         "bench-key-00-0123456789abcdef"

typedef struct Slot {
        struct Client *client;
        HttpCall *call;
        usec_t begun, piece; /* 0: no piece has come */
} Slot;

typedef struct Client {
        Loop *loop;
        HttpClient *http;
        HttpCallParams params;
        char body[4096];
        Slot slots[CALLS_MAX];
        Timer *begin; /* the next slot's */
        unsigned n_calls, n_begun, n_running, n_good, n_bad, n_connections;
        usec_t warm_until;
        bool ends;
        char cause[HTTP_CAUSE_MAX]; /* of the last bad one */
        Samples whole, gaps;
} Client;

static void slot_begin(Slot *s);

/* The clock is that of the turn: pieces of one turn come together. */
static int on_data(int status _unused_, const char *p _unused_, size_t n _unused_, void *userdata) {
        Slot *s = userdata;
        Client *c = s->client;
        usec_t now = loop_now(c->loop);

        if (s->piece > c->warm_until && now > s->piece && c->gaps.n < c->gaps.size)
                samples_add(&c->gaps, now - s->piece);
        s->piece = now;
        return 0;
}

static void on_done(HttpOutcome outcome, int status, const char *cause, void *userdata) {
        Slot *s = userdata;
        Client *c = s->client;
        HttpTimings timings;

        http_call_timings(s->call, &timings);
        c->n_connections += timings.secured > 0;
        if (outcome != HTTP_OUTCOME_COMPLETE || status != 200) {
                c->n_bad++;
                if (cause[0])
                        text_copy(c->cause, sizeof(c->cause), cause);
                else
                        (void) snprintf(c->cause, sizeof(c->cause), "status %d", status);
                for (char *q = c->cause; *q; q++)
                        if (*q == '"' || *q == '\\')
                                *q = '\''; /* for JSON */
        } else if (s->begun > c->warm_until && c->whole.n < c->whole.size) {
                samples_add(&c->whole, loop_now(c->loop) - s->begun);
                c->n_good++;
        }
        s->call = http_call_free(s->call);
        c->n_running--;
        if (!c->ends)
                slot_begin(s);
        else if (c->n_running == 0)
                loop_exit(c->loop, 0);
}

static void slot_begin(Slot *s) {
        static const HttpCallOps ops = { .data = on_data, .done = on_done };
        Client *c = s->client;

        s->begun = loop_now(c->loop);
        s->piece = 0;
        if (http_call_start(c->http, &c->params, &ops, s, &s->call) < 0) {
                loop_exit(c->loop, -ENOMEM);
                return;
        }
        c->n_running++;
}

static void on_begin(void *userdata) {
        Client *c = userdata;
        Slot *s = &c->slots[c->n_begun++];

        c->begin = timer_free(c->begin);
        s->client = c;
        slot_begin(s);
        /* The second one waits until the first connection knows how many streams the server takes. */
        if (c->n_begun < c->n_calls &&
            timer_new(c->loop, c->n_begun == 1 ? BEGIN : BEGIN / c->n_calls, on_begin, c, &c->begin) < 0)
                loop_exit(c->loop, -ENOMEM);
}

static void on_end(void *userdata) {
        Client *c = userdata;

        c->ends = true;
}

static void on_grace(void *userdata) {
        Client *c = userdata;

        c->n_bad += c->n_running;
        text_copy(c->cause, sizeof(c->cause), "no end of the answer");
        loop_exit(c->loop, 0);
}

static int read_body(const char *path, Client *c) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, c->body, sizeof(c->body));
        if (n < 0)
                return -errno;
        if ((size_t) n == sizeof(c->body))
                return -EFBIG;
        c->params.body = c->body;
        c->params.n_body = (size_t) n;
        return 0;
}

static int client_run(Client *c, const HttpPoolSpread *spread, const char *ca_file, unsigned seconds) {
        _cleanup_(timer_freep) Timer *end = NULL, *grace = NULL;
        _cleanup_(secret_unrefp) Secret *key = NULL;
        int r;

        r = secret_new(KEY, strlen(KEY), &key);
        if (r < 0)
                return r;
        c->params.secret_header = "x-goog-api-key";
        c->params.secret = key;
        c->params.connect_timeout = GRACE;
        r = spread->connections > 0 ? http_pool_new_spread(c->loop, spread, &c->http) :
                                      http_pool_new(c->loop, &c->http);
        if (r < 0)
                return r;
        http_client_renew(c->http, &(HttpClientParams){ .url = c->params.url, .ca_file = ca_file });
        r = timer_new(c->loop, WARM + seconds * USEC_PER_SEC, on_end, c, &end);
        if (r >= 0)
                r = timer_new(c->loop, WARM + seconds * USEC_PER_SEC + GRACE, on_grace, c, &grace);
        if (r < 0)
                return r;
        c->warm_until = clock_monotonic() + WARM;
        on_begin(c);
        r = loop_run(c->loop);
        for (unsigned i = 0; i < c->n_calls; i++)
                c->slots[i].call = http_call_free(c->slots[i].call);
        c->begin = timer_free(c->begin);
        c->http = http_client_free(c->http);
        return r;
}

int main(int argc, char **argv) {
        static Client client;
        Client *c = &client;
        unsigned connections, streams, seconds;
        int r;

        if (argc != 8 || text_parse_uint(argv[4], &connections) < 0 ||
            text_parse_uint(argv[5], &streams) < 0 || text_parse_uint(argv[6], &c->n_calls) < 0 ||
            c->n_calls == 0 || c->n_calls > CALLS_MAX || text_parse_uint(argv[7], &seconds) < 0) {
                fprintf(stderr,
                        "usage: bench-spread URL CA-FILE BODY-FILE CONNECTIONS STREAMS CALLS SECONDS\n");
                return 64;
        }
        c->params.url = argv[1];
        if (samples_init(&c->whole, SAMPLES_MAX) < 0 || samples_init(&c->gaps, SAMPLES_MAX) < 0)
                return 70;
        r = read_body(argv[3], c);
        if (r >= 0)
                r = loop_new(&c->loop);
        if (r >= 0)
                r = client_run(c, &(HttpPoolSpread){ .connections = connections, .streams = streams },
                               argv[2], seconds);
        if (r < 0) {
                fprintf(stderr, "bench-spread: %s\n", strerror(-r));
                return 70;
        }
        printf("{\"ok\": %u, \"errors\": %u, \"detail\": \"%s\", \"connections\": %u", c->n_good, c->n_bad,
               c->cause, c->n_connections);
        samples_print(&c->whole, "whole_us");
        samples_print(&c->gaps, "gap_us");
        puts("}");
        samples_done(&c->whole);
        samples_done(&c->gaps);
        c->loop = loop_free(c->loop);
        return 0;
}
