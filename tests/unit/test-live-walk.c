/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <sys/random.h>

#include "exchange-fakes.h"
#include "noon.h"
#include "pool-keys.h"
#include "server/live/internal.h"
#include "server/reply.h"
#include "server/routes.h"
#include "walk.h"

/*
 * A random walk of sessions of the Live API: the real machine of states and the real pool, between fake
 * WebSockets and a fake clock. Beside it runs a plain model: which messages a side has sent, and that the
 * other one gets them once, in order, and from one connection to Gemini alone; which leases are out; which
 * WebSockets and dials there are. At the end nothing may be left.
 */

#define CLIENTS 12U
#define SOCKETS 256U
#define KEYS    5U

typedef struct Client Client;

struct Websocket {
        bool taken, is_client, started, paused, closing, closed, was_full;
        Client *client;
        const WebsocketOps *ops;
        void *userdata;
        unsigned n_sent; /* messages that its peer has sent */
        unsigned next;   /* of what it gets: the number of the next message */
        bool has_setup;
};

struct WebsocketDial {
        bool taken;
        Client *client;
        WebsocketDialFn f;
        void *userdata;
};

struct HttpRequest {
        Client *client;
        HttpUpgradeFn accepted;
        void *userdata;
};

struct Client {
        bool taken;
        Request q;
        HttpRequest io;
        Websocket *socket;   /* that it has */
        Websocket *upstream; /* whose messages it gets; NULL: none yet */
        unsigned n_sent;     /* messages behind setup */
};

static struct {
        uint64_t random, step;
        Loop loop;
        Http http;
        Config config;
        Route route;
        Client clients[CLIENTS];
        Websocket sockets[SOCKETS];
        WebsocketDial dials[CLIENTS];
        unsigned n_leases, n_open, n_passed, n_failover, n_ended;
} w;

#define check(condition, ...)                                                                   \
        do {                                                                                    \
                if (!(condition)) {                                                             \
                        print_error("step %llu: ", (unsigned long long) w.step);                \
                        fail_msg(__VA_ARGS__);                                                  \
                }                                                                               \
        } while (0)

static uint64_t draw(uint64_t n) {
        uint64_t z = w.random += 0x9E3779B97F4A7C15ULL;

        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
        return (z ^ z >> 31) % n;
}

/* --- what is wrapped, and what of HTTP is not there --- */

usec_t __wrap_clock_realtime(void);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);
int __wrap_pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);
int __real_pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal);
void __wrap_pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now);
void __real_pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now);

usec_t __wrap_clock_realtime(void) {
        return NOON + w.loop.now;
}

ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags) {
        memset(p, (int) draw(256), n);
        return (ssize_t) n;
}

int __wrap_pool_pick_for(Pool *p, const PoolRequest *q, usec_t now, Lease *ret, PoolRefusal *ret_refusal) {
        int r = __real_pool_pick_for(p, q, now, ret, ret_refusal);

        w.n_leases += r == 0;
        return r;
}

void __wrap_pool_report(Pool *p, Lease *lease, const Verdict *v, const Usage *usage, usec_t now) {
        w.n_leases--;
        __real_pool_report(p, lease, v, usage, now);
}

const HttpHeader http_upgrade_headers[HTTP_UPGRADE_HEADERS];

int http_request_upgrade_fault(HttpRequest *r, const char **ret_fault) {
        return 0;
}

const char *http_request_header(HttpRequest *r, const char *name) {
        return NULL;
}

const char *http_request_argument(HttpRequest *r, const char *name) {
        return NULL;
}

void http_request_each_header(HttpRequest *r, void (*f)(const char *name, const char *value, void *userdata),
                              void *userdata) {
}

void http_request_each_argument(HttpRequest *r,
                                void (*f)(const char *name, const char *value, void *userdata),
                                void *userdata) {
}

Buf *http_request_body(HttpRequest *r) {
        fail();
        return NULL;
}

bool http_request_hold(HttpRequest *r, uint64_t n) {
        return true;
}

void request_reply_error(Request *q, const ApiError *e) {
        fail();
}

