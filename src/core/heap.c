/* SPDX-License-Identifier: MIT */
#include "core/heap.h"

int heap_rank_compare(const HeapRank *a, const HeapRank *b) {
        for (size_t i = 0; i < ELEMENTSOF(a->by); i++)
                if (a->by[i] != b->by[i])
                        return a->by[i] < b->by[i] ? -1 : 1;
        return a->index == b->index ? 0 : a->index < b->index ? -1 : 1;
}

static uint32_t distance(const HeapNode *n) {
        return n ? n->distance : 0;
}

/* Puts the longer side to the left, and tells whether the node's own distance has changed. */
static bool lean(HeapNode *n) {
        uint32_t was = n->distance;

        if (distance(n->left) < distance(n->right)) {
                HeapNode *t = n->left;

                n->left = n->right;
                n->right = t;
        }
        n->distance = distance(n->right) + 1;
        return n->distance != was;
}

/* As deep as two paths to the right are long: forty calls for a million elements. */
static HeapNode *merge(Heap *h, HeapNode *a, HeapNode *b) {
        if (!a)
                return b;
        if (!b)
                return a;

        (*h->steps)++;
        if (heap_rank_compare(&b->rank, &a->rank) < 0) {
                HeapNode *t = a;

                a = b;
                b = t;
        }
        a->right = merge(h, a->right, b);
        a->right->parent = a;
        (void) lean(a);
        return a;
}

void heap_push(Heap *h, HeapNode *n, HeapRank rank) {
        assert(!n->heap);

        *n = (HeapNode){ .heap = h, .rank = rank, .distance = 1 };
        h->root = merge(h, h->root, n);
        h->root->parent = NULL;
}

void heap_remove(HeapNode *n) {
        Heap *h = n->heap;
        HeapNode *rest, *up;

        if (!h)
                return;

        up = n->parent;
        rest = merge(h, n->left, n->right);
        if (rest)
                rest->parent = up;
        if (!up)
                h->root = rest;
        else if (up->left == n)
                up->left = rest;
        else
                up->right = rest;

        /* Distances grow by one a step here, or the walk stops: it is no longer than a path to the right. */
        while (up && lean(up))
                up = up->parent;
        n->heap = NULL;
}
