/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A priority queue whose links live in its elements: nothing is allocated, and any element can be taken out.
 * It is a leftist heap: no path to the right is longer than log2(n + 1), and everything is a merge along two
 * such paths, so push and removal cost O(log n) in the worst case, not only on the average.
 */

#include "base/macros.h"

typedef struct HeapNode HeapNode;
typedef struct Heap Heap;

/* Smaller is earlier: the three numbers from left to right, then the index. */
typedef struct HeapRank {
        uint64_t by[3];
        uint32_t index;
} HeapRank;

struct HeapNode {
        HeapNode *left, *right, *parent;
        Heap *heap; /* that it is in, or NULL */
        HeapRank rank;
        uint32_t distance; /* nodes on the path to the right, this one included */
};

struct Heap {
        HeapNode *root;  /* the first element, or NULL */
        uint64_t *steps; /* counts comparisons, so that a test can bound them */
};

int heap_rank_compare(const HeapRank *a, const HeapRank *b);

void heap_push(Heap *h, HeapNode *n, HeapRank rank); /* n must be in no heap */
void heap_remove(HeapNode *n);                       /* may be in none */

/* Forgets all elements at once, without touching them: each must be given heap_node_reset() before it is
 * used. */
static inline void heap_clear(Heap *h) {
        h->root = NULL;
}

static inline void heap_node_reset(HeapNode *n) {
        n->heap = NULL;
}
