/* SPDX-License-Identifier: MIT */

/* Bytes that a peer sends, fed whole and in pieces, must give the same messages, the same answers and the
 * same end. The first byte is the length of the pieces; the lowest bit of the second: we are the client. */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits-websocket.h"
#include "base/text.h"
#include "io/websocket-internal.h"

#define INPUT_MAX (1U << 16)
#define MESSAGE_MAX 1000U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
        if (!holds)
                abort();
}

static Websocket *begin(Loop *loop, bool is_client) {
        Transport *t;
        Websocket *w;
        int fds[2];

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
        (void) safe_close(fds[1]);
        must(transport_new(fds[0], NULL, &t) == 0);
        must(websocket_new(loop, t, is_client, "", 0, &w) == 0);
        websocket_set_max(w, MESSAGE_MAX);
        return w;
}

/* What is queued is written at once, as to a peer that reads. */
static void feed(Websocket *w, const uint8_t *p, size_t n, Buf *answers) {
        /* In a separate allocation, freed before the next one. */
        char *copy = malloc(n);

        must(copy);
        memcpy(copy, p, n);
        websocket_feed(w, copy, n);
        free(copy);
        do {
                buf_clear(&w->out);
                websocket_fill(w);
                must(buf_append(answers, buf_data(&w->out), w->out.n) == 0);
        } while (w->out.n > 0);
}

static Websocket *run(Loop *loop, const uint8_t *p, size_t n, size_t piece, bool is_client, Buf *answers) {
        Websocket *w = begin(loop, is_client);

        for (size_t at = 0; at < n; at += piece)
                feed(w, p + at, MIN(piece, n - at), answers);
        return w;
}

static void check_messages(const Websocket *w, size_t n_input) {
        const char *p = buf_data(&w->ready), *end = p + w->ready.n - w->n_open;

        must(w->ready.error == 0 && w->ready.n <= n_input * sizeof(MessageHead));
        while (p < end) {
                MessageHead head;

                must((size_t) (end - p) >= sizeof(head));
                memcpy(&head, p, sizeof(head));
                p += sizeof(head);
                must(head.n <= MESSAGE_MAX && head.n <= (size_t) (end - p));
                must(head.kind == WEBSOCKET_BINARY ||
                     (head.kind == WEBSOCKET_TEXT && text_is_utf8(p, head.n)));
                p += head.n;
        }
        if (w->origin == WEBSOCKET_BY_PEER)
                must(text_is_utf8(w->reason, w->n_reason) && strlen(w->reason) == w->n_reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buf_ Buf whole = BUF_INIT(1 << 24), torn = BUF_INIT(1 << 24);
        static Loop *loop;
        bool is_client;
        Websocket *a, *b;

        if (size < 3 || size > INPUT_MAX)
                return 0;
        if (!loop)
                must(loop_new(&loop) == 0);
        is_client = data[1] & 1;
        a = run(loop, data + 2, size - 2, WEBSOCKET_READ_MAX, is_client, &whole);
        b = run(loop, data + 2, size - 2, 1U + data[0] % 64, is_client, &torn);
        check_messages(a, size);
        must(a->origin == b->origin && a->code == b->code && a->n_reason == b->n_reason);
        must(memcmp(a->reason, b->reason, a->n_reason) == 0);
        must(a->ready.n - a->n_open == b->ready.n - b->n_open);
        must(a->ready.n == a->n_open ||
             memcmp(buf_data(&a->ready), buf_data(&b->ready), a->ready.n - a->n_open) == 0);
        must(wslay_event_get_status_code_sent(a->frames) == wslay_event_get_status_code_sent(b->frames));
        must(whole.n == torn.n);
        /* A client's masks are random. */
        must(is_client || whole.n == 0 || memcmp(buf_data(&whole), buf_data(&torn), whole.n) == 0);
        websocket_free(a);
        websocket_free(b);
        return 0;
}
