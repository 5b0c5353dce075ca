/* SPDX-License-Identifier: MIT */

/*
 * Errors in Google's form. Source: google.rpc.Code, google/rpc/error_details.proto, and the Gemini API's
 * page on errors.
 *
 * Only a 429 has details, for one client: after a 429 without them the Gemini CLI retries ten times in four
 * minutes, with its own delays. gemgate has already tried other keys, so these retries are useless. The CLI
 * gives up at once (its googleQuotaErrors.ts; measured with the default settings of 0.61.0: one request) if
 * a QuotaFailure has `PerDay` in its quotaId, or RetryInfo has a delay of more than 300 s. So the quota of
 * a day is reported as such, with the true delay, and any other delay as 301 s or more. The Retry-After
 * header always has the true delay.
 */

#include <stdio.h>

#include "base/json/write.h"
#include "base/text.h"
#include "dialect/error-shape.h"

#define TYPE_PREFIX "type.googleapis.com/google.rpc."
#define CLI_GIVES_UP (301 * USEC_PER_SEC)

static const char *status_of(int status) {
        static const struct {
                int status;
                const char *name;
        } rows[] = {
                { 400, "INVALID_ARGUMENT" },   { 401, "UNAUTHENTICATED" },   { 403, "PERMISSION_DENIED" },
                { 404, "NOT_FOUND" },          { 405, "UNIMPLEMENTED" },     { 409, "ABORTED" },
                { 408, "DEADLINE_EXCEEDED" },  { 413, "INVALID_ARGUMENT" },  { 415, "INVALID_ARGUMENT" },
                { 429, "RESOURCE_EXHAUSTED" }, { 499, "CANCELLED" },         { 501, "UNIMPLEMENTED" },
                { 503, "UNAVAILABLE" },        { 504, "DEADLINE_EXCEEDED" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].status == status)
                        return rows[i].name;
        return status < 500 ? "FAILED_PRECONDITION" : "INTERNAL";
}

static void write_details(const ApiError *e, JWriter *w) {
        usec_t delay = e->daily ? e->retry_after : MAX(e->retry_after, CLI_GIVES_UP);
        char text[32];

        jwrite_array(w, "details");
        if (e->daily) {
                jwrite_object(w, NULL);
                jwrite_string(w, "@type", TYPE_PREFIX "QuotaFailure");
                jwrite_array(w, "violations");
                jwrite_object(w, NULL);
                jwrite_string(w, "quotaId", "PerDay"); /* Google's exact quotaId differs from key to key */
                jwrite_string(w, "description", "The quota of the day is spent.");
                jwrite_end(w);
                jwrite_end(w);
                jwrite_end(w);
        }
        if (delay > 0) {
                (void) snprintf(text, sizeof(text), "%llus",
                                (unsigned long long) ((delay + USEC_PER_SEC - 1) / USEC_PER_SEC));
                jwrite_object(w, NULL);
                jwrite_string(w, "@type", TYPE_PREFIX "RetryInfo");
                jwrite_string(w, "retryDelay", text);
                jwrite_end(w);
        }
        jwrite_end(w);
}

static void google_write(const ApiError *e, const char *request_id _unused_, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        jwrite_int(&w, "code", e->status);
        jwrite_string(&w, "message", e->message);
        jwrite_string(&w, "status", status_of(e->status));
        if (e->status == 429)
                write_details(e, &w);
        jwrite_end(&w);
        jwrite_end(&w);
}

const ErrorShape error_shape_google = {
        .name = "google",
        .write = google_write,
};
