/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <systemd/sd-event.h>

#include "base/text.h"
#include "http-doubles.h"
#include "io/http-lack.h"
#include "io/http-origin.h"

Dial *dials[MANY];
Http1 *ones[MANY];
Http2 *twos[MANY];
size_t n_dials, n_ones, n_twos; /* made so far; those that are freed are NULL */
size_t n_alive;
unsigned n_configured;
size_t streams_max;
bool streams_new;
int socket_of_all = -1;
usec_t idle_time = HTTP_POOL_IDLE_TIME, ask_time = HTTP_POOL_ASK_TIME, lack_time = HTTP_POOL_LACK_TIME;

void doubles_clear(void) {
        n_dials = n_ones = n_twos = n_alive = n_configured = 0;
        streams_max = 100;
        streams_new = false;
}

/* --- the doubles --- */

static Descriptors *descriptors;

int __real_timeout_queue_new(Loop *l, usec_t duration, TimeoutFn fn, TimeoutQueue **ret);
int __wrap_timeout_queue_new(Loop *l, usec_t duration, TimeoutFn fn, TimeoutQueue **ret);

int __wrap_timeout_queue_new(Loop *l, usec_t duration, TimeoutFn fn, TimeoutQueue **ret) {
        if (fn == http_conn_on_asked) {
                assert_int_equal(duration, HTTP_POOL_ASK_TIME);
                return __real_timeout_queue_new(l, ask_time, fn, ret);
        }
        if (fn == http_lack_on_look) {
                assert_int_equal(duration, HTTP_POOL_LACK_TIME);
                return __real_timeout_queue_new(l, lack_time, fn, ret);
        }
        assert_int_equal(duration, HTTP_POOL_IDLE_TIME);
        return __real_timeout_queue_new(l, idle_time, fn, ret);
}

int dialer_new(Loop *loop, const DialerParams *p _unused_, Dialer **ret) {
        descriptors = loop_descriptors(loop);
        *ret = NULL;
        return 0;
}

Dialer *dialer_free(Dialer *d _unused_) {
        return NULL;
}

int dialer_configure(Dialer *d _unused_, const DialerParams *p _unused_) {
        n_configured++;
        return 0;
}

int dial_start(Dialer *dialer _unused_, const DialParams *p, DialFn f, void *userdata, Dial **ret) {
        Dial *d = calloc(1, sizeof(Dial));

        assert_non_null(d);
        *d = (Dial){ .p = *p, .f = f, .userdata = userdata };
        text_copy(d->host, sizeof(d->host), p->host);
        descriptors_take(descriptors, DESCRIPTOR_UPSTREAM);
        assert_true(n_dials < MANY);
        dials[n_dials++] = *ret = d;
        return 0;
}

static void forget(void **all, size_t n, const void *one) {
        for (size_t i = 0; i < n; i++)
                if (all[i] == one)
                        all[i] = NULL;
}

Dial *dial_free(Dial *d) {
        descriptors_give(descriptors, DESCRIPTOR_UPSTREAM);
        forget((void **) dials, n_dials, d);
        free(d);
        return NULL;
}

Transport *transport_free(Transport *t) {
        free(t);
        return NULL;
}

int transport_fd(const Transport *t _unused_) {
        return socket_of_all;
}

bool transport_is_http2(const Transport *t) {
        return t->is_http2;
}

int http1_new(Loop *loop _unused_, Transport *t, const Http1Ops *ops, void *userdata, Http1 **ret) {
        Http1 *c = calloc(1, sizeof(Http1));

        assert_non_null(c);
        *c = (Http1){ .ops = ops, .userdata = userdata };
        free(t);
        assert_true(n_ones < MANY);
        ones[n_ones++] = *ret = c;
        n_alive++;
        descriptors_take(descriptors, DESCRIPTOR_UPSTREAM);
        return 0;
}

Http1 *http1_free(Http1 *c) {
        if (!c)
                return NULL;
        n_alive--;
        descriptors_give(descriptors, DESCRIPTOR_UPSTREAM);
        forget((void **) ones, n_ones, c);
        free(c);
        return NULL;
}

void http1_start(Http1 *c, HttpWork *w) {
        assert_null(c->work);
        c->work = w;
        w->connection = c;
        c->n_started++;
        http_work_sent(w);
}

void http1_cancel(Http1 *c) {
        c->work = NULL;
}

