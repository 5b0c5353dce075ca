/* SPDX-License-Identifier: MIT */
#pragma once

/* What a call of Google's own protocol has besides its method, its model and its body. All zero: nothing. */

#include "base/macros.h"

typedef struct NativeCall {
        const char *path;  /* upstream, instead of that of method and model; NULL: that one; borrowed */
        const char *verb;  /* with a path: "GET"; NULL: POST */
        char *header;      /* with a path: one more line of the head; NULL: none; borrowed */
        const char *names; /* what the path names, as in pool/binding; or NULL; borrowed */
        const char *made;  /* by an event: Google's name of what the answer has made; NULL: nothing, or it
                            * was noted; borrowed */
        bool is_fixed;     /* no other model can serve it */
        bool once;         /* what it makes must not be made twice: see upstream_next() */
} NativeCall;
