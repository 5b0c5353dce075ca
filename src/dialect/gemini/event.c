/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/event.h"
#include "dialect/json.h"

#define INDEX_KEPT_MAX (64U << 10) /* words */

#define COUNT_MAX (UINT64_C(1) << 50)

uint64_t gemini_count(JsonView v) {
        return MIN(json_view_count(v), COUNT_MAX);
}

static void count_kinds(JsonView details, GeminiKinds *ret) {
        static const struct {
                const char *name;
                GeminiModality modality;
        } rows[] = {
                { "TEXT", GEMINI_MODALITY_TEXT },   { "IMAGE", GEMINI_MODALITY_IMAGE },
                { "AUDIO", GEMINI_MODALITY_AUDIO }, { "DOCUMENT", GEMINI_MODALITY_TEXT },
                { "VIDEO", GEMINI_MODALITY_IMAGE },
        };
        JsonCursor c = json_enter_array(details);
        JsonView v, modality, tokens;
        const JsonMember members[] = {
                JSON_MEMBER("modality", &modality),
                JSON_MEMBER("tokenCount", &tokens),
        };

        if (!json_view_is(details, '['))
                return;
        *ret = (GeminiKinds){ .is_known = true };
        while (json_next(&c, NULL, &v)) {
                json_view_members(v, members, ELEMENTSOF(members));
                for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                        if (json_view_equals(modality, rows[i].name)) {
                                uint64_t *n = &ret->n[rows[i].modality];

                                *n = MIN(*n + gemini_count(tokens), COUNT_MAX);
                                break;
                        }
        }
}

void gemini_event_count(GeminiEvent *e, GeminiCounts *counts, Usage *ret) {
        JsonView views[_GEMINI_COUNT_MAX], prompt, tools, answer;
        const JsonMember members[] = {
                [GEMINI_COUNT_PROMPT] = JSON_MEMBER("promptTokenCount", &views[GEMINI_COUNT_PROMPT]),
                [GEMINI_COUNT_TOOLS] = JSON_MEMBER("toolUsePromptTokenCount", &views[GEMINI_COUNT_TOOLS]),
                [GEMINI_COUNT_CACHED] =
                        JSON_MEMBER("cachedContentTokenCount", &views[GEMINI_COUNT_CACHED]),
                [GEMINI_COUNT_THOUGHTS] = JSON_MEMBER("thoughtsTokenCount", &views[GEMINI_COUNT_THOUGHTS]),
                [GEMINI_COUNT_CANDIDATES] =
                        JSON_MEMBER("candidatesTokenCount", &views[GEMINI_COUNT_CANDIDATES]),
                [GEMINI_COUNT_TOTAL] = JSON_MEMBER("totalTokenCount", &views[GEMINI_COUNT_TOTAL]),
                [_GEMINI_COUNT_MAX] = JSON_MEMBER("serviceTier", &e->service_tier),
                JSON_MEMBER("promptTokensDetails", &prompt),
                JSON_MEMBER("toolUsePromptTokensDetails", &tools),
                JSON_MEMBER("candidatesTokensDetails", &answer),
        };
        uint64_t *n = counts->n, u, sum;
        bool has_total = false;

        if (!e->has_usage)
                return;
        json_view_members(e->usage, members, ELEMENTSOF(members));
        for (GeminiCount i = 0; i < _GEMINI_COUNT_MAX; i++)
                if (json_view_is_count(views[i], &u)) {
                        n[i] = MIN(u, COUNT_MAX);
                        has_total = has_total || i == GEMINI_COUNT_TOTAL;
                }
        count_kinds(prompt, &counts->prompt);
        count_kinds(tools, &counts->tools);
        count_kinds(answer, &counts->answer);
        ret->prompt = n[GEMINI_COUNT_PROMPT] + n[GEMINI_COUNT_TOOLS];
        ret->cached = n[GEMINI_COUNT_CACHED];
        ret->thoughts = n[GEMINI_COUNT_THOUGHTS];
        ret->completion = n[GEMINI_COUNT_CANDIDATES] + ret->thoughts;
        /* A total of before is too small for the counts of now. */
        sum = ret->prompt + ret->completion;
        ret->total = has_total && n[GEMINI_COUNT_TOTAL] > 0 ? n[GEMINI_COUNT_TOTAL]
                                                            : MAX(n[GEMINI_COUNT_TOTAL], sum);
}

void gemini_kinds_add(GeminiKinds *k, const GeminiKinds *more) {
        k->is_known = k->is_known || more->is_known;
        for (size_t m = 0; m < _GEMINI_MODALITY_MAX; m++)
                k->n[m] += more->n[m];
}

void gemini_counts_add_kinds(GeminiCounts *c, const GeminiCounts *more) {
        gemini_kinds_add(&c->prompt, &more->prompt);
        gemini_kinds_add(&c->tools, &more->tools);
        gemini_kinds_add(&c->answer, &more->answer);
}

/* The index of the present event. Its memory is kept for the next one if it is small. */
static JsonIndex event_index;

/* The text that event_index is of, from gemini_event_prepare() on; or NULL. */
static const char *prepared;
static size_t n_prepared;

static int make_index(const char *json, size_t n, JsonView *ret) {
        if (event_index.n_allocated > INDEX_KEPT_MAX)
                json_index_done(&event_index);
        return json_index(json, n, &event_index, ret);
}

bool gemini_event_prepare(const char *json, size_t n) {
        JsonView root;

        prepared = make_index(json, n, &root) == 0 ? json : NULL;
        n_prepared = n;
        return prepared;
}

void gemini_event_forget(void) {
        prepared = NULL;
}

/* The root of an event. Text that is not JSON has none. */
static int read_root(const char *json, size_t n, JsonView *ret) {
        int r;

        if (prepared && prepared == json && n_prepared == n) {
                *ret = json_view_indexed(&event_index, json, n);
                return 0;
        }
        prepared = NULL;
        r = make_index(json, n, ret);
        return r == -EBADMSG ? 0 : r;
}

/* The answer to another method, or an object without members: proto3 leaves out what is empty. */
static bool is_other_answer(JsonView root) {
        static const char *const names[] = { "totalTokens", "promptTokensDetails", "embedding",
                                             "embeddings" };
        JsonCursor c = json_enter(root);
        JsonView v;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (json_view_get(root, names[i]).p)
                        return true;
        return !json_next(&c, NULL, &v);
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
        ret->is_foreign = !candidates.p && !usage.p && !model_version.p && !response_id.p && !feedback.p &&
                          !is_other_answer(root);
        ret->has_usage = json_view_is(usage, '{');
        ret->usage = usage;
        ret->service_tier = (JsonView){};
        return 0;
}

bool gemini_event_next(GeminiEvent *e, GeminiCandidate *ret) {
        JsonView candidate, index, content, reason, message;
        const JsonMember members[] = {
                JSON_MEMBER("index", &index),
                JSON_MEMBER("content", &content),
                JSON_MEMBER("finishReason", &reason),
                JSON_MEMBER("finishMessage", &message),
                JSON_MEMBER("groundingMetadata", &ret->grounding),
                JSON_MEMBER("citationMetadata", &ret->citations),
                JSON_MEMBER("logprobsResult", &ret->logprobs),
                JSON_MEMBER("continuationToken", &ret->continuation),
        };

        if (!json_next(&e->candidates, NULL, &candidate))
                return false;
        json_view_members(candidate, members, ELEMENTSOF(members));
        ret->index = gemini_count(index);
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
