/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The world around the exchanges of the walk: an engine that sends what it likes, an HTTP server without a
 * network, a dialect whose text names attempts and events, and a pool with counted leases. They have the
 * names of the real ones, or are linked with --wrap. The model's record of a client is here, too.
 */

#include "test.h"

#include "exchange-fakes.h"
#include "pool/pool.h"
#include "server/exchange/internal.h"
#include "server/http.h"
#include "server/request.h"

#define CLIENTS   16U
#define CALLS     (2 * CLIENTS)
#define TRIES     256U /* of one client, that the model remembers */
#define KEYS      6U
#define DEADLINE  (20 * USEC_PER_SEC)
#define OPEN_AFTER (600 * USEC_PER_MSEC) /* STREAM_OPEN_AFTER */
#define HIGH_MARK 120U
#define LOW_MARK  40U
#define BIG       (1U << 20) /* bytes of a request that is never cheap */
#define LONG      (HTTP_SMALL_BODY_MAX + 1) /* bytes of a body that the worker reads */

typedef struct Client Client;

struct HttpRequest {
        Client *client;
        Buf body, out;
        bool replied, streaming, finished, clean, full;
        size_t n_at_end; /* of `out`, when it was finished */
};

typedef struct Call {
        EngineCall call;
        Client *client;
        EngineSink sink;
        void *userdata;
        unsigned number; /* which of its client's tries */
        unsigned n_sent;
        usec_t started;
        bool taken, with_key, paused, in_event, is_last_sent;
} Call;

typedef struct Try {
        PoolKey *key;
        unsigned n_sent;
        bool ended_well;
        bool is_part; /* another request's answer follows in the same stream */
} Try;

struct Client {
        Request q;
        HttpRequest io;
        bool taken, is_long; /* long: its body */
        usec_t began, last_byte; /* last_byte: the last time that bytes were passed on */
        size_t size;
        const char *model;
        GeminiMethod method;
        int reading;    /* what it has read: of which attempt; −1: none yet */
        unsigned next;  /* event of it */
        bool has_end;
        unsigned n_errors, n_answers;
        int status;
        /* the plain model of its tries */
        Try tries[TRIES];
        unsigned n_tries, n_dear, n_run; /* n_run: since its keys were forgotten */
        unsigned n_overloads; /* since then, too; the other two are of the last one */
        const PoolProject *overloaded;
        usec_t overloaded_at;
        PoolKey *run[TRIES_MAX + 1];
        size_t n_fallbacks;
        bool injected; /* a failure of ours */
        bool stream_refused, head_refused; /* in the event that goes on; without an event */
        bool has_begun; /* its stream has bytes of an answer */
        bool is_between; /* a request's answer is complete, and the next one's has no byte yet */
        Verdict last;
        bool last_cheap;
};

extern struct Walk {
        uint64_t random, step;
        Loop loop;
        Http http;
        Engine engine;
        Worker worker;
        Config configs[8];
        Client clients[CLIENTS];
        Call calls[CALLS];
        struct {
                uint64_t id;
        } leases[CALLS];
        unsigned n_leases, n_calls;
        bool fail_start, fail_stream;
        unsigned n_begun, n_well, n_errors, n_stream_errors, n_hangups, n_hedged, n_queued, n_late, n_cut;
        unsigned n_elsewhere, n_paused, most_tries, n_long, n_refused, n_more, n_unsigned, n_joined;
        unsigned n_opened, n_behind, n_open_errors; /* heads without an event; behind them: tries, errors */
} w;

#define check(condition, ...)                                                                   \
        do {                                                                                    \
                if (!(condition)) {                                                             \
                        print_error("step %llu: ", (unsigned long long) w.step);                \
                        fail_msg(__VA_ARGS__);                                                  \
                }                                                                               \
        } while (0)

uint64_t draw(uint64_t n);
usec_t __wrap_clock_realtime(void);
extern const Dialect fake_dialect;
extern const EngineOps fake_engine_ops;
void call_end(Call *call, VerdictClass class);
void call_event(Call *call);

/* The client reads whole tokens, at least n bytes if there are. */
void read_tokens(Client *c, Buf *b, size_t n);
