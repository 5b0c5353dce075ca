/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "io/log-limit.h"
#include "server/request-log.h"
#include "server/routes.h"

#define STATUS_LIVE        101 /* a WebSocket: server/live */
#define STATUS_CLIENT_GONE 499 /* as other proxies log it; never sent */

/* Lines of requests without a valid token, by their status. */
enum {
        STRANGER_SERVED,
        STRANGER_WITHOUT_TOKEN,
        STRANGER_NOT_ALLOWED,
        STRANGER_NOWHERE,
        STRANGER_WRONG,
        STRANGER_NOT_HTTP,
        _STRANGER_MAX,
};

static const struct {
        int status; /* 0: any other */
        unsigned kind;
} strangers[] = {
        { 200, STRANGER_SERVED },
        { 204, STRANGER_SERVED },
        { 401, STRANGER_WITHOUT_TOKEN },
        { 403, STRANGER_NOT_ALLOWED },
        { 404, STRANGER_NOWHERE },
        { 405, STRANGER_NOWHERE },
        { 0, STRANGER_WRONG },
};

static const char *const stranger_what[_STRANGER_MAX] = {
        [STRANGER_SERVED] = "requests to open routes",
        [STRANGER_WITHOUT_TOKEN] = "requests without a valid token",
        [STRANGER_NOT_ALLOWED] = "requests that are not allowed",
        [STRANGER_NOWHERE] = "requests to no route",
        [STRANGER_WRONG] = "requests that are wrong",
        [STRANGER_NOT_HTTP] = "requests that are not HTTP",
};

struct RequestLog {
        LogLimiter *limiter;
        LogKind strangers[_STRANGER_MAX];
};

static LogKind *stranger_kind(RequestLog *l, int status) {
        for (size_t i = 0;; i++)
                if (strangers[i].status == status || strangers[i].status == 0)
                        return &l->strangers[strangers[i].kind];
}

/* An answer that has begun keeps its 200 even if it fails later, so the verdict decides. */
static bool failed_upstream(const Request *q) {
        return q->verdict && q->verdict != verdict_rule(VERDICT_OK)->name &&
               q->verdict != verdict_rule(VERDICT_CLIENT_GONE)->name;
}

static LogLevel level_of(const Request *q) {
        int status = q->stream_error ?: q->status;

        if (status == 500)
                return LOG_LEVEL_ERROR;
        if (status > 500 || q->stream_error > 0 ||
            ((q->status == 200 || q->status == STATUS_LIVE) && failed_upstream(q)))
                return LOG_LEVEL_WARNING;
        return LOG_LEVEL_INFO;
}

typedef struct LogNumber {
        char text[24];
} LogNumber;

static const char *number(LogNumber *n, uint64_t value) {
        (void) snprintf(n->text, sizeof(n->text), "%llu", (unsigned long long) value);
        return n->text;
}

/* A text that is built piece by piece; a piece that does not fit is left out. */
typedef struct Message {
        char text[1024];
        size_t n;
} Message;

static void append(Message *m, const char *s) {
        m->n = text_append(m->text, sizeof(m->text), m->n, s);
}

static void append_seconds(Message *m, usec_t t) {
        char s[32];

        (void) snprintf(s, sizeof(s), "%llu.%03u s", (unsigned long long) (t / USEC_PER_SEC),
                        (unsigned) (t % USEC_PER_SEC / USEC_PER_MSEC));
        append(m, s);
}

/* `no usable key: 2 cooling, 1 dead; the first frees in 41 s` */
static void format_refusal(const RequestRefusal *r, Message *m) {
        char span[SPAN_STRING_MAX];
        const char *separator = "";

        m->n = 0;
        append(m, "no usable key: ");
        for (PoolState s = 0; s < _POOL_STATE_MAX; s++) {
                if (r->pool.n_keys[s] == 0)
                        continue;
                append(m, separator);
                append(m, number(&(LogNumber){}, r->pool.n_keys[s]));
                append(m, " ");
                append(m, pool_state_to_string(s));
                separator = ", ";
        }
        if (!*separator)
                append(m, "there are none");
        if (r->pool.available_at == USEC_INFINITY)
                return append(m, "; none frees by itself");
        span_format(usec_sub(r->pool.available_at, r->at), span);
        append(m, "; the first frees in ");
        append(m, span);
}

