/* SPDX-License-Identifier: MIT */

/* An upstream answer about what a client has made: names in it become parts of paths. What is passed on is
 * a JSON object. */

#include <stdlib.h>
#include <string.h>

#include "dialect/gemini/resource.h"
#include "dialect/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_file(const char *name, void *userdata) {
        if (!binding_name_is_valid(name, strlen(name)))
                abort();
}

static void read_all(const char *copy, size_t size) {
        static const char *const kinds[] = { BINDING_FILES, BINDING_OPERATIONS, BINDING_TUNED,
                                             BINDING_AGENTS };
        GeminiResource r;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (gemini_resource_read(copy, size, kinds[i], &r) &&
                    (!binding_name_is_valid(r.name, strlen(r.name)) ||
                     strncmp(r.name, kinds[i], strlen(kinds[i])) != 0 || strpbrk(r.google, "?&#%. \r\n")))
                        if (!strstr(r.google, "models/") || strstr(r.google, "/../"))
                                abort();
        gemini_resource_files(copy, size, "uri", on_file, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *copy = malloc(size + (size == 0)), id[BINDING_UPSTREAM_MAX + 1];
        Verdict v = {};
        int k;

        if (!copy)
                return 0;
        memcpy(copy, data, size);
        k = gemini_resource_check(copy, size, true, NULL, &v);
        if (k == 0 ? json_fault(copy, size) || !json_view_is(json_view(copy, size), '{')
                   : v.class == VERDICT_OK)
                abort();
        if (k == 0)
                read_all(copy, size);
        if (gemini_upload_id(copy, size, id) && strpbrk(id, "/?&#%. \r\n"))
                abort();
        free(copy);
        return 0;
}
