/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/json/tree.h"
#include "base/limits.h"
#include "base/memory.h"

/* What json-c takes, without the text of the strings. */
static uint64_t bytes_of(const JsonCounts *c) {
        return (uint64_t) JSON_TREE_OBJECT * c->objects + (uint64_t) JSON_TREE_ARRAY * c->arrays +
               (uint64_t) JSON_TREE_STRING * c->strings + (uint64_t) JSON_TREE_OTHER * c->others +
               (uint64_t) JSON_TREE_NULL * c->nulls +
               (uint64_t) JSON_TREE_MEMBER * (c->members - c->crowded) +
               (uint64_t) JSON_TREE_CROWDED * c->crowded;
}

JsonTreeCost json_tree_cost(const JsonCounts *counts, size_t n) {
        uint64_t text = (uint64_t) n + n / 4, bytes = bytes_of(counts);
        uint64_t max = (uint64_t) JSON_TREE_FACTOR * n + JSON_TREE_BASE - text;
        JsonTreeCost cost = {
                .bytes = bytes + text,
                .values = (uint64_t) counts->objects + counts->arrays + counts->strings + counts->others +
                          counts->nulls,
        };

        max = MIN(max, (uint64_t) JSON_TREE_MAX);
        cost.allowed = bytes <= max;
        cost.values_max = cost.allowed ? cost.values : cost.values * max / bytes;
        return cost;
}

int json_tree_check(const char *s, size_t n, const char **ret_fault, JsonTreeCost *ret_cost) {
        JsonCounts counts = {};
        const char *fault = json_check_counts(s, n, &counts);
        JsonTreeCost cost;

        if (fault) {
                *ret_fault = fault;
                return -EBADMSG;
        }
        cost = json_tree_cost(&counts, n);
        if (cost.allowed) {
                memory_note(cost.bytes);
                return 0;
        }
        *ret_cost = cost;
        return -E2BIG;
}
