/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A priority queue whose links live in its elements: nothing is allocated, and any element can be taken
 * out. Push and removal cost O(log n) in the worst case. They cost O(1) if elements come in rising order:
 * those form a sorted list, the run; see heap.c.
 */

#include "base/macros.h"

typedef struct HeapNode HeapNode;
typedef struct Heap Heap;

/* The smaller rank comes first: the three numbers are compared from left to right, then the index. */
typedef struct HeapRank {
        uint64_t by[3];
        uint32_t index;
} HeapRank;

struct HeapNode {
        HeapNode *left, *right, *parent; /* in the run: the previous element, the next element, NULL */
        Heap *heap;                      /* the heap that it is in, or NULL */
        HeapRank rank;
        uint32_t distance; /* the number of nodes on the rightmost path from here, with this one; 0: the
                            * node is in the run */
};

struct Heap {
        HeapNode *root;
        HeapNode *head, *tail; /* the run */
        uint64_t *steps;       /* counts comparisons, so that a test can bound them */
};

int heap_rank_compare(const HeapRank *a, const HeapRank *b);

HeapNode *heap_first(const Heap *h);                 /* NULL: the heap is empty */
void heap_push(Heap *h, HeapNode *n, HeapRank rank); /* n must not be in a heap */
void heap_remove(HeapNode *n);                       /* does nothing if n is in no heap */

/* Empties the heap without touching its elements: heap_node_reset() must be called for each before it is
 * used again. */
static inline void heap_clear(Heap *h) {
        h->root = h->head = h->tail = NULL;
}

static inline void heap_node_reset(HeapNode *n) {
        n->heap = NULL;
}
