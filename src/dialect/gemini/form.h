/* SPDX-License-Identifier: MIT */
#pragma once

/* The form of an error's body: whether Google wrote it. error.c has the reasons. */

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

typedef enum GeminiForm {
        GEMINI_FORM_GOOGLE,
        GEMINI_FORM_JSON,   /* other JSON */
        GEMINI_FORM_BROKEN, /* JSON that was cut off: its text is matched, but not shown */
        GEMINI_FORM_HTML,   /* neither matched nor shown */
        GEMINI_FORM_TEXT,
        GEMINI_FORM_NOTHING,
        _GEMINI_FORM_MAX,
} GeminiForm;

/* What was seen, for people: "a page of HTML". GEMINI_FORM_GOOGLE is shown only if it is VERDICT_FOREIGN. */
const char *gemini_form_to_string(GeminiForm f);

/* Of a body that is not JSON, by its beginning. */
GeminiForm gemini_form_of_text(const char *s, size_t n);

/* Whether the value of `error` (may be NULL) has a `status` of Google's, or details. */
bool gemini_form_is_googles(struct json_object *error);

/* Whether half an error shows one of them; the text is cleaned (dialect/message.h). */
bool gemini_form_half_is_googles(const char *s);
