/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "sim-base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(const void *p, size_t n, Buf *out) {
        const unsigned char *s = p;

        for (size_t i = 0; i < n; i += 3) {
                size_t left = n - i;
                uint32_t v = (uint32_t) s[i] << 16 | (left > 1 ? (uint32_t) s[i + 1] << 8 : 0) |
                             (left > 2 ? s[i + 2] : 0U);

                (void) buf_putc(out, digits[v >> 18]);
                (void) buf_putc(out, digits[v >> 12 & 63]);
                (void) buf_putc(out, left > 1 ? digits[v >> 6 & 63] : '=');
                (void) buf_putc(out, left > 2 ? digits[v & 63] : '=');
        }
}

bool base64_valid(const char *s, size_t n) {
        size_t padding = 0;

        while (padding < 2 && n > padding && s[n - padding - 1] == '=')
                padding++;
        if (padding > 0 && n % 4 != 0)
                return false;
        n -= padding;
        for (size_t i = 0; i < n; i++)
                if (!isalnum((unsigned char) s[i]) && s[i] != '+' && s[i] != '/' && s[i] != '-' &&
                    s[i] != '_')
                        return false;
        return n % 4 != 1;
}
