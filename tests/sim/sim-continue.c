/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "sim-base64.h"
#include "sim-continue.h"
#include "sim-json.h"

void continuation_write(unsigned hop, uint64_t request, Buf *out) {
        char text[64];

        (void) snprintf(text, sizeof(text), "gemini-sim hop %u of %016llx", hop,
                        (unsigned long long) request);
        base64_write(text, strlen(text), out);
}

static bool is_token(const char *token, unsigned hop, uint64_t request) {
        _cleanup_buf_ Buf expected = BUF_INIT(4096);

        continuation_write(hop, request, &expected);
        return streq(strempty(buf_cstr(&expected)), token);
}

int continuation_take(json_object *request, const char *model, unsigned *ret_hop,
                      uint64_t *ret_request) {
        json_object *o = json_member(request, "continuationToken", "continuation_token");
        _cleanup_free_ char *token = o ? strdup(json_object_get_string(o)) : NULL;
        const char *text;
        uint64_t h;

        *ret_hop = 0;
        *ret_request = 0;
        if (!startswith(model, "gemini-4"))
                return token ? -EINVAL : 0;
        json_object_object_del(request, "continuationToken");
        json_object_object_del(request, "continuation_token");
        text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
        h = hash_stable(text, strlen(text));
        *ret_request = h;
        if (!token)
                return 0;
        for (unsigned hop = 1; hop < HOPS_MAX; hop++)
                if (is_token(token, hop, h)) {
                        *ret_hop = hop;
                        return 0;
                }
        return -EINVAL;
}
