/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim-prompt.h"

#define INLINE_DATA_TOKENS 258U /* what one image counts */

static json_object *member(json_object *o, const char *camel, const char *snake) {
        json_object *v = NULL;

        if (!json_object_object_get_ex(o, camel, &v))
                (void) json_object_object_get_ex(o, snake, &v);
        return v;
}

static size_t list_length(json_object *o) {
        return json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
}

/* The bytes of a content's texts; the last of them goes to `last` if it is given. */
static uint64_t count_content(json_object *content, json_object **last) {
        json_object *parts = member(content, "parts", "parts");
        uint64_t bytes = 0;

        for (size_t i = 0; i < list_length(parts); i++) {
                json_object *part = json_object_array_get_idx(parts, i),
                            *text = member(part, "text", "text");

                if (text) {
                        bytes += (uint64_t) json_object_get_string_len(text);
                        if (last)
                                *last = text;
                } else if (member(part, "inlineData", "inline_data") ||
                           member(part, "fileData", "file_data"))
                        bytes += 4 * INLINE_DATA_TOKENS;
                else
                        bytes += strlen(json_object_to_json_string_ext(part, JSON_C_TO_STRING_PLAIN));
        }
        return bytes;
}

static void read_last(json_object *text, Prompt *p) {
        const char *s = json_object_get_string(text);
        size_t n = (size_t) json_object_get_string_len(text), from;

        from = n > PROMPT_ECHO_MAX ? n - PROMPT_ECHO_MAX : 0;
        while (from < n && ((unsigned char) s[from] & 0xC0) == 0x80)
                from++; /* not in the middle of a character */
        p->last = s + from;
        p->n_last = n - from;
}

static void read_config(json_object *config, Prompt *p) {
        json_object *v, *stops = member(config, "stopSequences", "stop_sequences");

        if ((v = member(config, "maxOutputTokens", "max_output_tokens")) && json_object_get_int64(v) > 0)
                p->max_tokens = (uint64_t) json_object_get_int64(v);
        if ((v = member(config, "candidateCount", "candidate_count")))
                p->candidates = (unsigned) MIN(MAX(json_object_get_int64(v), 1), (int64_t) CANDIDATES_MAX);
        for (size_t i = 0; i < MIN(list_length(stops), STOP_SEQUENCES_MAX); i++)
                p->stops[p->n_stops++] = json_object_get_string(json_object_array_get_idx(stops, i));
}

void prompt_read(json_object *request, Prompt *ret) {
        json_object *inner = member(request, "generateContentRequest", "generate_content_request");
        json_object *contents, *v, *last = NULL;
        Prompt p = PROMPT_INIT;
        uint64_t bytes = 0;

        if (inner)
                request = inner;

        contents = member(request, "contents", "contents");
        for (size_t i = 0; i < list_length(contents); i++) {
                json_object *content = json_object_array_get_idx(contents, i),
                            *role = member(content, "role", "role");
                bool user = !role || strcmp(json_object_get_string(role), "model") != 0;

                bytes += count_content(content, user ? &last : NULL);
        }
        if ((v = member(request, "systemInstruction", "system_instruction")))
                bytes += count_content(v, NULL);
        if ((v = member(request, "tools", "tools")))
                bytes += strlen(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
        p.tokens = prompt_tokens_of(bytes);

        if (last)
                read_last(last, &p);
        if ((v = member(request, "generationConfig", "generation_config")))
                read_config(v, &p);
        *ret = p;
}
