/* SPDX-License-Identifier: MIT */

/*
 * What a connection tells about a work becomes the callbacks of its call. While the call is paused, the work
 * holds what still arrives, and passes it on at the end of the turn in which the pause ends; an end that
 * came in the meantime waits behind it.
 *
 * Here it is decided whether a request is sent once more: if the server certainly did not process it, or if
 * it is a GET whose kept connection ended without an answer; and never if some of its body was read and is
 * gone. The next time it goes over a new connection.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "io/http-origin.h"

static PoolCall *call_of(HttpWork *w) {
        return CONTAINER_OF(w, PoolCall, work);
}

void http_work_sent(HttpWork *w) {
        PoolCall *c = call_of(w);

        if (c->sent > 0)
                return;
        c->sent = loop_now(c->origin->pool->loop);
        if (w->call.ops.sent)
                w->call.ops.sent(w->call.userdata);
}

/* --- the answer --- */

usec_t http_retry_after(const char *value, size_t n) {
        char text[64], *end;
        usec_t now, then;
        struct tm tm = {};
        uint64_t seconds;
        time_t t;

        while (n > 0 && strchr(TEXT_WHITESPACE, *value))
                value++, n--;
        while (n > 0 && strchr(TEXT_WHITESPACE, value[n - 1]))
                n--;
        if (n == 0 || n >= sizeof(text))
                return 0;
        memcpy(text, value, n);
        text[n] = 0;
        if (text_parse_u64(text, &seconds) >= 0)
                return seconds <= INT32_MAX ? seconds * USEC_PER_SEC : 0;
        end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        if (!end || *end)
                return 0;
        t = timegm(&tm);
        if (t < 0)
                return 0;
        now = clock_realtime();
        then = (usec_t) t * USEC_PER_SEC;
        return usec_sub(then, now);
}

int http_work_header(HttpWork *w, const char *line, size_t n) {
        static const char name[] = "retry-after:";
        PoolCall *c = call_of(w);

        if (n >= sizeof(name) && (line[0] | 0x20) == 'r' && strncasecmp(line, name, sizeof(name) - 1) == 0)
                c->retry_after = http_retry_after(line + sizeof(name) - 1, n - (sizeof(name) - 1));
        if (w->call.ops.header) {
                c->in_callback = true;
                w->call.ops.header(line, n, w->call.userdata);
                c->in_callback = false;
        }
        return 0;
}

int http_work_head(HttpWork *w, int status) {
        PoolCall *c = call_of(w);

        w->status = status;
        c->head = loop_now(c->origin->pool->loop);
        return 0;
}

static int pass_on(PoolCall *c, const char *p, size_t n) {
        const HttpCall *call = &c->work.call;
        int r;

        c->in_callback = true;
        r = call->ops.data(c->work.status, p, n, call->userdata);
        c->in_callback = false;
        return r;
}

int http_work_data(HttpWork *w, const char *p, size_t n) {
        PoolCall *c = call_of(w);

        if (n == 0)
                return 0;
        if (w->paused || c->held.n > 0)
                return buf_append(&c->held, p, n);
        return pass_on(c, p, n);
}

/* --- the request's body --- */

ssize_t http_work_read(HttpWork *w, char *p, size_t n) {
        PoolCall *c = call_of(w);
        ssize_t k;

        n = MIN(n, c->n_left);
        if (n == 0)
                return 0;
        c->in_callback = true;
        k = w->call.ops.read(p, n, w->call.userdata);
        c->in_callback = false;
        if (k == 0 && c->n_left != SIZE_MAX)
                return -EIO; /* a body shorter than announced is not one */
        if (k > 0) {
                c->was_read = true;
                if (c->n_left != SIZE_MAX)
                        c->n_left -= (size_t) k;
        }
        return k;
}

/* --- the end --- */

static bool may_send_again(const PoolCall *c, HttpWorkEnd end) {
        return (end == HTTP_WORK_UNSENT || (end == HTTP_WORK_STALE && streq(c->work.method, "GET"))) &&
               c->n_again < HTTP_POOL_AGAIN_MAX && !c->was_read;
}

void http_work_end(HttpWork *w, HttpWorkEnd end, const char *cause) {
        static const HttpOutcome outcomes[] = {
                [HTTP_WORK_COMPLETE] = HTTP_OUTCOME_COMPLETE, [HTTP_WORK_BROKEN] = HTTP_OUTCOME_BROKEN,
                [HTTP_WORK_ABORTED] = HTTP_OUTCOME_ABORTED,   [HTTP_WORK_UNSENT] = HTTP_OUTCOME_BROKEN,
                [HTTP_WORK_STALE] = HTTP_OUTCOME_BROKEN,
        };
        PoolCall *c = call_of(w);

        w->connection = NULL;
        c->conn = NULL;
        if (may_send_again(c, end)) {
                c->n_again += end == HTTP_WORK_STALE ? HTTP_POOL_AGAIN_MAX : 1;
                c->fresh = true;
                w->status = 0;
                http_origin_restart(c);
                return;
        }
        http_call_end(c, outcomes[end], cause);
}

static void end_later(PoolCall *c) {
        HttpPool *p = c->origin->pool;

        list_unlink(&c->queue);
        list_append(&p->ended, &c->queue);
        http_pool_wake(p);
}

void http_cause(char ret[static HTTP_CAUSE_MAX], const char *words, const Proxy *proxy,
                const Secret *secret) {
        if (strnull(words))
                words = "No reason is known";
        if (proxy)
                (void) snprintf(ret, HTTP_CAUSE_MAX, "proxy %s: behind it: %s", proxy_address(proxy), words);
        else
                text_copy(ret, HTTP_CAUSE_MAX, words);
        for (char *s = ret; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        *s = ' ';
        secret_scrub_users(ret);
        secret_scrub(ret, secret);
}

static char *make_cause(const PoolCall *c, const char *words) {
        char cause[HTTP_CAUSE_MAX];

        /* The cause of a dial has the proxy already. */
        http_cause(cause, words, c->outcome == HTTP_OUTCOME_BROKEN ? c->origin->proxy : NULL,
                   c->work.p.secret);
        return strdup(cause);
}

void http_call_end(PoolCall *c, HttpOutcome outcome, const char *cause) {
        assert(!c->conn && !c->has_ended);
        c->has_ended = true;
        c->outcome = outcome;
        if (outcome != HTTP_OUTCOME_COMPLETE)
                c->cause = make_cause(c, cause);
        if (c->held.n == 0)
                end_later(c);
}

/* --- pauses --- */

void http_call_resume(PoolCall *c) {
        int r = 0;

        list_unlink(&c->resumed);
        if (c->work.paused)
                return;
        if (c->held.n > 0) {
                Buf held = c->held;

                c->held = BUF_INIT(HTTP_POOL_HELD_MAX);
                r = pass_on(c, buf_data(&held), held.n);
                buf_done(&held);
        }
        if (r < 0) {
                http_origin_leave(c);
                c->outcome = HTTP_OUTCOME_ABORTED;
                free(c->cause);
                c->cause = NULL;
                if (!c->has_ended)
                        http_call_end(c, HTTP_OUTCOME_ABORTED, "The answer was refused");
                else
                        c->cause = make_cause(c, "The answer was refused");
        }
        if (c->has_ended)
                end_later(c);
        else if (c->conn && c->conn->http1)
                http1_continue(c->conn->http1);
        else if (c->conn)
                http2_continue(c->conn->http2, &c->work);
}
