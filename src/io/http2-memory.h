/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The memory that libnghttp2 takes for one connection. It has a ceiling, whatever a server makes grow. It is
 * wiped before it is freed, because libnghttp2 copies the headers of requests, among them the API key.
 */

#include <nghttp2/nghttp2.h>

#include "base/macros.h"

typedef struct Http2Memory {
        size_t n;     /* bytes taken */
        bool refused; /* an allocation would have exceeded the ceiling */
} Http2Memory;

nghttp2_mem http2_memory_functions(Http2Memory *m); /* for a session that must not outlive m */
