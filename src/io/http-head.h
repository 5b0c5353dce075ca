/* SPDX-License-Identifier: MIT */
#pragma once

/* The head of a request, as libmicrohttpd has read it: what is wrong with it. See http-head.c. */

#include "io/http-internal.h"

/* Sets r->fault, and how long the body is; trims the values of the headers. */
void http_head_check(HttpRequest *r, const char *version);

/* The path of a target in absolute form (`http://host/path`); any other target as it is. */
const char *http_head_path(const char *target);
