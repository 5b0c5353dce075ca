/* SPDX-License-Identifier: MIT */

/* A stream, fed whole and in pieces of the length in the input's first byte, must give the same events and
 * the same end, and keep the same lines. */

#include <string.h>

#include "core/sse.h"

#define EVENT_MAX  48U
#define STRAY_MAX  40U
#define EVENTS_MAX (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_event(const char *data, size_t n, void *userdata) {
        Buf *events = userdata;

        (void) buf_printf(events, "%zu:", n);
        (void) buf_append(events, data, n);
        return events->error;
}

static int run(const char *p, size_t n, size_t piece, Buf *events) {
        int r = 0;
        Sse s;

        sse_init(&s, EVENT_MAX, STRAY_MAX);
        for (size_t at = 0, k; r >= 0 && at < n; at += k) {
                char *copy;

                /* Each piece in a separate allocation, freed before the next one. */
                k = MIN(piece, n - at);
                copy = malloc(k);
                if (!copy)
                        abort();
                memcpy(copy, p + at, k);
                r = sse_feed(&s, copy, k, on_event, events);
                free(copy);
        }
        if (r >= 0) {
                (void) buf_puts(events, "end:");
                r = sse_end(&s, on_event, events);
                (void) buf_append(events, s.stray.n > 0 ? buf_data(&s.stray) : "", s.stray.n);
        }
        if (s.stray.error < 0 || s.stray.n > STRAY_MAX)
                abort();
        sse_done(&s);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buf_ Buf whole = BUF_INIT(EVENTS_MAX), torn = BUF_INIT(EVENTS_MAX);
        int r;

        if (size < 2 || size > EVENTS_MAX / 8)
                return 0;
        r = run((const char *) data + 1, size - 1, size, &whole);
        if (run((const char *) data + 1, size - 1, 1U + data[0] % 16, &torn) != r)
                abort();
        if (whole.n != torn.n || (whole.n > 0 && memcmp(buf_data(&whole), buf_data(&torn), whole.n) != 0))
                abort();
        return 0;
}
