/* SPDX-License-Identifier: MIT */

/*
 * Translates OpenAI's messages to Gemini's contents.
 *
 * Gemini has two roles, "user" and "model", and takes instructions apart from the conversation. So all
 * system and developer messages become one systemInstruction, with a part for each text, and every other
 * message becomes a content. Empty texts are dropped, because Gemini refuses some of them; a conversation
 * without any text left still sends one content, which is required.
 *
 * Instructions alone are not a conversation, so they are sent as the user's content. For models without
 * systemInstruction (Gemma) they become the beginning of the first user content. The code calls both the
 * "lead".
 *
 * Everything is checked first and written afterwards: the writer relies on the checks.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "dialect/json.h"
#include "dialect/openai/chat.h"

typedef enum Speaker {
        SPEAKER_SYSTEM,
        SPEAKER_USER,
        SPEAKER_MODEL,
        SPEAKER_TOOL, /* not yet */
} Speaker;

static const struct {
        const char *role;
        Speaker speaker;
} roles[] = {
        { "system", SPEAKER_SYSTEM },   { "developer", SPEAKER_SYSTEM }, { "user", SPEAKER_USER },
        { "assistant", SPEAKER_MODEL }, { "tool", SPEAKER_TOOL },        { "function", SPEAKER_TOOL },
};

static const char *const speaker_names[] = {
        [SPEAKER_USER] = "user",
        [SPEAKER_MODEL] = "model",
};

/* Kinds of content parts, and the member that holds their text; those without one are not supported yet. */
static const struct {
        const char *type, *member;
        bool only_model;
} kinds[] = {
        { "text", "text", false },      { "refusal", "refusal", true }, { "image_url", NULL, false },
        { "input_audio", NULL, false }, { "file", NULL, false },
};

/* Members of an assistant's message that need tools or audio. */
static const char *const later[] = { "tool_calls", "function_call", "audio" };

#define TYPE_OF_PART "messages[%zu].content[%zu].type"

static int find_speaker(struct json_object *message, Speaker *ret) {
        const char *role = json_get_string(message, "role");

        for (size_t i = 0; role && i < ELEMENTSOF(roles); i++)
                if (streq(role, roles[i].role)) {
                        *ret = roles[i].speaker;
                        return 0;
                }
        return -EINVAL;
}

static int find_kind(struct json_object *part, size_t *ret) {
        const char *type = json_get_string(part, "type");

        for (size_t i = 0; type && i < ELEMENTSOF(kinds); i++)
                if (streq(type, kinds[i].type)) {
                        *ret = i;
                        return 0;
                }
        return -EINVAL;
}

/* The path of a fault is built only when there is one. */
static int _printf_(3, 4) refuse(ApiError *ret_error, const char *fault, const char *where, ...) {
        char param[64];
        va_list ap;

        va_start(ap, where);
        (void) vsnprintf(param, sizeof(param), where, ap);
        va_end(ap);
        return openai_refuse(ret_error, param, "%s%s", param, fault);
}

static int check_part(struct json_object *part, Speaker speaker, size_t m, size_t p, ApiError *ret_error) {
        size_t kind;

        if (!json_object_is_type(part, json_type_object))
                return refuse(ret_error, " must be an object with a type", "messages[%zu].content[%zu]", m,
                              p);
        if (find_kind(part, &kind) < 0)
                return refuse(ret_error, " must be \"text\"", TYPE_OF_PART, m, p);
        if (!kinds[kind].member) {
                char fault[64];

                (void) snprintf(fault, sizeof(fault), ": %s is not supported yet", kinds[kind].type);
                return refuse(ret_error, fault, TYPE_OF_PART, m, p);
        }
        if (kinds[kind].only_model && speaker != SPEAKER_MODEL)
                return refuse(ret_error, ": only an assistant has a refusal", TYPE_OF_PART, m, p);
        if (!json_get_typed(part, kinds[kind].member, json_type_string))
                return refuse(ret_error, " must be a string", "messages[%zu].content[%zu].%s", m, p,
                              kinds[kind].member);
        return 0;
}

