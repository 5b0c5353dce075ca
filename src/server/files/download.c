/* SPDX-License-Identifier: MIT */

/*
 * The content of a file: GET /v1beta/files/{id}:download, or the same under /download, where Google leads
 * clients to; and of a store's media or an environment's file: its path with ?alt=media. It is passed on as
 * it comes, with its type, its length and what a part of it needs (Range). Google is asked for a file under
 * /download, because redirections are not followed.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "server/files/internal.h"
#include "server/files/owner.h"
#include "server/http.h"
#include "server/reply.h"
#include "server/routes.h"

#define VALUE_MAX   1024U
#define RANGE_CHARS TEXT_DIGITS "bytes=-, "

static const char *const passed[] = {
        "Content-Disposition", "Content-Encoding", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified",
};

static_assert(ELEMENTSOF(passed) == DOWNLOAD_HEADERS, "each has its place");

/* --- the answer --- */

static bool header_is(const char *line, size_t n, const char *name, const char **ret, size_t *ret_size) {
        size_t k = strlen(name);
        const char *value = line + k + 1;

        if (n <= k || line[k] != ':' || strncasecmp(line, name, k) != 0)
                return false;
        n -= k + 1;
        while (n > 0 && (*value == ' ' || *value == '\t'))
                value++, n--;
        *ret = value;
        *ret_size = n;
        return true;
}

static void keep(char **place, const char *value, size_t n) {
        if (n > VALUE_MAX)
                return;
        free(*place);
        *place = strndup(value, n);
}

static void download_on_header(UpstreamQuery *query, const char *line, size_t n) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        const char *value;
        size_t k;

        if (header_is(line, n, "Content-Type", &value, &k))
                keep(&r->download.type, value, k);
        else if (header_is(line, n, "Content-Length", &value, &k))
                keep(&r->download.length, value, k);
        for (size_t i = 0; i < ELEMENTSOF(passed); i++)
                if (header_is(line, n, passed[i], &value, &k))
                        keep(&r->download.headers[i], value, k);
}

void download_forget(Resource *r) {
        free(TAKE_PTR(r->download.type));
        free(TAKE_PTR(r->download.length));
        for (size_t i = 0; i < ELEMENTSOF(passed); i++)
                free(TAKE_PTR(r->download.headers[i]));
}

/* Of the try before. */
static void download_on_begin(UpstreamQuery *query) {
        download_forget(CONTAINER_OF(query, Resource, query));
}

/* The client gets the head. A stream is noted as ok when it begins. */
static int begin(Resource *r, int status) {
        Request *q = r->request;
        HttpHeader headers[ELEMENTSOF(passed)];
        uint64_t size = HTTP_SIZE_UNKNOWN;
        int e;

        if (r->download.length && text_parse_u64(r->download.length, &size) < 0)
                return -EBADMSG;
        for (size_t i = 0; i < ELEMENTSOF(passed); i++)
                headers[i] = (HttpHeader){ passed[i], r->download.headers[i] };
        e = request_stream_with(q, status, r->download.type ?: "application/octet-stream", headers,
                                ELEMENTSOF(headers), size);
        if (e < 0)
                return e;
        transfer_down(r, size);
        request_note_verdict(q, VERDICT_OK);
        q->verdict = verdict_rule(VERDICT_OK)->name;
        q->is_verdict_early = true;
        return 0;
}

static int download_on_piece(UpstreamQuery *query, int status, const char *p, size_t n) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        HttpRequest *io = r->request->io;
        int e;

        if (!r->transfer.begun) {
                e = begin(r, status);
                if (e < 0)
                        return e;
        }
        e = buf_append(http_request_out(io), p, n);
        if (e < 0)
                return e;
        transfer_moved(r, n);
        http_request_flush(io);
        if (http_request_is_full(io))
                engine_call_pause(query->call.call, true);
        return 0;
}

static void download_on_done(UpstreamQuery *query) {
        Resource *r = CONTAINER_OF(query, Resource, query);
        bool is_ok = query->verdict.class == VERDICT_OK;
        Request *q = r->request;
        ApiError error;
        int e;

        if (!r->transfer.begun && !is_ok)
                return resource_refuse(r, r->name);
        /* An empty file, or an answer to HEAD, has no piece. */
        e = r->transfer.begun ? 0 : begin(r, query->verdict.status);
        (void) resource_free(r);
        if (e == 0)
                return http_request_finish(q->io, is_ok);
        api_error_from_failure(&error, e);
        request_reply_error(q, &error);
}

static const UpstreamQueryOps download_ops = {
        .begin = download_on_begin,
        .header = download_on_header,
        .piece = download_on_piece,
        .done = download_on_done,
};

/* --- the request --- */

static int refuse(ApiError *ret_error, const char *param, const char *message) {
        api_error_set(ret_error, 400, param, "%s", message);
        return HANDLER_E_REFUSED;
}

/* Which part of the file is wanted. */
static bool pass_range(Resource *r) {
        UpstreamQuery *query = &r->query;
        const char *range = http_request_header(query->request->io, "Range");
        const char *condition = http_request_header(query->request->io, "If-Range");

        if (strnull(range))
                return true;
        if (strlen(range) > VALUE_MAX || !text_in_charset(range, strlen(range), RANGE_CHARS) ||
            strlen(strempty(condition)) > VALUE_MAX ||
            asprintf(&query->headers[query->n_headers], "Range: %s", range) < 0)
                return false;
        query->n_headers++;
        if (strnull(condition))
                return true;
        if (asprintf(&query->headers[query->n_headers], "If-Range: %s", condition) < 0)
                return false;
        query->n_headers++;
        return true;
}

static void put_path(Resource *r, const GeminiPath *row) {
        Buf *path = &r->query.path;

        if (strstr(row->path, ":download"))
                (void) buf_printf(path, "/download/v1beta/%s:download", r->name);
        else {
                (void) buf_puts(path, "/v1beta/");
                resource_put_escaped(path, gemini_path_rest(row, r->request->path));
        }
        (void) buf_puts(path, "?alt=media");
}

int resource_download(Request *q, const GeminiPath *row, ApiError *ret_error) {
        const char *alt = http_request_argument(q->io, "alt");
        _cleanup_(resource_freep) Resource *r = NULL;
        int e;

        if (!streq_ptr(alt, "media"))
                return refuse(ret_error, "alt", "The content of a file is asked for with ?alt=media.");
        e = resource_new(q, &r);
        if (e < 0)
                return e;
        if (!gemini_path_name(row, q->path, r->name))
                return refuse(ret_error, NULL, "The path does not name a file: files/[A-Za-z0-9_-].");
        if (!pass_range(r))
                return refuse(ret_error, "Range", "Range must be one of bytes.");
        e = file_owner_check(q, r->name, ret_error);
        if (e != 0)
                return e;
        memcpy(r->query.pinned, r->name, sizeof(r->name));
        put_path(r, row);
        r->query.verb = streq(http_request_method(q->io), "HEAD") ? "HEAD" : "GET";
        r->query.ops = &download_ops;
        resource_start(TAKE_PTR(r));
        return 0;
}
