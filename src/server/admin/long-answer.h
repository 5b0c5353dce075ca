/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An answer of the management that is made in slices, because it grows with the number of keys: see
 * io/loop.h. The first slice is made at once, so an answer about a few keys is sent at once, too. If a
 * reload replaces the keys in between, the answer starts again. At most LONG_ANSWERS_MAX are being made or
 * read; a further one takes the place of one that was not read for LONG_ANSWER_PATIENCE, which is cut.
 */

#include "base/buf.h"
#include "server/request.h"

typedef struct LongAnswerOps {
        /* Begins the answer, again if it had begun already; -errno. */
        int (*begin)(void *answer, Buf *body);
        /* Writes the next slice. 1: there is more; 0: the body is complete; -ESTALE: begin again; -errno. */
        int (*step)(void *answer, Buf *body);
        void (*free)(void *answer);
        /* Tells the client what a failure of step() means, other than -ESTALE and -E2BIG: a handler's
         * result; or NULL. */
        int (*refuse)(int r, ApiError *ret_error);
        size_t key_size, pair_size; /* bytes about a key, and about a key and a model; or 0. A buffer that
                                     * grows is copied, which takes 20 ms for 16 MiB */
} LongAnswerOps;

/* Takes `answer`, also on failure. A handler's result. */
int long_answer_start(Request *q, const LongAnswerOps *ops, void *answer, ApiError *ret_error);
