/* SPDX-License-Identifier: MIT */

/*
 * The connection is a separate one, because a WebSocket takes it for good. HTTP/2 is not offered to the
 * server. The head is written once the dial is there, and the answer is read by websocket-answer.c. What
 * follows a 101 in the same bytes belongs to the WebSocket.
 *
 * A failed write is no end, as in http1.c: the server may have answered before it closed the connection.
 */

#include <errno.h>
#include <stdio.h>

#include "base/limits-http-client.h"
#include "base/limits-websocket.h"
#include "base/text.h"
#include "io/descriptors.h"
#include "io/http-pool.h"
#include "io/http-work.h"
#include "io/http1-request.h"
#include "io/timer.h"
#include "io/transport.h"
#include "io/websocket-answer.h"
#include "io/websocket-dial.h"

#define OWN_HEADERS 4U

static_assert(WEBSOCKET_DIAL_HEADERS_MAX + OWN_HEADERS <= HTTP_CALL_HEADERS_MAX, "they go out together");

struct WebsocketDial {
        Loop *loop;
        WebsocketDialFn fn;
        void *userdata;
        Dial *dial; /* NULL: it waits for a descriptor, or has ended */
        DescriptorsWait lacking;
        char *url;
        Proxy *wanted_proxy;
        usec_t dial_until;
        HttpClient *client;
        Transport *transport; /* NULL: not connected yet, or given away */
        LoopFd fd;
        Timer *timer;
        usec_t answer_timeout;
        Proxy *proxy; /* that it goes through; NULL: none */
        Secret *secret;
        Buf out; /* of the head */
        WebsocketReader reader;
        WebsocketAnswer answer;
        const char *write_error; /* static; NULL: none */
        char cause[HTTP_CAUSE_MAX];
};

/* --- the end --- */

static void stop(WebsocketDial *d) {
        descriptors_stop(&d->lacking);
        loop_fd_remove(d->loop, &d->fd);
        d->timer = timer_free(d->timer);
        d->dial = dial_free(d->dial);
        buf_done(&d->out);
}

/* The dial may be freed in here. */
static void finish(WebsocketDial *d, HttpOutcome outcome, Websocket *w) {
        stop(d);
        d->transport = transport_free(d->transport);
        d->answer.outcome = outcome;
        d->answer.cause = d->cause;
        d->answer.status = outcome == HTTP_OUTCOME_COMPLETE ? d->reader.answer.status : 0;
        d->answer.retry_after = d->reader.retry_after;
        d->answer.body = d->reader.body.n > 0 ? buf_data(&d->reader.body) : "";
        d->answer.n_body = d->reader.body.n;
        d->fn(w, &d->answer, d->userdata);
}

static void fail(WebsocketDial *d, const char *words) {
        http_cause(d->cause, words, d->proxy, d->secret);
        finish(d, HTTP_OUTCOME_BROKEN, NULL);
}

static void fail_by_answer(WebsocketDial *d, const char *fault) {
        char words[HTTP_CAUSE_MAX];

        (void) snprintf(words, sizeof(words), "The answer to the WebSocket's request is not valid: %s",
                        fault);
        fail(d, words);
}

static void on_late(void *userdata) {
        fail(userdata, "No answer to the WebSocket's request in time");
}

static void open_websocket(WebsocketDial *d) {
        const Buf *rest = &d->reader.in;
        Websocket *w;

        loop_fd_remove(d->loop, &d->fd);
        if (websocket_new(d->loop, TAKE_PTR(d->transport), true, rest->n > 0 ? buf_data(rest) : "", rest->n,
                          &w) < 0)
                return fail(d, "No memory for the WebSocket");
        finish(d, HTTP_OUTCOME_COMPLETE, w);
}

/* False: it has ended, and may be freed. */
static bool take(WebsocketDial *d, WebsocketAnswerStep step) {
        if (d->reader.has_head && d->answer.head == 0)
                d->answer.head = loop_now(d->loop);
        switch (step) {
        case WEBSOCKET_ANSWER_OPEN:
                open_websocket(d);
                return false;
        case WEBSOCKET_ANSWER_OTHER:
                finish(d, HTTP_OUTCOME_COMPLETE, NULL);
                return false;
        case WEBSOCKET_ANSWER_FAULT:
                fail_by_answer(d, d->reader.fault);
                return false;
        default:
                return true;
        }
}

/* --- the connection --- */

static void receive(WebsocketDial *d) {
        char bytes[WEBSOCKET_READ_MAX];
        ssize_t n;

        do {
                n = transport_read(d->transport, bytes, sizeof(bytes));
                if (n == -EAGAIN)
                        return;
                if (n < 0)
                        return fail(d, d->write_error ?: transport_error(d->transport));
                if (n == 0) {
                        (void) take(d, websocket_reader_close(&d->reader));
                        return;
                }
        } while (take(d, websocket_reader_feed(&d->reader, bytes, (size_t) n)));
}

static void send_head(WebsocketDial *d) {
        while (d->out.n > 0 && !d->write_error) {
                ssize_t n;

                n = transport_write(d->transport, &(struct iovec){ buf_data(&d->out), d->out.n }, 1);
                if (n == -EAGAIN)
                        return;
                if (n < 0)
                        d->write_error = transport_error(d->transport);
                else
                        buf_consume(&d->out, (size_t) n);
        }
        buf_done(&d->out);
        (void) loop_fd_modify(d->loop, &d->fd, EPOLLIN);
}

static void on_fd(uint32_t events, void *userdata) {
        WebsocketDial *d = userdata;

        if (events & EPOLLOUT)
                send_head(d);
        receive(d);
}

