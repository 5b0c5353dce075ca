/* SPDX-License-Identifier: MIT */
#include <nghttp2/nghttp2.h>
#include <string.h>

#include "base/limits-http2.h"
#include "io/http2-meter.h"

void http2_meter_init(Http2Meter *m, usec_t now) {
        *m = (Http2Meter){ .tokens = HTTP2_FRAMES_BURST, .filled_at = now };
}

void http2_meter_give(Http2Meter *m, int tokens) {
        m->tokens = MIN(m->tokens + tokens, HTTP2_FRAMES_BURST);
}

static void fill(Http2Meter *m, usec_t now) {
        usec_t passed = now > m->filled_at ? now - m->filled_at : 0;

        if (passed < USEC_PER_SEC / HTTP2_FRAMES_RATE)
                return;
        passed = MIN(passed, HTTP2_FRAMES_BURST * USEC_PER_SEC);
        http2_meter_give(m, (int) (passed * HTTP2_FRAMES_RATE / USEC_PER_SEC));
        m->filled_at = now;
}

static const char *on_frame(Http2Meter *m) {
        const unsigned char *h = m->head;
        unsigned type = h[3];

        m->n_left = (size_t) h[0] << 16 | (size_t) h[1] << 8 | h[2];
        if (--m->tokens < 0)
                return "The server floods the connection with frames that carry no answer";
        switch (type) {
        case NGHTTP2_PUSH_PROMISE: /* the very first frame from here forbids it */
                return "The server pushes, although it must not";
        case NGHTTP2_HEADERS:
                m->n_block = m->n_left;
                break;
        case NGHTTP2_CONTINUATION:
                m->n_block += m->n_left;
                break;
        default:
                return NULL;
        }
        return m->n_block > HTTP2_HEAD_MAX ? "The head of an answer is too large" : NULL;
}

const char *http2_meter_read(Http2Meter *m, const char *p, size_t n, usec_t now) {
        const char *why;

        fill(m, now);
        while (n > 0) {
                size_t k = m->n_left > 0 ? MIN(n, m->n_left) : MIN(n, sizeof(m->head) - m->n_head);

                if (m->n_left > 0)
                        m->n_left -= k;
                else {
                        memcpy(m->head + m->n_head, p, k);
                        m->n_head += (unsigned) k;
                        if (m->n_head == sizeof(m->head)) {
                                m->n_head = 0;
                                why = on_frame(m);
                                if (why)
                                        return why;
                        }
                }
                p += k;
                n -= k;
        }
        return NULL;
}
