/* SPDX-License-Identifier: MIT */

/*
 * The input of a request to /v1/responses: a text, or items. A turn of the model is several items: its
 * thoughts, its texts and its calls, and each has its results in further items. Items of unknown types
 * are skipped, and so are those that Gemini has nothing for, such as the calls of tools that OpenAI runs.
 *
 * Tools can also be declared by items. Names are mapped in the order of their declarations, so these items
 * are read before all others.
 */

#include <errno.h>
#include <stdio.h>

#include "base/json/copy.h"
#include "base/text.h"
#include "dialect/openai/config.h"
#include "dialect/openai/responses-request.h"

/* Where the items that were read so far have led. */
typedef struct Input {
        ChatRequest *q;
        size_t i;
        bool of_model;      /* the last item was of the model's turn */
        bool has_message;   /* and that turn has a text */
        Buf *kept;          /* gets the items as they are kept; NULL: they are not */
        JsonView signature; /* of a reasoning item: for the next call or text of the turn */
} Input;

/* --- turns --- */

static void sign_last(Input *in) {
        if (in->signature.p && in->of_model)
                turns_sign_text(&in->q->turns, in->signature);
        in->signature = (JsonView){};
}

/* The item is not of the model's turn. */
static void end_turn(Input *in) {
        sign_last(in);
        in->of_model = in->has_message = false;
        turns_next_message(&in->q->turns);
}

/* The item is of it. */
static void need_turn(Input *in, bool is_message) {
        if (!in->of_model || (is_message && in->has_message)) {
                sign_last(in);
                turns_next_message(&in->q->turns);
                in->has_message = false;
        }
        in->of_model = true;
        in->has_message = in->has_message || is_message;
}

/* --- messages --- */

static const struct {
        const char *role;
        TurnRole turn;
} roles[] = {
        { "user", TURN_USER },
        { "assistant", TURN_MODEL },
        { "system", TURN_SYSTEM },
        { "developer", TURN_SYSTEM },
};

#define PARTS "must be input_text, input_image, input_file, input_audio, output_text or refusal"

static int read_content(Input *in, JsonView content, const char *member, TurnRole role) {
        ChatPlace at = { .list = "input", .member = member, .message = in->i, .role = role, .kinds = PARTS };
        ChatRequest *q = in->q;
        JsonCursor c;
        JsonView part;
        int r;

        if (json_view_is_null(content))
                return 0;
        if (json_view_is(content, '"')) {
                turns_text(&q->turns, role, content);
                return 0;
        }
        r = chat_check_type(q, content, TYPE_STRING | TYPE_ARRAY, "input[%zu].%s", in->i, member);
        c = json_enter_array(content);
        for (; r == 0 && json_next(&c, NULL, &part); at.part++)
                r = chat_read_part(q, part, &at);
        return r;
}

static int read_message(Input *in, JsonView v) {
        JsonView role = json_view_get(v, "role"), content = json_view_get(v, "content");
        size_t k = 0;
        int r;

        while (k < ELEMENTSOF(roles) && !json_view_equals(role, roles[k].role))
                k++;
        if (k == ELEMENTSOF(roles))
                return chat_refuse(in->q, "must be user, assistant, system or developer", "input[%zu].role",
                                   in->i);
        if (roles[k].turn != TURN_MODEL) {
                end_turn(in);
                return read_content(in, content, "content", roles[k].turn);
        }
        need_turn(in, true);
        r = read_content(in, content, "content", TURN_MODEL);
        if (r == 0 && in->signature.p)
                sign_last(in);
        return r;
}

/* --- thoughts --- */

static int read_thoughts(Input *in, JsonView list, const char *member) {
        JsonCursor c = json_enter_array(list);
        JsonView part;
        int r;

        if (json_view_is_null(list))
                return 0;
        r = chat_check_type(in->q, list, TYPE_ARRAY, "input[%zu].%s", in->i, member);
        while (r == 0 && json_next(&c, NULL, &part))
                turns_thought(&in->q->turns, json_view_get(part, "text"));
        return r;
}

