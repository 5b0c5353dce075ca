/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/gemini-error.h"
#include "dialect/gemini.h"
#include "dialect/json.h"

#define COUNT_MAX (UINT64_C(1) << 50) /* sums of a few stay exact in every reader of JSON */

static uint64_t count(JsonView v) {
        return MIN(json_view_count(v), COUNT_MAX);
}

static void read_usage(JsonView o, GeminiEvent *e) {
        JsonView prompt, tools, cached, thoughts, total, candidates, tier;
        const JsonPick picks[] = {
                { "promptTokenCount", &prompt },
                { "toolUsePromptTokenCount", &tools },
                { "thoughtsTokenCount", &thoughts },
                { "cachedContentTokenCount", &cached },
                { "totalTokenCount", &total },
                { "candidatesTokenCount", &candidates },
                { "serviceTier", &tier },
        };
        Usage *u = &e->usage;

        json_view_pick(o, picks, ELEMENTSOF(picks));
        json_view_copy(tier, e->service_tier, sizeof(e->service_tier));
        u->prompt = count(prompt) + count(tools);
        u->cached = count(cached);
        u->thoughts = count(thoughts);
        u->completion = count(candidates) + u->thoughts;
        u->total = count(total);
        if (u->total == 0)
                u->total = u->prompt + u->completion;
}

int gemini_event_parse(const char *json, size_t n, GeminiEvent *ret, Verdict *ret_verdict) {
        JsonView root = {}, candidates, usage, model_version, response_id, feedback, error;
        const JsonPick picks[] = {
                { "candidates", &candidates },      { "usageMetadata", &usage },
                { "modelVersion", &model_version }, { "responseId", &response_id },
                { "promptFeedback", &feedback },    { "error", &error },
        };

        if (!json_fault(json, n))
                root = json_view(json, n);
        json_view_pick(root, picks, ELEMENTSOF(picks));
        if (!json_view_is(root, '{') || !json_view_is_null(error)) {
                gemini_error_classify(200, json, n, NULL, ret_verdict);
                return DIALECT_E_VERDICT;
        }

        ret->root = root;
        ret->candidates = json_walk_array(candidates);
        json_view_copy(response_id, ret->response_id, sizeof(ret->response_id));
        json_view_copy(model_version, ret->model_version, sizeof(ret->model_version));
        json_view_copy(json_view_get(feedback, "blockReason"), ret->block_reason, sizeof(ret->block_reason));
        ret->has_usage = json_view_is(usage, '{');
        read_usage(usage, ret);
        return 0;
}

bool gemini_event_next(GeminiEvent *e, GeminiCandidate *ret) {
        JsonView candidate, index, content, reason, message;
        const JsonPick picks[] = {
                { "index", &index },
                { "content", &content },
                { "finishReason", &reason },
                { "finishMessage", &message },
        };

        if (!json_walk_next(&e->candidates, NULL, &candidate))
                return false;
        json_view_pick(candidate, picks, ELEMENTSOF(picks));
        ret->index = count(index);
        ret->parts = json_walk_array(json_view_get(content, "parts"));
        json_view_copy(reason, ret->finish_reason, sizeof(ret->finish_reason));
        json_view_copy(message, ret->finish_message, sizeof(ret->finish_message));
        return true;
}

static void append_fenced(Buf *out, JsonView language, JsonView text) {
        char word[32];
        size_t before;

        if (!json_view_is(text, '"'))
                return;
        (void) buf_puts(out, "\n```");
        json_view_copy(language, word, sizeof(word));
        for (const char *p = word; isalnum((unsigned char) *p); p++)
                (void) buf_putc(out, (char) tolower((unsigned char) *p));
        (void) buf_putc(out, '\n');
        before = out->n;
        (void) json_view_append(text, out);
        (void) buf_puts(out, out->n > before && buf_data(out)[out->n - 1] == '\n' ? "```\n" : "\n```\n");
}

int gemini_part_append(JsonView part, Buf *out) {
        JsonView text, thought, code, result;
        const JsonPick picks[] = {
                { "text", &text },
                { "thought", &thought },
                { "executableCode", &code },
                { "codeExecutionResult", &result },
        };

        json_view_pick(part, picks, ELEMENTSOF(picks));
        if (json_view_is(thought, 't'))
                return 0;
        if (json_view_is(text, '"'))
                return json_view_append(text, out);

        append_fenced(out, json_view_get(code, "language"), json_view_get(code, "code"));
        append_fenced(out, (JsonView){}, json_view_get(result, "output"));
        return out->error;
}