/* Why the request failed, or its last failed attempt; NULL: none has. */
static const char *cause_of(const Request *q, Message *m) {
        if (q->exhausted && (q->status != 200 || q->stream_error > 0))
                format_refusal(q->exhausted, m);
        else if (q->hint) {
                m->n = 0;
                append(m, strempty(q->verdicts.cause));
                append(m, q->verdicts.cause ? "; " : "");
                append(m, q->hint);
        } else
                return q->verdicts.cause;
        return m->text;
}

static bool served_as_another(const Request *q) {
        return q->served[0] && !streq(q->served, q->model);
}

/* secret_scrub_suspects() covers what looks like a key. */
static void cover_tokens(const Request *q, char *text) {
        token_set_cover(&q->config->tokens, 1, text);
}

/* A stranger's path: at most so much of it, without secrets and without the query, and every byte that is
 * not visible ASCII is escaped, as in a URL. */
static void append_path(Message *m, const Request *q) {
        /* So that a secret that goes on beyond what is shown is still found. */
        char path[LOG_PATH_MAX + LOG_SECRET_MAX + 1];
        size_t n = text_utf8_prefix(q->path, LOG_PATH_MAX);

        text_copy(path, sizeof(path), q->path);
        cover_tokens(q, path);
        secret_scrub_suspects(path);
        path[n] = 0;
        for (const char *p = path; *p; p++) {
                char s[4];

                (void) snprintf(s, sizeof(s), *p > 0x20 && *p < 0x7f && *p != '%' ? "%c" : "%%%02X",
                                (unsigned char) *p);
                append(m, s);
        }
        append(m, q->path[n] ? "…" : "");
}

/* A refusal of the request as it is: its path can be what is wrong. */
static bool is_refusal(const Request *q) {
        return q->status == 401 || q->status == 403 || q->status == 404 || q->status == 405;
}

/* What the operator has to know of a refusal that no attempt has caused; NULL: it is none. */
static const char *refusal_of(const Request *q) {
        if (q->refusal || !is_refusal(q) || q->attempts > 0 || q->verdicts.n > 0)
                return q->refusal;
        if (!q->route)
                return q->status == 404 ? "there is no such path" : "the path has other methods";
        return q->reason;
}

/*
 * A message that is enough for a person who follows the journal, without the fields:
 *
 *     POST /v1/chat/completions 200 in 1.234 s, model m, key k, 3 attempts: minute, overload, ok (why)
 */
static void format_message(const Request *q, bool complete, usec_t spent, const char *attempts,
                           const char *verdicts, const char *cause, Message *m) {
        const char *refusal = refusal_of(q);

        m->n = 0;
        append(m, http_request_method(q->io));
        m->n = MIN(m->n, 16U);
        append(m, " ");
        if (q->path && is_refusal(q))
                append_path(m, q);
        else
                append(m, q->route ? q->route->path : "(no route)");
        append(m, " ");
        append(m, number(&(LogNumber){}, (uint64_t) q->status));
        append(m, " in ");
        append_seconds(m, spent);
        if (q->stream_error > 0) {
                append(m, ", error ");
                append(m, number(&(LogNumber){}, (uint64_t) q->stream_error));
                append(m, " in the stream");
        }
        if (!complete)
                append(m, ", cut");
        if (q->model[0]) {
                append(m, ", model ");
                append(m, q->model);
                if (served_as_another(q)) {
                        append(m, ", served by ");
                        append(m, q->served);
                }
        }
        if (q->key_name[0]) {
                append(m, ", key ");
                append(m, q->key_name);
        }
        if (q->attempts > 0) {
                append(m, ", ");
                append(m, attempts);
                append(m, q->attempts == 1 ? " attempt" : " attempts");
        }
        if (refusal || verdicts[0]) {
                append(m, ": ");
                append(m, refusal ?: verdicts);
        }
        if (cause) {
                append(m, " (");
                append(m, cause);
                append(m, ")");
        }
}

