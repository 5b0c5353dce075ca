/* SPDX-License-Identifier: MIT */

/* A client's chat request: whatever it is, it is refused with a 400 that can be sent, or it becomes JSON
 * that Gemini can be asked. */

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good) {
        if (!good)
                abort();
}

static void check_refusal(const ApiError *e) {
        check(e->status == 400);
        check(e->message[0] && text_is_utf8(e->message, strlen(e->message)));
        check(text_is_utf8(e->param, strlen(e->param)));
}

static bool is_object(struct json_object *o, const char *key) {
        return json_get_typed(o, key, json_type_object) != NULL;
}

/* How many parts have the member, which is an object with another one inside: Gemini needs both. */
static size_t count(struct json_object *content, const char *member, const char *inside) {
        struct json_object *parts = json_get(content, "parts");
        size_t n = 0;

        for (size_t i = 0; i < json_array_length(parts); i++) {
                struct json_object *o = json_get(json_object_array_get_idx(parts, i), member);

                if (!o)
                        continue;
                check(is_object(o, inside) && json_get_string(o, "name")[0]);
                n++;
        }
        return n;
}

/* Calls come after a content of the user, and exactly their results come after them. */
static void check_calls(struct json_object *contents) {
        size_t n = json_array_length(contents), calls = 0;

        for (size_t i = 0; i < n; i++) {
                struct json_object *content = json_object_array_get_idx(contents, i);

                check(count(content, "functionResponse", "response") == calls);
                calls = count(content, "functionCall", "args");
                check(calls == 0 || (i > 0 && i + 1 < n));
        }
}

/* Each choice is among the declarations. */
static void check_tools(struct json_object *root) {
        struct json_object *tools = json_get(root, "tools");
        struct json_object *config = json_get(json_get(root, "toolConfig"), "functionCallingConfig");

        check(!tools || json_array_length(tools) > 0);
        check(!config || tools);
        for (size_t i = 0; i < json_array_length(tools); i++) {
                struct json_object *tool = json_object_array_get_idx(tools, i);
                struct json_object *list = json_get(tool, "functionDeclarations");

                check(json_object_is_type(tool, json_type_object) && json_object_object_length(tool) > 0);
                check(!list || json_array_length(list) > 0);
        }
}

static void check_request(const Translation *t) {
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *contents;

        check(t->model[0] && json_parse(buf_data(&t->gemini), t->gemini.n, &o) == 0);
        contents = json_get(o, "contents");
        check(json_array_length(contents) > 0);
        check(json_get_typed(o, "store", json_type_boolean));
        for (size_t i = 0; i < json_array_length(contents); i++) {
                struct json_object *c = json_object_array_get_idx(contents, i);

                check(json_get_string(c, "role"));
                check(json_array_length(json_get(c, "parts")) > 0);
        }
        check_calls(contents);
        check_tools(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const DialectContext context = {
                .default_model = "gemini-3.8-flash",
                .request_id = "req-1",
                .created = 1790000000,
                .store = GEMINI_STORE_CLIENT,
                .store_is_told = true,
        };
        _cleanup_(translation_freep) Translation *t = NULL;
        ApiError e = {};
        int r;

        r = dialect_openai_chat.request(&context, (const char *) data, size, &t, &e);
        if (r == DIALECT_E_REFUSED)
                check_refusal(&e);
        else {
                check(r == 0);
                check_request(t);
        }
        return 0;
}
