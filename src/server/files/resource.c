/* SPDX-License-Identifier: MIT */

/*
 * What a client makes at Google is visible only to the keys of one project. So each answer is read, and the
 * name is bound to the project whose key created it, or its binding is removed. The client gets Google's own
 * bytes, in which keys are covered. The table of paths (dialect/gemini/path) has which path is of what.
 *
 *     a bound name         only for the client that made it (server/files/owner), and only keys of that
 *                          project; if none is usable: 429 or 503, with the time
 *     an unbound name      any key, and Google decides; a 403 or 404 is no judgement on the key
 *     a new object         any key, or one of the project of the objects that it names
 *
 * None of this counts as a request of any model.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json/cursor.h"
#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/gemini/argument.h"
#include "dialect/gemini/kind.h"
#include "dialect/gemini/native.h"
#include "dialect/gemini/path.h"
#include "dialect/gemini/resource.h"
#include "dialect/json.h"
#include "io/timeout.h"
#include "server/exchange/exchange.h"
#include "server/exchange/pin.h"
#include "server/files/chosen.h"
#include "server/files/front.h"
#include "server/files/internal.h"
#include "server/files/made.h"
#include "server/files/owner.h"
#include "server/http.h"
#include "server/missing.h"
#include "server/reply.h"
#include "server/routes.h"

#define ARGUMENT_MAX  1024U
#define URL_SAFE      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-/:"
#define QUERY_CHARS   URL_SAFE "%!$'()*+,@?=" /* some servers take `;` for `&` */
#define HEADER_CHARS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

Resource *resource_free(Resource *r) {
        Request *q;

        if (!r)
                return NULL;
        q = r->request;
        r->reading = reading_free(r->reading, q->http->worker);
        resource_list_drop(r, VERDICT_CLIENT_GONE);
        upstream_query_end(&r->query, transfer_is_delivered(r) ? VERDICT_OK : VERDICT_CLIENT_GONE);
        timeout_stop(&r->deadline);
        transfer_end(r);
        download_forget(r);
        q->pending = NULL;
        q->cancel = NULL;
        q->http->n_exchanges--;
        free(r);
        return NULL;
}

static void resource_on_cancel(Request *q) {
        (void) resource_free(q->pending);
}

static void resource_on_done(UpstreamQuery *query);

static const UpstreamQueryOps query_ops = { .done = resource_on_done };

int resource_new(Request *q, Resource **ret) {
        Resource *r = calloc(1, sizeof(Resource));

        if (!r)
                return -ENOMEM;
        r->request = q;
        upstream_query_init(&r->query, &query_ops, q->http, q);
        r->query.subject = "Google's API";
        r->deadline = TIMEOUT_INIT(r->deadline);
        r->transfer.due = TIMEOUT_INIT(r->transfer.due);
        q->pending = r;
        q->cancel = resource_on_cancel;
        q->http->n_exchanges++;
        timeout_start(q->http->upstream_due, &r->deadline);
        *ret = r;
        return 0;
}

void resource_start(Resource *r) {
        if (upstream_query_start(&r->query) == UPSTREAM_E_ENDED)
                r->query.ops->done(&r->query);
}

void resource_on_deadline(Timeout *t) {
        Resource *r = CONTAINER_OF(t, Resource, deadline);
        Request *q = r->request;

        resource_list_drop(r, VERDICT_TIMEOUT);
        upstream_query_end(&r->query, VERDICT_TIMEOUT);
        request_note_verdict(q, VERDICT_TIMEOUT);
        q->verdict = verdict_rule(VERDICT_TIMEOUT)->name;
        (void) resource_free(r);
        request_fail(q, 504, NULL, "The answer was not there within REQUEST_DEADLINE.");
}

void resource_refuse(Resource *r, const char *subject) {
        Request *q = r->request;
        ApiError e;

        upstream_query_error(&r->query, subject, &e);
        (void) resource_free(r);
        request_reply_error(q, &e);
}

/* --- one call --- */

