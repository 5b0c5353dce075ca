/* SPDX-License-Identifier: MIT */

/* A client's request to /v1/responses: whatever it is, it is refused with a 400 that can be sent, or it
 * becomes JSON that Gemini can be asked. It may name a response that is kept, and is kept itself as JSON. */

#include "base/text.h"
#include "core/response-store.h"
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

static void answer(Translation *t);

static void look(const Dialect *d, ResponseStore *store, const uint8_t *data, size_t size) {
        const DialectContext context = {
                .default_model = "gemini-3.8-flash",
                .request_id = "req-1",
                .created = 1790000000,
                .store = GEMINI_STORE_CLIENT,
                .store_is_told = true,
                .responses = store,
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
                answer(t);
        }
}

/* The kept response is resp_0…0, its only item msg_0…000. */
static ResponseStore *make_store(void) {
        static const char input[] = "[{\"role\":\"user\",\"content\":\"Hi\"}]",
                          response[] = "{\"id\":\"resp_00000000000000000000000000000000\","
                                       "\"output\":[{\"id\":\"msg_0000000000000000000000000000000000\","
                                       "\"type\":\"message\","
                                       "\"role\":\"assistant\",\"content\":[]}]}";
        ResponseStore *s;
        ResponseName name;
        Buf a = BUF_INIT(1024), b = BUF_INIT(1024);

        check(response_store_new(&(ResponseStoreLimits){ 8, 1 << 20, 8, 1 << 20, USEC_PER_HOUR }, false,
                                 &s) == 0);
        check(response_name_parse(0, "resp_00000000000000000000000000000000", &name));
        (void) buf_puts(&a, input);
        (void) buf_puts(&b, response);
        response_store_put(s, &name, &a, &b, 1790000000 * USEC_PER_SEC);
        buf_done(&a);
        buf_done(&b);
        return s;
}

/* An answer to it is a response, which is JSON. */
static void answer(Translation *t) {
        static const char event[] = "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]},"
                                    "\"finishReason\":\"STOP\"}]}";
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_buf_ Buf out = BUF_INIT(64U << 20);
        Verdict v;

        t->method = GEMINI_GENERATE;
        check(translation_event(t, event, strlen(event), &out, &v) == 0);
        check(t->dialect->finish(t, &out, &v) == 0);
        check(json_parse(buf_data(&out), out.n, &o) == 0);
        check(!memchr(buf_data(&out), '\n', out.n)); /* it would end an event of a stream */
        check(json_array_length(json_get(o, "output")) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        ResponseStore *store = make_store();

        look(&dialect_openai_responses, store, data, size);
        look(&dialect_openai_responses, NULL, data, size);
        response_store_free(store);
        return 0;
}
