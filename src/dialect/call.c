/* SPDX-License-Identifier: MIT */
#include "dialect/call.h"

#include "base/hash.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/signature.h"

const ToolName *call_find_tool(const ToolNames *names, const GeminiPart *p) {
        JsonView inside = json_view_inside(p->name);
        size_t n = (size_t) (inside.end - inside.p);
        char name[TOOL_NAME_MAPPED_MAX + 32];

        if (n == 0 || !memchr(inside.p, '\\', n))
                return tool_names_find(names, inside.p, n);
        json_view_copy(p->name, name, sizeof(name));
        return tool_names_find(names, name, strlen(name));
}

uint64_t call_answer_digest(const char *id, const char *request_id, uint64_t created) {
        return hash_stable(id, strlen(id)) ^ hash_stable(request_id, strlen(request_id)) ^ hash_mix(created);
}

static char *write_hex(uint64_t value, unsigned digits, char *p) {
        for (unsigned i = digits; i > 0; i--)
                *p++ = "0123456789abcdef"[value >> (4 * (i - 1)) & 15];
        return p;
}

size_t call_make_id(const char *prefix, uint64_t answer, size_t candidate, unsigned call,
                    char ret[static CALL_ID_MAX + 1]) {
        uint64_t here = hash_mix(answer + ((uint64_t) candidate << 32 | call));
        size_t n = strlen(prefix);
        char *p = ret + n;

        assert(n + 24 <= CALL_ID_MAX);
        memcpy(ret, prefix, n);
        p = write_hex(here, 16, p);
        p = write_hex(hash_mix(here ^ answer) >> 32, 8, p);
        *p = 0;
        return (size_t) (p - ret);
}

void call_remember(Vault *vault, const Translation *t, const char *id, const ToolName *tool,
                   const GeminiPart *p, uint64_t created) {
        JsonView signature = json_view_inside(p->signature);

        if (!vault || !tool || signature.end == signature.p)
                return;
        vault_put(vault, id, strlen(id), signature_digest(t->served, tool, p->value), signature.p,
                  (size_t) (signature.end - signature.p), created * USEC_PER_SEC);
}

JsonView call_arguments(const GeminiPart *p) {
        return json_view_is(p->value, '{') ? p->value : json_view("{}", 2);
}
