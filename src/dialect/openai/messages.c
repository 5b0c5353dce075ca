/* SPDX-License-Identifier: MIT */

/*
 * Reads OpenAI's messages as steps of the conversation, of which dialect/turns makes Gemini's contents. A
 * content may be a string, an array of parts, null or missing, in every role.
 */

#include <errno.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "dialect/openai/request.h"

/* The members of a message that are read. Of others, such as `name` of a user, Gemini has no equivalent. */
typedef struct Message {
        size_t i;
        JsonView role, content, name, refusal, reasoning, thoughts, calls, call, call_id, extra, images;
} Message;

#define PLACE(i, r)                                                                                         \
        {                                                                                                   \
                .list = "messages", .member = "content", .message = (i), .role = (r),                       \
                .kinds = "must be text, image_url, input_audio, file or refusal",                           \
        }

static int read_content(ChatRequest *q, const Message *m, TurnRole role) {
        ChatPlace at = PLACE(m->i, role);
        JsonView content = m->content, part;
        JsonCursor c;
        int r = 0;

        if (json_view_is_null(content))
                return 0;
        if (json_view_is(content, '"')) {
                turns_text(&q->turns, role, content);
                return 0;
        }
        r = chat_check_type(q, content, TYPE_STRING | TYPE_ARRAY, "messages[%zu].content", m->i);
        c = json_enter(content);
        for (; r == 0 && json_next(&c, NULL, &part); at.part++)
                r = chat_read_part(q, part, &at);
        return r;
}

static int read_system(ChatRequest *q, const Message *m) {
        return read_content(q, m, TURN_SYSTEM);
}

static int read_user(ChatRequest *q, const Message *m) {
        return read_content(q, m, TURN_USER);
}

/* --- the assistant --- */

/* `extra_content.google.thought_signature`, as Google's own layer has it. */
static JsonView signature_in(JsonView extra) {
        JsonView google = json_view_get(extra, "google"), v = json_view_get(google, "thought_signature");

        return json_view_is(v, '"') ? v : json_view_get(google, "thoughtSignature");
}

static JsonView find_signature(JsonView extra, JsonView vendor, JsonView function) {
        JsonView v = signature_in(extra);

        if (json_view_is(v, '"'))
                return v;
        v = json_view_get(vendor, "thought_signature"); /* LiteLLM's place of it */
        if (json_view_is(v, '"'))
                return v;
        v = signature_in(json_view_get(function, "extra_content"));
        return json_view_is(v, '"') ? v
                                    : json_view_get(json_view_get(function, "provider_specific_fields"),
                                                    "thought_signature");
}

/* A custom tool's call has a text, which is the one argument of the function that it became. */
static int read_call(ChatRequest *q, JsonView call, size_t m, size_t i) {
        JsonView id, type, function, custom, extra, vendor, name, arguments;
        const JsonMember members[] = {
                JSON_MEMBER("id", &id),
                JSON_MEMBER("type", &type),
                JSON_MEMBER("function", &function),
                JSON_MEMBER("custom", &custom),
                JSON_MEMBER("extra_content", &extra),
                JSON_MEMBER("provider_specific_fields", &vendor),
        };
        bool is_custom;
        int r;

        r = chat_check_type(q, call, TYPE_OBJECT, "messages[%zu].tool_calls[%zu]", m, i);
        if (r != 0)
                return r;
        json_view_members(call, members, ELEMENTSOF(members));
        is_custom = json_view_is(custom, '{') && !json_view_is(function, '{');
        if (is_custom)
                function = custom;
        r = chat_check_type(q, function, TYPE_OBJECT, "messages[%zu].tool_calls[%zu].function", m, i);
        if (r != 0)
                return r;
        json_view_members(function,
                          (const JsonMember[]){
                                  JSON_MEMBER("name", &name),
                                  { is_custom ? "input" : "arguments", is_custom ? 5 : 9, &arguments },
                          },
                          2);
        r = chat_check_type(q, name, TYPE_STRING, "messages[%zu].tool_calls[%zu].%s.name", m, i,
                            is_custom ? "custom" : "function");
        if (r == 0 && !json_view_is_null(id))
                r = chat_check_type(q, id, TYPE_STRING, "messages[%zu].tool_calls[%zu].id", m, i);
        if (r != 0)
                return r;
        turns_call(&q->turns, id, name, arguments, find_signature(extra, vendor, function));
        if (is_custom)
                turns_call_has_text(&q->turns);
        return 0;
}

static int read_calls(ChatRequest *q, const Message *m) {
        JsonCursor c = json_enter_array(m->calls);
        JsonView call;
        int r = 0;

        if (json_view_is_null(m->calls))
                return 0;
        r = chat_check_type(q, m->calls, TYPE_ARRAY, "messages[%zu].tool_calls", m->i);
        for (size_t i = 0; r == 0 && json_next(&c, NULL, &call); i++)
                r = read_call(q, call, m->i, i);
        return r;
}

