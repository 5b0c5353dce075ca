/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The form of an error in a protocol. It is beside the dialect in the table of routes, because errors also
 * need a form where no dialect applies: at paths without a route, and at management routes.
 */

#include "base/buf.h"
#include "dialect/api-error.h"

typedef struct ErrorShape {
        const char *name; /* for the log, if there is no dialect */

        /* Writes a whole error body. `request_id`: of the client's request; NULL inside a stream. */
        void (*write)(const ApiError *e, const char *request_id, Buf *out);
        int overloaded; /* HTTP's status of a 503 that passes by itself; 0: 503 */
} ErrorShape;

static inline int error_shape_status(const ErrorShape *s, const ApiError *e) {
        return e->status == 503 && e->retry_after > 0 && s->overloaded != 0 ? s->overloaded : e->status;
}

extern const ErrorShape error_shape_plain;     /* OpenAI's form, for routes of no protocol */
extern const ErrorShape error_shape_openai;    /* {"error":{message,type,param,code}}: all four, always */
extern const ErrorShape error_shape_anthropic; /* {"type":"error","error":{type,message},"request_id"} */
extern const ErrorShape error_shape_google;    /* {"error":{code,message,status}}, "details" with a 429 */
