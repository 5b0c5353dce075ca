/* SPDX-License-Identifier: MIT */

/* Gemini's logprobsResult has two arrays of the same length: the tokens it chose, and for each of them the
 * likeliest ones. */

#include "dialect/openai/answer.h"

static void write_bytes(JsonView token, JWriter *w) {
        char bytes[256];

        jwrite_array(w, "bytes");
        json_view_copy(token, bytes, sizeof(bytes));
        for (const char *p = bytes; *p; p++)
                jwrite_uint(w, NULL, (unsigned char) *p);
        jwrite_end(w);
}

/* The members of an entry; its object stays open. */
static void open_entry(JsonView candidate, JWriter *w) {
        JsonView token = {}, p = {};
        const JsonMember members[] = { JSON_MEMBER("token", &token), JSON_MEMBER("logProbability", &p) };

        json_view_members(candidate, members, ELEMENTSOF(members));
        jwrite_object(w, NULL);
        if (json_view_is(token, '"'))
                json_copy_value(w, "token", token);
        else
                jwrite_string(w, "token", "");
        if (json_view_is_number(p))
                jwrite_raw_n(w, "logprob", p.p, (size_t) (p.end - p.p));
        else
                jwrite_uint(w, "logprob", 0);
        write_bytes(token, w);
}

void openai_logprobs_add(OpenaiChat *chat, const GeminiCandidate *c) {
        Buf *out = &chat->choices[c->index].logprobs;
        JsonCursor chosen, tops, likely;
        JsonView one, top, entry;

        if (!chat->has_logprobs || !json_view_is(c->logprobs, '{'))
                return;
        chosen = json_enter_array(json_view_get(c->logprobs, "chosenCandidates"));
        tops = json_enter_array(json_view_get(c->logprobs, "topCandidates"));
        while (json_next(&chosen, NULL, &one)) {
                JWriter w = JWRITER_INIT(out);

                if (out->n > 0)
                        (void) buf_putc(out, ',');
                open_entry(one, &w);
                jwrite_array(&w, "top_logprobs");
                if (json_next(&tops, NULL, &top)) {
                        likely = json_enter_array(json_view_get(top, "candidates"));
                        while (json_next(&likely, NULL, &entry)) {
                                open_entry(entry, &w);
                                jwrite_end(&w);
                        }
                }
                jwrite_end(&w);
                jwrite_end(&w);
        }
}

void openai_logprobs_write(const Buf *entries, const char *key, JWriter *w) {
        jwrite_object(w, key);
        jwrite_array(w, "content");
        (void) buf_append(w->buf, buf_data(entries), entries->n);
        jwrite_end(w);
        jwrite_null(w, "refusal");
        jwrite_end(w);
}