/* The call of the old `functions`, which has no id. */
static int read_function_call(ChatRequest *q, const Message *m) {
        JsonView name;
        int r;

        if (json_view_is_null(m->call))
                return 0;
        r = chat_check_type(q, m->call, TYPE_OBJECT, "messages[%zu].function_call", m->i);
        if (r != 0)
                return r;
        name = json_view_get(m->call, "name");
        r = chat_check_type(q, name, TYPE_STRING, "messages[%zu].function_call.name", m->i);
        if (r == 0)
                turns_call(&q->turns, (JsonView){}, name, json_view_get(m->call, "arguments"),
                           find_signature(m->extra, (JsonView){}, m->call));
        return r;
}

/* The images of an earlier answer, as gemgate and others put them into a message. */
static int read_images(ChatRequest *q, const Message *m) {
        ChatPlace at = PLACE(m->i, TURN_MODEL);
        JsonCursor c = json_enter_array(m->images);
        JsonView image;
        int r = 0;

        for (; r == 0 && json_next(&c, NULL, &image); at.part++)
                r = chat_read_part(q, image, &at);
        return r;
}

/* Its `audio` is a reference to a sound that OpenAI has kept, and means nothing here. */
static int read_assistant(ChatRequest *q, const Message *m) {
        JsonView thoughts = json_view_is(m->thoughts, '"') ? m->thoughts : m->reasoning;
        int r;

        if (json_view_is(thoughts, '"'))
                turns_thought(&q->turns, thoughts);
        r = read_content(q, m, TURN_MODEL);
        if (r == 0 && !json_view_is_null(m->refusal)) {
                r = chat_check_type(q, m->refusal, TYPE_STRING, "messages[%zu].refusal", m->i);
                if (r == 0)
                        turns_text(&q->turns, TURN_MODEL, m->refusal);
        }
        if (r == 0)
                r = read_images(q, m);
        if (r == 0 && json_view_is_null(m->call))
                turns_sign_text(&q->turns, signature_in(m->extra));
        if (r == 0)
                r = read_calls(q, m);
        return r != 0 ? r : read_function_call(q, m);
}

/* --- results --- */

static int read_result(ChatRequest *q, const Message *m) {
        int r = 0;

        if (!json_view_is_null(m->call_id))
                r = chat_check_type(q, m->call_id, TYPE_STRING, "messages[%zu].tool_call_id", m->i);
        if (r == 0 && !json_view_is_null(m->name))
                r = chat_check_type(q, m->name, TYPE_STRING, "messages[%zu].name", m->i);
        if (r != 0)
                return r;
        turns_result(&q->turns, m->call_id, m->name, false);
        if (json_view_is(m->content, '{')) { /* not OpenAI's, but its meaning is clear */
                turns_text(&q->turns, TURN_RESULT, m->content);
                return 0;
        }
        return read_content(q, m, TURN_RESULT);
}

static const struct {
        const char *role;
        int (*read)(ChatRequest *q, const Message *m);
} roles[] = {
        { "user", read_user },           { "assistant", read_assistant }, { "system", read_system },
        { "developer", read_system },    { "tool", read_result },         { "function", read_result },
};

static int read_message(ChatRequest *q, JsonView v, size_t i) {
        Message m = { .i = i };
        const JsonMember members[] = {
                JSON_MEMBER("role", &m.role),
                JSON_MEMBER("content", &m.content),
                JSON_MEMBER("name", &m.name),
                JSON_MEMBER("refusal", &m.refusal),
                JSON_MEMBER("reasoning", &m.reasoning),
                JSON_MEMBER("reasoning_content", &m.thoughts),
                JSON_MEMBER("tool_calls", &m.calls),
                JSON_MEMBER("function_call", &m.call),
                JSON_MEMBER("tool_call_id", &m.call_id),
                JSON_MEMBER("extra_content", &m.extra),
                JSON_MEMBER("images", &m.images),
        };
        int r;

        r = chat_check_type(q, v, TYPE_OBJECT, "messages[%zu]", i);
        if (r != 0)
                return r;
        json_view_members(v, members, ELEMENTSOF(members));
        turns_next_message(&q->turns);
        for (size_t k = 0; k < ELEMENTSOF(roles); k++)
                if (json_view_equals(m.role, roles[k].role))
                        return roles[k].read(q, &m);
        return chat_refuse(q, "must be one of system, developer, user, assistant, tool, function",
                           "messages[%zu].role", i);
}

int chat_read_messages(ChatRequest *q, JsonView v) {
        JsonCursor c = json_enter(v);
        JsonView message;
        size_t i = 0;
        int r;

        for (; json_next(&c, NULL, &message); i++) {
                if (i == MESSAGES_MAX)
                        return dialect_refuse(q->error, "messages",
                                              "messages must not have more than %u entries", MESSAGES_MAX);
                r = read_message(q, message, i);
                if (r != 0)
                        return r;
                if (q->turns.error < 0) /* reported when the turns are written */
                        return 0;
        }
        return i > 0 ? 0 : dialect_refuse(q->error, "messages", "messages must not be empty");
}
