/* SPDX-License-Identifier: MIT */
#pragma once

/* What clients make at Google, and the rest of Google's API that is no exchange: one client request, one
 * answer of Google. See resource.c. */

#include "server/request.h"

/* The routes' handlers. */
int resource_begin(Request *q, ApiError *ret_error); /* a path of dialect/gemini/path */
int resource_upload(Request *q, ApiError *ret_error);

/* The token that began the upload that the query names; NULL if there is no such upload. The id replaces
 * the token for that upload, because Google's SDKs send nothing else with its pieces. */
const Token *resource_upload_token(Request *q);

void resource_on_deadline(Timeout *t); /* of Http.upstream_due */
