/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "dialect/part.h"

static JsonView of_type(JsonView v, char first) {
        return json_view_is(v, first) ? v : (JsonView){};
}

static void read_call(GeminiPart *p, JsonView o, const char *name, const char *value) {
        JsonView id, called;
        const JsonMember members[] = {
                JSON_MEMBER("id", &id),
                { name, strlen(name), &called },
                { value, strlen(value), &p->value },
        };

        json_view_members(o, members, ELEMENTSOF(members));
        p->id = of_type(id, '"');
        p->name = of_type(called, '"');
}

static void read_function_response(GeminiPart *p, JsonView o) {
        read_call(p, o, "name", "response");
}

static void read_tool_call(GeminiPart *p, JsonView o) {
        read_call(p, o, "toolType", "args");
}

static void read_tool_response(GeminiPart *p, JsonView o) {
        read_call(p, o, "toolType", "response");
}

static void read_data(GeminiPart *p, JsonView o) {
        p->type = of_type(json_view_get(o, "mimeType"), '"');
        p->data = of_type(json_view_get(o, "data"), '"');
}

static void read_file(GeminiPart *p, JsonView o) {
        p->type = of_type(json_view_get(o, "mimeType"), '"');
        p->data = of_type(json_view_get(o, "fileUri"), '"');
}

static void read_code(GeminiPart *p, JsonView o) {
        p->type = of_type(json_view_get(o, "language"), '"');
        p->text = of_type(json_view_get(o, "code"), '"');
}

static void read_code_result(GeminiPart *p, JsonView o) {
        p->type = of_type(json_view_get(o, "outcome"), '"');
        p->text = of_type(json_view_get(o, "output"), '"');
}

/* The members that define a part's kind; all are objects. The most frequent ones are not here: text and
 * functionCall. */
static const struct {
        const char *name;
        size_t n_name;
        GeminiPartKind kind;
        void (*read)(GeminiPart *p, JsonView o);
} kinds[] = {
#define KIND(name, kind, read) { name, sizeof(name) - 1, GEMINI_PART_##kind, read }
        KIND("functionResponse", RESULT, read_function_response),
        KIND("inlineData", DATA, read_data),
        KIND("fileData", FILE, read_file),
        KIND("executableCode", CODE, read_code),
        KIND("codeExecutionResult", CODE_RESULT, read_code_result),
        KIND("toolCall", TOOL_CALL, read_tool_call),
        KIND("toolResponse", TOOL_RESULT, read_tool_response),
#undef KIND
};

/* One pass reads the members that any part may have, and what most parts have: a text or a call. */
bool gemini_part_next(JsonCursor *parts, GeminiPart *ret) {
        JsonView part, text, thought, signature, call;
        const JsonMember members[] = {
                JSON_MEMBER("text", &text),
                JSON_MEMBER("thought", &thought),
                JSON_MEMBER("thoughtSignature", &signature),
                JSON_MEMBER("functionCall", &call),
        };

        if (!json_next(parts, NULL, &part))
                return false;
        json_view_members(part, members, ELEMENTSOF(members));
        *ret = (GeminiPart){
                .kind = json_view_is(part, '{') ? GEMINI_PART_OTHER : GEMINI_PART_NONE,
                .is_thought = json_view_is(thought, 't'),
                .signature = of_type(signature, '"'),
        };
        if (json_view_is(text, '"')) {
                ret->kind = GEMINI_PART_TEXT;
                ret->text = text;
                return true;
        }
        if (json_view_is(call, '{')) {
                ret->kind = GEMINI_PART_CALL;
                read_call(ret, call, "name", "args");
                return true;
        }
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                JsonView o;

                json_view_members(part, &(JsonMember){ kinds[i].name, kinds[i].n_name, &o }, 1);
                if (!json_view_is(o, '{'))
                        continue;
                ret->kind = kinds[i].kind;
                kinds[i].read(ret, o);
                break;
        }
        return true;
}

bool gemini_part_has_text(const GeminiPart *p) {
        return p->kind == GEMINI_PART_TEXT && !p->is_thought && !json_view_is_empty(p->text);
}

bool gemini_part_has_content(const GeminiPart *p) {
        return p->kind != GEMINI_PART_NONE &&
               (p->kind != GEMINI_PART_TEXT || !json_view_is_empty(p->text));
}

static void append_fenced(Buf *out, JsonView language, JsonView text) {
        char word[32];
        size_t before;

        if (!text.p)
                return;
        (void) buf_puts(out, "\n```");
        json_view_copy(language, word, sizeof(word));
        for (const char *p = word; isalnum((unsigned char) *p); p++)
                (void) buf_putc(out, (char) tolower((unsigned char) *p));
        (void) buf_putc(out, '\n');
        before = out->n;
        (void) json_view_append(text, out);
        (void) buf_puts(out, out->n > before && buf_data(out)[out->n - 1] == '\n' ? "```\n" : "\n```\n");
}

int gemini_part_append(const GeminiPart *p, Buf *out) {
        if (p->is_thought)
                return 0;
        switch (p->kind) {
        case GEMINI_PART_TEXT:
                return json_view_append(p->text, out);
        case GEMINI_PART_CODE:
                append_fenced(out, p->type, p->text);
                return out->error;
        case GEMINI_PART_CODE_RESULT:
                append_fenced(out, (JsonView){}, p->text);
                return out->error;
        default:
                return 0;
        }
}
