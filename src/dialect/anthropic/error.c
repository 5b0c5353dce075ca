/* SPDX-License-Identifier: MIT */

/* Errors in Anthropic's form: {"type":"error","error":{"type","message"},"request_id"}. Source: the API
 * reference's page on errors, and what the official SDKs read. */

#include "base/json/write.h"
#include "dialect/error-shape.h"

static const char *type_of(int status) {
        static const struct {
                int status;
                const char *type;
        } rows[] = {
                { 400, "invalid_request_error" }, { 401, "authentication_error" },
                { 402, "billing_error" },         { 403, "permission_error" },
                { 404, "not_found_error" },       { 405, "invalid_request_error" },
                { 409, "conflict_error" },        { 413, "request_too_large" },
                { 429, "rate_limit_error" },      { 503, "overloaded_error" },
                { 504, "timeout_error" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].status == status)
                        return rows[i].type;
        return status < 500 ? "invalid_request_error" : "api_error";
}

static void anthropic_write(const ApiError *e, const char *request_id, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        jwrite_string(&w, "type", "error");
        jwrite_object(&w, "error");
        jwrite_string(&w, "type", type_of(e->status));
        jwrite_string(&w, "message", e->message);
        jwrite_end(&w);
        jwrite_string(&w, "request_id", request_id);
        jwrite_end(&w);
}

const ErrorShape error_shape_anthropic = {
        .name = "anthropic",
        .write = anthropic_write,
};
