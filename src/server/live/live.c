/* SPDX-License-Identifier: MIT */

/*
 * A session of the Live API, its client's side and its end.
 *
 *     handshake → setup: model, names, key → Google's first message → messages both ways → an end
 *
 * Messages go on as they came, and whole. What is read of them changes nothing in them: names of files,
 * which must be the client's (server/files/owner); handles and counts of Google's. Only the model of setup
 * is replaced, if it is an alias.
 *
 * Back-pressure: a side that does not read fills its queue (WEBSOCKET_QUEUE_HIGH), then the other one is not
 * read. A session holds a message and such a queue for each way at most.
 *
 * The code and reason of an end go to the other side. An error of gemgate has the code that Google would
 * have. When a side has ended, the session stays in CLOSING until the other one has answered the end, or
 * WEBSOCKET_CLOSE_TIME is over.
 */

#include <errno.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/dialect.h"
#include "io/http-upgrade.h"
#include "server/exchange/pin.h"
#include "server/exchange/target.h"
#include "server/files/owner.h"
#include "server/live/internal.h"
#include "server/reading.h"
#include "server/reply.h"

/* --- its end --- */

Live *live_free(Live *l) {
        Request *q;

        if (!l)
                return NULL;
        q = l->request;
        live_drop_upstream(l);
        live_conclude(l, VERDICT_CLIENT_GONE);
        l->client = l->client ? l->sessions->io->free(l->client) : NULL;
        timeout_stop(&l->setup_due);
        timeout_stop(&l->deadline);
        timeout_stop(&l->silence);
        upstream_tries_done(&l->tries);
        buf_done(&l->setup);
        buf_done(&l->held);
        list_unlink(&l->link);
        l->sessions->counts.open--;
        q->http->n_exchanges--;
        q->live = NULL;
        q->cancel = NULL;
        q->cut = NULL;
        free(l);
        return NULL;
}

/* The request ends: in a later turn after its WebSocket was freed, or because the server does. */
static void on_cancel(Request *q) {
        live_enter(q->live, LIVE_DONE);
        live_free(q->live);
}

void live_settle(Live *l) {
        if (!l->client_ended || (l->upstream && !l->upstream_ended))
                return;
        live_enter(l, LIVE_DONE);
        live_free(l);
}

/* Both sides get an end, as far as they have none. */
static void end(Live *l, unsigned code, const char *reason, unsigned upstream_code,
                const char *upstream_reason) {
        const LiveIo *io = l->sessions->io;

        if (l->state == LIVE_CLOSING)
                return;
        if (l->state != LIVE_SETTING_UP && l->state != LIVE_OPEN)
                live_drop_upstream(l);
        live_conclude(l, l->state == LIVE_OPEN ? VERDICT_OK : VERDICT_CLIENT_GONE);
        timeout_stop(&l->setup_due);
        timeout_stop(&l->deadline);
        timeout_stop(&l->silence);
        live_enter(l, LIVE_CLOSING);
        /* A side that is paused would not read the answer. */
        if (l->upstream && !l->upstream_ended) {
                io->pause(l->upstream, false);
                io->close(l->upstream, upstream_code, upstream_reason);
        }
        if (!l->client_ended) {
                io->pause(l->client, false);
                io->close(l->client, code, reason);
        }
        live_settle(l);
}

void live_end(Live *l, unsigned code, const char *reason) {
        end(l, code, reason, WEBSOCKET_CODE_GOING_AWAY, "");
}

void live_fail(Live *l, const ApiError *e) {
        l->request->stream_error = e->status;
        live_end(l, gemini_live_code(e->status), e->message);
}

/* --- messages --- */

static void fail_memory(Live *l) {
        ApiError e;

        api_error_from_failure(&e, -ENOMEM);
        live_fail(l, &e);
}

/* To a side, and the other is not read while its queue is long. */
static void forward(Live *l, Websocket *to, Websocket *from, WebsocketKind kind, const char *p, size_t n) {
        int r = l->sessions->io->send(to, kind, p, n);

        if (r == 1)
                l->sessions->io->pause(from, true);
        else if (r < 0 && r != -ENOTCONN)
                fail_memory(l);
}

void live_pass(Live *l, WebsocketKind kind, const char *p, size_t n) {
        l->request->messages_out++;
        timeout_start(l->sessions->silence, &l->silence);
        forward(l, l->client, l->upstream, kind, p, n);
}

static void go_away(Live *l) {
        _cleanup_buf_ Buf message = BUF_INIT(256);

        if (gemini_live_go_away(l->request->http->p.config->drain_timeout, &message) >= 0)
                forward(l, l->client, l->upstream, WEBSOCKET_BINARY, buf_data(&message), message.n);
}

/* Without them being read, a client that leaves would not be noticed. */
static void hold(Live *l, WebsocketKind kind, const char *p, size_t n) {
        const HeldMessage m = { .kind = kind, .n = n };

        (void) buf_append(&l->held, &m, sizeof(m));
        if (buf_append(&l->held, p, n) < 0)
                fail_memory(l);
        else if (l->held.n > LIVE_HELD_HIGH)
                l->sessions->io->pause(l->client, true);
}

