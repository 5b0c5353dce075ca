/* SPDX-License-Identifier: MIT */

/*
 * Translates an error body into a Verdict.
 *
 * The form decides first. An error of Google's is JSON with an `error` that has a `status` (the name of an
 * RPC code) or `details`. Anything else comes from a proxy, a portal or another server: a page of HTML,
 * plain text, nothing, other JSON. It shows nothing about the key, the project or the model, whatever its
 * HTTP status: VERDICT_FOREIGN, and the message is what was seen. Half of an error is one of Google's if the
 * half shows it. In a stream a `code` is enough, but not to blame a key or its project for the code alone.
 *
 * The HTTP status alone is ambiguous: an invalid key is a 400, empty credits are a 402 or a 429, a spent
 * day and a full minute are both 429 with the same text. So Google's body decides, from its most to its
 * least exact part: the details (a reason from a closed list, or the id of the violated quota), then known
 * pieces of the message, then the status. All of it is one table, and the first row that matches decides.
 * A 403 for which no row has a reason is foreign, too: Google also answers so for an address or a network.
 * The table's order:
 *
 *   - of several violations in one body the longest one counts: no quota at all, then the day, then the
 *     minute (the waits that they ask for are the pool's business: a day's violation comes with a delay of
 *     seconds);
 *   - a row for a piece of prose is limited to the statuses where Google uses it, because an error sometimes
 *     quotes the request's own text.
 *
 * In a stream the HTTP status is 200, so the body's `code` is used, or, if that is missing, the name in
 * `status`.
 */

#include <errno.h>
#include <stdio.h>

#include "base/text.h"
#include "core/model.h"
#include "dialect/gemini/delay.h"
#include "dialect/gemini/error.h"
#include "dialect/gemini/form.h"
#include "dialect/json.h"
#include "dialect/message.h"

typedef enum Source {
        BY_REASON,  /* ErrorInfo.reason begins with the text */
        BY_LIMIT,   /* a violated quota of nothing */
        BY_QUOTA,   /* a violated quota's id contains the text */
        BY_DELAY,   /* RetryInfo, or "Please retry in …" */
        BY_MESSAGE, /* the message contains the text, in any case */
        BY_STATUS,  /* the status alone */
} Source;

typedef struct ErrorRow {
        Source source;
        int status; /* 0: any; 4: every 4xx */
        const char *text;
        VerdictClass class;
} ErrorRow;

