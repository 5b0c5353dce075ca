/* SPDX-License-Identifier: MIT */
#include <openssl/evp.h>

#include "base/text.h"
#include "sim-incoming.h"

Hash *hash_new(void) {
        Hash *h = EVP_MD_CTX_new();

        if (!h || EVP_DigestInit_ex(h, EVP_sha256(), NULL) != 1)
                abort();
        return h;
}

Hash *hash_free(Hash *h) {
        EVP_MD_CTX_free(h);
        return NULL;
}

void hash_add(Hash *h, const char *p, size_t n) {
        if (n > 0 && EVP_DigestUpdate(h, p, n) != 1)
                abort();
}

void hash_text(const Hash *h, Buf *ret) {
        unsigned char bytes[EVP_MAX_MD_SIZE], encoded[4 * EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        EVP_MD_CTX *copy = EVP_MD_CTX_new();
        unsigned n;

        if (!copy || EVP_MD_CTX_copy_ex(copy, h) != 1 || EVP_DigestFinal_ex(copy, bytes, &n) != 1)
                abort();
        EVP_MD_CTX_free(copy);
        text_hex(bytes, n, hex);
        (void) EVP_EncodeBlock(encoded, (unsigned char *) hex, (int) (2 * n));
        (void) buf_puts(ret, (char *) encoded);
}

SimIncoming *incoming_new(void) {
        SimIncoming *in = calloc(1, sizeof(*in));

        if (!in)
                abort();
        in->hash = hash_new();
        in->head = BUF_INIT(INCOMING_HEAD_MAX);
        return in;
}

SimIncoming *incoming_free(SimIncoming *in) {
        if (!in)
                return NULL;
        hash_free(in->hash);
        buf_done(&in->head);
        free(in);
        return NULL;
}

void incoming_add(SimIncoming *in, const char *p, size_t n) {
        (void) buf_append(&in->head, p, MIN(n, INCOMING_HEAD_MAX - in->head.n));
        hash_add(in->hash, p, n);
        in->n += n;
}

void content_write(uint64_t at, size_t n, Buf *ret) {
        char *p = buf_room(ret, n);

        if (!p)
                return;
        for (size_t i = 0; i < n; i++, at++)
                p[i] = (char) (at / INCOMING_BLOCK >> 8 * (at % 8));
        ret->n += n;
}
