/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by resource.c, upload.c and download.c (one call) and list.c (many calls). */

#include "dialect/gemini/path.h"

#include "io/timeout.h"
#include "server/files/resource.h"
#include "server/files/transfer.h"
#include "server/reading.h"
#include "server/upstream-query.h"

#define DOWNLOAD_HEADERS 6U

struct Resource {
        Request *request;
        const GeminiPath *row;
        UpstreamQuery query; /* not of a list */
        Reading *reading;    /* of a large body, before the query */
        Timeout deadline;
        char name[BINDING_NAME_MAX + 1]; /* what the path is of or below, or the upload's; or "" */

        /* from the headers of an upload */
        struct {
                char status[16], received[24], granularity[24];
                char id[BINDING_UPSTREAM_MAX + 1]; /* Google's */
        } upload;

        /* a list */
        struct {
                UpstreamBatch batch;
                BindingNames names;
                Buf *found;  /* Google's answer for each name; empty: it is gone */
                Buf lost;    /* names that Google was not asked for with success, as in the answer */
                size_t size; /* of the page */
        } list;

        Transfer transfer; /* of an upload that is passed on, or a download */

        struct {
                char *type, *length, *headers[DOWNLOAD_HEADERS]; /* Google's; NULL: there is none */
        } download;
};

int resource_new(Request *q, Resource **ret);
Resource *resource_free(Resource *r);
DEFINE_CLEANUP(Resource *, resource_free);
void resource_start(Resource *r); /* starts the call; the resource may be freed when it returns */
void resource_refuse(Resource *r, const char *subject); /* answers with the query's failure, and frees it */
int resource_may_make(Request *q, ApiError *ret_error); /* 0; HANDLER_E_REFUSED: there are too many */
int resource_put_path(Resource *r, ApiError *ret_error); /* that goes upstream, arguments and headers */
void resource_put_escaped(Buf *out, const char *s);                /* a path, for a URL */
int resource_list(Request *q, const GeminiPath *row, ApiError *ret_error);
int resource_download(Request *q, const GeminiPath *row, ApiError *ret_error); /* the content of a file */

void download_forget(Resource *r);
void resource_list_drop(Resource *r, VerdictClass class);
