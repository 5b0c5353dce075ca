/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <string.h>

#include "base/hash.h"

typedef struct Sip {
        uint64_t a, b, c, d;
} Sip;

static uint64_t turn_left(uint64_t x, unsigned n) {
        return x << n | x >> (64 - n);
}

static void rounds(Sip *s, unsigned n) {
        while (n-- > 0) {
                s->a += s->b;
                s->b = turn_left(s->b, 13) ^ s->a;
                s->a = turn_left(s->a, 32);
                s->c += s->d;
                s->d = turn_left(s->d, 16) ^ s->c;
                s->a += s->d;
                s->d = turn_left(s->d, 21) ^ s->a;
                s->c += s->b;
                s->b = turn_left(s->b, 17) ^ s->c;
                s->c = turn_left(s->c, 32);
        }
}

/* Little-endian on every machine: the hash of a text is the same everywhere. */
static uint64_t read_word(const uint8_t *p) {
        uint64_t w;

        memcpy(&w, p, sizeof(w));
        return le64toh(w);
}

static uint64_t read_rest(const uint8_t *p, size_t n) {
        uint64_t w = 0;

        for (size_t i = 0; i < n; i++)
                w |= (uint64_t) p[i] << (8 * i);
        return w;
}

uint64_t hash_keyed(const uint8_t key[static HASH_KEY_SIZE], const void *p, size_t n) {
        uint64_t k0 = read_word(key), k1 = read_word(key + 8), w;
        Sip s = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                  k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
        const uint8_t *at = p;
        size_t left = n;

        for (; left >= 8; left -= 8, at += 8) {
                w = read_word(at);
                s.d ^= w;
                rounds(&s, 2);
                s.a ^= w;
        }
        w = (uint64_t) n << 56 | read_rest(at, left);
        s.d ^= w;
        rounds(&s, 2);
        s.a ^= w;
        s.c ^= 0xff;
        rounds(&s, 4);
        return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t hash_stable(const void *p, size_t n) {
        static const uint8_t key[HASH_KEY_SIZE] = "gemgate";

        return hash_keyed(key, p, n) ?: 1;
}
