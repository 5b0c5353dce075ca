/* SPDX-License-Identifier: MIT */

/* Whatever the bytes are, each name found is valid in a path, and the walk stays within the bytes. */

#include <stdlib.h>
#include <string.h>

#include "dialect/gemini/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_name(const char *name, void *userdata) {
        unsigned *n = userdata;

        if (!binding_name_is_valid(name, strlen(name)) || strchr(name, '.'))
                abort();
        return ++*n < 100;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *copy = malloc(size + (size == 0)); /* so that ASan sees each step beyond */
        unsigned n = 0;

        if (!copy)
                return 0;
        memcpy(copy, data, size);
        gemini_names_each(copy, size, on_name, &n);
        free(copy);
        return 0;
}
