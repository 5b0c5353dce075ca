/* SPDX-License-Identifier: MIT */

/*
 * POST /upload/v1beta/files, and the same to a store of documents. A body is passed on while it arrives,
 * but for a small one of a known length, which is held and may go to another key (server/body.h). Google's
 * forms:
 *
 *   - in one go: metadata and content in one body, `X-Goog-Upload-Protocol: multipart`;
 *   - resumable: a request with the command `start` is answered with X-Goog-Upload-URL. The content is sent
 *     there in any number of pieces, with the commands `upload`, `finalize`, `query`,
 *     `cancel`.
 *
 * Google's URL is neither passed on nor used. Only the upload's id is taken from it, and it stays in
 * gemgate. The client gets an id of gemgate, in a URL with the host of that request. So neither the
 * client nor a false upstream chooses where data is sent. Google accepts its id without a key, and its SDKs
 * send none. In the same way gemgate's id, which is random and valid for a day, replaces the token that
 * began the upload, and only that one.
 *
 * A file of an environment is the whole body of a PUT, or a PUT begins it, and its pieces are sent as above.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "core/day-clock.h"
#include "dialect/gemini/resource.h"
#include "server/files/front.h"
#include "server/files/internal.h"
#include "server/files/made.h"
#include "server/files/owner.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/routes.h"

#define UPLOAD_LIFE      USEC_PER_DAY
#define HEADER_VALUE_MAX 1024U
#define NUMBER_MAX       20U
#define ID_BYTES         16U

/* The client's headers that are passed on; `chars` NULL: any valid value. */
static const struct {
        const char *name, *chars;
} passed[] = {
        { "X-Goog-Upload-Protocol", "abcdefghijklmnopqrstuvwxyz" },
        { "X-Goog-Upload-Command", "abcdefghijklmnopqrstuvwxyz, " },
        { "X-Goog-Upload-Offset", TEXT_DIGITS },
        { "X-Goog-Upload-Header-Content-Length", TEXT_DIGITS },
        { "X-Goog-Upload-Header-Content-Type", NULL },
        { "X-Goog-Upload-File-Name", NULL },
};

static const char *const commands[] = { "start", "upload", "finalize", "query", "cancel" };

/* --- the request --- */

static bool is_header_value(const char *s, const char *chars) {
        size_t n = strlen(s);

        if (n == 0 || n > HEADER_VALUE_MAX || (chars && !text_in_charset(s, n, chars)))
                return false;
        for (; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        return false;
        return true;
}

/* NULL, or the name of the header that is wrong. */
static const char *pass_headers(Resource *r) {
        UpstreamQuery *query = &r->query;

        for (size_t i = 0; i < ELEMENTSOF(passed); i++) {
                const char *value = http_request_header(query->request->io, passed[i].name);

                if (strnull(value))
                        continue;
                if (!is_header_value(value, passed[i].chars) || query->n_headers == ENGINE_HEADERS_MAX ||
                    asprintf(&query->headers[query->n_headers], "%s: %s", passed[i].name, value) < 0)
                        return passed[i].name;
                query->n_headers++;
        }
        return NULL;
}

static bool has_word(const char *list, const char *word) {
        size_t n = strlen(word);

        while (*list) {
                size_t k;

                list += strspn(list, ", ");
                k = strcspn(list, ", ");
                if (k == n && memcmp(list, word, n) == 0)
                        return true;
                list += k;
        }
        return false;
}

static bool is_command(const char *list) {
        size_t n = 0;

        while (*(list += strspn(list, ", "))) {
                size_t k = strcspn(list, ", "), i;

                for (i = 0; i < ELEMENTSOF(commands); i++)
                        if (strlen(commands[i]) == k && memcmp(list, commands[i], k) == 0)
                                break;
                if (i == ELEMENTSOF(commands))
                        return false;
                n++;
                list += k;
        }
        return n > 0;
}

/* --- the answer --- */

static void keep(char *ret, size_t size, const char *value, size_t n, const char *chars) {
        if (n > 0 && n < size && text_in_charset(value, n, chars)) {
                memcpy(ret, value, n);
                ret[n] = 0;
        }
}

static void upload_on_header(UpstreamQuery *query, const char *line, size_t n) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        const char *colon = memchr(line, ':', n), *value;
        size_t k, n_value;

        if (!colon)
                return;
        k = (size_t) (colon - line);
        for (value = colon + 1; value < line + n && *value == ' '; value++)
                ;
        n_value = (size_t) (line + n - value);
#define IS(name) (k == sizeof(name) - 1 && strncasecmp(line, name, k) == 0)
        if (IS("X-Goog-Upload-Status"))
                keep(r->upload.status, sizeof(r->upload.status), value, n_value,
                     "abcdefghijklmnopqrstuvwxyz");
        else if (IS("X-Goog-Upload-Size-Received"))
                keep(r->upload.received, sizeof(r->upload.received), value, n_value, TEXT_DIGITS);
        else if (IS("X-Goog-Upload-Chunk-Granularity"))
                keep(r->upload.granularity, sizeof(r->upload.granularity), value, n_value, TEXT_DIGITS);
        else if (IS("X-Goog-Upload-URL"))
                (void) gemini_upload_id(value, n_value, r->upload.id);
#undef IS
}

