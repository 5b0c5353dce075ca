/* SPDX-License-Identifier: MIT */

/* Whatever the bytes are, the opening lies within them. */

#include <stdlib.h>

#include "base/limits.h"
#include "dialect/gemini/opening.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *json = (const char *) data, *p;
        size_t n;

        if (!gemini_opening_find(json, size, &p, &n))
                return 0;
        if (n == 0 || n > OPENING_DIGEST_MAX || p < json || p > json + size ||
            n > (size_t) (json + size - p))
                abort();
        return 0;
}
