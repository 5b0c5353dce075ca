/* SPDX-License-Identifier: MIT */

/* An upstream answer about a file or an upload: names in it become parts of paths. What is passed on is a
 * JSON object. */

#include <stdlib.h>
#include <string.h>

#include "dialect/gemini/resource.h"
#include "dialect/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *copy = malloc(size + (size == 0)), id[BINDING_UPSTREAM_MAX + 1];
        GeminiResource r;
        Verdict v = {};
        int k;

        if (!copy)
                return 0;
        memcpy(copy, data, size);
        if (gemini_resource_read(copy, size, &r) && !binding_name_is_valid(r.name, strlen(r.name)))
                abort();
        k = gemini_resource_check(copy, size, NULL, &v);
        if (k == 0 ? json_fault(copy, size) || !json_view_is(json_view(copy, size), '{')
                   : v.class == VERDICT_OK)
                abort();
        if (gemini_upload_id(copy, size, id) && strpbrk(id, "/?&#%. \r\n"))
                abort();
        free(copy);
        return 0;
}