void request_reply_error_with(Request *q, const ApiError *e, const HttpHeader *headers, size_t n_headers) {
        fail();
}

/* --- the fake WebSockets --- */

static Websocket *socket_new(Client *c, bool is_client) {
        for (unsigned i = 0; i < SOCKETS; i++)
                if (!w.sockets[i].taken) {
                        w.sockets[i] = (Websocket){ .taken = true, .is_client = is_client, .client = c };
                        return &w.sockets[i];
                }
        check(false, "too many WebSockets");
        return NULL;
}

static int fake_accept(HttpRequest *r, HttpUpgradeFn f, void *userdata) {
        if (draw(40) == 0)
                return -ENOMEM;
        r->accepted = f;
        r->userdata = userdata;
        return 0;
}

static int fake_dial(Loop *loop, HttpClient *client, const WebsocketDialParams *p, WebsocketDialFn f,
                     void *userdata, WebsocketDial **ret) {
        check(strstr(p->url, "BidiGenerateContent") && p->secret, "a dial without its path or key");
        if (draw(40) == 0)
                return -ENOMEM;
        for (unsigned i = 0; i < CLIENTS; i++)
                if (!w.dials[i].taken) {
                        w.dials[i] = (WebsocketDial){ .taken = true, .f = f, .userdata = userdata };
                        w.dials[i].client = CONTAINER_OF(((Live *) userdata)->request, Client, q);
                        *ret = &w.dials[i];
                        return 0;
                }
        check(false, "too many dials");
        return -ENOMEM;
}

static WebsocketDial *fake_dial_free(WebsocketDial *d) {
        check(d->taken, "a dial is freed twice");
        d->taken = false;
        return NULL;
}

static void fake_set_max(Websocket *s, size_t max) {
        check(!s->started && max == w.config.live_max_message, "the largest message");
}

static void fake_start(Websocket *s, const WebsocketOps *ops, void *userdata) {
        check(!s->started, "a WebSocket starts twice");
        s->started = true;
        s->ops = ops;
        s->userdata = userdata;
}

/* The text of a message of the client, and of Gemini, is its number. */
static int fake_send(Websocket *s, WebsocketKind kind, const char *p, size_t n) {
        unsigned number;
        char text[128];

        check(s->taken && s->started, "a message for a WebSocket that is not there");
        if (s->closing || s->closed)
                return -ENOTCONN;
        check(n < sizeof(text), "a long message");
        memcpy(text, p, n);
        text[n] = 0;
        if (!s->is_client && !s->has_setup) {
                check(strstr(text, "\"setup\""), "%s before setup", text);
                s->has_setup = true;
        } else if (sscanf(text, "{\"n\":%u", &number) == 1) {
                check(number == s->next, "message %u, not %u", number, s->next);
                s->next++;
                w.n_passed++;
        } else
                check(s->is_client && strstr(text, "goAway"), "a message from nowhere: %s", text);
        if (draw(400) == 0)
                return -ENOMEM;
        s->was_full = s->was_full || draw(5) == 0;
        return s->was_full;
}

static void fake_pause(Websocket *s, bool paused) {
        check(s->taken && s->started, "a pause of what is not there");
        s->paused = paused;
}

static void fake_close(Websocket *s, unsigned code, const char *reason) {
        check(s->taken && !s->closed, "an end of what has ended");
        check(code >= 1000 && code < 5000, "the code %u", code);
        s->closing = true;
}

static Websocket *fake_free(Websocket *s) {
        check(s->taken, "a WebSocket is freed twice");
        if (s->client->socket == s)
                s->client->socket = NULL;
        if (s->client->upstream == s)
                s->client->upstream = NULL;
        s->taken = false;
        return NULL;
}

static const LiveIo fake_io = {
        .accept = fake_accept,
        .dial = fake_dial,
        .dial_free = fake_dial_free,
        .set_max = fake_set_max,
        .start = fake_start,
        .send = fake_send,
        .pause = fake_pause,
        .close = fake_close,
        .free = fake_free,
};

/* --- the steps --- */

