/* SPDX-License-Identifier: MIT */
#pragma once

/* Files and cached contents: one client request, one answer of Google. See resource.c. */

#include "server/request.h"

/* The routes' handlers. */
int resource_create(Request *q, ApiError *ret_error); /* a cached content */
int resource_named(Request *q, ApiError *ret_error);  /* get, patch, delete */
int resource_upload(Request *q, ApiError *ret_error);
int resource_download(Request *q, ApiError *ret_error); /* the content of a file */
int resource_list(Request *q, ApiError *ret_error);

bool resource_is_download(const Request *q); /* by the path */

/* The token that began the upload that the query names; NULL if there is no such upload. The id replaces
 * the token for that upload, because Google's SDKs send nothing else with its pieces. */
const Token *resource_upload_token(Request *q);

void resource_on_deadline(Timeout *t); /* of Http.upstream_due */
