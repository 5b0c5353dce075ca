/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "sim-json.h"
#include "sim-prompt.h"

#define INLINE_DATA_TOKENS 258U /* what one image counts */

/* The bytes of a content's texts; the last text is stored in `last` if that is given. */
static uint64_t count_content(json_object *content, json_object **last) {
        json_object *parts = json_member(content, "parts", "parts");
        uint64_t bytes = 0;

        for (size_t i = 0; i < json_length(parts); i++) {
                json_object *part = json_object_array_get_idx(parts, i),
                            *text = json_member(part, "text", "text");

                if (text) {
                        bytes += (uint64_t) json_object_get_string_len(text);
                        if (last)
                                *last = text;
                } else if (json_member(part, "inlineData", "inline_data") ||
                           json_member(part, "fileData", "file_data"))
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
        json_object *v, *stops = json_member(config, "stopSequences", "stop_sequences");

        if ((v = json_member(config, "maxOutputTokens", "max_output_tokens")) &&
            json_object_get_int64(v) > 0)
                p->max_tokens = (uint64_t) json_object_get_int64(v);
        if ((v = json_member(config, "candidateCount", "candidate_count")))
                p->candidates = (unsigned) MIN(MAX(json_object_get_int64(v), 1), (int64_t) CANDIDATES_MAX);
        for (size_t i = 0; i < MIN(json_length(stops), STOP_SEQUENCES_MAX); i++)
                p->stops[p->n_stops++] = json_object_get_string(json_object_array_get_idx(stops, i));
}

void prompt_read(json_object *request, Prompt *ret) {
        json_object *inner = json_member(request, "generateContentRequest", "generate_content_request");
        json_object *contents, *v, *last = NULL;
        Prompt p = PROMPT_INIT;
        uint64_t bytes = 0;

        if (inner)
                request = inner;

        contents = json_member(request, "contents", "contents");
        for (size_t i = 0; i < json_length(contents); i++) {
                json_object *content = json_object_array_get_idx(contents, i),
                            *role = json_member(content, "role", "role");
                bool user = !role || strcmp(json_object_get_string(role), "model") != 0;

                bytes += count_content(content, user ? &last : NULL);
        }
        if ((v = json_member(request, "systemInstruction", "system_instruction")))
                bytes += count_content(v, NULL);
        if ((v = json_member(request, "tools", "tools")))
                bytes += strlen(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
        p.tokens = prompt_tokens_of(bytes);

        if (last)
                read_last(last, &p);
        if ((v = json_member(request, "generationConfig", "generation_config")))
                read_config(v, &p);
        *ret = p;
}