/* An id of gemgate for Google's id. Empty on failure. */
static void bind_upload(Resource *r) {
        Request *q = r->request;
        uint8_t random[ID_BYTES];
        size_t n = strlen(BINDING_UPLOADS);
        usec_t now = day_clock_now();

        static_assert(sizeof(BINDING_UPLOADS) + 2 * ID_BYTES <= sizeof(r->name), "an id of ours has to fit");
        if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random))
                return;
        memcpy(r->name, BINDING_UPLOADS, n + 1);
        text_hex(random, sizeof(random), r->name + n);
        if (pool_bind_name(q->http->p.pool,
                           &(BindingWanted){ .name = r->name,
                                             .key = r->query.call.lease.key,
                                             .token = q->token->secret,
                                             .expires = usec_add(now, UPLOAD_LIFE),
                                             .upstream = r->upload.id },
                           now) < 0)
                r->name[0] = 0;
}

static void add(HttpHeader *headers, size_t *n, const char *name, const char *value) {
        if (*value)
                headers[(*n)++] = (HttpHeader){ name, value };
}

/* Where the client sends the pieces. */
static void put_url(Request *q, const char *id, Buf *url) {
        (void) buf_printf(url, "%s://%s", front_is_tls(q) ? "https" : "http", front_host(q));
        resource_put_escaped(url, q->path);
        (void) buf_printf(url, "?upload_id=%s&upload_protocol=resumable", id);
}

static void upload_on_done(UpstreamQuery *query) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        Request *q = query->request;
        Pool *pool = q->http->p.pool;
        char status[sizeof(r->upload.status)], received[sizeof(r->upload.received)],
                granularity[sizeof(r->upload.granularity)];
        _cleanup_buf_ Buf url = BUF_INIT(FRONT_HOST_MAX + 3 * strlen(q->path) + BINDING_NAME_MAX + 96);
        const Token *maker = r->name[0] ? resource_upload_token(q) ?: q->token : q->token;
        HttpHeader headers[4];
        size_t n = 0;
        Buf answer;

        if (query->verdict.class == VERDICT_OK && r->upload.id[0] && !r->name[0] &&
            streq(r->upload.status, "active")) {
                bind_upload(r);
                if (r->name[0])
                        put_url(q, r->name + strlen(BINDING_UPLOADS), &url);
        } else if (r->name[0] && (streq(r->upload.status, "final") || streq(r->upload.status, "cancelled")))
                pool_unbind_name(pool, r->name);
        if (query->verdict.class != VERDICT_OK)
                return resource_refuse(r, "the upload");

        if (r->row->makes)
                made_learn(query, r->row->makes, maker);
        memcpy(status, r->upload.status, sizeof(status));
        memcpy(received, r->upload.received, sizeof(received));
        memcpy(granularity, r->upload.granularity, sizeof(granularity));
        add(headers, &n, "X-Goog-Upload-URL", strempty(buf_cstr(&url)));
        add(headers, &n, "X-Goog-Upload-Status", status);
        add(headers, &n, "X-Goog-Upload-Size-Received", received);
        add(headers, &n, "X-Goog-Upload-Chunk-Granularity", granularity);
        answer = query->answer;
        query->answer = BUF_INIT(0);
        (void) resource_free(r);
        request_reply_with(q, 200, REPLY_JSON, headers, n, &answer);
        buf_done(&answer);
}

