/* SPDX-License-Identifier: MIT */
/*
 * What a model does not have. The rows were written from Google's pages and from its refusals as clients
 * have reported them, and not from the table of gemgated: what one of the two has wrong, the other finds.
 */
#include <fnmatch.h>
#include <stdio.h>

#include "base/text.h"
#include "sim-json.h"
#include "sim-service.h"

#define INVALID "Request contains an invalid argument."
#define LEVEL(name)                                                                                         \
        "Thinking level " name " is not supported for this model. Please retry with other thinking level."

#define MODALITIES_ARE(names)                                                                               \
        "The requested combination of response modalities is not supported by the model. models/$MODEL "    \
        "accepts the following combination of response modalities:\n* " names "\n"

typedef struct Asked {
        json_object *request;
        json_object *config;
        json_object *thinking;
        const char *level; /* "" where there is none */
        bool budget;
        bool functions;
        bool built_in;
} Asked;

static bool level_and_budget(const Asked *a) {
        return *a->level && a->budget;
}

static bool any_level(const Asked *a) {
        return *a->level;
}

static bool any_budget(const Asked *a) {
        return a->budget;
}

static bool minimal(const Asked *a) {
        return strcaseeq(a->level, "MINIMAL");
}

static bool xhigh(const Asked *a) {
        return strcaseeq(a->level, "XHIGH");
}

static bool penalty(const Asked *a) {
        return json_member(a->config, "presencePenalty", "presence_penalty") ||
               json_member(a->config, "frequencyPenalty", "frequency_penalty");
}

static bool candidates(const Asked *a) {
        json_object *n = json_member(a->config, "candidateCount", "candidate_count");

        return n && json_object_get_int64(n) > 1;
}

static bool wants_json(const Asked *a) {
        json_object *type = json_member(a->config, "responseMimeType", "response_mime_type");

        return type && streq(json_object_get_string(type), "application/json");
}

static bool json_with_functions(const Asked *a) {
        return wants_json(a) && a->functions;
}

static bool json_with_tools(const Asked *a) {
        return wants_json(a) && a->built_in;
}

static bool mixed_tools(const Asked *a) {
        return a->functions && a->built_in;
}

static bool not_enabled(const Asked *a) {
        json_object *config = json_member(a->request, "toolConfig", "tool_config"),
                    *v = json_member(config, "includeServerSideToolInvocations",
                                     "include_server_side_tool_invocations");

        return mixed_tools(a) && !(v && json_object_get_boolean(v));
}

static bool cached_content(const Asked *a) {
        return json_member(a->request, "cachedContent", "cached_content");
}

static bool system_instruction(const Asked *a) {
        return json_member(a->request, "systemInstruction", "system_instruction");
}

static bool model_turn_last(const Asked *a) {
        json_object *contents = json_member(a->request, "contents", "contents"), *role;
        size_t n = json_length(contents);

        if (n == 0)
                return false;
        role = json_member(json_object_array_get_idx(contents, n - 1), "role", "role");
        return role && streq(json_object_get_string(role), "model");
}

static bool wants_modality(const Asked *a, const char *name) {
        json_object *list = json_member(a->config, "responseModalities", "response_modalities");

        for (size_t i = 0; i < json_length(list); i++)
                if (strcaseeq(json_object_get_string(json_object_array_get_idx(list, i)), name))
                        return true;
        return false;
}

static bool wants_image(const Asked *a) {
        return wants_modality(a, "IMAGE");
}

static bool wants_audio(const Asked *a) {
        return wants_modality(a, "AUDIO");
}

static bool wants_no_audio(const Asked *a) {
        return !wants_audio(a);
}

static bool many_stops(const Asked *a) {
        return json_length(json_member(a->config, "stopSequences", "stop_sequences")) > 5;
}

