/* SPDX-License-Identifier: MIT */

/* A client's request of chat, completions, images or speech: whatever it is, it is refused with a 400 that
 * can be sent, or it becomes JSON that Gemini can be asked. */

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
}

static const char *resolve(const char *name _unused_, void *model) {
        return model;
}

static void look(const Dialect *d, const char *model, const uint8_t *data, size_t size) {
        const DialectContext context = {
                .default_model = "gemini-3.8-flash",
                .request_id = "req-1",
                .created = 1790000000,
                .store = GEMINI_STORE_CLIENT,
                .store_is_told = true,
                .resolve_model = model ? resolve : NULL,
                .userdata = (void *) (uintptr_t) model,
        };
        _cleanup_(translation_freep) Translation *t = NULL;
        ApiError e = {};
        int r;

        r = d->request(&context, (const char *) data, size, &t, &e);
        if (r == DIALECT_E_REFUSED)
                check_refusal(&e);
        else {
                check(r == 0);
                check_request(t);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        look(&dialect_openai_chat, NULL, data, size);
        look(&dialect_openai_completions, NULL, data, size);
        look(&dialect_openai_images, "gemini-3.1-flash-image", data, size);
        look(&dialect_openai_speech, "gemini-3.8-flash-tts", data, size);
        return 0;
}