static void on_dialled(Transport *t, const DialTimes *times, const char *cause, void *userdata) {
        WebsocketDial *d = userdata;

        d->answer.times = *times;
        if (!t) {
                http_cause(d->cause, cause, NULL, d->secret); /* it has the proxy already */
                return finish(d, HTTP_OUTCOME_UNREACHED, NULL);
        }
        d->transport = t;
        d->answer.sent = loop_now(d->loop);
        if (timer_new(d->loop, d->answer_timeout, on_late, d, &d->timer) < 0 ||
            loop_fd_add(d->loop, &d->fd, transport_fd(t), EPOLLIN | EPOLLOUT, on_fd, d) < 0)
                return fail(d, "No memory for the connection");
}

/* --- the dial --- */

static void on_no_descriptor(void *userdata) {
        WebsocketDial *d = userdata;

        text_copy(d->cause, sizeof(d->cause), HTTP_POOL_NO_DESCRIPTOR);
        finish(d, HTTP_OUTCOME_LACKING, NULL);
}

/* Or it waits for a descriptor. */
static int start(WebsocketDial *d) {
        int r;

        r = http_pool_dial(d->client, d->url, d->wanted_proxy, usec_sub(d->dial_until, loop_now(d->loop)),
                           on_dialled, d, &d->dial, &d->proxy);
        if (r != -EMFILE)
                return r;
        descriptors_wait(loop_descriptors(d->loop), DESCRIPTOR_UPSTREAM, &d->lacking);
        return 0;
}

static void on_descriptor(void *userdata) {
        WebsocketDial *d = userdata;
        int r;

        r = start(d);
        if (r < 0) {
                text_copy(d->cause, sizeof(d->cause), "No memory for the connection");
                finish(d, HTTP_OUTCOME_UNREACHED, NULL);
        } else if (d->dial)
                d->timer = timer_free(d->timer);
}

/* --- the request --- */

/* `ret`: behind `https://`. */
static size_t authority_of(const char *url, const char **ret) {
        const char *colon = strstr(url, "://");

        *ret = colon ? colon + 3 : "";
        return strcspn(*ret, "/?#");
}

static int write_head(WebsocketDial *d, const WebsocketDialParams *p) {
        char key[WEBSOCKET_KEY_LENGTH + 1], line[sizeof("Sec-WebSocket-Key: ") + WEBSOCKET_KEY_LENGTH];
        char upgrade[] = "Upgrade: websocket", connection[] = "Connection: Upgrade";
        char version[] = "Sec-WebSocket-Version: 13";
        char *headers[HTTP_CALL_HEADERS_MAX] = { upgrade, connection, version, line };
        _cleanup_buf_ Buf authority = BUF_INIT(HTTP_REQUEST_HEAD_MAX);
        _cleanup_buf_ Buf target = BUF_INIT(HTTP_REQUEST_HEAD_MAX);
        const char *begin;
        size_t n;
        int r;

        r = websocket_key_new(key);
        if (r < 0)
                return r;
        r = websocket_reader_init(&d->reader, key);
        if (r < 0)
                return r;
        (void) snprintf(line, sizeof(line), "Sec-WebSocket-Key: %s", key);
        for (size_t i = 0; i < p->n_headers; i++)
                headers[OWN_HEADERS + i] = p->headers[i];
        n = authority_of(p->url, &begin);
        (void) buf_append(&authority, begin, n);
        if (begin[n] != '/')
                (void) buf_putc(&target, '/');
        (void) buf_append(&target, begin + n, strcspn(begin + n, "#"));
        if (!buf_cstr(&authority) || !buf_cstr(&target))
                return -ENOMEM;
        return http1_request_head(
                &(HttpWork){
                        .p = { .headers = headers,
                               .n_headers = OWN_HEADERS + p->n_headers,
                               .secret_header = p->secret_header,
                               .secret = p->secret },
                        .method = "GET",
                        .authority = buf_cstr(&authority),
                        .target = buf_cstr(&target),
                },
                &d->out);
}

int websocket_dial_start(Loop *loop, HttpClient *client, const WebsocketDialParams *p, WebsocketDialFn f,
                         void *userdata, WebsocketDial **ret) {
        _cleanup_(websocket_dial_freep) WebsocketDial *d = NULL;
        int r;

        assert(p->n_headers <= WEBSOCKET_DIAL_HEADERS_MAX);
        assert(!p->secret || p->secret_header);
        d = calloc(1, sizeof(WebsocketDial));
        if (!d)
                return -ENOMEM;
        *d = (WebsocketDial){
                .loop = loop,
                .fn = f,
                .userdata = userdata,
                .client = client,
                .dial_until = usec_add(loop_now(loop), p->connect_timeout),
                .fd = LOOP_FD_NULL,
                .answer_timeout = p->answer_timeout,
                .out = BUF_INIT_SECRET(HTTP_REQUEST_HEAD_MAX),
        };
        d->lacking = DESCRIPTORS_WAIT_INIT(d->lacking, on_descriptor, d);
        d->wanted_proxy = proxy_ref(p->proxy);
        if (p->secret)
                d->secret = secret_ref(p->secret);
        d->url = strdup(p->url);
        if (!d->url)
                return -ENOMEM;
        r = write_head(d, p);
        if (r < 0)
                return r;
        r = start(d);
        if (r < 0)
                return r;
        if (!d->dial) {
                r = timer_new(loop, p->connect_timeout, on_no_descriptor, d, &d->timer);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(d);
        return 0;
}

WebsocketDial *websocket_dial_free(WebsocketDial *d) {
        if (!d)
                return NULL;
        stop(d);
        transport_free(d->transport);
        websocket_reader_done(&d->reader);
        proxy_unref(d->proxy);
        proxy_unref(d->wanted_proxy);
        free(d->url);
        secret_unref(d->secret);
        free(d);
        return NULL;
}