/* The request ends when its WebSocket is freed, or at any time by the server. */
static void client_end(Client *c) {
        if (c->q.cancel)
                c->q.cancel(&c->q);
        check(!c->q.live && !c->socket, "a session outlives its request");
        w.n_failover += c->q.attempts > 1;
        verdicts_done(&c->q.verdicts);
        free(c->q.exhausted);
        *c = (Client){};
        w.n_ended++;
}

static void sweep(void) {
        for (unsigned i = 0; i < CLIENTS; i++)
                if (w.clients[i].taken && !w.clients[i].q.live)
                        client_end(&w.clients[i]);
}

static void step_begin(void) {
        Client *c = w.clients;
        ApiError e;
        int r;

        while (c < w.clients + CLIENTS && c->taken)
                c++;
        if (c == w.clients + CLIENTS)
                return;
        *c = (Client){ .taken = true, .io.client = c };
        c->q = (Request){ .http = &w.http, .io = &c->io, .route = &w.route, .config = &w.config };
        list_init(&c->q.link);
        r = live_begin(&c->q, &e);
        check(r == (w.n_open < w.config.max_live ? 0 : HANDLER_E_REFUSED), "the result %d", r);
        if (r != 0)
                *c = (Client){};
}

static Client *pick_client(void) {
        Client *c = &w.clients[draw(CLIENTS)];

        return c->taken ? c : NULL;
}

static void client_says(Client *c) {
        static const char *const setups[] = {
                "{\"setup\":{\"model\":\"models/live\"}}", "{\"setup\":{\"model\":\"models/live\"}}",
                "{\"setup\":{\"model\":\"models/live\"}}", "{\"setup\":{}}", "x",
        };
        Websocket *s = c->socket;
        char text[64];

        if (!s || !s->started || s->paused || s->closed || s->closing)
                return;
        if (s->n_sent++ == 0) {
                const char *setup = setups[draw(ELEMENTSOF(setups))];

                s->ops->message(WEBSOCKET_TEXT, setup, strlen(setup), s->userdata);
                return;
        }
        (void) snprintf(text, sizeof(text), "{\"n\":%u}", c->n_sent++);
        if (draw(60) == 0)
                text[0] = 'x';
        s->ops->message(WEBSOCKET_BINARY, text, strlen(text), s->userdata);
}

/* A peer ends it, answers an end, breaks the protocol or is gone. */
static void socket_ends(Websocket *s) {
        static const WebsocketEnd ends[] = {
                { WEBSOCKET_BY_PEER, 1000, "", "" },
                { WEBSOCKET_BY_PEER, 1005, "", "" },
                { WEBSOCKET_BY_PEER, 1007, "API key not valid. Please pass a valid API key.", "" },
                { WEBSOCKET_BY_PEER, 1008, "models/x is not found", "" },
                { WEBSOCKET_BY_PEER, 1011, "You exceeded your current quota", "" },
                { WEBSOCKET_BY_PEER, 1011, "Internal error encountered.", "" },
                { WEBSOCKET_BY_FAULT, 1009, "", "a message is too large" },
                { WEBSOCKET_BY_BREAK, 1006, "", "reset" },
        };
        static const WebsocketEnd answer = { WEBSOCKET_BY_US, 1000, "", "" };

        if (!s || !s->taken || !s->started || s->closed)
                return;
        s->closed = true;
        s->ops->closed(s->closing ? &answer : &ends[draw(ELEMENTSOF(ends))], s->userdata);
}

static Websocket *pick_upstream(void) {
        Websocket *s = &w.sockets[draw(SOCKETS)];

        for (unsigned i = 0; i < SOCKETS && !(s->taken && !s->is_client); i++)
                s = s + 1 < w.sockets + SOCKETS ? s + 1 : w.sockets;
        return s->taken && !s->is_client ? s : NULL;
}

