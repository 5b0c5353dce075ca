/* SPDX-License-Identifier: MIT */

/*
 * A file or a cached content at Google is visible only to the keys of one project. So each answer is read,
 * and the name is bound to the project whose key created it, or its binding is removed. The client gets
 * Google's own bytes, in which keys are covered.
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
#include "dialect/gemini/resource.h"
#include "dialect/json.h"
#include "io/timeout.h"
#include "server/exchange/pin.h"
#include "server/files/internal.h"
#include "server/files/owner.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/routes.h"

#define FILE_LIFE  (48 * USEC_PER_HOUR) /* Google's, if the answer has no time */
#define CACHE_LIFE USEC_PER_HOUR
#define LIFE_MAX   (366 * USEC_PER_DAY)

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
        r->query.subject = "files and cached contents";
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

/* --- bindings from an answer --- */

static usec_t expiry_of(const GeminiResource *g, usec_t now) {
        if (g->expires > now)
                return MIN(g->expires, usec_add(now, LIFE_MAX));
        return usec_add(now, startswith(g->name, BINDING_FILES) ? FILE_LIFE : CACHE_LIFE);
}

void resource_learn(const UpstreamQuery *query, const Token *maker) {
        Request *q = query->request;
        usec_t now = day_clock_now();
        GeminiResource g;

        if (!gemini_resource_read(buf_data(&query->answer), query->answer.n, &g))
                return;
        if (!maker && g.expires > 0)
                pool_bind_renew(q->http->p.pool, g.name, expiry_of(&g, now), now);
        if (maker && query->call.lease.key)
                (void) pool_bind_name(q->http->p.pool,
                                      &(BindingWanted){ .name = g.name,
                                                        .key = query->call.lease.key,
                                                        .token = maker->secret,
                                                        .expires = expiry_of(&g, now) },
                                      now);
}

/* --- one call --- */

static void resource_on_done(UpstreamQuery *query) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        Request *q = query->request;
        Buf answer;

        if (query->verdict.class != VERDICT_OK)
                return resource_refuse(r, r->name[0] ? r->name : "a cached content");
        if (streq(query->verb, "DELETE"))
                pool_unbind_name(q->http->p.pool, r->name);
        else
                resource_learn(query, r->name[0] ? NULL : q->token);
        answer = query->answer;
        query->answer = BUF_INIT(0);
        (void) resource_free(r);
        request_reply(q, 200, REPLY_JSON, &answer);
        buf_done(&answer);
}

/* The body is right: it goes upstream as it is. */
static void put_body(Resource *r) {
        Buf *body = http_request_body(r->request->io);

        r->query.body = body->n > 0 ? buf_data(body) : "";
        r->query.n_body = body->n;
}

int resource_may_make(Request *q, ApiError *ret_error) {
        if (pool_may_bind(q->http->p.pool, q->token->secret, day_clock_now()))
                return 0;
        api_error_set(ret_error, 429, NULL,
                      "Too many files and cached contents: gemgate remembers %u for a token, and %u in all. "
                      "Delete some, or wait until they expire.",
                      BINDINGS_TOKEN_MAX, BINDINGS_MAX);
        return HANDLER_E_REFUSED;
}

static void create(Resource *r) {
        put_body(r);
        r->query.verb = "POST";
        r->query.tries.once = true;
        (void) buf_puts(&r->query.path, "/v1beta/cachedContents");
        resource_start(r);
}

/* The worker has read a large body. */
static void resource_on_read(Reading *reading) {
        Resource *r = reading->userdata;
        Request *q = r->request;
        int e = reading->error;
        ApiError error;

        if (e == 0)
                e = pin_find_named(q, &reading->names, reading->names_fault, r->query.pinned, &error);
        else if (e == DIALECT_E_REFUSED)
                error = reading->refusal;
        reading_return_body(reading, q);
        r->reading = reading_free(reading, q->http->worker);
        if (e == 0)
                return create(r);
        if (e < 0)
                api_error_from_failure(&error, e);
        (void) resource_free(r);
        request_reply_error(q, &error);
}

int resource_create(Request *q, ApiError *ret_error) {
        _cleanup_(resource_freep) Resource *r = NULL;
        int e;

        e = resource_may_make(q, ret_error);
        if (e == 0)
                e = resource_new(q, &r);
        if (e != 0)
                return e;
        if (reading_is_long(q)) {
                e = reading_begin(q, NULL, NULL, resource_on_read, r, &r->reading);
                if (e == 0)
                        TAKE_PTR(r);
                return e;
        }
        e = reading_check(q, ret_error);
        if (e == 0)
                e = pin_find(q, http_request_body(q->io), r->query.pinned, ret_error);
        if (e != 0)
                return e;
        create(TAKE_PTR(r));
        return 0;
}

/* What a PATCH changes; the only argument that is passed on. */
static bool put_mask(Request *q, Buf *path) {
        static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.,";
        const char *raw = http_request_argument(q->io, "updateMask");
        _cleanup_free_ char *mask = raw ? strdup(raw) : NULL;

        if (!raw)
                return true;
        if (!mask || text_percent_decode(mask) < 0 || strlen(mask) > 256 ||
            !text_in_charset(mask, strlen(mask), chars))
                return false;
        (void) buf_printf(path, "?updateMask=%s", mask);
        return true;
}

int resource_named(Request *q, ApiError *ret_error) {
        const char *method = http_request_method(q->io);
        const char *kind = q->route->kind;
        _cleanup_(resource_freep) Resource *r = NULL;
        FileOwner asker;
        int n, e;

        if (resource_is_download(q) && streq(q->route->method, "GET"))
                return resource_download(q, ret_error);
        e = resource_new(q, &r);
        if (e < 0)
                return e;
        n = snprintf(r->name, sizeof(r->name), "%s%s", kind, q->rest);
        if (n < 0 || (size_t) n >= sizeof(r->name) || !binding_name_is_valid(r->name, (size_t) n)) {
                api_error_set(ret_error, 400, NULL, "The path does not name one: %s[A-Za-z0-9_-]{1,%u}.",
                              kind, BINDING_ID_MAX);
                return HANDLER_E_REFUSED;
        }
        memcpy(r->query.pinned, r->name, sizeof(r->name));
        (void) buf_printf(&r->query.path, "/v1beta/%s", r->name);
        r->query.verb = streq(method, "DELETE") ? "DELETE" : streq(method, "PATCH") ? "PATCH" : "GET";
        r->query.may_be_empty = streq(method, "DELETE");
        if (streq(method, "PATCH")) {
                e = reading_check(q, ret_error);
                if (e != 0)
                        return e;
                put_body(r);
                if (!put_mask(q, &r->query.path)) {
                        api_error_set(ret_error, 400, "updateMask", "updateMask must be a list of members.");
                        return HANDLER_E_REFUSED;
                }
        }
        e = file_owner_init(&asker, q);
        if (e < 0)
                return e;
        if (!file_owner_may_use(&asker, r->name))
                return file_owner_refuse(r->name, ret_error);
        resource_start(TAKE_PTR(r));
        return 0;
}
