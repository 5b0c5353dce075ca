/* SPDX-License-Identifier: MIT */
#include <ctype.h>

#include "base/json/write.h"
#include "base/text.h"
#include "sim-error-table.h"

static const struct {
        unsigned code;
        const char *status;
} statuses[] = {
        { 400, "INVALID_ARGUMENT" },  { 401, "UNAUTHENTICATED" },    { 402, "RESOURCE_EXHAUSTED" },
        { 403, "PERMISSION_DENIED" }, { 404, "NOT_FOUND" },          { 409, "ABORTED" },
        { 413, "INVALID_ARGUMENT" },  { 429, "RESOURCE_EXHAUSTED" }, { 499, "CANCELLED" },
        { 500, "INTERNAL" },          { 501, "UNIMPLEMENTED" },      { 502, "UNAVAILABLE" },
        { 503, "UNAVAILABLE" },       { 504, "DEADLINE_EXCEEDED" },
};

const SimError *error_find(const char *name) {
        for (size_t i = 0; i < n_errors; i++)
                if (streq(errors[i].name, name))
                        return &errors[i];
        return NULL;
}

const SimError *error_for_status(unsigned status) {
        static const struct {
                unsigned status;
                const char *name;
        } usual[] = {
                { 400, "invalid_argument" }, { 401, "unauthenticated" }, { 402, "prepay_402" },
                { 403, "denied" },           { 404, "not_found" },       { 429, "exhausted_plain" },
                { 499, "cancelled" },        { 500, "internal" },        { 503, "overloaded" },
                { 504, "deadline_504" },
        };

        for (size_t i = 0; i < ELEMENTSOF(usual); i++)
                if (usual[i].status == status)
                        return error_find(usual[i].name);
        return NULL;
}

unsigned error_status(const SimError *e, const ErrorFacts *facts) {
        return facts->code > 0 ? facts->code : e->code;
}

const char *error_content_type(const SimError *e) {
        return e->html ? "text/html; charset=UTF-8" : "application/json; charset=UTF-8";
}

static const char *status_name(unsigned code) {
        for (size_t i = 0; i < ELEMENTSOF(statuses); i++)
                if (statuses[i].code == code)
                        return statuses[i].status;
        return "UNKNOWN";
}

/* Appends s, escaped for a JSON string or unchanged. */
static void put(Buf *out, const char *s, bool quoted) {
        size_t at;

        if (!quoted) {
                (void) buf_puts(out, s);
                return;
        }
        at = out->n;
        jwrite_quote(out, s, strlen(s));
        if (out->error == 0) {
                char *p = buf_data(out) + at;

                memmove(p, p + 1, out->n - at - 2);
                out->n -= 2;
        }
}

static void expand(const char *text, const ErrorFacts *facts, bool quoted, Buf *out) {
        while (*text) {
                size_t n = strcspn(text, "$");
                const char *rest;

                (void) buf_append(out, text, n);
                text += n;
                if (!*text)
                        break;
                if ((rest = startswith(text, "$KEY")))
                        put(out, strempty(facts->key), quoted);
                else if ((rest = startswith(text, "$MODEL")))
                        put(out, strempty(facts->model), quoted);
                else if ((rest = startswith(text, "$VERB")))
                        put(out, strempty(facts->verb), quoted);
                else if ((rest = startswith(text, "$METHOD"))) {
                        const char *verb = strempty(facts->verb);

                        (void) buf_putc(out, (char) toupper((unsigned char) *verb));
                        put(out, *verb ? verb + 1 : verb, quoted);
                } else {
                        (void) buf_putc(out, '$');
                        rest = text + 1;
                }
                text = rest;
        }
}

/* The script's value, else the default; NULL is Google's "limit: 0" without a quotaValue. */
static const char *violation_value(const Violation *v, const ErrorFacts *facts) {
        return facts->quota ?: v->value;
}

static bool has_retry(const ErrorFacts *facts) {
        return !facts->retry || !streq(facts->retry, "none");
}

