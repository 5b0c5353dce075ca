/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The form that an error has in a protocol. It stands beside the dialect in the table of routes, since a
 * protocol's errors have their form also where nothing of it is translated: at paths without a route, and
 * under management routes.
 */

#include "base/buf.h"
#include "dialect/api-error.h"

typedef struct ErrorShape {
        const char *name; /* in the log, where there is no dialect */

        /* Writes a whole error body. `request_id`: of the client's request; NULL inside of a stream. */
        void (*write)(const ApiError *e, const char *request_id, Buf *out);
} ErrorShape;

extern const ErrorShape error_shape_plain;     /* OpenAI's form, outside of all protocols */
extern const ErrorShape error_shape_openai;    /* {"error":{message,type,param,code}}: all four, always */
extern const ErrorShape error_shape_anthropic; /* {"type":"error","error":{type,message},"request_id"} */
extern const ErrorShape error_shape_google;    /* {"error":{code,message,status}}, "details" with a 429 */