static void gemini_says(Websocket *s) {
        static const char *const more[] = {
                ",\"setupComplete\":{}",
                ",\"usageMetadata\":{\"promptTokenCount\":2}",
                ",\"sessionResumptionUpdate\":{\"newHandle\":\"h\"}",
                "",
        };
        char text[128];

        if (!s || s->paused || s->closed || s->closing)
                return;
        check(!s->client->upstream || s->client->upstream == s, "two connections to Gemini are open");
        s->client->upstream = s;
        (void) snprintf(text, sizeof(text), "{\"n\":%u%s}", s->n_sent++, more[draw(ELEMENTSOF(more))]);
        s->ops->message(WEBSOCKET_BINARY, text, strlen(text), s->userdata);
}

static void step_dial(void) {
        static const char body[] = "{\"error\":{\"code\":503,\"message\":\"x\",\"status\":\"UNAVAILABLE\"}}";
        WebsocketDial *d = &w.dials[draw(CLIENTS)];
        WebsocketAnswer a = { .outcome = HTTP_OUTCOME_COMPLETE, .status = 101, .body = "", .cause = "" };
        Websocket *s = NULL;

        if (!d->taken)
                return;
        switch (draw(6)) {
        case 0:
                a.outcome = HTTP_OUTCOME_UNREACHED;
                a.status = 0;
                break;
        case 1:
                a.status = 503;
                a.body = body;
                a.n_body = strlen(body);
                break;
        default:
                s = socket_new(d->client, false);
        }
        d->f(s, &a, d->userdata);
}

static void step_accept(void) {
        Client *c = pick_client();
        HttpUpgradeFn f;

        if (!c || !c->io.accepted)
                return;
        f = TAKE_PTR(c->io.accepted);
        c->socket = socket_new(c, true);
        f(&c->io, c->socket, c->io.userdata);
}

static void step_drained(void) {
        Websocket *s = &w.sockets[draw(SOCKETS)];

        for (unsigned i = 0; i < SOCKETS && !(s->taken && s->was_full); i++)
                s = s + 1 < w.sockets + SOCKETS ? s + 1 : w.sockets;
        if (!s->taken || !s->was_full || s->closed)
                return;
        s->was_full = false;
        s->ops->drained(s->userdata);
}

static void step_other(void) {
        Client *c = pick_client();

        switch (draw(12)) {
        case 0:
                live_sessions_drain(w.http.live);
                break;
        case 1:
                if (c && c->q.cut)
                        c->q.cut(&c->q);
                break;
        case 2:
                if (c)
                        client_end(c);
                break;
        case 3:
                w.loop.fail_timers = true;
                break;
        case 4:
                (void) pool_reset(w.http.p.pool, NULL, NULL, __wrap_clock_realtime());
        }
}

static void step_time(void) {
        fake_loop_pass(&w.loop, draw(400) * USEC_PER_MSEC);
        if (draw(200) == 0)
                fake_loop_pass(&w.loop, draw(60) * USEC_PER_SEC);
}

static void step(void) {
        Client *c = pick_client();

        switch (draw(16)) {
        case 0:
                return step_begin();
        case 1:
        case 2:
                return step_accept();
        case 3:
        case 4:
        case 5:
                return c ? client_says(c) : (void) 0;
        case 6:
        case 7:
                return step_dial();
        case 8:
        case 9:
        case 10:
                return gemini_says(pick_upstream());
        case 11:
                return step_drained();
        case 12: { /* an end that was begun is answered */
                Websocket *s = &w.sockets[draw(SOCKETS)];

                for (unsigned i = 0; i < SOCKETS && !(s->taken && s->closing && !s->closed); i++)
                        s = s + 1 < w.sockets + SOCKETS ? s + 1 : w.sockets;
                return s->closing ? socket_ends(s) : (void) 0;
        }
        case 13:
                if (draw(3) == 0)
                        socket_ends(draw(2) == 0 && c ? c->socket : pick_upstream());
                return;
        case 14:
                return step_other();
        default:
                return step_time();
        }
}

/* --- the comparison --- */