static ssize_t upload_on_read(UpstreamQuery *query, char *p, size_t n) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        ssize_t k = http_request_read(r->request->io, p, n);

        if (k > 0)
                transfer_moved(r, (size_t) k);
        else if (k == 0)
                transfer_all_moved(r);
        return k;
}

static const UpstreamQueryOps held_ops = { .header = upload_on_header, .done = upload_on_done };
static const UpstreamQueryOps passed_ops = {
        .header = upload_on_header,
        .read = upload_on_read,
        .done = upload_on_done,
};

/* --- the route --- */

static int refuse(ApiError *ret_error, int status, const char *param, const char *message) {
        api_error_set(ret_error, status, param, "%s", message);
        return HANDLER_E_REFUSED;
}

static bool name_upload(const char *id, char ret[static BINDING_NAME_MAX + 1]) {
        return binding_name_make(BINDING_UPLOADS, id, strlen(id), ret);
}

const Token *resource_upload_token(Request *q) {
        const char *id = http_request_argument(q->io, "upload_id");
        const TokenSet *tokens = &q->config->tokens;
        Pool *pool = q->http->p.pool;
        char name[BINDING_NAME_MAX + 1];
        usec_t now = day_clock_now();
        BindingOwner owner;

        if (!id || !name_upload(id, name) || !pool_bound_to(pool, name, now))
                return NULL;
        for (size_t i = 0; i < tokens->n; i++)
                if (pool_owner(pool, tokens->tokens[i].secret, &owner) >= 0 &&
                    pool_is_bound_by(pool, name, &owner, now))
                        return &tokens->tokens[i];
        return NULL;
}

/* Its owner may go on with it, and an admin. */
static bool may_go_on(Request *q, const char *name, usec_t now) {
        Pool *pool = q->http->p.pool;
        BindingOwner owner;

        if (q->token->right == TOKEN_ADMIN)
                return pool_bound_to(pool, name, now);
        return pool_owner(pool, q->token->secret, &owner) >= 0 && pool_is_bound_by(pool, name, &owner, now);
}

/* A further piece of an upload: the path upstream has Google's id instead of gemgate's. */
static bool find_upload(Resource *r, const char *id) {
        Request *q = r->request;
        usec_t now = day_clock_now();
        const char *theirs;

        if (!name_upload(id, r->name) || !may_go_on(q, r->name, now))
                return false;
        theirs = pool_bound_upstream(q->http->p.pool, r->name, now);
        if (!theirs)
                return false;
        memcpy(r->query.pinned, r->name, sizeof(r->name));
        (void) buf_printf(&r->query.path, "%cupload_id=%s&upload_protocol=resumable",
                          strchr(buf_cstr(&r->query.path), '?') ? '&' : '?', theirs);
        return true;
}

/* A store or an environment, whose project it has to be. */
static int find_place(Resource *r, ApiError *ret_error) {
        char *name = r->query.pinned;

        if (!gemini_path_name(r->row, r->request->path, name))
                return refuse(ret_error, 400, NULL, "The path does not name one: an id is [A-Za-z0-9_-].");
        return name[0] ? file_owner_check(r->request, name, ret_error) : 0;
}

/* A body that is held may go to another key if Google has refused it, one that is passed on only if no byte
 * of it has left. */
static void put_body(Resource *r) {
        Request *q = r->request;
        Buf *body = http_request_body(q->io);
        uint64_t size = UINT64_MAX;

        if (http_request_is_passed(q->io)) {
                (void) http_request_content_length(q->io, &size);
                r->query.ops = &passed_ops;
                r->query.n_body = (size_t) size;
                transfer_up(r, size);
                return;
        }
        r->query.ops = &held_ops;
        r->query.tries.once = true;
        r->query.body = body->n > 0 ? buf_data(body) : "";
        r->query.n_body = body->n;
}

