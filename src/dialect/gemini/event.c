/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/event.h"
#include "dialect/json.h"

#define INDEX_KEPT_MAX (64U << 10) /* words */

#define COUNT_MAX (UINT64_C(1) << 50) /* small enough that sums of a few are exact in every JSON reader */

static uint64_t count(JsonView v) {
        return MIN(json_view_count(v), COUNT_MAX);
}

static void read_usage(JsonView o, GeminiEvent *e) {
        JsonView prompt, tools, cached, thoughts, total, candidates, tier;
        const JsonMember members[] = {
                JSON_MEMBER("promptTokenCount", &prompt),
                JSON_MEMBER("toolUsePromptTokenCount", &tools),
                JSON_MEMBER("thoughtsTokenCount", &thoughts),
                JSON_MEMBER("cachedContentTokenCount", &cached),
                JSON_MEMBER("totalTokenCount", &total),
                JSON_MEMBER("candidatesTokenCount", &candidates),
                JSON_MEMBER("serviceTier", &tier),
        };
        Usage *u = &e->usage;

        json_view_members(o, members, ELEMENTSOF(members));
        json_view_copy(tier, e->service_tier, sizeof(e->service_tier));
        u->prompt = count(prompt) + count(tools);
        u->cached = count(cached);
        u->thoughts = count(thoughts);
        u->completion = count(candidates) + u->thoughts;
        u->total = count(total);
        if (u->total == 0)
                u->total = u->prompt + u->completion;
}

/* The root of an event, with an index whose memory is kept for the next one if it is small. Text that is
 * not JSON has no root. */
static int read_root(const char *json, size_t n, JsonView *ret) {
        static JsonIndex index;
        int r;

        if (index.n_allocated > INDEX_KEPT_MAX)
                json_index_done(&index);
        r = json_index(json, n, &index, ret);
        return r == -EBADMSG ? 0 : r;
}

int gemini_event_parse(const char *json, size_t n, GeminiEvent *ret, Verdict *ret_verdict) {
        JsonView root = {}, candidates, usage, model_version, response_id, feedback, error;
        const JsonMember members[] = {
                JSON_MEMBER("candidates", &candidates),
                JSON_MEMBER("usageMetadata", &usage),
                JSON_MEMBER("modelVersion", &model_version),
                JSON_MEMBER("responseId", &response_id),
                JSON_MEMBER("promptFeedback", &feedback),
                JSON_MEMBER("error", &error),
        };
        int r;

        r = read_root(json, n, &root);
        if (r < 0)
                return r;
        json_view_members(root, members, ELEMENTSOF(members));
        if (!json_view_is(root, '{') || !json_view_is_null(error)) {
                gemini_error_classify(200, json, n, NULL, ret_verdict);
                return DIALECT_E_VERDICT;
        }

        ret->root = root;
        ret->candidates = json_enter_array(candidates);
        json_view_copy(response_id, ret->response_id, sizeof(ret->response_id));
        json_view_copy(model_version, ret->model_version, sizeof(ret->model_version));
        json_view_copy(json_view_get(feedback, "blockReason"), ret->block_reason, sizeof(ret->block_reason));
        ret->has_usage = json_view_is(usage, '{');
        read_usage(usage, ret);
        return 0;
}

bool gemini_event_next(GeminiEvent *e, GeminiCandidate *ret) {
        JsonView candidate, index, content, reason, message;
        const JsonMember members[] = {
                JSON_MEMBER("index", &index),
                JSON_MEMBER("content", &content),
                JSON_MEMBER("finishReason", &reason),
                JSON_MEMBER("finishMessage", &message),
        };

        if (!json_next(&e->candidates, NULL, &candidate))
                return false;
        json_view_members(candidate, members, ELEMENTSOF(members));
        ret->index = count(index);
        ret->parts = json_enter_array(json_view_get(content, "parts"));
        json_view_copy(reason, ret->finish_reason, sizeof(ret->finish_reason));
        json_view_copy(message, ret->finish_message, sizeof(ret->finish_message));
        return true;
}

static bool is_error(const char *json, size_t n) {
        JsonView root = json_view(json, n), element;
        JsonCursor elements = json_enter_array(root);

        if (json_fault(json, n))
                return false;
        if (!json_view_is_null(json_view_get(root, "error")))
                return true;
        while (json_next(&elements, NULL, &element))
                if (!json_view_is_null(json_view_get(element, "error")))
                        return true;
        return false;
}

bool gemini_event_find_error(const char *text, size_t n, const char **ret, size_t *ret_n) {
        const char *first, *last;

        if (!is_error(text, n)) {
                first = memchr(text, '{', n);
                last = memrchr(text, '}', n);
                if (!first || !last || last < first)
                        return false;
                text = first;
                n = (size_t) (last + 1 - first);
                if (!is_error(text, n))
                        return false;
        }
        *ret = text;
        *ret_n = n;
        return true;
}
