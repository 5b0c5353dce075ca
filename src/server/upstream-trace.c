/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "base/trace.h"
#include "pool/admin.h"
#include "server/upstream-trace.h"

#define USEC_TEXT_MAX 24U

/* Through the Gemini CLI, only the CLI's own requests have keys. */
static const char *key_of(const UpstreamCall *c) {
        return c->lease.key ? pool_key_id(c->lease.key) : "of the Gemini CLI";
}

static const char *choice_of(const UpstreamCall *c) {
        if (!c->lease.key)
                return "by way of the CLI";
        return c->again ? "again after overload" : pool_choice_to_string(c->lease.choice);
}

static const char *whose(const LogIds *ids) {
        return ids->id ? "" : "no client request, ";
}

void upstream_trace_begin(const UpstreamCall *c, const LogIds *ids, const char *model, const char *subject) {
        trace_probe(attempt_begin, ids, key_of(c), choice_of(c), model ?: subject);
        if (log_get_level() >= LOG_LEVEL_DEBUG)
                log_format(LOG_LEVEL_DEBUG, ids, __FILE__, __LINE__, __func__,
                           "attempt_begin: %skey %s, %s, %s%s", whose(ids), key_of(c), choice_of(c),
                           model ? "model " : "", model ?: subject);
}

static const char *format_usec(usec_t t, char ret[static USEC_TEXT_MAX]) {
        (void) snprintf(ret, USEC_TEXT_MAX, "%llu", (unsigned long long) t);
        return ret;
}

static void log_end(const UpstreamCall *c, const LogIds *ids, const char *model, const char *subject,
                    const Verdict *v, usec_t spent, usec_t first_byte) {
        char message[768], mask[SECRET_MASK_MAX] = "", duration[USEC_TEXT_MAX], first[USEC_TEXT_MAX];

        if (c->lease.key)
                secret_mask_key(pool_key_secret(c->lease.key), mask);
        (void) snprintf(message, sizeof(message), "attempt_end: %skey %s, %s, %s%s: %s in %.3f s%s%s",
                        whose(ids), key_of(c), choice_of(c), model ? "model " : "", model ?: subject,
                        verdict_rule(v->class)->name, (double) spent / (double) USEC_PER_SEC,
                        v->cause[0] ? ": " : "", v->cause);
        log_struct(LOG_LEVEL_DEBUG, message,
                   { "request_id", ids->id },
                   { "trace_id", ids->trace },
                   { "key", mask[0] ? mask : NULL },
                   { "key_name", c->lease.key ? pool_key_id(c->lease.key) : NULL },
                   { "choice", choice_of(c) },
                   { "model", model },
                   { "verdict", verdict_rule(v->class)->name },
                   { "cause", v->cause[0] ? v->cause : NULL },
                   { "duration_usec", format_usec(spent, duration), true },
                   { "first_byte_usec", c->first_byte > 0 ? format_usec(first_byte, first) : NULL, true });
}

void upstream_trace_end(const UpstreamCall *c, const LogIds *ids, const char *model, const char *subject,
                        usec_t now, const Verdict *v) {
        usec_t spent = usec_sub(now, c->started);
        usec_t first_byte = c->first_byte > 0 ? usec_sub(c->first_byte, c->started) : 0;
        LOG_FOR_REQUEST(ids);

        trace_probe(attempt_end, ids, key_of(c), verdict_rule(v->class)->name, spent, first_byte, v->cause);
        if (log_get_level() >= LOG_LEVEL_DEBUG)
                log_end(c, ids, model, subject, v, spent, first_byte);
}
