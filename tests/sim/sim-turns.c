/* SPDX-License-Identifier: MIT */
/*
 * The results of a turn's calls are in the turn behind it, as many as there are calls. Since the user spoke
 * last, the first call of each turn has the signature that was given with it; a call before that may have
 * lost its own.
 */
#include <stdio.h>

#include "base/text.h"
#include "sim-json.h"
#include "sim-service.h"

#define CALL_TURN                                                                                           \
        "Please ensure that function call turn comes immediately after a user turn or after a function "    \
        "response turn."
#define RESPONSE_TURN                                                                                       \
        "Please ensure that function response turn comes immediately after a function call turn."
#define EQUAL_NUMBER                                                                                        \
        "Please ensure that the number of function response parts is equal to the number of function call " \
        "parts of the function call turn."
#define PART "* GenerateContentRequest.contents[%zu].parts[%zu]"
#define CORRUPTED "Corrupted thought signature."

static json_object *parts_of(json_object *content) {
        return json_member(content, "parts", "parts");
}

static json_object *part_at(json_object *content, size_t i) {
        return json_object_array_get_idx(parts_of(content), i);
}

static json_object *call_of(json_object *part) {
        return json_member(part, "functionCall", "function_call");
}

static json_object *response_of(json_object *part) {
        return json_member(part, "functionResponse", "function_response");
}

static size_t count(json_object *content, json_object *(*which)(json_object *part)) {
        size_t n = 0;

        for (size_t i = 0; i < json_length(parts_of(content)); i++)
                n += which(part_at(content, i)) != NULL;
        return n;
}

static bool is_model(json_object *content) {
        json_object *role = json_member(content, "role", "role");

        return role && streq(json_object_get_string(role), "model");
}

static bool refuse(const ServiceCheck *c, const char *message) {
        (void) buf_puts(c->message, message);
        return false;
}

/* --- parts --- */

static void check_part(const ServiceCheck *c, json_object *part, size_t i, size_t k) {
        json_object *blob = json_member(part, "inlineData", "inline_data"), *response = response_of(part),
                    *v;

        if (blob && (!(v = json_member(blob, "mimeType", "mime_type")) || !*json_object_get_string(v)))
                (void) buf_printf(c->message,
                                  PART ".inline_data.mime_type: mime_type is required.\n", i, k);
        if (response && (!(v = json_member(response, "name", "name")) || !*json_object_get_string(v)))
                (void) buf_printf(c->message,
                                  PART ".function_response.name: Name cannot be empty.\n", i, k);
        if (response && !json_member(response, "response", "response"))
                (void) buf_printf(c->message,
                                  PART ".function_response.response: missing field.\n", i, k);
}

static bool check_parts(const ServiceCheck *c, json_object *contents) {
        for (size_t i = 0; i < json_length(contents); i++) {
                json_object *content = json_object_array_get_idx(contents, i);

                for (size_t k = 0; k < json_length(parts_of(content)); k++)
                        check_part(c, part_at(content, k), i, k);
        }
        return c->message->n == 0;
}

/* --- calls and results --- */

static bool check_pairs(const ServiceCheck *c, json_object *contents) {
        size_t n = json_length(contents), before = 0;

        for (size_t i = 0; i < n; i++) {
                json_object *content = json_object_array_get_idx(contents, i);
                size_t calls = count(content, call_of), responses = count(content, response_of);

                if (responses > 0 && before == 0)
                        return refuse(c, RESPONSE_TURN);
                if (before != responses)
                        return refuse(c, EQUAL_NUMBER);
                if (calls > 0 && (i == 0 || is_model(json_object_array_get_idx(contents, i - 1))))
                        return refuse(c, CALL_TURN);
                before = calls;
        }
        return true;
}

/* --- signatures --- */

static bool missing(const ServiceCheck *c, const char *name, size_t position) {
        (void) buf_printf(c->message,
                          "Function call is missing a thought_signature in functionCall parts. This is "
                          "required for tools to work correctly, and missing thought_signature may lead to "
                          "degraded model performance. Additional data, function call `default_api:%s` , "
                          "position %zu. Please refer to "
                          "https://ai.google.dev/gemini-api/docs/thought-signatures for more details.",
                          name, position);
        return false;
}

static bool check_turn_signatures(const ServiceCheck *c, json_object *content, size_t position,
                                  bool wanted) {
        bool first = true;

        for (size_t k = 0; k < json_length(parts_of(content)); k++) {
                json_object *part = part_at(content, k), *call = call_of(part),
                            *signature = json_member(part, "thoughtSignature", "thought_signature");
                const char *name, *s = signature ? json_object_get_string(signature) : "";

                if (!call)
                        continue;
                name = strempty(json_object_get_string(json_member(call, "name", "name")));
                if (first && wanted && !*s)
                        return missing(c, name, position);
                if (*s && c->signatures->demand == SIGNATURES_STRICT &&
                    !signature_good(c->signatures, c->model, name, json_member(call, "args", "args"), s))
                        return refuse(c, CORRUPTED);
                first = false;
        }
        return true;
}

static bool check_signatures(const ServiceCheck *c, json_object *contents) {
        size_t n = json_length(contents), begin = 0;

        if (c->signatures->demand == SIGNATURES_OFF || !signature_wanted(c->model))
                return true;
        for (size_t i = 0; i < n; i++) {
                json_object *content = json_object_array_get_idx(contents, i);

                if (!is_model(content) && count(content, response_of) == 0)
                        begin = i;
        }
        for (size_t i = 0; i < n; i++)
                if (!check_turn_signatures(c, json_object_array_get_idx(contents, i), i + 1, i > begin))
                        return false;
        return true;
}

bool service_check_turns(const ServiceCheck *c) {
        json_object *contents = json_member(c->request, "contents", "contents");

        return check_parts(c, contents) && check_pairs(c, contents) && check_signatures(c, contents);
}
