/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * json-c's tree of a text takes much more memory than the text: an empty object has two bytes of JSON and
 * 800 of memory. So the check counts what a text holds, and a tree is built only if what json-c will take
 * for it is within the ceilings of limits.h. Texts that are read in place (cursor.h) need no tree and have
 * no such ceiling.
 */

#include "base/json/check.h"

typedef struct JsonTreeCost {
        uint64_t bytes;      /* what json-c takes for it, at most */
        uint64_t values;     /* of the text */
        uint64_t values_max; /* how many of the same mix are allowed in a text of its size */
        bool allowed;
} JsonTreeCost;

JsonTreeCost json_tree_cost(const JsonCounts *counts, size_t n);

/* Checks like json_check(), and that a tree may be built. -EBADMSG (*ret_fault is the fault), -E2BIG (the
 * text is JSON with too many values: *ret_cost is set). */
int json_tree_check(const char *s, size_t n, const char **ret_fault, JsonTreeCost *ret_cost);