static void compare(void) {
        unsigned n_open = 0, n_leases = 0, n_dials = 0, n_timers = 0, n = 0;

        for (unsigned i = 0; i < CLIENTS; i++) {
                const Live *l = w.clients[i].taken ? w.clients[i].q.live : NULL;
                bool waits;

                if (!l)
                        continue;
                n_open++;
                check(l->state != LIVE_PICKING && l->state != LIVE_DONE, "a session rests in %s",
                      live_state(l));
                n_leases += l->state == LIVE_DIALLING || l->state == LIVE_SETTING_UP ||
                            l->state == LIVE_OPEN;
                n_timers += l->state == LIVE_PAUSING;
                n_dials += l->state == LIVE_DIALLING;
                waits = l->state == LIVE_WAITING || l->state == LIVE_SETTING_UP;
                check(list_is_linked(&l->setup_due.link) == waits, "the time of setup in %s", live_state(l));
                check(list_is_linked(&l->deadline.link) ==
                              (l->state != LIVE_ACCEPTING && l->state != LIVE_CLOSING),
                      "the deadline in %s", live_state(l));
                check(l->held.n == 0 || l->state != LIVE_OPEN, "messages are held in an open session");
                check(l->state != LIVE_OPEN || l->client->paused <= l->upstream->was_full,
                      "the client is paused for nothing");
                check(l->state != LIVE_OPEN || l->upstream->paused <= l->client->was_full,
                      "Gemini is paused for nothing");
                check(l->state != LIVE_CLOSING || (l->client->closed || l->client->closing),
                      "a client without an end");
        }
        for (unsigned i = 0; i < CLIENTS; i++)
                n += w.dials[i].taken;
        check(n == n_dials, "%u dials, not %u", n, n_dials);
        check(w.n_leases == n_leases, "%u leases, not %u", w.n_leases, n_leases);
        check(w.loop.n_timers == n_timers, "%u timers, not %u", w.loop.n_timers, n_timers);
        check(w.http.n_exchanges == n_open && live_sessions_counts(w.http.live)->open == n_open,
              "%u sessions are not counted so", n_open);
        w.n_open = n_open;
}

/* --- the walk --- */

static void world_begin(uint64_t seed) {
        Http *h = &w.http;

        memset(&w, 0, sizeof(w));
        w.random = seed;
        fake_loop_init(&w.loop);
        w.route.path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
        w.config.n_ref = 1;
        w.config.gemini_base_url = (char *) "http://127.0.0.1:9";
        w.config.max_live = CLIENTS - 2;
        w.config.live_max_message = 1000;
        w.config.live_deadline = 100 * USEC_PER_SEC;
        w.config.live_idle_timeout = 40 * USEC_PER_SEC;
        w.config.drain_timeout = w.config.first_byte_timeout = USEC_PER_MINUTE;
        h->p = (HttpParams){ .loop = &w.loop, .config = &w.config };
        assert_int_equal(pool_new(zone, __wrap_clock_realtime(), &h->p.pool), 0);
        assert_int_equal(pool_add_many(h->p.pool, "AIzaSyWalk-0123456789", KEYS), 0);
        assert_int_equal(live_sessions_new(h, &fake_io, &h->live), 0);
}

static void world_end(void) {
        for (unsigned i = 0; i < CLIENTS; i++)
                if (w.clients[i].taken)
                        client_end(&w.clients[i]);
        compare();
        for (unsigned i = 0; i < SOCKETS; i++)
                check(!w.sockets[i].taken, "a WebSocket is left");
        check(fake_loop_n_running(&w.loop) == 0, "a timer is left");
        live_sessions_free(w.http.live);
        pool_free(w.http.p.pool);
}

static void test_walk(void **state) {
        unsigned n = walk_steps(200000);

        world_begin(walk_seed(27));
        for (w.step = 0; w.step < n; w.step++) {
                step();
                sweep();
                compare();
        }
        print_message("           %u sessions, %u with failover, %u messages\n", w.n_ended, w.n_failover,
                      w.n_passed);
        assert_true(w.n_ended > n / 400 && w.n_failover > n / 10000 && w.n_passed > n / 100);
        world_end();
}

static void test_states(void **state) {
        for (LiveState s = 0; s < _LIVE_STATE_MAX; s++)
                assert_true(*live_state_to_string(s));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_walk),
                cmocka_unit_test(test_states),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
