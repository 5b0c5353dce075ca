/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "base/text.h"
#include "http-calls.h"
#include "io/descriptors.h"

const Way *calls_by;

static int on_data(int status, const char *p, size_t n, void *userdata) {
        Call *c = userdata;

        assert_int_equal(c->n_done, 0);
        assert_true(n > 0);
        c->n_data++;
        c->status = status;
        if (c->refuses)
                return -EIO;
        if (c->pauses)
                http_call_pause(c->http, true);
        return buf_append(&c->body, p, n);
}

static void on_header(const char *line, size_t n, void *userdata) {
        Call *c = userdata;

        assert_int_equal(c->n_data, 0);
        if (c->pauses_head)
                http_call_pause(c->http, true);
        (void) buf_append(&c->headers, line, n);
        (void) buf_putc(&c->headers, '|');
}

static void on_sent(void *userdata) {
        Call *c = userdata;

        c->n_sent++;
}

static ssize_t on_read(char *p, size_t n, void *userdata) {
        Call *c = userdata;

        if (c->n_read == c->n_ready && c->read_error != 0)
                return c->read_error;
        if (c->n_read == c->n_total)
                return 0;
        n = MIN(n, c->n_ready - c->n_read);
        if (n == 0)
                return -EAGAIN;
        for (size_t i = 0; i < n; i++)
                p[i] = (char) ('a' + (c->n_read + i) % 26);
        c->n_read += n;
        return (ssize_t) n;
}

static void on_done(HttpOutcome outcome, int status, const char *cause, void *userdata) {
        Call *c = userdata;

        c->n_done++;
        c->outcome = outcome;
        c->status = status;
        c->retry_after = http_call_retry_after(c->http);
        http_call_timings(c->http, &c->timings);
        text_copy(c->cause, sizeof(c->cause), cause);
        assert_int_equal(outcome == HTTP_OUTCOME_COMPLETE, cause[0] == 0);
        c->http = http_call_free(c->http);
        if (c->then)
                call_start(c->then, &(HttpCallParams){ .url = c->f->url, .connect_timeout = USEC_PER_SEC });
}

void call_start_ops(Call *c, const HttpCallParams *params, bool reads) {
        const HttpCallOps ops = { on_data, on_header, on_sent, reads ? on_read : NULL, on_done };
        HttpCallParams p = *params;

        p.url = p.url ?: c->f->url;
        p.proxy = p.proxy ?: c->f->proxy;
        p.connect_timeout = p.connect_timeout ?: 20 * USEC_PER_SEC;
        assert_int_equal(http_call_start(c->f->client, &p, &ops, c, &c->http), 0);
        assert_int_equal(c->n_done + c->n_data, 0);
}

void call_start(Call *c, const HttpCallParams *params) {
        call_start_ops(c, params, false);
}

void call_clear(Call *c) {
        Fixture *f = c->f;

        http_call_free(c->http);
        buf_done(&c->body);
        buf_done(&c->headers);
        *c = (Call){ .f = f, .body = BUF_INIT(HELD_MAX), .headers = BUF_INIT(HELD_MAX) };
}

void call_get(Call *c) {
        call_clear(c);
        call_start(c, &(HttpCallParams){});
}

void call_post(Call *c) {
        call_clear(c);
        call_start(c, &(HttpCallParams){ .body = "{}", .n_body = 2 });
}

void call_wait(Call *c) {
        peer_until(&c->f->peer, c->n_done > 0);
        assert_int_equal(c->n_done, 1);
}

void call_assert_ends(Call *c, HttpOutcome outcome, int status, const char *body) {
        call_wait(c);
        if (c->outcome != outcome || c->status != status)
                fail_msg("ended with %d, %d: %s", (int) c->outcome, c->status, c->cause);
        assert_string_equal(buf_cstr(&c->body), body);
}

void call_assert_cause(const Call *c, const char *words) {
        char want[HTTP_CAUSE_MAX];

        text_copy(want, sizeof(want), words);
        if (c->f->proxy)
                (void) snprintf(want, sizeof(want), "proxy %s: behind it: %s", proxy_address(c->f->proxy),
                                words);
        assert_string_equal(c->cause, want);
}

PeerConn *call_assert_works(Call *c) {
        PeerConn *peer;

        call_get(c);
        peer = peer_request(&c->f->peer);
        peer_forget(peer);
        peer_say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        call_assert_ends(c, HTTP_OUTCOME_COMPLETE, 200, "ok");
        return peer;
}

int calls_setup(void **state) {
        Fixture *f = calloc(1, sizeof(Fixture));

        assert_non_null(f);
        assert_int_equal(loop_new(&f->loop), 0);
        assert_int_equal(http_client_new(f->loop, &f->client), 0);
        assert_int_equal(secret_new(CALLS_KEY, strlen(CALLS_KEY), &f->key), 0);
        peer_open(&f->peer, f->loop);
        (void) snprintf(f->host, sizeof(f->host), "%s:%u", calls_by->host, f->peer.port);
        (void) snprintf(f->url, sizeof(f->url), "http://%s/v1/x?y=z", f->host);
        if (calls_by->proxy) {
                char url[128];

                f->peer.proxy_answer = "HTTP/1.1 200 Connection established\r\nX-Proxy: mine\r\n\r\n";
                (void) snprintf(url, sizeof(url), "%s127.0.0.1:%u", calls_by->proxy, f->peer.port);
                assert_int_equal(proxy_new(url, strlen(url), &f->proxy), 0);
        }
        for (size_t i = 0; i < ELEMENTSOF(f->calls); i++) {
                f->calls[i].f = f;
                call_clear(&f->calls[i]);
        }
        *state = f;
        return 0;
}

int calls_teardown(void **state) {
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(f->calls); i++)
                call_clear(&f->calls[i]);
        http_client_free(f->client);
        assert_int_equal(descriptors_used(loop_descriptors(f->loop), DESCRIPTOR_UPSTREAM), 0);
        peer_close(&f->peer);
        secret_unref(f->key);
        proxy_unref(f->proxy);
        loop_free(f->loop);
        free(f);
        return 0;
}

