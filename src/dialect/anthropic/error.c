/* SPDX-License-Identifier: MIT */

/* Errors in Anthropic's form: {"type":"error","error":{"type","message"},"request_id"}. Source: the API
 * reference's page on errors, and what the official SDKs read. A 503 that passes by itself is their 529.
 *
 * A refused `thread` has details: at these the SDKs send the request again, with the whole conversation and
 * without a thread. Without them the error is final. */

#include "base/json/write.h"
#include "base/text.h"
#include "dialect/error-shape.h"

#define OVERLOADED 529

static const char *type_of(int status) {
        static const struct {
                int status;
                const char *type;
        } rows[] = {
                { 400, "invalid_request_error" }, { 401, "authentication_error" },
                { 402, "billing_error" },         { 403, "permission_error" },
                { 404, "not_found_error" },       { 405, "invalid_request_error" },
                { 409, "conflict_error" },        { 413, "request_too_large" },
                { 429, "rate_limit_error" },      { 504, "timeout_error" },
                { OVERLOADED, "overloaded_error" },
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
        jwrite_string(&w, "type", type_of(error_shape_status(&error_shape_anthropic, e)));
        jwrite_string(&w, "message", e->message);
        if (streq_ptr(e->code, API_ERROR_THREAD)) {
                jwrite_object(&w, "details");
                jwrite_string(&w, "error_code", e->code);
                jwrite_array(&w, "unsupported");
                jwrite_string(&w, NULL, "thread");
                jwrite_end(&w);
                jwrite_end(&w);
        }
        jwrite_end(&w);
        if (request_id)
                jwrite_string(&w, "request_id", request_id);
        jwrite_end(&w);
}

const ErrorShape error_shape_anthropic = {
        .name = "anthropic",
        .write = anthropic_write,
        .overloaded = OVERLOADED,
};
