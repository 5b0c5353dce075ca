/* SPDX-License-Identifier: MIT */
#pragma once

/* What server/files/resource.c (one question), server/files/upload.c and server/files/list.c share. */

#include "io/timeout.h"
#include "server/files/resource.h"
#include "server/upstream-query.h"

#define LIST_PARALLEL 8U

typedef struct ListItem {
        UpstreamQuery work;
        struct Resource *resource;
        size_t index; /* of its name */
        bool is_taken;
} ListItem;

typedef struct Resource {
        UpstreamQuery work;
        Timeout deadline;
        char name[BINDING_NAME_MAX + 1]; /* of the path; an upload's own; "" */

        /* what an upload says in its headers */
        struct {
                char status[16], received[24], granularity[24];
                char id[BINDING_UPSTREAM_MAX + 1]; /* Google's */
        } upload;

        bool is_list;
        struct {
                Request *request;
                BindingNames names;
                Buf *found; /* of each name, what Google says; empty: it is no more */
                size_t next, n_under_way;
                size_t size; /* of the page */
                bool is_going;
                ListItem items[LIST_PARALLEL];
        } list;
} Resource;

int resource_new(Request *q, Resource **ret);
Resource *resource_free(Resource *r);
DEFINE_CLEANUP(Resource *, resource_free);
void resource_refuse(Resource *r, const char *subject); /* answers with its query's failure; frees it */
int resource_may_make(Request *q, ApiError *ret_error); /* 0; HANDLER_E_REFUSED: there are too many */
void resource_learn(const UpstreamQuery *w, bool is_new);        /* from the answer */

void resource_list_drop(Resource *r, VerdictClass class);