static const struct {
        const char *models; /* patterns, with a blank between two */
        const char *except; /* the same, or NULL */
        bool (*there)(const Asked *a);
        const char *message; /* $MODEL is the model */
} rows[] = {
        { "*", NULL, level_and_budget, "You can only set only one of thinking budget and thinking level." },
        { "gemini-1* gemini-2*", NULL, any_level, "Thinking level is not supported for this model." },
        { "gemini-4*", NULL, any_budget,
          "Thinking budget is not supported for this model. Use thinking level instead." },
        { "gemini-4* gemini-3.7-flash* gemini-3.8-flash* gemini-[3-9]*-pro* gemini-pro-latest "
          "gemini-flash-latest",
          "gemini-3.7-flash-lite* gemini-3.8-flash-lite*", minimal, LEVEL("MINIMAL") },
        { "*", "gemini-4-hydrogen* gemini-4-neon*", xhigh, LEVEL("XHIGH") },
        { "gemini-2.5* gemini-4*", NULL, penalty, "Penalty is not enabled for models/$MODEL" },
        { "gemini-4*", NULL, candidates, "Multiple candidates is not enabled for models/$MODEL" },
        { "gemini-1* gemini-2*", NULL, json_with_functions,
          "Function calling with a response mime type: 'application/json' is unsupported" },
        { "gemini-1* gemini-2*", NULL, json_with_tools,
          "Tool use with a response mime type: 'application/json' is unsupported" },
        { "gemini-1* gemini-2*", NULL, mixed_tools, "Tool use with function calling is unsupported" },
        { "gemini-*", "gemini-1* gemini-2*", not_enabled,
          "Please enable tool_config.include_server_side_tool_invocations to use Built-in tools with "
          "Function calling." },
        { "gemini-4*", NULL, cached_content, INVALID },
        { "gemma-3*", NULL, system_instruction, "Developer instruction is not enabled for models/$MODEL" },
        { "gemini-4* gemini-3.6-flash* gemini-3.5-flash-lite*", NULL, model_turn_last,
          "Requests ending with a model turn are not supported unless the last part is a function "
          "response." },
        { "*", NULL, many_stops, INVALID },
        { "*", "*-image* gemini-nano-banana* sim-*", wants_image, MODALITIES_ARE("TEXT") },
        { "*", "*-tts* sim-*", wants_audio, MODALITIES_ARE("TEXT") },
        { "*-tts*", NULL, wants_no_audio, MODALITIES_ARE("AUDIO") },
};

/* The budgets of Gemini 2.5. -1 is "as much as needed" everywhere. */
static const struct {
        const char *models;
        int64_t least, most;
        bool off; /* 0 switches thinking off */
} budgets[] = {
        { "gemini-2.5-flash-lite*", 512, 24576, true },
        { "gemini-2.5-flash*", 0, 24576, true },
        { "gemini-2.5-pro*", 128, 32768, false },
};

static bool fits(const char *patterns, const char *model) {
        _cleanup_free_ char *copy = patterns ? strdup(patterns) : NULL;
        char *rest = copy, *pattern;

        while (rest && (pattern = strsep(&rest, " ")))
                if (fnmatch(pattern, model, 0) == 0)
                        return true;
        return false;
}

static void write_message(const ServiceCheck *c, const char *text) {
        const char *at = strstr(text, "$MODEL");

        if (!at)
                (void) buf_puts(c->message, text);
        else
                (void) buf_printf(c->message, "%.*s%s%s", (int) (at - text), text, c->model, at + 6);
}

static bool check_budget(const ServiceCheck *c, const Asked *a) {
        json_object *v = json_member(a->thinking, "thinkingBudget", "thinking_budget");
        int64_t n = v ? json_object_get_int64(v) : -1;

        for (size_t i = 0; n != -1 && i < ELEMENTSOF(budgets); i++) {
                if (!fits(budgets[i].models, c->model))
                        continue;
                if ((n == 0 && budgets[i].off) || (n >= budgets[i].least && n <= budgets[i].most))
                        return true;
                if (n == 0)
                        (void) buf_puts(c->message,
                                        "Budget 0 is invalid. This model only works in thinking mode.");
                else
                        (void) buf_printf(c->message,
                                          "The thinking budget %lld is invalid. Please choose a value "
                                          "between %lld and %lld.",
                                          (long long) n, (long long) budgets[i].least,
                                          (long long) budgets[i].most);
                return false;
        }
        return true;
}

static void read_tools(Asked *a) {
        static const char *const built_in[][2] = {
                { "googleSearch", "google_search" }, { "googleSearchRetrieval", "google_search_retrieval" },
                { "urlContext", "url_context" },     { "codeExecution", "code_execution" },
                { "googleMaps", "google_maps" },     { "fileSearch", "file_search" },
                { "computerUse", "computer_use" },
        };
        json_object *tools = json_member(a->request, "tools", "tools");

        for (size_t i = 0; i < json_length(tools); i++) {
                json_object *tool = json_object_array_get_idx(tools, i);

                if (json_member(tool, "functionDeclarations", "function_declarations"))
                        a->functions = true;
                for (size_t k = 0; k < ELEMENTSOF(built_in); k++)
                        if (json_member(tool, built_in[k][0], built_in[k][1]))
                                a->built_in = true;
        }
}

bool service_check_generation(const ServiceCheck *c) {
        Asked a = { .request = c->request,
                    .config = json_member(c->request, "generationConfig", "generation_config") };
        json_object *level;

        a.thinking = json_member(a.config, "thinkingConfig", "thinking_config");
        level = json_member(a.thinking, "thinkingLevel", "thinking_level");
        a.level = level ? json_object_get_string(level) : "";
        a.budget = json_member(a.thinking, "thinkingBudget", "thinking_budget");
        read_tools(&a);

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].there(&a) && fits(rows[i].models, c->model) && !fits(rows[i].except, c->model)) {
                        write_message(c, rows[i].message);
                        return false;
                }
        return check_budget(c, &a);
}
