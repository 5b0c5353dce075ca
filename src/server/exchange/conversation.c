/* SPDX-License-Identifier: MIT */
#include "base/hash.h"
#include "base/text.h"
#include "dialect/gemini/opening.h"
#include "server/exchange/conversation.h"

/* Headers that name a session; the first one present is used. */
static const char *const headers[] = { "x-session-id", "x-claude-code-session-id" };

uint64_t conversation_of(Request *q, const Translation *t) {
        const char *opening;
        size_t n;

        if (q->config->route.affinity_spill == AFFINITY_OFF || !translation_generates(t))
                return 0;
        if (t->conversation != 0)
                return t->conversation;
        for (size_t i = 0; i < ELEMENTSOF(headers); i++) {
                const char *session = http_request_header(q->io, headers[i]);

                if (!strnull(session))
                        return hash_stable(session, strlen(session));
        }
        if (t->gemini.n > 0 && gemini_opening_find(buf_data(&t->gemini), t->gemini.n, &opening, &n))
                return hash_stable(opening, n);
        return 0;
}