void http1_continue(Http1 *c) {
        assert_non_null(c->work);
        c->n_continued++;
}

int http2_new(Loop *loop, Transport *t, const Http2Ops *ops, void *userdata, Http2 **ret) {
        Http2 *c = calloc(1, sizeof(Http2));

        assert_non_null(c);
        *c = (Http2){
                .ops = ops,
                .userdata = userdata,
                .max = streams_max,
                .is_new = streams_new,
                .read_at = loop_now(loop),
        };
        free(t);
        assert_true(n_twos < MANY);
        twos[n_twos++] = *ret = c;
        n_alive++;
        descriptors_take(descriptors, DESCRIPTOR_UPSTREAM);
        return 0;
}

Http2 *http2_free(Http2 *c) {
        if (!c)
                return NULL;
        assert_int_equal(c->n, 0);
        n_alive--;
        descriptors_give(descriptors, DESCRIPTOR_UPSTREAM);
        forget((void **) twos, n_twos, c);
        free(c);
        return NULL;
}

size_t http2_room(const Http2 *c) {
        return c->drains || c->asked ? 0 : c->max - c->n;
}

bool http2_is_new(const Http2 *c) {
        return c->is_new;
}

size_t http2_n_works(const Http2 *c) {
        return c->n;
}

usec_t http2_read_at(const Http2 *c) {
        return c->read_at;
}

void http2_ask(Http2 *c) {
        assert_false(c->asked);
        c->asked = true;
}

int http2_start(Http2 *c, HttpWork *w) {
        if (c->refusal < 0)
                return c->refusal;
        if (http2_room(c) == 0)
                return -EAGAIN;
        c->works[c->n++] = w;
        w->connection = c;
        http_work_sent(w);
        return 0;
}

static void http2_forget(Http2 *c, const HttpWork *w) {
        for (size_t i = 0; i < c->n; i++)
                if (c->works[i] == w) {
                        c->works[i] = c->works[--c->n];
                        return;
                }
        fail_msg("it does not carry this work");
}

void http2_cancel(Http2 *c, HttpWork *w) {
        c->n_cancelled++;
        http2_forget(c, w);
        w->connection = NULL;
}

void http2_continue(Http2 *c, HttpWork *w _unused_) {
        c->n_continued++;
}

void http2_drain(Http2 *c) {
        c->drains = true;
        if (c->n == 0)
                c->ops->closed(c, c->userdata);
}

/* --- what becomes of them --- */

void settle(Loop *l) {
        while (sd_event_run(loop_event(l), 0) > 0)
                ;
}

void dialled(Loop *l, size_t i, bool is_http2) {
        Transport *t = calloc(1, sizeof(Transport));

        assert_non_null(t);
        t->is_http2 = is_http2;
        assert_non_null(dials[i]);
        dials[i]->f(t, &(DialTimes){ 1, 2, 3 }, NULL, dials[i]->userdata);
        assert_null(dials[i]);
        settle(l);
}

void undialled(Loop *l, size_t i) {
        assert_non_null(dials[i]);
        dials[i]->f(NULL, &(DialTimes){}, "Connection refused", dials[i]->userdata);
        assert_null(dials[i]);
        settle(l);
}

void answer(HttpWork *w) {
        assert_int_equal(http_work_head(w, 200), 0);
        assert_int_equal(http_work_data(w, "ok", 2), 0);
}

/* The connection's work ends, and the connection is idle or closed. */
void ends(Loop *l, size_t i, HttpWorkEnd end, bool is_idle) {
        Http1 *c = ones[i];
        HttpWork *w = c->work;

        assert_non_null(w);
        c->work = NULL;
        if (end == HTTP_WORK_COMPLETE)
                answer(w);
        http_work_end(w, end, end == HTTP_WORK_COMPLETE ? NULL : "It broke");
        if (is_idle)
                c->ops->idle(c, c->userdata);
        else
                c->ops->closed(c, c->userdata);
        settle(l);
}

void ends_stream(Loop *l, size_t i, HttpWorkEnd end) {
        Http2 *c = twos[i];
        HttpWork *w = c->works[0];

        http2_forget(c, w);
        if (end == HTTP_WORK_COMPLETE)
                answer(w);
        http_work_end(w, end, end == HTTP_WORK_COMPLETE ? NULL : "It broke");
        settle(l);
}