/* Its `encrypted_content` is the signature of what follows, as responses-answer.c has written it. */
static int read_reasoning(Input *in, JsonView v) {
        JsonView signature = json_view_get(v, "encrypted_content");
        int r;

        need_turn(in, false);
        sign_last(in);
        r = read_thoughts(in, json_view_get(v, "summary"), "summary");
        if (r == 0)
                r = read_thoughts(in, json_view_get(v, "content"), "content");
        if (r == 0 && !json_view_is_null(signature)) {
                r = chat_check_type(in->q, signature, TYPE_STRING, "input[%zu].encrypted_content", in->i);
                in->signature = signature;
        }
        return r;
}

/* --- calls --- */

static int check_id(Input *in, JsonView id) {
        return json_view_is_null(id)
                       ? 0
                       : chat_check_type(in->q, id, TYPE_STRING, "input[%zu].call_id", in->i);
}

/* A client may have called a function of a namespace by the name that Gemini has for it. */
static int find_function(Turns *t, JsonView space, JsonView name, ToolName **ret) {
        char mapped[TOOL_NAME_MAPPED_MAX + 2];
        ToolName *known;

        if (space.p)
                return tool_names_map_in(t->names, space, name, ret);
        json_view_copy(name, mapped, sizeof(mapped));
        known = (ToolName *) tool_names_find(t->names, mapped, strlen(mapped));
        if (!known || !(known->flags & TOOL_NAME_DECLARED) || tool_name_space(known) == 0)
                return tool_names_map_view(t->names, name, ret);
        *ret = known;
        return 0;
}

/* The call takes the signature of the reasoning before it. */
static void add_call(Input *in, JsonView id, JsonView space, JsonView name, JsonView arguments) {
        Turns *t = &in->q->turns;
        ToolName *function = NULL;

        need_turn(in, false);
        if (t->error == 0)
                t->error = find_function(t, space, name, &function);
        turns_call_known(t, id, function, name, arguments, in->signature);
        in->signature = (JsonView){};
}

static int read_named(Input *in, JsonView v, const char *member) {
        JsonView name = json_view_get(v, "name"), id = json_view_get(v, "call_id"),
                 space = json_view_get(v, "namespace");
        int r;

        r = chat_check_type(in->q, name, TYPE_STRING, "input[%zu].name", in->i);
        if (r == 0)
                r = check_id(in, id);
        if (r == 0 && !json_view_is_null(space))
                r = chat_check_type(in->q, space, TYPE_STRING, "input[%zu].namespace", in->i);
        if (r != 0)
                return r;
        if (!json_view_is(space, '"') || json_view_is_empty(space))
                space = (JsonView){};
        add_call(in, id, space, name, json_view_get(v, member));
        return 0;
}

static int read_function_call(Input *in, JsonView v) {
        return read_named(in, v, "arguments");
}

static int read_custom_call(Input *in, JsonView v) {
        int r = read_named(in, v, "input");

        if (r == 0)
                turns_call_has_text(&in->q->turns);
        return r;
}

/* Its arguments are in a member that depends on the tool. */
static int read_client_call(Input *in, JsonView v, const char *member) {
        JsonView id = json_view_get(v, "call_id");
        int r = check_id(in, id);

        if (r != 0)
                return r;
        add_call(in, json_view_is(id, '"') ? id : json_view_get(v, "id"), json_view("\"\"", 2),
                 responses_client_tool(json_view_get(v, "type")), json_view_get(v, member));
        return 0;
}

static int read_action_call(Input *in, JsonView v) {
        return read_client_call(in, v, "action");
}

static int read_patch_call(Input *in, JsonView v) {
        return read_client_call(in, v, "operation");
}

static int read_search_call(Input *in, JsonView v) {
        /* OpenAI's own search has no call of the client's, and nothing to answer. */
        return json_view_equals(json_view_get(v, "execution"), "server")
                       ? 0
                       : read_client_call(in, v, "arguments");
}

/* --- results --- */

static int begin_result(Input *in, JsonView v, bool is_error) {
        JsonView id = json_view_get(v, "call_id");
        int r = check_id(in, id);

        if (r != 0)
                return r;
        end_turn(in);
        turns_result(&in->q->turns, json_view_is(id, '"') ? id : json_view_get(v, "id"), (JsonView){},
                     is_error);
        return 0;
}

