/* SPDX-License-Identifier: MIT */

/* The bytes of a connection, fed whole and in pieces of the length in the input's first byte, must have the
 * same heads, bodies and faults. The second byte chooses the bodies: in chunks, of a length, or none. */

#include <string.h>

#include "base/buf.h"
#include "io/http-framing.h"

#define INPUT_MAX (1U << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static HttpFraming run(const char *p, size_t n, size_t piece, uint8_t kind, Buf *ends) {
        HttpFraming f;

        http_framing_init(&f);
        for (size_t at = 0, k, used; !f.fault && at < n; at += used) {
                char *copy;

                /* Each piece in a separate allocation, freed before the next one. */
                k = MIN(piece, n - at);
                copy = malloc(k);
                if (!copy)
                        abort();
                memcpy(copy, p + at, k);
                used = http_framing_feed(&f, copy, k);
                free(copy);
                if (used > k || (used < k && !f.fault && f.state != HTTP_FRAMING_HEAD_END))
                        abort();
                if (f.state == HTTP_FRAMING_HEAD_END && !f.fault) {
                        (void) buf_printf(ends, "%zu:%zu ", at + used, f.n_head);
                        if (f.n_head > at + used || f.n_head < strlen("A B C\r\n\r\n") - 3)
                                abort();
                        http_framing_body(&f, kind & 1, kind >> 1);
                }
        }
        return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buf_ Buf whole = BUF_INIT(1 << 20), torn = BUF_INIT(1 << 20);
        const char *p = (const char *) data + 2;
        HttpFraming a, b;

        if (size < 3 || size > INPUT_MAX)
                return 0;
        a = run(p, size - 2, size, data[1], &whole);
        b = run(p, size - 2, 1U + data[0] % 16, data[1], &torn);
        if (a.fault != b.fault || a.state != b.state || a.left != b.left)
                abort();
        if (whole.n != torn.n || (whole.n > 0 && memcmp(buf_data(&whole), buf_data(&torn), whole.n) != 0))
                abort();
        return 0;
}
