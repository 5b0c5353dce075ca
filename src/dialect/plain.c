/* SPDX-License-Identifier: MIT */
#include "dialect/dialect.h"
#include "dialect/openai-error.h"

static void plain_error(const ApiError *e, const char *request_id, Buf *out) {
        openai_error_write(e, out);
}

const Dialect dialect_plain = {
        .name = "plain",
        .error = plain_error,
};