static const ErrorRow rows[] = {
        /* details: what is refused */
        { BY_REASON, 0, "API_KEY_", VERDICT_KEY_DEAD }, /* …INVALID, …SERVICE_BLOCKED and its siblings */
        { BY_REASON, 0, "ACCESS_TOKEN_", VERDICT_KEY_DEAD },
        { BY_REASON, 0, "CREDENTIALS_MISSING", VERDICT_KEY_DEAD },
        { BY_REASON, 0, "CONSUMER_", VERDICT_PROJECT_DEAD },
        { BY_REASON, 0, "SERVICE_DISABLED", VERDICT_PROJECT_DEAD },
        { BY_REASON, 0, "BILLING_DISABLED", VERDICT_BILLING },
        { BY_REASON, 403, "IAM_PERMISSION_DENIED", VERDICT_KEY_REFUSED }, /* of the account behind the key */
        { BY_REASON, 403, "ACCOUNT_STATE_INVALID", VERDICT_KEY_REFUSED },
        { BY_REASON, 403, "USER_", VERDICT_KEY_REFUSED }, /* …PROJECT_DENIED, …BLOCKED_BY_ADMIN */

        /* details: which quota */
        { BY_LIMIT, 429, NULL, VERDICT_LIMIT_ZERO },
        { BY_QUOTA, 429, "PerDay", VERDICT_DAY },
        { BY_QUOTA, 429, "PerMinute", VERDICT_MINUTE },

        /* messages */
        { BY_MESSAGE, 429, "per day", VERDICT_DAY }, /* the older form: the limit's title in prose */
        { BY_MESSAGE, 429, "per minute", VERDICT_MINUTE },
        { BY_MESSAGE, 429, "prepayment credits", VERDICT_BILLING },
        { BY_MESSAGE, 429, "spending cap", VERDICT_BILLING },
        { BY_MESSAGE, 429, "spend cap", VERDICT_BILLING },
        { BY_DELAY, 429, NULL, VERDICT_MINUTE },
        { BY_MESSAGE, 400, "user location is not supported", VERDICT_GEO },
        { BY_MESSAGE, 400, "free tier is not available in your country", VERDICT_BILLING },
        { BY_MESSAGE, 400, "corrupted thought signature", VERDICT_SIGNATURE },
        { BY_MESSAGE, 400, "invalid thought signature", VERDICT_SIGNATURE },
        { BY_MESSAGE, 400, "api key not valid", VERDICT_KEY_DEAD },
        { BY_MESSAGE, 400, "api key not found", VERDICT_KEY_DEAD },
        { BY_MESSAGE, 400, "api key expired", VERDICT_KEY_DEAD },
        { BY_MESSAGE, 403, "reported as leaked", VERDICT_KEY_DEAD },
        { BY_MESSAGE, 403, "api key expired", VERDICT_KEY_DEAD },
        { BY_MESSAGE, 403, "api key not valid", VERDICT_KEY_DEAD },
        { BY_MESSAGE, 403, "requests to this api", VERDICT_KEY_DEAD }, /* "… are blocked." */
        { BY_MESSAGE, 403, "denied access", VERDICT_PROJECT_DEAD },
        { BY_MESSAGE, 403, "has been suspended", VERDICT_PROJECT_DEAD },
        { BY_MESSAGE, 403, "or it is disabled", VERDICT_PROJECT_DEAD },
        { BY_MESSAGE, 403, "access the file", VERDICT_RESOURCE },
        { BY_MESSAGE, 403, "cachedcontent", VERDICT_RESOURCE },
        { BY_MESSAGE, 404, "no longer available to new users", VERDICT_MODEL_FOR_PROJECT },
        { BY_MESSAGE, 404, "access the file", VERDICT_RESOURCE },
        { BY_MESSAGE, 404, "files/", VERDICT_RESOURCE },
        { BY_MESSAGE, 404, "cachedcontent", VERDICT_RESOURCE },
        { BY_MESSAGE, 409, "already exist", VERDICT_REQUEST },

        /* statuses of Google's form */
        { BY_STATUS, 401, NULL, VERDICT_KEY_DEAD },
        { BY_STATUS, 402, NULL, VERDICT_BILLING },
        { BY_STATUS, 403, NULL, VERDICT_FOREIGN },
        { BY_STATUS, 407, NULL, VERDICT_FOREIGN }, /* from a proxy between gemgate and Google */
        { BY_STATUS, 408, NULL, VERDICT_OVERLOAD },
        { BY_STATUS, 409, NULL, VERDICT_OVERLOAD }, /* ABORTED: "retry at a higher level" */
        { BY_STATUS, 429, NULL, VERDICT_RATE_UNKNOWN },
        { BY_STATUS, 499, NULL, VERDICT_OVERLOAD }, /* CANCELLED, but not by gemgate */
        { BY_STATUS, 501, NULL, VERDICT_REQUEST },
        { BY_STATUS, 4, NULL, VERDICT_REQUEST }, /* every other 4xx */
        { BY_STATUS, 0, NULL, VERDICT_OVERLOAD },
};

static const struct {
        const char *name;
        int status;
} status_names[] = {
        { "CANCELLED", 499 },          { "INVALID_ARGUMENT", 400 }, { "FAILED_PRECONDITION", 400 },
        { "OUT_OF_RANGE", 400 },       { "UNAUTHENTICATED", 401 },  { "PERMISSION_DENIED", 403 },
        { "NOT_FOUND", 404 },          { "ALREADY_EXISTS", 409 },   { "ABORTED", 409 },
        { "RESOURCE_EXHAUSTED", 429 }, { "UNKNOWN", 500 },          { "INTERNAL", 500 },
        { "DATA_LOSS", 500 },          { "UNIMPLEMENTED", 501 },    { "UNAVAILABLE", 503 },
        { "DEADLINE_EXCEEDED", 504 },
};

/* The input for the rows; strings are borrowed from the tree. */
typedef struct Facts {
        int status;
        struct json_object *violations, *info; /* QuotaFailure.violations, ErrorInfo; or NULL */
        const char *reason, *status_name;
        const char *message; /* the whole message, cleaned */
        usec_t delay;
        bool has_delay;
} Facts;

/* The error object of a body, in any of its forms, or NULL. */
static struct json_object *find_error(struct json_object *root) {
        if (json_object_is_type(root, json_type_array)) {
                for (size_t i = 0; i < json_array_length(root); i++) {
                        struct json_object *e = json_get(json_object_array_get_idx(root, i), "error");

                        if (e)
                                return e;
                }
                return NULL;
        }
        return json_get(root, "error");
}

static bool status_is_of_stream(int http) {
        return http == 0 || (http >= 200 && http <= 299);
}

