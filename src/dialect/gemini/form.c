/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "dialect/gemini/form.h"
#include "dialect/json.h"

#define RPC_NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define GOOGLE_TYPE    "type.googleapis.com/google.rpc."

const char *gemini_form_to_string(GeminiForm f) {
        static const char *const names[_GEMINI_FORM_MAX] = {
                [GEMINI_FORM_GOOGLE] = "a refusal without a reason",
                [GEMINI_FORM_JSON] = "JSON that is not Google's",
                [GEMINI_FORM_BROKEN] = "an answer that breaks off",
                [GEMINI_FORM_HTML] = "a page of HTML",
                [GEMINI_FORM_TEXT] = "plain text",
                [GEMINI_FORM_NOTHING] = "an empty answer",
        };

        assert(f < _GEMINI_FORM_MAX);
        return names[f];
}

GeminiForm gemini_form_of_text(const char *s, size_t n) {
        while (n > 0 && strspn((char[]){ *s, 0 }, TEXT_WHITESPACE) > 0)
                s++, n--;
        if (n == 0)
                return GEMINI_FORM_NOTHING;
        if (*s == '<')
                return GEMINI_FORM_HTML;
        return *s == '{' || *s == '[' ? GEMINI_FORM_BROKEN : GEMINI_FORM_TEXT;
}

bool gemini_form_is_googles(struct json_object *error) {
        const char *name = json_get_string(error, "status");
        struct json_object *details = json_get(error, "details");

        if (!strnull(name) && text_in_charset(name, strlen(name), RPC_NAME_CHARS))
                return true;
        for (size_t i = 0; i < json_array_length(details); i++)
                if (json_get_string(json_object_array_get_idx(details, i), "@type"))
                        return true;
        return false;
}

bool gemini_form_half_is_googles(const char *s) {
        size_t n;

        if (strstr(s, GOOGLE_TYPE))
                return true;
        while ((s = strstr(s, "\"status\""))) {
                s += strlen("\"status\"");
                s += strspn(s, " :");
                n = *s == '"' ? strspn(s + 1, RPC_NAME_CHARS) : 0;
                if (n > 0 && s[n + 1] == '"')
                        return true;
        }
        return false;
}
