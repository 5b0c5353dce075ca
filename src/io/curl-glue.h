/* SPDX-License-Identifier: MIT */
#pragma once

/* libcurl's multi interface in our loop: it makes the connections through proxies (tunnel.h). */

#include "io/forward.h"
#include "io/loop.h"

int curl_glue_new(Loop *loop, CurlGlue **ret);
CurlGlue *curl_glue_free(CurlGlue *g); /* every tunnel has been freed before */
DEFINE_CLEANUP(CurlGlue *, curl_glue_free);