static int check_content(struct json_object *message, Speaker speaker, size_t m, ApiError *ret_error) {
        struct json_object *content = json_get(message, "content");
        int r;

        if (!content && speaker == SPEAKER_MODEL)
                return 0;
        if (json_object_is_type(content, json_type_string))
                return 0;
        if (!json_object_is_type(content, json_type_array))
                return refuse(ret_error, " must be a string or an array of parts", "messages[%zu].content",
                              m);
        for (size_t p = 0; p < json_array_length(content); p++) {
                r = check_part(json_object_array_get_idx(content, p), speaker, m, p, ret_error);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int check_message(struct json_object *message, size_t m, ApiError *ret_error) {
        struct json_object *o;
        Speaker speaker;

        if (!json_object_is_type(message, json_type_object))
                return refuse(ret_error, " must be an object", "messages[%zu]", m);
        if (find_speaker(message, &speaker) < 0)
                return refuse(ret_error, " must be one of system, developer, user, assistant",
                              "messages[%zu].role", m);
        if (speaker == SPEAKER_TOOL)
                return refuse(ret_error, ": tools are not supported yet", "messages[%zu].role", m);

        for (size_t i = 0; speaker == SPEAKER_MODEL && i < ELEMENTSOF(later); i++) {
                o = json_get(message, later[i]);
                if (!o || (json_object_is_type(o, json_type_array) && json_array_length(o) == 0))
                        continue;
                return refuse(ret_error, " is not supported yet", "messages[%zu].%s", m, later[i]);
        }

        o = json_get(message, "refusal");
        if (o && !json_object_is_type(o, json_type_string))
                return refuse(ret_error, " must be a string", "messages[%zu].refusal", m);

        return check_content(message, speaker, m, ret_error);
}

int openai_messages_check(struct json_object *messages, ApiError *ret_error) {
        size_t n = json_array_length(messages);
        int r;

        if (!messages)
                return openai_refuse(ret_error, "messages", "messages is required");
        if (!json_object_is_type(messages, json_type_array))
                return openai_refuse(ret_error, "messages", "messages must be an array");
        if (n == 0)
                return openai_refuse(ret_error, "messages", "messages must not be empty");
        if (n > MESSAGES_MAX)
                return openai_refuse(ret_error, "messages", "messages must not have more than %u entries",
                                     MESSAGES_MAX);

        for (size_t m = 0; m < n; m++) {
                r = check_message(json_object_array_get_idx(messages, m), m, ret_error);
                if (r != 0)
                        return r;
        }
        return 0;
}

/* Walks all texts of all messages that are not empty, in order. */
typedef struct TextsWalk {
        struct json_object *messages;
        size_t message, part; /* the next to be read */
        Speaker speaker;      /* of the text that was found */
        const char *text;
        size_t n;
} TextsWalk;

/* The text at `part` of a message: its content or one part of it, and at last its refusal. False after
 * the end. */
static bool text_at(struct json_object *message, Speaker speaker, size_t part, const char **ret,
                    size_t *ret_n) {
        struct json_object *content = json_get(message, "content"), *o = NULL;
        size_t n = json_object_is_type(content, json_type_array) ? json_array_length(content) : 1, kind;

        if (part > n)
                return false;
        if (part == n)
                o = speaker == SPEAKER_MODEL ? json_get(message, "refusal") : NULL;
        else if (json_object_is_type(content, json_type_array)) {
                struct json_object *p = json_object_array_get_idx(content, part);

                if (find_kind(p, &kind) >= 0)
                        o = json_get(p, kinds[kind].member);
        } else
                o = content;

        *ret = json_string(o, ret_n);
        if (!*ret)
                *ret_n = 0;
        return true;
}

static bool walk_next(TextsWalk *w) {
        for (; w->message < json_array_length(w->messages); w->message++, w->part = 0) {
                struct json_object *m = json_object_array_get_idx(w->messages, w->message);

                if (find_speaker(m, &w->speaker) < 0)
                        continue;
                while (text_at(m, w->speaker, w->part, &w->text, &w->n)) {
                        w->part++;
                        if (w->n > 0)
                                return true;
                }
        }
        return false;
}

static void write_part(JWriter *w, const char *text, size_t n) {
        jwrite_object(w, NULL);
        jwrite_string_n(w, "text", text, n);
        jwrite_end(w);
}

static void open_content(JWriter *w, Speaker speaker) {
        jwrite_object(w, NULL);
        jwrite_string(w, "role", speaker_names[speaker]);
        jwrite_array(w, "parts");
}

static void close_content(JWriter *w) {
        jwrite_end(w);
        jwrite_end(w);
}

static void write_separator(JWriter *w) {
        write_part(w, "\n\n", 2);
}

static void write_instruction(struct json_object *messages, JWriter *w) {
        jwrite_object(w, "systemInstruction");
        jwrite_array(w, "parts");
        for (TextsWalk i = { .messages = messages }; walk_next(&i);)
                if (i.speaker == SPEAKER_SYSTEM)
                        write_part(w, i.text, i.n);
        jwrite_end(w);
        jwrite_end(w);
}

/* Writes instructions as user text, in a content that stays open. Gemini joins parts without a gap. */
static void open_lead(struct json_object *messages, JWriter *w) {
        bool any = false;

        open_content(w, SPEAKER_USER);
        for (TextsWalk i = { .messages = messages }; walk_next(&i);) {
                if (i.speaker != SPEAKER_SYSTEM)
                        continue;
                if (any)
                        write_separator(w);
                write_part(w, i.text, i.n);
                any = true;
        }
        if (!any)
                write_part(w, "", 0);
}

/* Writes a content for each message with text; the first user message continues the lead, if that is
 * open. */
static void write_turns(struct json_object *messages, bool open, JWriter *w) {
        size_t message = SIZE_MAX; /* the message whose content is open */

        for (TextsWalk i = { .messages = messages }; walk_next(&i);) {
                if (i.speaker == SPEAKER_SYSTEM)
                        continue;
                if (i.message != message) {
                        if (open && message == SIZE_MAX && i.speaker == SPEAKER_USER)
                                write_separator(w);
                        else {
                                if (open)
                                        close_content(w);
                                open_content(w, i.speaker);
                                open = true;
                        }
                        message = i.message;
                }
                write_part(w, i.text, i.n);
        }
        if (open)
                close_content(w);
}

void openai_messages_write(struct json_object *messages, GeminiTraits traits, JWriter *w) {
        bool instructions = false, turns = false, lead;

        for (TextsWalk i = { .messages = messages }; walk_next(&i);)
                if (i.speaker == SPEAKER_SYSTEM)
                        instructions = true;
                else
                        turns = true;

        lead = !turns || (instructions && traits & GEMINI_NO_SYSTEM);
        if (instructions && !lead)
                write_instruction(messages, w);
        jwrite_array(w, "contents");
        if (lead)
                open_lead(messages, w);
        write_turns(messages, lead, w);
        jwrite_end(w);
}
