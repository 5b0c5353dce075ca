/* SPDX-License-Identifier: MIT */
#pragma once

/* HTTP calls by libcurl, whose multi interface is in our loop. See curl-glue.c for what keeps it cheap. */

#include "io/http-client.h"

int curl_glue_new(Loop *loop, HttpClient **ret);