/* A text, or parts: an object is none of OpenAI's, but its meaning is clear. */
static int read_result(Input *in, JsonView v) {
        JsonView output = json_view_get(v, "output");
        int r = begin_result(in, v, json_view_equals(json_view_get(v, "status"), "failed"));

        if (r != 0)
                return r;
        if (json_view_is(output, '{') && json_view_is_null(json_view_get(output, "type"))) {
                turns_text(&in->q->turns, TURN_RESULT, output);
                return 0;
        }
        if (json_view_is(output, '{')) {
                ChatPlace at = {
                        .list = "input", .member = "output", .message = in->i, .role = TURN_RESULT,
                        .kinds = PARTS,
                };

                return chat_read_part(in->q, output, &at);
        }
        return read_content(in, output, "output", TURN_RESULT);
}

/* The output of several commands, as JSON. */
static int read_shell_result(Input *in, JsonView v) {
        int r = begin_result(in, v, false);

        if (r == 0)
                turns_text(&in->q->turns, TURN_RESULT, json_view_get(v, "output"));
        return r;
}

/* The tools themselves are declared: responses_declare(). */
static int read_search_result(Input *in, JsonView v) {
        static const char found[] = "\"The tools that were found can be called now.\"",
                          nothing[] = "\"No tools were found.\"";
        JsonCursor c = json_enter_array(json_view_get(v, "tools"));
        JsonView tool;
        int r;

        if (json_view_equals(json_view_get(v, "execution"), "server"))
                return 0;
        r = begin_result(in, v, false);
        if (r == 0)
                turns_text(&in->q->turns, TURN_RESULT,
                           json_next(&c, NULL, &tool) ? json_view(found, sizeof(found) - 1)
                                                      : json_view(nothing, sizeof(nothing) - 1));
        return r;
}

/* --- other items --- */

/* An image that the model has made: it may be asked to change it. */
static int read_image_call(Input *in, JsonView v) {
        JsonView result = json_view_get(v, "result");
        Media m;

        if (!json_view_is(result, '"') || json_view_is_empty(result) || media_read_data(result, NULL, &m))
                return 0;
        if (!m.type[0])
                text_copy(m.type, sizeof(m.type), "image/png");
        need_turn(in, false);
        turns_media(&in->q->turns, TURN_MODEL, &m);
        return 0;
}

/* Code that Gemini ran, as its own text about it: it takes no executableCode without its id. */
static int read_code_call(Input *in, JsonView v) {
        need_turn(in, false);
        turns_text(&in->q->turns, TURN_MODEL, json_view_get(v, "code"));
        return 0;
}

/* The conversation before it, in short; see responses-other.c. */
static int read_compaction(Input *in, JsonView v) {
        JsonView text;
        int r = responses_read_compaction(in->q, v, &text);

        if (r != 0 || !text.p)
                return r;
        end_turn(in);
        turns_text(&in->q->turns, TURN_USER, text);
        return 0;
}

/* Another effort or format from here on: the last one counts. */
static int read_update(Input *in, JsonView v) {
        JsonView reasoning = json_view_get(v, "reasoning"), text = json_view_get(v, "text");
        int r = 0;

        if (json_view_is(reasoning, '{'))
                r = responses_read_reasoning(in->q, reasoning);
        if (r == 0 && json_view_is(text, '{'))
                r = chat_read_text(in->q, text);
        return r;
}

static const struct {
        const char *type;
        int (*read)(Input *in, JsonView v);
} types[] = {
        { "message", read_message },
        { "function_call", read_function_call },
        { "function_call_output", read_result },
        { "reasoning", read_reasoning },
        { "custom_tool_call", read_custom_call },
        { "custom_tool_call_output", read_result },
        { "tool_search_call", read_search_call },
        { "tool_search_output", read_search_result },
        { "local_shell_call", read_action_call },
        { "local_shell_call_output", read_result },
        { "shell_call", read_action_call },
        { "shell_call_output", read_shell_result },
        { "apply_patch_call", read_patch_call },
        { "apply_patch_call_output", read_result },
        { "image_generation_call", read_image_call },
        { "code_interpreter_call", read_code_call },
        { "configuration_update", read_update },
        { "compaction", read_compaction },
        { "compaction_summary", read_compaction }, /* its older name */
};

static void keep(Input *in, JsonView v) {
        if (!in->kept)
                return;
        if (in->kept->n > 1)
                (void) buf_putc(in->kept, ',');
        json_append_compact(v, in->kept);
}

