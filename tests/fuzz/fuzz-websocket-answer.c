/* SPDX-License-Identifier: MIT */

/* Answers to a WebSocket's request, fed whole and in pieces, must have the same end, body and rest. The
 * first byte is the length of the pieces. */

#include <stdlib.h>
#include <string.h>

#include "base/limits-websocket.h"
#include "io/websocket-answer.h"

#define INPUT_MAX (1U << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
        if (!holds)
                abort();
}

static WebsocketAnswerStep run(WebsocketReader *r, const uint8_t *p, size_t n, size_t piece) {
        WebsocketAnswerStep step = WEBSOCKET_ANSWER_MORE;
        size_t at = 0;

        must(websocket_reader_init(r, "dGhlIHNhbXBsZSBub25jZQ==") == 0);
        while (step == WEBSOCKET_ANSWER_MORE && at < n) {
                size_t k = MIN(piece, n - at);
                char *copy = malloc(k); /* freed before the next one */

                must(copy);
                memcpy(copy, p + at, k);
                step = websocket_reader_feed(r, copy, k);
                free(copy);
                at += k;
        }
        if (step == WEBSOCKET_ANSWER_MORE)
                step = websocket_reader_close(r);
        else if (step == WEBSOCKET_ANSWER_OPEN) /* what is not given yet follows, too */
                must(buf_append(&r->body, p + at, MIN(n - at, (size_t) WEBSOCKET_ANSWER_MAX)) == 0);
        return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        WebsocketReader a, b;
        WebsocketAnswerStep s, t;

        if (size < 2 || size > INPUT_MAX)
                return 0;
        s = run(&a, data + 1, size - 1, WEBSOCKET_READ_MAX);
        t = run(&b, data + 1, size - 1, 1U + data[0] % 64);
        must(s == t && s != WEBSOCKET_ANSWER_MORE);
        must((s == WEBSOCKET_ANSWER_FAULT) == !!a.fault && a.fault == b.fault);
        must(a.answer.status == b.answer.status && a.retry_after == b.retry_after);
        if (s == WEBSOCKET_ANSWER_OTHER) {
                must(a.answer.status >= 200 && a.body.n == b.body.n && a.body.n <= WEBSOCKET_ANSWER_MAX);
                must(a.body.n == 0 || memcmp(buf_data(&a.body), buf_data(&b.body), a.body.n) == 0);
        } else if (s == WEBSOCKET_ANSWER_OPEN) {
                must(a.answer.status == 101);
                must(a.in.n + a.body.n == b.in.n + b.body.n || size > WEBSOCKET_ANSWER_MAX);
        }
        websocket_reader_done(&a);
        websocket_reader_done(&b);
        return 0;
}