/* 0: none. */
static int read_code(struct json_object *error) {
        struct json_object *code = json_get_typed(error, "code", json_type_int);

        if (!code || json_object_get_int64(code) < 400 || json_object_get_int64(code) > 599)
                return 0;
        return json_object_get_int(code);
}

static int read_status(int http, struct json_object *error, const char *name) {
        if (!status_is_of_stream(http))
                return http;
        if (read_code(error) > 0)
                return read_code(error);
        for (size_t i = 0; name && i < ELEMENTSOF(status_names); i++)
                if (streq(name, status_names[i].name))
                        return status_names[i].status;
        return http;
}

static void read_details(struct json_object *error, Facts *f) {
        struct json_object *details = json_get(error, "details");

        for (size_t i = 0; i < json_array_length(details); i++) {
                struct json_object *d = json_object_array_get_idx(details, i);
                const char *type = json_get_string(d, "@type");

                type = type ? strrchr(type, '.') : NULL;
                if (!type)
                        continue;
                if (streq(type, ".ErrorInfo") && !f->info) {
                        f->info = d;
                        f->reason = json_get_string(d, "reason");
                } else if (streq(type, ".QuotaFailure") && !f->violations)
                        f->violations = json_get_typed(d, "violations", json_type_array);
                else if (streq(type, ".RetryInfo"))
                        f->has_delay = gemini_delay_of_member(json_get(d, "retryDelay"), &f->delay);
        }
        if (!f->has_delay)
                f->has_delay = gemini_delay_of_member(
                        json_get(json_get(f->info, "metadata"), "quotaResetDelay"), &f->delay);
        if (!f->has_delay)
                f->has_delay = gemini_delay_of_message(f->message, &f->delay);
}

/* "limit: 0", but not "limit: 0.5" or "limit: 05". */
static bool names_limit_zero(const char *message) {
        for (const char *s = message; (s = strcasestr(s, "limit: 0"));) {
                s += strlen("limit: 0");
                if (strspn(s, TEXT_DIGITS) == 0 && !(*s == '.' && strspn(s + 1, TEXT_DIGITS) > 0))
                        return true;
        }
        return false;
}

static uint64_t violation_value(struct json_object *v) {
        struct json_object *o = json_get(v, "quotaValue");
        uint64_t u;

        if (json_object_is_type(o, json_type_int) && json_object_get_int64(o) >= 0)
                return (uint64_t) json_object_get_int64(o);
        if (json_object_is_type(o, json_type_string) && text_parse_u64(json_object_get_string(o), &u) >= 0)
                return u;
        return VERDICT_NO_VALUE;
}

/* The violation that matches a row. */
static struct json_object *find_violation(const Facts *f, const ErrorRow *row) {
        for (size_t i = 0; i < json_array_length(f->violations); i++) {
                struct json_object *v = json_object_array_get_idx(f->violations, i);
                const char *id = json_get_string(v, "quotaId");

                if (row->source == BY_LIMIT && violation_value(v) == 0)
                        return v;
                if (row->source == BY_QUOTA && id && strstr(id, row->text))
                        return v;
        }
        return NULL;
}

static bool status_fits(const ErrorRow *row, int status) {
        return row->status == 0 || row->status == status ||
               (row->status < 10 && row->status == status / 100);
}

static bool row_fits(const ErrorRow *row, const Facts *f) {
        if (!status_fits(row, f->status))
                return false;

        switch (row->source) {
        case BY_REASON:
                return f->reason && startswith(f->reason, row->text);
        case BY_LIMIT:
                return find_violation(f, row) || names_limit_zero(f->message);
        case BY_QUOTA:
                return find_violation(f, row);
        case BY_DELAY:
                return f->has_delay;
        case BY_MESSAGE:
                return strcasestr(f->message, row->text);
        case BY_STATUS:
                return true;
        }
        return false;
}

static const ErrorRow *find_row(const Facts *f) {
        for (const ErrorRow *row = rows;; row++) /* the last row matches everything */
                if (row_fits(row, f))
                        return row;
}

/* What a violated quota counts, by its id, which must contain all of the words. */
static const struct {
        const char *what, *span;
        CeilingKind kind;
} quotas[] = {
        { "Requests", "PerMinute", CEILING_RPM },
        { "Requests", "PerDay", CEILING_RPD },
        { "InputTokens", "PerMinute", CEILING_TPM },
};

/* Each violation names a ceiling, even if another one decided the class. A limit of 0 is not a ceiling: it
 * means that the model is not on this tier. */
