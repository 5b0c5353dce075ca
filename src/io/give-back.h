/* SPDX-License-Identifier: MIT */
#pragma once

/* Lets the allocator give memory back after a large request (base/memory): at most once a second, and not
 * within the turn that answers. */

#include "base/memory.h"
#include "io/forward.h"
#include "io/loop.h"

int give_back_new(Loop *l, Worker *w, GiveBack **ret); /* the worker gives back, too */
GiveBack *give_back_free(GiveBack *g);
DEFINE_CLEANUP(GiveBack *, give_back_free);

void give_back_start(GiveBack *g);

/* When a request has ended. */
static inline void give_back_check(GiveBack *g) {
        if (__builtin_expect(memory_is_noted(), 0))
                give_back_start(g);
}