/* Of the whole file, as far as the head names it; the body that follows has what is left (server/body.c). */
static int check_size(Request *q, ApiError *ret_error) {
        const char *whole = http_request_header(q->io, "X-Goog-Upload-Header-Content-Length");
        const char *offset = http_request_header(q->io, "X-Goog-Upload-Offset");
        uint64_t max = q->config->max_upload, size = 0, at = 0, n = 0;

        (void) http_request_content_length(q->io, &n);
        /* Their form is looked at later. */
        if (whole && text_parse_u64(whole, &size) == -ERANGE)
                size = UINT64_MAX;
        if (offset && text_parse_u64(offset, &at) == -ERANGE)
                at = UINT64_MAX;
        if (size <= max && at <= max && n <= max - at)
                return 0;
        api_error_set(ret_error, 413, NULL, "The upload is larger than MAX_UPLOAD allows (%llu bytes).",
                      (unsigned long long) max);
        return HANDLER_E_REFUSED;
}

int resource_upload(Request *q, ApiError *ret_error) {
        const char *protocol = http_request_header(q->io, "X-Goog-Upload-Protocol");
        const char *command = http_request_header(q->io, "X-Goog-Upload-Command");
        const char *id = http_request_argument(q->io, "upload_id");
        const char *type = http_request_header(q->io, "Content-Type"), *bad;
        bool is_whole, once = protocol && (streq(protocol, "multipart") || streq(protocol, "raw"));
        _cleanup_(resource_freep) Resource *r = NULL;
        int e;

        e = check_size(q, ret_error);
        if (e == 0 && !id)
                e = resource_may_make(q, ret_error);
        if (e == 0)
                e = resource_new(q, &r);
        if (e != 0)
                return e;
        r->row = q->route->google;
        e = find_place(r, ret_error);
        if (e == 0)
                e = resource_put_path(r, ret_error);
        if (e != 0)
                return e;
        is_whole = streq(r->row->method, "PUT") && !id && !command && !protocol;
        bad = is_whole ? NULL : pass_headers(r);
        if (bad)
                return refuse(ret_error, 400, bad, "A header of the upload is not as Google has it.");
        if (command && !is_command(command))
                return refuse(ret_error, 400, "X-Goog-Upload-Command",
                              "The commands of an upload are start, upload, finalize, query and cancel.");
        if (id && !command)
                return refuse(ret_error, 400, "X-Goog-Upload-Command", "An upload goes on with a command.");
        /* Without it nothing would bound all pieces together. */
        if (id && has_word(command, "upload") &&
            strnull(http_request_header(q->io, "X-Goog-Upload-Offset")))
                return refuse(ret_error, 400, "X-Goog-Upload-Offset",
                              "A piece of an upload has X-Goog-Upload-Offset: how much was sent before.");
        if (id && !find_upload(r, id))
                return refuse(ret_error, 404, "upload_id",
                              "There is no such upload of this token, or it is over: start another.");
        if (!id && !once && !is_whole && !(command && has_word(command, "start")))
                return refuse(ret_error, 400, "X-Goog-Upload-Protocol",
                              "An upload is `X-Goog-Upload-Protocol: multipart`, or `resumable` with the "
                              "command `start`.");
        if (!id && !is_whole && !front_host(q))
                return refuse(ret_error, 400, "Host",
                              "Host must name a host that the upload can go on with.");
        if (type && !is_header_value(type, NULL))
                return refuse(ret_error, 400, "Content-Type", "Content-Type is not one.");
        if (asprintf(&r->query.content_type, "Content-Type: %s", type ?: "application/octet-stream") < 0) {
                r->query.content_type = NULL;
                return -ENOMEM;
        }
        r->query.verb = r->row->method;
        r->query.may_be_empty = true; /* until the upload ends */
        r->query.may_be_nameless = !r->row->makes;
        put_body(r);
        resource_start(TAKE_PTR(r));
        return 0;
}
