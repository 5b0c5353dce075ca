/* SPDX-License-Identifier: MIT */
#include "base/json/write.h"
#include "dialect/openai-error.h"

void openai_error_write(const ApiError *e, Buf *out) {
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