static void write_quota_message(const SimError *e, const ErrorFacts *facts, Buf *out) {
        (void) buf_puts(out, "You exceeded your current quota, please check your plan and billing details. "
                             "For more information on this error, head to: " RATE_LIMITS ". "
                             "To monitor your current usage, head to: https://ai.dev/rate-limit. ");
        for (const Violation *v = e->violations; v->metric; v++)
                (void) buf_printf(out, "\n* Quota exceeded for metric: %s, limit: %s, model: %s", v->metric,
                                  violation_value(v, facts) ?: "0", strempty(facts->model));
        if (has_retry(facts))
                (void) buf_printf(out, "\nPlease retry in %s.", facts->retry ?: e->retry_text);
}

static void write_quota_details(const SimError *e, const ErrorFacts *facts, JWriter *w) {
        jwrite_raw(w, NULL,
                   "{\"@type\":\"" RPC
                   "Help\",\"links\":[{\"description\":\"Learn more about Gemini API quotas\","
                   "\"url\":\"" RATE_LIMITS "\"}]}");
        jwrite_object(w, NULL);
        jwrite_string(w, "@type", RPC "QuotaFailure");
        jwrite_array(w, "violations");
        for (const Violation *v = e->violations; v->metric; v++) {
                jwrite_object(w, NULL);
                jwrite_string(w, "quotaMetric", v->metric);
                jwrite_string(w, "quotaId", v->id);
                jwrite_object(w, "quotaDimensions");
                jwrite_string(w, "location", "global");
                jwrite_string(w, "model", strempty(facts->model));
                jwrite_end(w);
                if (violation_value(v, facts))
                        jwrite_string(w, "quotaValue", violation_value(v, facts));
                jwrite_end(w);
        }
        jwrite_end(w);
        jwrite_end(w);
        if (has_retry(facts)) {
                jwrite_object(w, NULL);
                jwrite_string(w, "@type", RPC "RetryInfo");
                jwrite_string(w, "retryDelay", facts->retry ?: e->retry_delay);
                jwrite_end(w);
        }
}

void error_write(const SimError *e, const ErrorFacts *facts, Buf *out) {
        _cleanup_buf_ Buf text = BUF_INIT(1U << 20);
        JWriter w = JWRITER_INIT(out);

        if (e->html) {
                (void) buf_puts(out, e->html);
                return;
        }

        if (facts->message)
                (void) buf_puts(&text, facts->message);
        else if (e->violations)
                write_quota_message(e, facts, &text);
        else
                expand(e->message, facts, false, &text);

        if (facts->array)
                jwrite_array(&w, NULL);
        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        if (!facts->no_code)
                jwrite_uint(&w, "code", error_status(e, facts));
        jwrite_string_n(&w, "message", buf_data(&text), text.n);
        jwrite_string(&w, "status",
                      e->status && facts->code == 0 ? e->status : status_name(error_status(e, facts)));
        if (e->violations) {
                jwrite_array(&w, "details");
                write_quota_details(e, facts, &w);
                jwrite_end(&w);
        } else if (e->details) {
                buf_clear(&text);
                (void) buf_putc(&text, '[');
                expand(e->details, facts, true, &text);
                (void) buf_putc(&text, ']');
                jwrite_raw_n(&w, "details", buf_data(&text), text.n);
        }
        jwrite_end(&w);
        jwrite_end(&w);
        if (facts->array)
                jwrite_end(&w);
}

void error_write_plain(unsigned code, const char *message, const char *details, bool array, Buf *out) {
        JWriter w = JWRITER_INIT(out);

        if (array)
                jwrite_array(&w, NULL);
        jwrite_object(&w, NULL);
        jwrite_object(&w, "error");
        jwrite_uint(&w, "code", code);
        jwrite_string(&w, "message", message);
        jwrite_string(&w, "status", status_name(code));
        if (details)
                jwrite_raw(&w, "details", details);
        jwrite_end(&w);
        jwrite_end(&w);
        if (array)
                jwrite_end(&w);
}