static void send_held(Live *l) {
        HeldMessage m;

        while (l->held.n > 0 && l->state == LIVE_OPEN) {
                memcpy(&m, buf_data(&l->held), sizeof(m));
                forward(l, l->upstream, l->client, m.kind, buf_data(&l->held) + sizeof(m), m.n);
                buf_consume(&l->held, sizeof(m) + m.n);
        }
        buf_done(&l->held);
}

void live_opened(Live *l) {
        timeout_stop(&l->setup_due);
        buf_done(&l->setup);
        live_enter(l, LIVE_OPEN);
        l->sessions->io->pause(l->client, false);
        send_held(l);
        if (l->state == LIVE_OPEN && l->request->http->draining)
                go_away(l);
}

/* A failure of gemgate, or of the client: see the error. */
static void refuse(Live *l, int r, ApiError *e) {
        if (r < 0)
                api_error_from_failure(e, r);
        live_fail(l, e);
}

/* A handle that gemgate has no binding of may be one of another client, which has had newer ones since. */
static bool knows_handles(const Live *l, const Buf *names) {
        const char *p = names->n > 0 ? buf_data(names) : "", *last = p + names->n;
        Request *q = l->request;

        for (; p < last; p += strlen(p) + 1)
                if (startswith(p, BINDING_SESSIONS) && !file_owner_is_anyone(q) &&
                    !pool_bound_to(q->http->p.pool, p, day_clock_now()))
                        return false;
        return true;
}

/* 0, HANDLER_E_REFUSED or −errno. */
static int take_setup(Live *l, WebsocketKind kind, const char *p, size_t n, ApiError *ret_error) {
        _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX);
        Request *q = l->request;
        GeminiLiveSetup s;
        bool cli = false;
        int r;

        r = gemini_live_setup_read(p, n, &s, &names, ret_error);
        if (r != 0)
                return r;
        if (target_is_secret(q, s.model)) {
                api_error_set(ret_error, 400, NULL,
                              "model must be the name of a model, not a key or token.");
                return HANDLER_E_REFUSED;
        }
        text_copy(q->model, sizeof(q->model), s.model);
        text_copy(l->model, sizeof(l->model), reading_resolve(q->config, s.model, &cli));
        text_copy(q->served, sizeof(q->served), l->model);
        if (cli || s.cli) {
                api_error_set(ret_error, 400, NULL,
                              "This is a model of the Gemini CLI, which the Live API does not have.");
                return HANDLER_E_REFUSED;
        }
        if (!knows_handles(l, &names)) {
                api_error_set(ret_error, 404, NULL, "The session to resume is not known: begin a new one.");
                return HANDLER_E_REFUSED;
        }
        r = pin_find(q, &(PinSearch){ .names = &names, .fault = s.fault }, l->pinned, ret_error);
        if (r != 0)
                return r;
        l->setup_kind = kind;
        l->setup = BUF_INIT(n + MODEL_NAME_MAX + 16);
        if (gemini_live_setup_is_for(&s, l->model))
                return buf_append(&l->setup, p, n);
        return gemini_live_setup_write(&s, p, n, l->model, &l->setup);
}

static void begin(Live *l, WebsocketKind kind, const char *p, size_t n) {
        ApiError e;
        int r;

        timeout_stop(&l->setup_due);
        r = take_setup(l, kind, p, n, &e);
        if (r != 0)
                return refuse(l, r, &e);
        pool_count_client(l->request->http->p.pool, day_clock_now());
        live_enter(l, LIVE_PICKING);
        live_pick(l);
}

/* A later message: 0, HANDLER_E_REFUSED or −errno. */
static int check(Live *l, const char *p, size_t n, ApiError *ret_error) {
        _cleanup_buf_ Buf names = BUF_INIT(GEMINI_LIVE_NAMES_MAX);
        char pinned[BINDING_NAME_MAX + 1];
        const char *fault;
        int r;

        r = gemini_live_message_check(p, n, ret_error);
        if (r != 0)
                return r;
        fault = gemini_live_message_names(p, n, &names);
        if (names.error < 0) {
                api_error_set(ret_error, 400, NULL, "The message names too much.");
                return HANDLER_E_REFUSED;
        }
        return pin_find(l->request, &(PinSearch){ .names = &names, .fault = fault }, pinned, ret_error);
}

/* --- the client's side --- */

static void on_message(WebsocketKind kind, const char *p, size_t n, void *userdata) {
        Live *l = userdata;
        ApiError e;
        int r;

        if (l->state == LIVE_CLOSING)
                return;
        l->request->messages_in++;
        timeout_start(l->sessions->silence, &l->silence);
        if (l->state == LIVE_WAITING)
                return begin(l, kind, p, n);
        r = check(l, p, n, &e);
        if (r != 0)
                return refuse(l, r, &e);
        if (l->state == LIVE_OPEN)
                forward(l, l->upstream, l->client, kind, p, n);
        else
                hold(l, kind, p, n);
}

