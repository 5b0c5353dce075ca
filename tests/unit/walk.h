/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Random walks: how far they go, and from where. `./tests/run long` sets WALK_SCALE, which multiplies the
 * steps, and WALK_SEED, which is added to each seed; without them a walk is the same every day. Both are in
 * the output of a walk, so that one that failed can be repeated.
 */

#include <inttypes.h>

#include "test.h"

static inline uint64_t walk_number(const char *name, uint64_t otherwise) {
        const char *text = getenv(name);

        return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static inline unsigned walk_steps(unsigned n) {
        return (unsigned) (n * walk_number("WALK_SCALE", 1));
}

static inline uint64_t walk_seed(uint64_t seed) {
        uint64_t more = walk_number("WALK_SEED", 0);

        print_message("           seed %" PRIu64 " (WALK_SEED=%" PRIu64 ", WALK_SCALE=%" PRIu64 ")\n",
                      seed + more, more, walk_number("WALK_SCALE", 1));
        return seed + more;
}

/*
 * To be called after each step of a walk that has a plain model beside the pool: both have been given the
 * same times. A jump back moves what is stored by the difference to the latest time that was given, so if
 * one of them missed a time, all waits differ from then on, and that shows only much later.
 */
static inline void walk_same_time(uint64_t step, uint64_t plain, uint64_t pool) {
        if (plain != pool)
                fail_msg("step %" PRIu64 ": the pool's time is %" PRIu64 ", the plain model's %" PRIu64,
                         step, pool, plain);
}