static void read_ceilings(const Facts *f, uint64_t ret[static _CEILING_MAX]) {
        for (size_t i = 0; i < json_array_length(f->violations); i++) {
                struct json_object *v = json_object_array_get_idx(f->violations, i);
                const char *id = json_get_string(v, "quotaId");
                uint64_t value = violation_value(v);

                if (!id || value == VERDICT_NO_VALUE)
                        continue;
                for (size_t j = 0; j < ELEMENTSOF(quotas); j++)
                        if (strstr(id, quotas[j].what) && strstr(id, quotas[j].span))
                                ret[quotas[j].kind] = value;
        }
}

#define PROJECT_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-"

/* The project of the key: "projects/123". The same member may also be "api_key:…", which must not be passed
 * on. */
static void read_consumer(const Facts *f, const Secret *key, char ret[static VERDICT_CONSUMER_MAX]) {
        const char *s = json_get_string(json_get(f->info, "metadata"), "consumer");
        const char *id = s ? startswith(s, "projects/") : NULL;
        char clean[VERDICT_CONSUMER_MAX];

        if (!id || strlen(s) >= VERDICT_CONSUMER_MAX || !text_in_charset(id, strlen(id), PROJECT_CHARS))
                return;
        text_copy(clean, sizeof(clean), s);
        secret_scrub(clean, key);
        if (streq(clean, s)) /* else it holds a key */
                memcpy(ret, s, strlen(s) + 1);
}

/* The model's name in the quota; for an alias it differs from the requested one. */
static void read_model(struct json_object *violation, char ret[static MODEL_NAME_MAX + 1]) {
        const char *s = json_get_string(json_get(violation, "quotaDimensions"), "model");
        ModelName name;

        if (s && model_name_parse(s, strlen(s), &name) >= 0 && !name.cli)
                memcpy(ret, name.name, strlen(name.name) + 1);
}

/* Copies a clean text, cut off to fit. */
static void copy(char *ret, size_t size, const char *s) {
        size_t n = text_utf8_prefix(s, size - 1);

        memcpy(ret, s, n);
        ret[n] = 0;
}

/* The id of the violated quota, else the reason, else the kind of error. */
static void name_reason(const Facts *f, struct json_object *violation, const Secret *key, Verdict *v) {
        _cleanup_buf_ Buf clean = BUF_INIT(UPSTREAM_ERROR_MAX);
        const char *s;

        s = json_get_string(violation, "quotaId") ?: f->reason ?: f->status_name;
        if (s && message_clean(s, strlen(s), key, &clean) >= 0)
                copy(v->reason, sizeof(v->reason), buf_cstr(&clean));
}

/* --- a key of the retired kind --- */

#define RETIRED "Google has retired keys that begin with AIza; make a new one."

/* Google does not say that a key is of the kind that it has retired. It calls such a key invalid, or a token
 * of a wrong type. Other causes (leaked, expired, deleted, blocked for this API) have their own remedy, and
 * a refusal without a reason explains nothing. */
static void explain_retired(const Secret *key, Verdict *v) {
        static const char *const reasons[] = { "API_KEY_INVALID", "ACCESS_TOKEN_TYPE_UNSUPPORTED",
                                               "INVALID_ARGUMENT" };
        /* The pool keeps SLOT_ERROR_MAX bytes: the explanation is among them. */
        size_t n = text_utf8_prefix(v->message,
                                    SLOT_ERROR_MAX - VERDICT_BRIEF_MAX - sizeof("…  " RETIRED));
        bool is_cut = v->message[n];

        if (v->class != VERDICT_KEY_DEAD || v->is_unsure || !key || !secret_starts_with(key, "AIza") ||
            strcasestr(v->message, "expired") || strcasestr(v->message, "not found"))
                return;
        for (size_t i = 0; i < ELEMENTSOF(reasons); i++)
                if (streq(v->reason, reasons[i])) {
                        v->message[n] = 0;
                        n = text_append(v->message, sizeof(v->message), n,
                                        is_cut ? "… " : n > 0 ? " " : "");
                        (void) text_append(v->message, sizeof(v->message), n, RETIRED);
                        return;
                }
}

/* What was seen: "a page of HTML (401)", with the text if it can be shown. */
static void describe(GeminiForm form, const Facts *f, Verdict *v) {
        bool shows = form == GEMINI_FORM_JSON || form == GEMINI_FORM_TEXT || form == GEMINI_FORM_GOOGLE;
        char text[UPSTREAM_MESSAGE_MAX + 1], status[16] = ""; /* one byte more than is copied */

        if (f->status > 0)
                (void) snprintf(status, sizeof(status), " (%d)", f->status);
        (void) snprintf(text, sizeof(text), "%s%s%s%s%s", gemini_form_to_string(form), status,
                        f->status == 404 ? ", not Gemini's API at GEMINI_BASE_URL" : "",
                        shows && f->message[0] ? ": " : "", shows ? f->message : "");
        copy(v->message, sizeof(v->message), text);
}

