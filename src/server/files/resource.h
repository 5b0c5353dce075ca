/* SPDX-License-Identifier: MIT */
#pragma once

/* Files and cached contents: one question of a client, one answer of Google's. See resource.c. */

#include "server/http.h"

#define RESOURCE_ANSWER_MAX (1U << 20) /* of what Google says about one; they are some hundred bytes */

/* The route's handlers. */
void resource_create(Request *q); /* a cached content */
void resource_named(Request *q);  /* get, patch, delete */
void resource_upload(Request *q);
void resource_list(Request *q);

/* Whose upload the query names; NULL if it names none that goes on. The id is as good as the token for that
 * one upload: Google's SDKs send nothing else with its pieces. */
const Token *resource_upload_token(Request *q);

typedef struct Timeout Timeout;
void resource_on_deadline(Timeout *t); /* of Http.upstream_due */
