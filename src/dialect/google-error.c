/* SPDX-License-Identifier: MIT */

/* Errors in Google's words: {"error":{"code","message","status"}}. Source: google.rpc.Code, and the Gemini
 * API's page on errors. */

#include "base/jwrite.h"
#include "dialect/dialect.h"

static const char *status_of(int status) {
        static const struct {
                int status;
                const char *name;
        } rows[] = {
                { 400, "INVALID_ARGUMENT" },   { 401, "UNAUTHENTICATED" },   { 403, "PERMISSION_DENIED" },
                { 404, "NOT_FOUND" },          { 405, "UNIMPLEMENTED" },     { 409, "ABORTED" },
                { 413, "INVALID_ARGUMENT" },   { 429, "RESOURCE_EXHAUSTED" }, { 499, "CANCELLED" },
                { 501, "UNIMPLEMENTED" },      { 503, "UNAVAILABLE" },       { 504, "DEADLINE_EXCEEDED" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].status == status)
                        return rows[i].name;
        return status < 500 ? "FAILED_PRECONDITION" : "INTERNAL";
}

static void error(const ApiError *e, const char *request_id _unused_, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        jwrite_int(&w, "code", e->status);
        jwrite_string(&w, "message", e->message);
        jwrite_string(&w, "status", status_of(e->status));
        jwrite_end(&w);
        jwrite_end(&w);
}

const Dialect dialect_google_error = {
        .name = "gemini",
        .error = error,
};