/* The path is that of the object itself, not of what is below it. */
static bool is_of_object(const GeminiPath *row) {
        const char *id = strchr(row->path, '{');

        return row->kind && id && !strchr(id, '/') && !streq(row->kind, BINDING_OPERATIONS);
}

/* Answers about these may have URLs of a file's content. */
static bool has_urls(const char *kind) {
        return kind && (streq(kind, BINDING_FILES) || streq(kind, BINDING_OPERATIONS) ||
                        streq(kind, BINDING_GENERATED) || streq(kind, BINDING_BATCHES));
}

/* {"files": []}, a voice without an id, a list of what is below an object, the result of a verb. */
static bool answers_without_name(const GeminiPath *row) {
        if (row->makes)
                return streq(gemini_path_pattern(row), "files:register") ||
                       streq(row->makes, BINDING_VOICES);
        return !is_of_object(row) || strchr(row->path, ':') || streq(row->method, "DELETE");
}

static void resource_on_done(UpstreamQuery *query) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        const GeminiPath *row = r->row;
        Request *q = query->request;
        const char *made = row->makes ? gemini_kind(row->makes)->one : "this path";
        Buf answer;

        if (query->verdict.class != VERDICT_OK)
                return resource_refuse(r, r->name[0] ? r->name : made);
        if (streq(row->method, "DELETE") && is_of_object(row))
                pool_unbind_name(q->http->p.pool, r->name);
        else if (row->makes)
                made_learn(query, row->makes, q->token);
        else if (is_of_object(row))
                made_learn(query, row->kind, NULL);
        made_learn_files(query, row, r->name);
        if (has_urls(row->makes ?: row->kind))
                front_rewrite(q, &query->answer);
        answer = query->answer;
        query->answer = BUF_INIT(0);
        (void) resource_free(r);
        request_reply(q, 200, REPLY_JSON, &answer);
        buf_done(&answer);
}

int resource_may_make(Request *q, ApiError *ret_error) {
        if (pool_may_bind(q->http->p.pool, q->token->secret, day_clock_now()))
                return 0;
        api_error_set(ret_error, 429, NULL,
                      "Too many files and other objects: gemgate remembers %u for a token, and %u in all. "
                      "Delete some, or wait until they expire.",
                      BINDINGS_TOKEN_MAX, BINDINGS_MAX);
        return HANDLER_E_REFUSED;
}

/* --- the request --- */

void resource_put_escaped(Buf *out, const char *s) {
        static const char safe[] = URL_SAFE;

        for (; *s; s++)
                if (strchr(safe, *s))
                        (void) buf_putc(out, *s);
                else
                        (void) buf_printf(out, "%%%02X", (unsigned) (unsigned char) *s);
}

typedef struct Arguments {
        const GeminiPath *row;
        Buf *path;
        const char *fault; /* the name of one whose value is none; NULL: there is none */
        char unknown[64];  /* one that Google's list does not have */
        size_t n;
} Arguments;

/* Nor is there an escape that Google could read in another way. */
static bool is_value(const char *value) {
        char decoded[ARGUMENT_MAX + 1];
        size_t n = strlen(value);

        if (n > ARGUMENT_MAX || (n > 0 && !text_in_charset(value, n, QUERY_CHARS)))
                return false;
        memcpy(decoded, value, n + 1);
        return text_percent_decode(decoded) >= 0;
}

static void put_argument(const char *name, const char *value, void *userdata) {
        Arguments *a = userdata;

        switch (gemini_argument(a->row, name)) {
        case GEMINI_ARGUMENT_UNKNOWN:
                if (gemini_path_is_list(a->row))
                        text_copy(a->unknown, sizeof(a->unknown), name);
                return;
        case GEMINI_ARGUMENT_SYSTEM:
                return;
        case GEMINI_ARGUMENT_OWN:
                if (!value)
                        return;
        }
        if (!is_value(value))
                a->fault = name;
        else
                (void) buf_printf(a->path, "%c%s=%s", a->n++ == 0 ? '?' : '&', name, value);
}

