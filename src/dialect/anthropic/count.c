/* SPDX-License-Identifier: MIT */

/* POST /v1/messages/count_tokens: Gemini's countTokens, of the request that would be sent. */

#include "dialect/anthropic/messages.h"
#include "dialect/signature.h"

static int count_request(const DialectContext *c, const char *body, size_t n, Translation **ret,
                         ApiError *ret_error) {
        return anthropic_request(c, body, n, true, ret, ret_error);
}

static int count_event(Translation *t, const char *json, size_t n, Buf *out _unused_,
                       Verdict *ret_verdict) {
        AnthropicMessage *m = CONTAINER_OF(t, AnthropicMessage, t);
        GeminiEvent e;
        int r;

        r = gemini_event_parse(json, n, &e, ret_verdict);
        if (r != 0)
                return r;
        answer_note_event(&m->answer, &e, t->key);
        m->n_tokens = json_view_count(json_view_get(e.root, "totalTokens"));
        return 0;
}

static int count_finish(Translation *t, Buf *out, Verdict *ret_verdict) {
        AnthropicMessage *m = CONTAINER_OF(t, AnthropicMessage, t);
        JWriter w = JWRITER_INIT(out);

        if (answer_is_foreign(&m->answer, ret_verdict))
                return DIALECT_E_VERDICT;
        jwrite_object(&w, NULL);
        jwrite_uint(&w, "input_tokens", m->n_tokens);
        jwrite_end(&w);
        return out->error;
}

const Dialect dialect_anthropic_count_tokens = {
        .name = "anthropic-count-tokens",
        .request = count_request,
        .event = count_event,
        .finish = count_finish,
        .stream_error = anthropic_stream_error,
        .reset = anthropic_reset,
        .drop_signatures = signatures_drop,
        .free = anthropic_free,
};
