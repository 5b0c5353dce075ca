/* SPDX-License-Identifier: MIT */
#pragma once

/* What resource.c and upload.c (one question) and list.c (many questions) share. */

#include "io/timeout.h"
#include "server/files/resource.h"
#include "server/upstream-query.h"

typedef struct Resource {
        Request *request;
        UpstreamQuery query; /* not of a list */
        Timeout deadline;
        char name[BINDING_NAME_MAX + 1]; /* of the path; an upload's own; "" */

        /* what an upload says in its headers */
        struct {
                char status[16], received[24], granularity[24];
                char id[BINDING_UPSTREAM_MAX + 1]; /* Google's */
        } upload;

        /* a list */
        struct {
                UpstreamBatch batch;
                BindingNames names;
                Buf *found;  /* of each name, Google's answer; empty: it is no more */
                size_t size; /* of the page */
        } list;
} Resource;

int resource_new(Request *q, Resource **ret);
Resource *resource_free(Resource *r);
DEFINE_CLEANUP(Resource *, resource_free);
void resource_start(Resource *r); /* asks; the resource may be gone when it returns */
void resource_refuse(Resource *r, const char *subject); /* answers with its query's failure; frees it */
int resource_may_make(Request *q, ApiError *ret_error); /* 0; HANDLER_E_REFUSED: there are too many */
void resource_learn(const UpstreamQuery *w, bool is_new);        /* from the answer */

void resource_list_drop(Resource *r, VerdictClass class);