/* The client's arguments that the row has, with their escapes as they are. */
static int put_arguments(Resource *r, ApiError *ret_error) {
        Arguments a = { .row = r->row, .path = &r->query.path };

        http_request_each_argument(r->request->io, put_argument, &a);
        if (a.unknown[0]) {
                api_error_set(ret_error, 400, a.unknown,
                              "Invalid JSON payload received. Unknown name \"%s\": Cannot bind query "
                              "parameter.",
                              a.unknown);
                return HANDLER_E_REFUSED;
        }
        if (!a.fault)
                return 0;
        api_error_set(ret_error, 400, a.fault, "The argument %.64s is not one that goes into a URL.",
                      a.fault);
        return HANDLER_E_REFUSED;
}

typedef struct Headers {
        Resource *resource;
        const char *fault;
} Headers;

static void put_header(const char *name, const char *value, void *userdata) {
        Headers *h = userdata;
        UpstreamQuery *query = &h->resource->query;
        size_t n = value ? strlen(value) : 0;

        if (n == 0 || !gemini_path_lists(h->resource->row->headers, name))
                return;
        if (query->n_headers == ENGINE_HEADERS_MAX || n > ARGUMENT_MAX ||
            !text_in_charset(value, n, HEADER_CHARS) ||
            asprintf(&query->headers[query->n_headers], "%s: %s", name, value) < 0)
                h->fault = name;
        else
                query->n_headers++;
}

static int put_headers(Resource *r, ApiError *ret_error) {
        Headers h = { .resource = r };

        http_request_each_header(r->request->io, put_header, &h);
        if (!h.fault)
                return 0;
        api_error_set(ret_error, 400, h.fault, "The header %.64s is not as Google has it.", h.fault);
        return HANDLER_E_REFUSED;
}

int resource_put_path(Resource *r, ApiError *ret_error) {
        const char *pattern = gemini_path_pattern(r->row);
        int e;

        (void) buf_append(&r->query.path, r->row->path, (size_t) (pattern - r->row->path));
        resource_put_escaped(&r->query.path, gemini_path_rest(r->row, r->request->path));
        e = put_arguments(r, ret_error);
        return e == 0 ? put_headers(r, ret_error) : e;
}

/* The body is right: it goes upstream as it is. */
static void start(Resource *r) {
        Buf *body = http_request_body(r->request->io);

        if (!streq(r->query.verb, "GET") && !streq(r->query.verb, "DELETE")) {
                r->query.body = body->n > 0 ? buf_data(body) : "";
                r->query.n_body = body->n;
        }
        resource_start(r);
}

/* The worker has read a large body. */
static void resource_on_read(Reading *reading) {
        Resource *r = reading->userdata;
        Request *q = r->request;
        int e = reading->error;
        ApiError error = reading->refusal; /* if it was refused */

        if (e == 0 && r->row->makes)
                e = chosen_check(q, r->row->makes, &reading->chosen, r->name, &error);
        if (e == 0)
                e = pin_find(q,
                             &(PinSearch){ .path = r->name,
                                           .names = &reading->names,
                                           .fault = reading->names_fault },
                             r->query.pinned, &error);
        reading_return_body(reading, q);
        r->reading = reading_free(reading, q->http->worker);
        if (e == 0)
                return start(r);
        if (e < 0)
                api_error_from_failure(&error, e);
        (void) resource_free(r);
        request_reply_error(q, &error);
}

/* A verb (cancel, ping) has no body, or an empty object. */
static bool needs_body(const GeminiPath *row) {
        return row->makes || streq(row->method, "PATCH");
}

