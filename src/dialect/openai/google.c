/* SPDX-License-Identifier: MIT */

/*
 * What a client of OpenAI's can ask of Gemini beyond OpenAI's own fields: the member `google`, at the top or
 * in `extra_body` (the SDKs' argument of that name puts its members at the top; Google's own layer reads the
 * other place). Both spellings of a name are taken, as at Google's. Members that are not in the table are
 * ignored.
 */

#include <errno.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/openai/config.h"

static int read_member(JsonView v, const char *snake, const char *camel, JsonView *ret) {
        *ret = json_view_get(v, snake);
        if (json_view_is_null(*ret))
                *ret = json_view_get(v, camel);
        return json_view_is_null(*ret) ? -ENOENT : 0;
}

static int read_thinking(ChatRequest *q, JsonView v) {
        Thinking *t = &q->thinking;
        JsonView m;
        double d;
        int r;

        if (read_member(v, "thinking_budget", "thinkingBudget", &m) == 0) {
                r = chat_check_type(q, m, TYPE_INTEGER, "google.thinking_config.thinking_budget");
                if (r != 0)
                        return r;
                (void) json_view_is_double(m, &d);
                if (!(d >= -1 && d <= 1 << 24))
                        return chat_refuse(q, "must be -1 or a number of tokens",
                                           "google.thinking_config.thinking_budget");
                t->has_budget = true;
                t->budget = (int) d;
        }
        if (read_member(v, "thinking_level", "thinkingLevel", &m) == 0) {
                if (thinking_effort_parse(m, &t->effort) < 0)
                        return chat_refuse(q, "must be MINIMAL, LOW, MEDIUM, HIGH or XHIGH",
                                           "google.thinking_config.thinking_level");
                t->has_budget = false;
        }
        if (read_member(v, "include_thoughts", "includeThoughts", &m) == 0) {
                r = chat_check_type(q, m, TYPE_BOOL, "google.thinking_config.include_thoughts");
                if (r != 0)
                        return r;
                t->is_shown = json_view_is(m, 't');
        }
        return 0;
}

static int read_cached_content(ChatRequest *q, JsonView v _unused_) {
        if (!model_can(q->rules, MODEL_CAN_CACHE))
                return dialect_refuse(q->error, "google.cached_content",
                                      "google.cached_content: the model %s takes no cached content",
                                      q->model);
        q->turns.is_cached = true;
        return 0;
}

static int read_tool_config(ChatRequest *q, JsonView v) {
        JsonView m;

        if (read_member(v, "retrieval_config", "retrievalConfig", &m) == 0 && json_view_is(m, '{'))
                q->tools.choice.retrieval = m;
        return 0;
}

static const struct {
        const char *snake, *camel;
        JsonTypes types;
        int (*read)(ChatRequest *q, JsonView v);
} members[_GOOGLE_FIELD_MAX] = {
        [GOOGLE_SAFETY_SETTINGS] = { "safety_settings", "safetySettings", TYPE_ARRAY, NULL },
        [GOOGLE_CACHED_CONTENT] = { "cached_content", "cachedContent", TYPE_STRING, read_cached_content },
        [GOOGLE_LABELS] = { "labels", "labels", TYPE_OBJECT, NULL },
        [GOOGLE_IMAGE_CONFIG] = { "image_config", "imageConfig", TYPE_OBJECT, NULL },
        [GOOGLE_SPEECH_CONFIG] = { "speech_config", "speechConfig", TYPE_OBJECT, NULL },
        [GOOGLE_MEDIA_RESOLUTION] = { "media_resolution", "mediaResolution", TYPE_STRING, NULL },
        [GOOGLE_RESPONSE_MODALITIES] = { "response_modalities", "responseModalities", TYPE_ARRAY,
                                         chat_read_modalities },
        [GOOGLE_THINKING_CONFIG] = { "thinking_config", "thinkingConfig", TYPE_OBJECT, read_thinking },
        [GOOGLE_TOOLS] = { "tools", "tools", TYPE_ARRAY, chat_read_google_tools },
        [GOOGLE_TOOL_CONFIG] = { "tool_config", "toolConfig", TYPE_OBJECT, read_tool_config },
};

int chat_read_google(ChatRequest *q, JsonView v) {
        int r;

        for (size_t i = 0; i < _GOOGLE_FIELD_MAX; i++) {
                JsonView m;

                if (read_member(v, members[i].snake, members[i].camel, &m) < 0)
                        continue;
                r = chat_check_type(q, m, members[i].types, "google.%s", members[i].snake);
                if (r == 0 && members[i].read)
                        r = members[i].read(q, m);
                if (r != 0)
                        return r;
                q->google[i] = m;
        }
        return 0;
}

int chat_read_extra_body(ChatRequest *q, JsonView v) {
        JsonView google = json_view_get(v, "google");
        int r;

        if (json_view_is_null(google))
                return 0;
        r = chat_check_type(q, google, TYPE_OBJECT, "extra_body.google");
        return r != 0 ? r : chat_read_google(q, google);
}

void chat_write_google(ChatRequest *q, JWriter *w) {
        static const GoogleField copied[] = { GOOGLE_SAFETY_SETTINGS, GOOGLE_CACHED_CONTENT, GOOGLE_LABELS };

        for (size_t i = 0; i < ELEMENTSOF(copied); i++)
                if (q->google[copied[i]].p)
                        json_copy_value(w, members[copied[i]].camel, q->google[copied[i]]);
}
