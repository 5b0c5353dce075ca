/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/gemini-error.h"
#include "dialect/gemini.h"
#include "dialect/json.h"

#define COUNT_MAX (UINT64_C(1) << 50) /* sums of a few stay exact in every reader of JSON */

/* proto3 JSON writes an int64 as a string when it likes to. What cannot be counted counts as nothing. */
static uint64_t get_count(struct json_object *o, const char *key) {
        struct json_object *v = json_get(o, key);
        uint64_t u = 0;

        if (json_object_is_type(v, json_type_int))
                u = (uint64_t) MAX(json_object_get_int64(v), (int64_t) 0);
        else if (json_object_is_type(v, json_type_string) &&
                 text_parse_u64(json_object_get_string(v), &u) < 0)
                u = 0;
        return MIN(u, COUNT_MAX);
}

static void read_usage(struct json_object *o, Usage *ret) {
        Usage u = {
                .prompt = get_count(o, "promptTokenCount") + get_count(o, "toolUsePromptTokenCount"),
                .cached = get_count(o, "cachedContentTokenCount"),
                .thoughts = get_count(o, "thoughtsTokenCount"),
                .total = get_count(o, "totalTokenCount"),
        };

        u.completion = get_count(o, "candidatesTokenCount") + u.thoughts;
        if (u.total == 0)
                u.total = u.prompt + u.completion;
        *ret = u;
}

int gemini_event_parse(const char *json, size_t n, GeminiEvent *ret, Verdict *ret_verdict) {
        _cleanup_json_ struct json_object *root = NULL;
        struct json_object *usage;
        GeminiEvent e;
        int r;

        r = json_parse(json, n, &root, NULL);
        if (r < 0 && r != -EBADMSG)
                return r;
        if (r < 0 || !json_object_is_type(root, json_type_object) || json_get(root, "error")) {
                gemini_error_classify(200, json, n, NULL, ret_verdict);
                return DIALECT_E_VERDICT;
        }

        usage = json_get_typed(root, "usageMetadata", json_type_object);
        e = (GeminiEvent){
                .candidates = json_get_typed(root, "candidates", json_type_array),
                .response_id = json_get_string(root, "responseId"),
                .model_version = json_get_string(root, "modelVersion"),
                .block_reason = json_get_string(json_get(root, "promptFeedback"), "blockReason"),
                .service_tier = json_get_string(usage, "serviceTier"),
                .has_usage = usage,
        };
        e.n_candidates = json_array_length(e.candidates);
        if (usage)
                read_usage(usage, &e.usage);
        e.root = TAKE_PTR(root);
        *ret = e;
        return 0;
}

void gemini_event_done(GeminiEvent *e) {
        json_putp(&e->root);
        *e = (GeminiEvent){};
}

void gemini_event_candidate(const GeminiEvent *e, size_t i, GeminiCandidate *ret) {
        struct json_object *c = json_object_array_get_idx(e->candidates, i);

        *ret = (GeminiCandidate){
                .index = get_count(c, "index"),
                .parts = json_get_typed(json_get(c, "content"), "parts", json_type_array),
                .finish_reason = json_get_string(c, "finishReason"),
                .finish_message = json_get_string(c, "finishMessage"),
        };
}

static void append_fenced(Buf *out, const char *language, struct json_object *text) {
        const char *s;
        size_t n;

        s = json_string(text, &n);
        if (!s)
                return;
        (void) buf_puts(out, "\n```");
        for (; language && isalnum((unsigned char) *language); language++)
                (void) buf_putc(out, (char) tolower((unsigned char) *language));
        (void) buf_putc(out, '\n');
        (void) buf_append(out, s, n);
        (void) buf_puts(out, n > 0 && s[n - 1] == '\n' ? "```\n" : "\n```\n");
}

int gemini_part_append(struct json_object *part, Buf *out) {
        struct json_object *code, *result;
        const char *s;
        size_t n;

        if (json_object_get_boolean(json_get_typed(part, "thought", json_type_boolean)))
                return 0;

        s = json_string(json_get(part, "text"), &n);
        if (s)
                return buf_append(out, s, n);

        code = json_get(part, "executableCode");
        append_fenced(out, json_get_string(code, "language"), json_get(code, "code"));
        result = json_get(part, "codeExecutionResult");
        append_fenced(out, NULL, json_get(result, "output"));
        return out->error;
}
