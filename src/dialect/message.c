/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "dialect/message.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* Bytes of the character at s; 0 if there is no well-formed one. */
static size_t character_length(const char *s, size_t n) {
        unsigned char c = (unsigned char) *s;
        size_t k = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

        return k <= n && text_is_utf8(s, k) ? k : 0;
}

/* What a terminal or a log would interpret as a command or a new line: C0, DEL, C1, and Unicode's line
 * separators. */
static bool is_control(const char *s, size_t k) {
        const unsigned char *p = (const unsigned char *) s;

        if (k == 1)
                return p[0] <= 0x20 || p[0] == 0x7F;
        if (k == 2)
                return p[0] == 0xC2 && p[1] < 0xA0;
        return k == 3 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9);
}

int message_clean(const char *s, size_t n, const Secret *known, Buf *out) {
        size_t start = out->n;
        bool blank = true; /* drops leading blanks, and joins runs of them */
        char *clean;

        for (size_t i = 0, k; i < n; i += MAX(k, (size_t) 1)) {
                k = character_length(s + i, n - i);
                if (k > 0 && is_control(s + i, k)) {
                        if (!blank)
                                (void) buf_putc(out, ' ');
                        blank = true;
                        continue;
                }
                (void) buf_append(out, k > 0 ? s + i : REPLACEMENT, k > 0 ? k : strlen(REPLACEMENT));
                blank = false;
        }
        if (blank && out->n > start)
                out->n--;

        /* Scrubbed last: a key is found only if it is whole, so nothing may cut the text before. */
        clean = buf_cstr(out);
        if (!clean)
                return out->error;
        secret_scrub(clean + start, known);
        return 0;
}
