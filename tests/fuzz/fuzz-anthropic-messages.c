/* SPDX-License-Identifier: MIT */

/* A client's request of Anthropic's: whatever it is, it is refused with a 400 that can be sent, or it
 * becomes JSON that Gemini can be asked, or whose tokens Gemini can count. */

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

static void check_contents(struct json_object *contents) {
        check(json_array_length(contents) > 0);
        for (size_t i = 0; i < json_array_length(contents); i++) {
                struct json_object *c = json_object_array_get_idx(contents, i);

                check(json_get_string(c, "role"));
                check(json_array_length(json_get(c, "parts")) > 0);
        }
}

static void look(const Dialect *d, const char *model, const uint8_t *data, size_t size) {
        const DialectContext context = { .default_model = model, .request_id = "req-1" };
        _cleanup_(translation_freep) Translation *t = NULL;
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *counted;
        ApiError e = {};
        int r;

        r = d->request(&context, (const char *) data, size, &t, &e);
        if (r == DIALECT_E_REFUSED) {
                check_refusal(&e);
                return;
        }
        check(r == 0 && t->model[0] && json_parse(buf_data(&t->gemini), t->gemini.n, &o) == 0);
        counted = json_get(o, "generateContentRequest");
        check(!counted == translation_generates(t));
        check_contents(json_get(counted ?: o, "contents"));
        if (counted)
                check(startswith(strempty(json_get_string(counted, "model")), "models/"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        look(&dialect_anthropic_messages, "gemini-3.8-flash", data, size);
        look(&dialect_anthropic_messages, "gemini-2.5-flash", data, size);
        look(&dialect_anthropic_messages, "gemma-3-27b-it", data, size);
        look(&dialect_anthropic_count_tokens, "gemini-3.8-flash", data, size);
        return 0;
}