static void on_drained(void *userdata) {
        Live *l = userdata;

        if (l->state == LIVE_OPEN)
                l->sessions->io->pause(l->upstream, false);
}

static void on_closed(const WebsocketEnd *e, void *userdata) {
        Live *l = userdata;
        bool by_peer = e->origin == WEBSOCKET_BY_PEER;

        l->client_ended = true;
        if (l->state == LIVE_CLOSING)
                return live_settle(l);
        if (!by_peer && l->state == LIVE_OPEN)
                live_conclude(l, VERDICT_CLIENT_GONE);
        if (e->origin == WEBSOCKET_BY_FAULT)
                l->request->stream_error = e->code == WEBSOCKET_CODE_TOO_LARGE ? 413 : 400;
        end(l, 0, "", by_peer ? e->code : WEBSOCKET_CODE_GOING_AWAY, by_peer ? e->reason : "");
}

/* --- the handshake --- */

static void on_accepted(HttpRequest *r _unused_, Websocket *w, void *userdata) {
        static const WebsocketOps ops = {
                .message = on_message,
                .drained = on_drained,
                .closed = on_closed,
        };
        Live *l = userdata;

        if (!w)
                return; /* the request ends, and with it the session */
        l->client = w;
        l->sessions->io->set_max(w, l->request->config->live_max_message);
        l->sessions->io->start(w, &ops, l);
        live_enter(l, LIVE_WAITING);
        timeout_start(l->sessions->setup_due, &l->setup_due);
        timeout_start(l->sessions->silence, &l->silence);
        timeout_start(l->sessions->deadline, &l->deadline);
        if (l->request->http->draining)
                live_end(l, WEBSOCKET_CODE_GOING_AWAY, "gemgate is shutting down.");
}

static void on_cut(Request *q) {
        if (q->live->state != LIVE_ACCEPTING) /* else on_accepted() ends it */
                live_end(q->live, WEBSOCKET_CODE_GOING_AWAY, "gemgate is shutting down.");
}

/* A page of a browser needs no preflight for a WebSocket. */
static bool is_of_wrong_page(Request *q) {
        const char *origin = http_request_header(q->io, "Origin");

        return origin && !origin_set_match(&q->config->cors_origins, origin);
}

static int check_begin(Request *q, ApiError *ret_error) {
        const Config *c = q->http->p.config;
        LiveSessions *s = q->http->live;
        const char *fault;
        int status;

        if (c->max_live == 0)
                api_error_set(ret_error, 404, NULL, "The Live API is off here (MAX_LIVE=0).");
        else if ((status = http_request_upgrade_fault(q->io, &fault)) != 0)
                api_error_set(ret_error, status, NULL, "The Live API is a WebSocket: %s.", fault);
        else if (is_of_wrong_page(q))
                api_error_set(ret_error, 403, NULL, "CORS_ORIGINS does not list the origin of this page.");
        else if (s->counts.open >= c->max_live) {
                s->counts.refused++;
                api_error_set_busy(ret_error, "Too many sessions at once (MAX_LIVE): try again.");
        } else
                return 0;
        return HANDLER_E_REFUSED;
}

int live_begin(Request *q, ApiError *ret_error) {
        LiveSessions *s = q->http->live;
        Live *l;
        int r;

        r = check_begin(q, ret_error);
        if (r != 0 && ret_error->status == 426) {
                request_reply_error_with(q, ret_error, http_upgrade_headers, HTTP_UPGRADE_HEADERS);
                return 0;
        }
        if (r != 0)
                return r;
        l = calloc(1, sizeof(Live));
        if (!l)
                return -ENOMEM;
        l->request = q;
        l->sessions = s;
        l->held = BUF_INIT(LIVE_HELD_MAX);
        l->setup_due = TIMEOUT_INIT(l->setup_due);
        l->deadline = TIMEOUT_INIT(l->deadline);
        l->silence = TIMEOUT_INIT(l->silence);
        list_init(&l->link);
        list_append(&s->sessions, &l->link);
        s->counts.open++;
        s->counts.total++;
        q->http->n_exchanges++;
        q->live = l;
        q->cancel = on_cancel;
        q->cut = on_cut;
        q->status = 101;
        r = s->io->accept(q->io, on_accepted, l);
        if (r < 0)
                on_cancel(q); /* the connection is closed */
        return 0;
}

int live_refuse_constrained(Request *q _unused_, ApiError *ret_error) {
        api_error_set(ret_error, 403, NULL,
                      "BidiGenerateContentConstrained is for Google's own tokens (auth_tokens), which are "
                      "not given out here: use BidiGenerateContent with a token of gemgate.");
        return HANDLER_E_REFUSED;
}

void live_sessions_drain(LiveSessions *s) {
        LIST_FOREACH(i, &s->sessions) {
                Live *l = list_entry(i, Live, link);

                if (l->state == LIVE_OPEN)
                        go_away(l);
                else if (l->state == LIVE_WAITING)
                        live_end(l, WEBSOCKET_CODE_GOING_AWAY, "gemgate is shutting down.");
        }
}