/* The body, if there is one, and the names in it. */
static int read_body(Resource *r, ApiError *ret_error) {
        Request *q = r->request;
        PinSearch search = { .path = r->name, .all = true };
        _cleanup_buf_ Buf chosen = BUF_INIT(CHOSEN_BYTES_MAX);
        int e = 0;

        if (route_takes_body(q->route) && (http_request_body(q->io)->n > 0 || needs_body(r->row))) {
                search.json = http_request_body(q->io);
                e = reading_check(q, ret_error);
                if (e == 0 && r->row->makes) {
                        chosen_list(search.json, r->row->makes, &chosen);
                        e = chosen_check(q, r->row->makes, &chosen, r->name, ret_error);
                }
        }
        return e == 0 ? pin_find(q, &search, r->query.pinned, ret_error) : e;
}

static int query(Request *q, const GeminiPath *row, ApiError *ret_error) {
        _cleanup_(resource_freep) Resource *r = NULL;
        int e;

        e = row->makes ? resource_may_make(q, ret_error) : 0;
        if (e == 0)
                e = resource_new(q, &r);
        if (e != 0)
                return e;
        r->row = row;
        if (!gemini_path_name(row, q->path, r->name)) {
                api_error_set(ret_error, 400, NULL,
                              "The path does not name one: an id is [A-Za-z0-9_-]{1,%u}.", BINDING_ID_MAX);
                return HANDLER_E_REFUSED;
        }
        e = resource_put_path(r, ret_error);
        if (e != 0)
                return e;
        r->query.verb = row->method;
        r->query.tries.once = streq(row->method, "POST");
        r->query.may_be_nameless = answers_without_name(row);
        r->query.may_be_empty = r->query.may_be_nameless && !streq(row->method, "GET");
        r->query.answer = BUF_INIT(UPSTREAM_ANSWER_MAX);
        if (route_takes_body(q->route) && reading_is_long(q)) {
                e = reading_begin(q, NULL, NULL, resource_on_read, r, &r->reading);
                if (e == 0)
                        TAKE_PTR(r);
                return e;
        }
        e = read_body(r, ret_error);
        if (e == 0)
                start(TAKE_PTR(r));
        return e;
}

/* --- the route --- */

/* The events of an interaction that there is already: a stream, which an exchange passes on. */
static bool wants_events(Request *q, const GeminiPath *row) {
        const char *stream = http_request_argument(q->io, "stream");

        return streq(row->method, "GET") && streq(gemini_path_pattern(row), "interactions/{id}") &&
               streq_ptr(stream, "true");
}

/* A path of an environment is a folder, a file, or, with this argument, the file's content. */
static bool wants_content(Request *q, const GeminiPath *row) {
        return streq(row->method, "GET") &&
               streq(gemini_path_pattern(row), "environments/{id}/files/{path*}") &&
               streq_ptr(http_request_argument(q->io, "alt"), "media");
}

/* OpenAI has batches at the same path, in another form. */
static bool is_openai(Request *q) {
        const ErrorShape *errors;
        const Dialect *dialect;

        if (!startswith(q->path, "/v1/batches"))
                return false;
        route_find_protocol(q->io, q->path, &dialect, &errors);
        if (errors == q->errors)
                return false;
        q->errors = errors;
        return true;
}

int resource_begin(Request *q, ApiError *ret_error) {
        const GeminiPath *row = q->route->google;

        if (is_openai(q)) {
                missing_set_error(ret_error, http_request_method(q->io), q->path, "");
                return HANDLER_E_REFUSED;
        }

        switch (row->way) {
        case GEMINI_WAY_LIST:
                return resource_list(q, row, ret_error);
        case GEMINI_WAY_DOWNLOAD:
                return resource_download(q, row, ret_error);
        case GEMINI_WAY_REFUSED:
                api_error_set(ret_error, 403, NULL,
                              "Ephemeral tokens are not given out: with one its holder reaches Google past "
                              "gemgate's limits.");
                return HANDLER_E_REFUSED;
        default:
                assert(row->way == GEMINI_WAY_QUERY); /* the others have routes elsewhere */
        }
        if (wants_content(q, row))
                return resource_download(q, row, ret_error);
        if (!wants_events(q, row))
                return query(q, row, ret_error);
        q->dialect = &dialect_watch;
        return exchange_begin(q, ret_error);
}
