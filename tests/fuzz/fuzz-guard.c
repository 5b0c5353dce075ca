/* SPDX-License-Identifier: MIT */

/* Any bytes as a text: guarded they have nothing of what the CLI looks for, and come back as they were. And
 * the same bytes as what the listener gets: if they are the runner's, they become shorter. */

#include <string.h>

#include "base/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static void check_inert(const char *s, size_t n) {
        check(n >= 2 * GUARD_N && memcmp(s, GUARD, GUARD_N) == 0);
        check(memcmp(s + n - GUARD_N, GUARD, GUARD_N) == 0);
        for (size_t i = 0; i < n; i++)
                if (s[i] == '@' || s[i] == '$')
                        check(n - i > GUARD_N && memcmp(s + i + 1, GUARD, GUARD_N) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_buf_ Buf guarded = BUF_INIT(GUARD_SIZE(size) + 1), plain = BUF_INIT(size),
                          other = BUF_INIT(size);
        const char *s = (const char *) data;
        int r;

        (void) buf_putc(&guarded, '\n');
        check(guard_append(&guarded, s, size) == 0);
        check_inert(buf_data(&guarded) + 1, guarded.n - 1);
        check(guard_remove(&plain, buf_data(&guarded), guarded.n) == 1);
        check(plain.n == size && (size == 0 || memcmp(buf_data(&plain), s, size) == 0));

        r = guard_remove(&other, s, size);
        check(r == 0 || r == 1);
        check(r == 1 ? other.n + 2 * GUARD_N <= size : other.n == 0);
        return 0;
}
