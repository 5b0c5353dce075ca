/* SPDX-License-Identifier: MIT */
#include "dialect/call.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/signature.h"

const ToolName *call_find_tool(const ToolNames *names, const GeminiPart *p) {
        char name[TOOL_NAME_MAPPED_MAX + 32];

        json_view_copy(p->name, name, sizeof(name));
        return tool_names_find(names, name, strlen(name));
}

uint64_t call_answer_digest(const char *id, const char *request_id, uint64_t created) {
        return hash_stable(id, strlen(id)) ^ hash_stable(request_id, strlen(request_id)) ^ hash_mix(created);
}

void call_make_id(const char *prefix, uint64_t answer, size_t candidate, unsigned call,
                  char ret[static CALL_ID_MAX + 1]) {
        uint64_t here = hash_mix(answer + ((uint64_t) candidate << 32 | call));

        (void) snprintf(ret, CALL_ID_MAX + 1, "%s%016llx%08x", prefix, (unsigned long long) here,
                        (unsigned) (hash_mix(here ^ answer) >> 32));
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
