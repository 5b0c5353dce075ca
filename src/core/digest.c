/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "base/text.h"
#include "core/digest.h"

int digest_secret(const Secret *s, char ret[static DIGEST_TEXT_SIZE]) {
        unsigned char md[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (!EVP_Digest(secret_reveal(s), secret_length(s), md, &n, EVP_sha256(), NULL))
                return -ENOMEM;
        assert(n * 2 + 1 == DIGEST_TEXT_SIZE);
        text_hex(md, n, ret);
        return 0;
}

int digest_bytes(const void *p, size_t n, uint8_t ret[static DIGEST_KEYED_SIZE]) {
        unsigned char md[EVP_MAX_MD_SIZE];

        if (!EVP_Digest(p, n, md, NULL, EVP_sha256(), NULL))
                return -ENOMEM;
        memcpy(ret, md, DIGEST_KEYED_SIZE);
        return 0;
}

int digest_secret_bytes(const Secret *s, uint8_t ret[static DIGEST_KEYED_SIZE]) {
        return digest_bytes(secret_reveal(s), secret_length(s), ret);
}

struct Digester {
        EVP_MAC *mac;
        EVP_MAC_CTX *context; /* reinitialised for each secret: that is most of a digest's cost */
};

int digester_new(const uint8_t key[static DIGEST_KEY_SIZE], Digester **ret) {
        char sha256[] = "SHA256";
        const OSSL_PARAM params[] = {
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
                OSSL_PARAM_construct_end(),
        };
        _cleanup_(digester_freep) Digester *d = NULL;

        d = calloc(1, sizeof(Digester));
        if (!d)
                return -ENOMEM;
        d->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        if (!d->mac)
                return -ENOMEM;
        d->context = EVP_MAC_CTX_new(d->mac);
        if (!d->context || !EVP_MAC_init(d->context, key, DIGEST_KEY_SIZE, params))
                return -ENOMEM;
        *ret = TAKE_PTR(d);
        return 0;
}

Digester *digester_free(Digester *d) {
        if (!d)
                return NULL;
        EVP_MAC_CTX_free(d->context);
        EVP_MAC_free(d->mac);
        free(d);
        return NULL;
}

int digester_bytes(Digester *d, const void *p, size_t size, uint8_t ret[static DIGEST_KEYED_SIZE]) {
        unsigned char md[EVP_MAX_MD_SIZE];
        size_t n = 0;

        if (!EVP_MAC_init(d->context, NULL, 0, NULL) ||
            !EVP_MAC_update(d->context, p, size) ||
            !EVP_MAC_final(d->context, md, &n, sizeof(md)))
                return -ENOMEM;
        assert(n >= DIGEST_KEYED_SIZE);
        memcpy(ret, md, DIGEST_KEYED_SIZE);
        return 0;
}

int digester_secret(Digester *d, const Secret *s, uint8_t ret[static DIGEST_KEYED_SIZE]) {
        return digester_bytes(d, secret_reveal(s), secret_length(s), ret);
}
