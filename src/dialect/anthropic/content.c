/* SPDX-License-Identifier: MIT */

/*
 * `system` and `messages` as steps of the conversation, of which dialect/turns makes Gemini's contents.
 *
 * Claude Code begins its instructions with a line x-anthropic-billing-header, which differs from request to
 * request. It is left out, because Gemini's cache needs prompts that begin alike.
 *
 * Gemini signs calls and texts, Anthropic's protocol signs thoughts. So a block of thoughts carries the
 * signature of the call that follows it in its message; if none follows, that of the text.
 */

#include <errno.h>

#include "base/limits.h"
#include "base/text.h"
#include "dialect/anthropic/request.h"

#define ATTRIBUTION "x-anthropic-billing-header"

/* --- the instructions --- */

static bool has_attribution(JsonView text) {
        char start[sizeof(ATTRIBUTION)];

        json_view_copy(text, start, sizeof(start));
        return streq(start, ATTRIBUTION);
}

/* What is behind the attribution's line, as a string; nothing if there is no more. There is only one: others
 * stay as they are. */
static JsonView cut_attribution(AnthropicRequest *q, JsonView text) {
        JsonView inside = json_view_inside(text);
        const char *line = memmem(inside.p, (size_t) (inside.end - inside.p), "\\n", 2);

        if (q->instructions.n > 0)
                return text;
        while (line && inside.end - line >= 2 && memcmp(line, "\\n", 2) == 0)
                line += 2;
        if (!line || line == inside.end)
                return (JsonView){};
        (void) buf_putc(&q->instructions, '"');
        (void) buf_append(&q->instructions, line, (size_t) (text.end - line));
        if (q->instructions.error < 0)
                return (JsonView){};
        return json_view(buf_data(&q->instructions), q->instructions.n);
}

static void add_instruction(AnthropicRequest *q, JsonView text) {
        if (has_attribution(text))
                text = cut_attribution(q, text);
        turns_text(&q->turns, TURN_SYSTEM, text);
}

int anthropic_read_system(AnthropicRequest *q, JsonView v) {
        AnthropicPlace at = { .role = TURN_SYSTEM, .is_system = true };
        JsonCursor c = json_enter_array(v);
        JsonView block, text;
        int r = 0;

        turns_next_message(&q->turns);
        if (json_view_is(v, '"'))
                add_instruction(q, v);
        for (; r == 0 && json_next(&c, NULL, &block); at.block++) {
                text = json_view_get(block, "text");
                if (at.block == 0 && json_view_equals(json_view_get(block, "type"), "text") &&
                    json_view_is(text, '"'))
                        add_instruction(q, text);
                else
                        r = anthropic_read_block(q, block, &at);
        }
        return r != 0 ? r : q->instructions.error;
}

/* --- the messages --- */

static int read_content(AnthropicRequest *q, JsonView content, size_t message, TurnRole role) {
        AnthropicPlace at = { .message = message, .role = role };
        JsonCursor c;
        JsonView block;
        int r;

        if (json_view_is(content, '"')) {
                turns_text(&q->turns, role, content);
                return 0;
        }
        r = check_type(q->error, content, TYPE_STRING | TYPE_ARRAY, "messages[%zu].content", message);
        c = json_enter(content);
        for (; r == 0 && json_next(&c, NULL, &block); at.block++)
                r = anthropic_read_block(q, block, &at);
        return r;
}

static int read_assistant(AnthropicRequest *q, JsonView content, size_t message) {
        int r;

        q->signature = (JsonView){};
        q->has_text = false;
        r = read_content(q, content, message, TURN_MODEL);
        if (r == 0 && q->has_text)
                turns_sign_text(&q->turns, q->signature);
        return r;
}

static const struct {
        const char *name;
        TurnRole role;
} roles[] = {
        { "user", TURN_USER },
        { "assistant", TURN_MODEL },
        { "system", TURN_SYSTEM },
};

static int read_message(AnthropicRequest *q, JsonView v, size_t i) {
        JsonView role, content;
        const JsonMember members[] = {
                JSON_MEMBER("role", &role),
                JSON_MEMBER("content", &content),
        };
        int r;

        r = check_type(q->error, v, TYPE_OBJECT, "messages[%zu]", i);
        if (r != 0)
                return r;
        json_view_members(v, members, ELEMENTSOF(members));
        turns_next_message(&q->turns);
        for (size_t k = 0; k < ELEMENTSOF(roles); k++)
                if (json_view_equals(role, roles[k].name))
                        return roles[k].role == TURN_MODEL ? read_assistant(q, content, i)
                                                           : read_content(q, content, i, roles[k].role);
        return check_refuse(q->error, "must be user, assistant or system", "messages[%zu].role", i);
}

int anthropic_read_messages(AnthropicRequest *q, JsonView v) {
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