/* A request that is too large for what answers so is too large with every key. */
static bool status_is_too_large(int status) {
        return status == 413 || status == 414 || status == 431;
}

/* Google names the key: by a reason, or in a sentence about it. */
static bool row_is_about_key(const ErrorRow *row, const Facts *f) {
        return row->source == BY_MESSAGE ||
               (row->source == BY_REASON && (startswith(f->reason, "API_KEY_") ||
                                             streq(f->reason, "ACCESS_TOKEN_TYPE_UNSUPPORTED")));
}

static void classify_google(Facts *f, struct json_object *error, bool is_strict, const Secret *key,
                            Verdict *ret) {
        struct json_object *violation;
        VerdictClass class;
        const ErrorRow *row;

        read_details(error, f);
        row = find_row(f);
        violation = find_violation(f, row);
        if (!violation && json_array_length(f->violations) > 0)
                violation = json_object_array_get_idx(f->violations, 0);

        class = row->class;
        if (!is_strict && row->source == BY_STATUS &&
            (class == VERDICT_KEY_DEAD || class == VERDICT_BILLING))
                class = VERDICT_FOREIGN;
        verdict_init(ret, class, f->status, NULL);
        ret->is_unsure = class == VERDICT_KEY_DEAD && !row_is_about_key(row, f);
        if (f->has_delay)
                ret->retry_after = f->delay;
        if (f->status == 429)
                read_ceilings(f, ret->ceilings);
        if (violation)
                ret->quota_value = violation_value(violation);
        read_consumer(f, key, ret->consumer);
        read_model(violation, ret->model);
        name_reason(f, violation, key, ret);
}

void gemini_error_classify(int status, const char *body, size_t n, const Secret *key, Verdict *ret) {
        /* A byte that is not UTF-8 becomes three. */
        _cleanup_buf_ Buf clean = BUF_INIT(3 * UPSTREAM_ERROR_MAX);
        _cleanup_json_ struct json_object *root = NULL;
        struct json_object *error;
        const char *text = NULL;
        Facts f = { .message = "" };
        bool is_strict, is_googles;
        GeminiForm form;
        size_t k = 0;

        n = MIN(n, (size_t) UPSTREAM_ERROR_MAX);
        if (json_parse(body, n, &root) < 0) {
                form = gemini_form_of_text(body, n);
                text = body;
                k = n;
        } else
                form = GEMINI_FORM_JSON;
        error = find_error(root);
        is_strict = gemini_form_is_googles(error);
        if (is_strict || (status_is_of_stream(status) && read_code(error) > 0))
                form = GEMINI_FORM_GOOGLE;
        if (json_object_is_type(error, json_type_string))
                text = json_string(error, &k);
        else if (error)
                text = json_string(json_get(error, "message"), &k);
        if (text && form != GEMINI_FORM_HTML && message_clean(text, k, key, &clean) >= 0)
                f.message = buf_cstr(&clean);
        f.status_name = form == GEMINI_FORM_GOOGLE ? json_get_string(error, "status") : NULL;
        f.status = read_status(status, form == GEMINI_FORM_GOOGLE ? error : NULL, f.status_name);

        is_googles = form == GEMINI_FORM_GOOGLE ||
                     (form == GEMINI_FORM_BROKEN && gemini_form_half_is_googles(f.message));
        if (is_googles)
                classify_google(&f, error, is_strict, key, ret);
        else if (form == GEMINI_FORM_BROKEN && (f.status == 0 || f.status == 200))
                verdict_init(ret, VERDICT_CUT, f.status, NULL);
        else
                verdict_init(ret, status_is_too_large(f.status) ? VERDICT_REQUEST : VERDICT_FOREIGN,
                             f.status, NULL);

        if (form == GEMINI_FORM_GOOGLE && ret->class != VERDICT_FOREIGN && !ret->is_unsure)
                copy(ret->message, sizeof(ret->message), f.message);
        else if (form == GEMINI_FORM_BROKEN && ret->class != VERDICT_FOREIGN)
                copy(ret->message, sizeof(ret->message), "The upstream's answer breaks off.");
        else
                describe(form, &f, ret);
        explain_retired(key, ret);
}

void gemini_error_weigh(Verdict *v, uint64_t request_tokens) {
        if (v->class == VERDICT_MINUTE && strstr(v->reason, "InputTokens") &&
            v->quota_value < request_tokens)
                v->class = VERDICT_TOO_LARGE;
}
