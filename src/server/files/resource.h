/* SPDX-License-Identifier: MIT */
#pragma once

/* Files and cached contents: one question of a client, one answer of Google's. See resource.c. */

#include "server/request.h"

#define RESOURCE_ANSWER_MAX (1U << 20) /* of what Google says about one; they are some hundred bytes */

/* The routes' handlers. */
int resource_create(Request *q, ApiError *ret_error); /* a cached content */
int resource_named(Request *q, ApiError *ret_error);  /* get, patch, delete */
int resource_upload(Request *q, ApiError *ret_error);
int resource_list(Request *q, ApiError *ret_error);

/* Whose upload the query names; NULL if it names none that goes on. The id is as good as the token for that
 * one upload: Google's SDKs send nothing else with its pieces. */
const Token *resource_upload_token(Request *q);

void resource_on_deadline(Timeout *t); /* of Http.upstream_due */
