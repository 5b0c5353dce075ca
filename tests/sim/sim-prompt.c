/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "sim-json.h"
#include "sim-prompt.h"

#define FILE_TOKENS 258U /* what one file counts, of any kind */

static Modality modality_of(json_object *file) {
        static const struct {
                const char *prefix;
                Modality modality;
        } kinds[] = {
                { "image/", MODALITY_IMAGE },
                { "audio/", MODALITY_AUDIO },
                { "video/", MODALITY_VIDEO },
                { "text/", MODALITY_TEXT },
        };
        json_object *type = json_member(file, "mimeType", "mime_type");

        for (size_t i = 0; type && i < ELEMENTSOF(kinds); i++)
                if (startswith(json_object_get_string(type), kinds[i].prefix))
                        return kinds[i].modality;
        return MODALITY_DOCUMENT;
}

/* The bytes of a content's texts; its files are counted in p. The last text is stored in `last` if that is
 * given. */
static uint64_t count_content(json_object *content, Prompt *p, json_object **last) {
        json_object *parts = json_member(content, "parts", "parts");
        uint64_t bytes = 0;

        for (size_t i = 0; i < json_length(parts); i++) {
                json_object *part = json_object_array_get_idx(parts, i),
                            *text = json_member(part, "text", "text"),
                            *blob = json_member(part, "inlineData", "inline_data"),
                            *file = blob ?: json_member(part, "fileData", "file_data");

                if (text) {
                        bytes += (uint64_t) json_object_get_string_len(text);
                        if (last)
                                *last = text;
                } else if (file)
                        p->modality[modality_of(file)] += FILE_TOKENS;
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

static void read_modalities(json_object *list, Prompt *p) {
        for (size_t i = 0; i < json_length(list); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(list, i));

                p->image = p->image || strcaseeq(name, "IMAGE");
                p->audio = p->audio || strcaseeq(name, "AUDIO");
        }
}

/* With the mode ANY a function must be called: the first one, or the first of those that are allowed. */
static void read_calling(json_object *request, Prompt *p) {
        json_object *tools = json_member(request, "tools", "tools"),
                    *config = json_member(request, "toolConfig", "tool_config"),
                    *calling = json_member(config, "functionCallingConfig", "function_calling_config"),
                    *mode = json_member(calling, "mode", "mode"),
                    *allowed = json_member(calling, "allowedFunctionNames", "allowed_function_names");
        const char *wanted = json_length(allowed) > 0
                                     ? json_object_get_string(json_object_array_get_idx(allowed, 0))
                                     : NULL;

        if (!mode || !strcaseeq(json_object_get_string(mode), "ANY"))
                return;
        for (size_t i = 0; i < json_length(tools); i++) {
                json_object *all = json_member(json_object_array_get_idx(tools, i), "functionDeclarations",
                                               "function_declarations");

                for (size_t k = 0; k < json_length(all) && !p->declaration; k++) {
                        json_object *o = json_object_array_get_idx(all, k),
                                    *name = json_member(o, "name", "name");

                        if (!wanted || (name && streq(json_object_get_string(name), wanted)))
                                p->declaration = o;
                }
        }
}

static void read_format(json_object *config, Prompt *p) {
        json_object *type = json_member(config, "responseMimeType", "response_mime_type");

        p->json = type && streq(json_object_get_string(type), "application/json");
        p->schema = json_member(config, "responseJsonSchema", "response_json_schema")
                            ?: json_member(config, "responseSchema", "response_schema");
}

static void read_config(json_object *config, Prompt *p) {
        json_object *v, *stops = json_member(config, "stopSequences", "stop_sequences");

        if ((v = json_member(config, "maxOutputTokens", "max_output_tokens")) &&
            json_object_get_int64(v) > 0)
                p->max_tokens = (uint64_t) json_object_get_int64(v);
        if ((v = json_member(config, "candidateCount", "candidate_count")))
                p->candidates = (unsigned) MIN(MAX(json_object_get_int64(v), 1), (int64_t) CANDIDATES_MAX);
        read_modalities(json_member(config, "responseModalities", "response_modalities"), p);
        read_format(config, p);
        for (size_t i = 0; i < MIN(json_length(stops), STOP_SEQUENCES_MAX); i++)
                p->stops[p->n_stops++] = json_object_get_string(json_object_array_get_idx(stops, i));
        if ((v = json_member(config, "responseLogprobs", "response_logprobs")))
                p->logprobs = json_object_get_boolean(v);
        if ((v = json_member(config, "logprobs", "logprobs")))
                p->top_logprobs = (unsigned) MIN(MAX(json_object_get_int64(v), 0), 20);
}

void prompt_read(json_object *request, Prompt *ret) {
        json_object *inner = json_member(request, "generateContentRequest", "generate_content_request");
        json_object *contents, *v, *last = NULL;
        Prompt p = PROMPT_INIT;
        uint64_t bytes = 0;

        p.modality[MODALITY_TEXT] = 0;
        if (inner)
                request = inner;

        contents = json_member(request, "contents", "contents");
        for (size_t i = 0; i < json_length(contents); i++) {
                json_object *content = json_object_array_get_idx(contents, i),
                            *role = json_member(content, "role", "role");
                bool user = !role || strcmp(json_object_get_string(role), "model") != 0;

                bytes += count_content(content, &p, user ? &last : NULL);
        }
        if ((v = json_member(request, "systemInstruction", "system_instruction")))
                bytes += count_content(v, &p, NULL);
        if ((v = json_member(request, "tools", "tools")))
                bytes += strlen(json_object_to_json_string_ext(v, JSON_C_TO_STRING_PLAIN));
        p.modality[MODALITY_TEXT] += prompt_tokens_of(bytes);
        p.tokens = 0;
        for (unsigned i = 0; i < MODALITIES; i++)
                p.tokens += p.modality[i];

        read_calling(request, &p);
        if (last)
                read_last(last, &p);
        if ((v = json_member(request, "generationConfig", "generation_config")))
                read_config(v, &p);
        *ret = p;
}
