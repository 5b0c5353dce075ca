/* SPDX-License-Identifier: MIT */
#include "base/json/write.h"
#include "dialect/error-shape.h"

static void openai_write(const ApiError *e, const char *request_id _unused_, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        jwrite_string(&w, "message", e->message);
        jwrite_string(&w, "type", e->type);
        jwrite_string(&w, "param", e->param[0] ? e->param : NULL);
        jwrite_string(&w, "code", e->code);
        jwrite_end(&w);
        jwrite_end(&w);
}

const ErrorShape error_shape_openai = {
        .name = "openai",
        .write = openai_write,
};

const ErrorShape error_shape_plain = {
        .name = "plain",
        .write = openai_write,
};
