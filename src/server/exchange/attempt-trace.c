/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "base/trace.h"
#include "server/exchange/attempt-trace.h"
#include "server/http.h"

#define USEC_TEXT_MAX 24U

/* Through the Gemini CLI, only the CLI's own requests have keys. */
static const char *key_of(const Attempt *a) {
        return a->upstream.lease.key ? pool_key_id(a->upstream.lease.key) : "of the Gemini CLI";
}

static const char *choice_of(const Attempt *a) {
        return a->upstream.lease.key ? pool_choice_to_string(a->upstream.lease.choice) : "by way of the CLI";
}

void attempt_trace_begin(const Attempt *a) {
        trace(attempt_begin, &a->request->ids, "key %s, %s, model %s", key_of(a), choice_of(a),
              a->target->model);
}

static const char *format_usec(usec_t t, char ret[static USEC_TEXT_MAX]) {
        (void) snprintf(ret, USEC_TEXT_MAX, "%llu", (unsigned long long) t);
        return ret;
}

static void log_end(const Attempt *a, const Verdict *v, usec_t spent, usec_t first_byte) {
        char message[768], mask[SECRET_MASK_MAX] = "", duration[USEC_TEXT_MAX], first[USEC_TEXT_MAX];
        const Request *q = a->request;

        if (a->upstream.lease.key)
                secret_mask_key(pool_key_secret(a->upstream.lease.key), mask);
        (void) snprintf(message, sizeof(message), "attempt_end: key %s, %s, model %s: %s in %.3f s%s%s",
                        key_of(a), choice_of(a), a->target->model, verdict_rule(v->class)->name,
                        (double) spent / (double) USEC_PER_SEC, v->cause[0] ? ": " : "", v->cause);
        log_struct(LOG_LEVEL_DEBUG, message,
                   { "request_id", q->ids.id },
                   { "trace_id", q->ids.trace },
                   { "key", mask[0] ? mask : NULL },
                   { "key_name", a->upstream.lease.key ? pool_key_id(a->upstream.lease.key) : NULL },
                   { "choice", choice_of(a) },
                   { "model", a->target->model },
                   { "verdict", verdict_rule(v->class)->name },
                   { "cause", v->cause[0] ? v->cause : NULL },
                   { "duration_usec", format_usec(spent, duration), true },
                   { "first_byte_usec", a->first_byte > 0 ? format_usec(first_byte, first) : NULL, true });
}

void attempt_trace_end(const Attempt *a, const Verdict *v) {
        usec_t spent = usec_sub(loop_now(a->request->http->p.loop), a->upstream.started);
        usec_t first_byte = a->first_byte > 0 ? usec_sub(a->first_byte, a->upstream.started) : 0;

        trace_probe(attempt_end, &a->request->ids, key_of(a), verdict_rule(v->class)->name, spent,
                    first_byte, v->cause);
        if (log_get_level() >= LOG_LEVEL_DEBUG)
                log_end(a, v, spent, first_byte);
}