void request_log(RequestLog *l, Request *q, bool complete) {
        usec_t started = http_request_started(q->io), first = http_request_first_byte(q->io);
        LogNumber status, stream_error, attempts, duration, first_byte, in, out;
        LogNumber messages_in, messages_out;
        char client[ADDRESS_STRING_MAX], verdicts[VERDICTS_TEXT_MAX];
        usec_t spent = usec_sub(clock_monotonic(), started);
        Message message, refusal;
        const char *cause;
        bool asked = q->attempts > 0, live = q->status == STATUS_LIVE;
        LogLevel level;

        if (!complete && !http_request_is_replied(q->io) && q->status != STATUS_LIVE)
                q->status = STATUS_CLIENT_GONE;
        /* A CLI's request is a part of its client's request, which has a separate line. */
        level = q->job ? LOG_LEVEL_DEBUG : level_of(q);
        if (log_get_level() < level)
                return;
        if (!q->token && !q->job && !log_kind_pass(l->limiter, stranger_kind(l, q->status)))
                return;

        request_client_format(q, client);
        verdicts_format(&q->verdicts, ", ", verdicts);
        (void) number(&attempts, q->attempts);
        cause = cause_of(q, &refusal);
        format_message(q, complete, spent, attempts.text, verdicts, cause, &message);
        if (q->status >= 400) { /* a token in a wrong place: as the name of a model, which errors repeat */
                cover_tokens(q, message.text);
                cover_tokens(q, q->model);
                if (cause && cause != refusal.text) {
                        refusal.n = 0;
                        append(&refusal, cause);
                        cause = refusal.text;
                }
                if (cause)
                        cover_tokens(q, refusal.text);
        }
        log_struct(level, message.text,
                   { "request_id", q->id },
                   { "trace_id", q->ids.trace },
                   { "client", client },
                   { "token", q->token ? q->token->mask : NULL },
                   { "token_name", q->token ? q->token->name : NULL },
                   { "dialect", q->dialect ? q->dialect->name : q->errors->name },
                   { "model", q->model[0] ? q->model : NULL },
                   /* only if it differs from the requested name */
                   { "served_model", served_as_another(q) ? q->served : NULL },
                   { "fallback", q->fallback },
                   { "hedged", q->hedged ? "true" : NULL, true },
                   { "status", number(&status, (uint64_t) q->status), true },
                   { "stream_error",
                     q->stream_error > 0 ? number(&stream_error, (uint64_t) q->stream_error) : NULL, true },
                   { "key", q->key_mask[0] ? q->key_mask : NULL },
                   { "key_name", q->key_name[0] ? q->key_name : NULL },
                   { "verdict", q->verdict },
                   { "verdicts", verdicts[0] ? verdicts : NULL },
                   { "cause", cause },
                   { "loss", q->loss },
                   { "finish_reason", q->finish_reason[0] ? q->finish_reason : NULL },
                   { "attempts", asked ? attempts.text : NULL, true },
                   { "duration_usec", number(&duration, spent), true },
                   { "first_byte_usec",
                     first > 0 ? number(&first_byte, usec_sub(first, started)) : NULL, true },
                   { "messages_in", live ? number(&messages_in, q->messages_in) : NULL, true },
                   { "messages_out", live ? number(&messages_out, q->messages_out) : NULL, true },
                   { "tokens_in", asked ? number(&in, q->usage.prompt) : NULL, true },
                   { "tokens_out", asked ? number(&out, q->usage.completion) : NULL, true });
}

void request_log_refused(RequestLog *l, int status) {
        LogNumber n;

        if (log_kind_pass(l->limiter, &l->strangers[STRANGER_NOT_HTTP]))
                log_struct(LOG_LEVEL_INFO, "refused a request that is not HTTP, or too large in its head",
                           { "status", number(&n, (uint64_t) status), true });
}

void request_log_body(Request *q) {
        Buf *body = http_request_body(q->io);
        _cleanup_free_ char *text = NULL;

        text = strndup(body->n > 0 ? buf_data(body) : "", MIN(body->n, (size_t) LOG_BODY_MAX));
        if (!text)
                return;
        secret_scrub(text, NULL);
        log_struct(LOG_LEVEL_INFO, "request body", { "request_id", q->id }, { "body", text });
}

int request_log_new(Loop *loop, RequestLog **ret) {
        RequestLog *l;
        int r;

        l = calloc(1, sizeof(RequestLog));
        if (!l)
                return -ENOMEM;
        r = log_limiter_new(loop, LOG_LIMIT_INTERVAL, LOG_LIMIT_BURST, &l->limiter);
        if (r < 0) {
                free(l);
                return r;
        }
        for (size_t i = 0; i < _STRANGER_MAX; i++)
                log_kind_init(l->limiter, &l->strangers[i], stranger_what[i]);
        *ret = l;
        return 0;
}

RequestLog *request_log_free(RequestLog *l) {
        if (!l)
                return NULL;
        log_limiter_free(l->limiter);
        free(l);
        return NULL;
}