/* A message may lack its type, and so may a reference. */
static int read_item(Input *in, JsonView v) {
        JsonView type;
        int r;

        r = chat_check_type(in->q, v, TYPE_OBJECT, "input[%zu]", in->i);
        if (r != 0)
                return r;
        type = json_view_get(v, "type");
        if (json_view_equals(type, "item_reference") ||
            (json_view_is_null(type) && !json_view_get(v, "role").p && json_view_get(v, "id").p)) {
                r = responses_load_item(in->q, json_view_get(v, "id"), in->i, &v);
                if (r != 0)
                        return r;
                type = json_view_get(v, "type");
        }
        keep(in, v);
        if (json_view_is_null(type))
                return read_message(in, v);
        r = chat_check_type(in->q, type, TYPE_STRING, "input[%zu].type", in->i);
        if (r != 0)
                return r;
        for (size_t k = 0; k < ELEMENTSOF(types); k++)
                if (json_view_equals(type, types[k].type))
                        return types[k].read(in, v);
        return 0;
}

static int declare_of_items(ChatRequest *q, JsonView items) {
        JsonCursor c = json_enter_array(items);
        JsonView item, type;
        char list[48];
        int r = 0;

        for (size_t i = 0; r == 0 && json_next(&c, NULL, &item); i++) {
                type = json_view_get(item, "type");
                if (!json_view_equals(type, "tool_search_output") &&
                    !json_view_equals(type, "additional_tools"))
                        continue;
                (void) snprintf(list, sizeof(list), "input[%zu].tools", i);
                r = responses_declare(q, json_view_get(item, "tools"), list);
        }
        return r;
}

static int read_items(Input *in, JsonView items) {
        JsonCursor c = json_enter_array(items);
        JsonView item;
        int r = 0;

        for (in->i = 0; r == 0 && json_next(&c, NULL, &item); in->i++) {
                if (in->i == MESSAGES_MAX)
                        return dialect_refuse(in->q->error, "input",
                                              "input must not have more than %u items", MESSAGES_MAX);
                r = read_item(in, item);
                if (in->q->turns.error < 0) /* reported when the turns are written */
                        return 0;
        }
        return r;
}

/* Of a request that names it, or a kept one. */
static int read_string(Input *in, JsonView v) {
        Buf *kept = in->kept;

        end_turn(in);
        turns_text(&in->q->turns, TURN_USER, v);
        if (!kept)
                return 0;
        (void) buf_puts(kept, "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":"
                              "\"input_text\",\"text\":");
        (void) buf_append(kept, v.p, (size_t) (v.end - v.p));
        (void) buf_puts(kept, "}]}");
        return 0;
}

static int read_turns(Input *in) {
        const ResponsesRequest *r = responses_request_of(in->q);
        int e = 0;

        for (size_t i = 0; e == 0 && i < r->n_turns; i++) {
                e = read_items(in, r->turns[i].input->root);
                if (e == 0)
                        e = read_items(in, json_view_get(r->turns[i].response->root, "output"));
        }
        return e;
}

static int read_own(Input *in, JsonView v) {
        OpenaiResponse *response = openai_response(in->q->chat);
        int r;

        in->kept = response->is_stored ? &response->input : NULL;
        if (in->kept)
                (void) buf_putc(in->kept, '[');
        r = json_view_is(v, '"') ? read_string(in, v) : read_items(in, v);
        if (in->kept)
                (void) buf_putc(in->kept, ']');
        return r;
}

int responses_read_input(ChatRequest *q, JsonView v) {
        const ResponsesRequest *request = responses_request_of(q);
        Input in = { .q = q };
        int r;

        for (size_t i = 0; i < request->n_turns; i++) {
                r = declare_of_items(q, request->turns[i].input->root);
                if (r != 0)
                        return r;
        }
        r = declare_of_items(q, v);
        if (r == 0)
                r = read_turns(&in);
        if (r == 0)
                r = read_own(&in, v);
        if (r == 0 && request->n_turns == 0 && json_view_is(v, '[') && in.i == 0)
                return dialect_refuse(q->error, "input", "input must not be empty");
        if (r == 0)
                sign_last(&in);
        if (r == 0 && request->compacts)
                responses_ask_summary(q);
        if (r == 0 && !request->compacts && q->fields[CHAT_TOOL_CHOICE].p) /* behind all declarations */
                r = responses_read_tool_choice(q, q->fields[CHAT_TOOL_CHOICE]);
        return r;
}
