/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(const uint8_t *p, size_t n, char ret[static 4]) {
        uint32_t bits = (uint32_t) p[0] << 16 | (n > 1 ? (uint32_t) p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

        ret[0] = alphabet[bits >> 18];
        ret[1] = alphabet[bits >> 12 & 63];
        ret[2] = n > 1 ? alphabet[bits >> 6 & 63] : '=';
        ret[3] = n > 2 ? alphabet[bits & 63] : '=';
}

int base64_append(Buf *out, const uint8_t *p, size_t n) {
        char letters[4 * 64];
        size_t k = 0;

        for (size_t i = 0; i < n; i += 3) {
                encode_group(p + i, n - i, letters + k);
                k += 4;
                if (k == sizeof(letters)) {
                        (void) buf_append(out, letters, k);
                        k = 0;
                }
        }
        return buf_append(out, letters, k);
}

int base64_value(int letter) {
        const char *p = letter != 0 ? strchr(alphabet, letter) : NULL;

        return p ? (int) (p - alphabet) : -1;
}
