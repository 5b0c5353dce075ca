/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#define CHUNK 3072U

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(const uint8_t p[static 3], char ret[static 4]) {
        uint32_t bits = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];

        ret[0] = alphabet[bits >> 18];
        ret[1] = alphabet[bits >> 12 & 63];
        ret[2] = alphabet[bits >> 6 & 63];
        ret[3] = alphabet[bits & 63];
}

int base64_append(Buf *out, const uint8_t *p, size_t n) {
        size_t rest = n % 3;
        char *letters;
        int r;

        if (n == 0)
                return out->error;
        r = buf_reserve(out, (n + 2) / 3 * 4);
        if (r < 0)
                return r;
        letters = buf_data(out) + out->n;
        out->n += (n + 2) / 3 * 4;
        for (const uint8_t *end = p + n - rest; p < end; p += 3, letters += 4)
                encode_group(p, letters);
        if (rest > 0) {
                encode_group((const uint8_t[3]){ p[0], rest > 1 ? p[1] : 0 }, letters);
                memset(letters + 1 + rest, '=', 3 - rest);
        }
        return 0;
}

/* --- reading --- */

/* Each letter's value and 64, 0 for all other characters. */
static const uint8_t values[256] = {
#define ROW4(c, v) [(c)] = 64 + (v), [(c) + 1] = 65 + (v), [(c) + 2] = 66 + (v), [(c) + 3] = 67 + (v)
#define ROW24(c, v)                                                                                         \
        ROW4(c, v), ROW4((c) + 4, (v) + 4), ROW4((c) + 8, (v) + 8), ROW4((c) + 12, (v) + 12),               \
                ROW4((c) + 16, (v) + 16), ROW4((c) + 20, (v) + 20)
        ROW24('A', 0),   ['Y'] = 64 + 24, ['Z'] = 64 + 25, ROW24('a', 26),  ['y'] = 64 + 50,
        ['z'] = 64 + 51, ROW4('0', 52),   ROW4('4', 56),   ['8'] = 64 + 60, ['9'] = 64 + 61,
        ['+'] = 64 + 62, ['-'] = 64 + 62, ['/'] = 64 + 63, ['_'] = 64 + 63,
};

int base64_value(int letter) {
        unsigned v = values[(unsigned char) letter];

        return v == 0 || letter == '-' || letter == '_' ? -1 : (int) (v & 63);
}

/* Groups of four letters, which are nearly all there is. */
static size_t read_groups(const char *s, size_t n, uint8_t *bytes, size_t max, size_t *ret_n) {
        size_t i = 0, k = 0;

        for (; i + 4 <= n && k + 3 <= max; i += 4) {
                unsigned a = values[(unsigned char) s[i]], b = values[(unsigned char) s[i + 1]];
                unsigned c = values[(unsigned char) s[i + 2]], d = values[(unsigned char) s[i + 3]];
                uint32_t bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);

                if (!(a & b & c & d & 64))
                        break;
                bytes[k++] = (uint8_t) (bits >> 16);
                bytes[k++] = (uint8_t) (bits >> 8);
                bytes[k++] = (uint8_t) bits;
        }
        *ret_n = k;
        return i;
}

int base64_read(Base64Reader *r, const char *s, size_t n, Buf *out) {
        uint8_t bytes[CHUNK];
        size_t k = 0, read;
        unsigned v;

        for (size_t i = 0; i < n; i++) {
                if (r->n == 0) {
                        i += read_groups(s + i, n - i, bytes + k, sizeof(bytes) - k, &read);
                        k += read;
                        if (k == sizeof(bytes)) {
                                (void) buf_append(out, bytes, k);
                                k = 0;
                        }
                        if (i == n)
                                break;
                }
                v = values[(unsigned char) s[i]];
                if (v == 0)
                        continue;
                r->bits = r->bits << 6 | (v & 63);
                r->n += 6;
                if (r->n < 8)
                        continue;
                r->n -= 8;
                bytes[k++] = (uint8_t) (r->bits >> r->n);
                if (k == sizeof(bytes)) {
                        (void) buf_append(out, bytes, k);
                        k = 0;
                }
        }
        return buf_append(out, bytes, k);
}
