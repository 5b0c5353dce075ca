/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "core/digest.h"

int digest_secret(const Secret *s, char ret[static DIGEST_TEXT_SIZE]) {
        unsigned char md[EVP_MAX_MD_SIZE];
        unsigned n = 0;

        if (!EVP_Digest(secret_reveal(s), secret_length(s), md, &n, EVP_sha256(), NULL))
                return -ENOMEM;
        assert(n * 2 + 1 == DIGEST_TEXT_SIZE);
        for (unsigned i = 0; i < n; i++)
                (void) snprintf(ret + i * 2, 3, "%02x", md[i]);
        return 0;
}
