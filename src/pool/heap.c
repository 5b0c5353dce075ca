/* SPDX-License-Identifier: MIT */

/*
 * Two queues in one. An element that is not smaller than the last one of the run is appended to the run, a
 * sorted list; every other goes to a leftist heap. The first element is the first of the run or the root.
 *
 * Under even load the pool takes the first key and puts it back as the last. Then all elements are in the
 * run, and a pick costs the same with ten keys and with 100,000. The heap takes what comes out of order:
 * keys that were unusable for a while and have fewer requests, and the first round of a new day.
 *
 * In a leftist heap no path to the right is longer than log2(n + 1), and every operation is a merge along
 * two such paths: a node keeps the length of its path, and its longer side on the left.
 */

#include "pool/heap.h"

int heap_rank_compare(const HeapRank *a, const HeapRank *b) {
        for (size_t i = 0; i < ELEMENTSOF(a->by); i++)
                if (a->by[i] != b->by[i])
                        return a->by[i] < b->by[i] ? -1 : 1;
        return a->index == b->index ? 0 : a->index < b->index ? -1 : 1;
}

static int compare(const Heap *h, const HeapNode *a, const HeapNode *b) {
        (*h->steps)++;
        return heap_rank_compare(&a->rank, &b->rank);
}

static uint32_t distance(const HeapNode *n) {
        return n ? n->distance : 0;
}

/* Puts the longer side to the left. Returns whether the node's own distance has changed. */
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

/* Recurses as deep as two paths to the right are long: forty calls for a million elements. */
static HeapNode *merge(Heap *h, HeapNode *a, HeapNode *b) {
        if (!a)
                return b;
        if (!b)
                return a;

        if (compare(h, b, a) < 0) {
                HeapNode *t = a;

                a = b;
                b = t;
        }
        a->right = merge(h, a->right, b);
        a->right->parent = a;
        (void) lean(a);
        return a;
}

HeapNode *heap_first(const Heap *h) {
        if (!h->root || !h->head)
                return h->root ?: h->head;
        return compare(h, h->root, h->head) < 0 ? h->root : h->head;
}

void heap_push(Heap *h, HeapNode *n, HeapRank rank) {
        assert(!n->heap);

        *n = (HeapNode){ .heap = h, .rank = rank };
        if (!h->tail)
                h->head = h->tail = n;
        else if (compare(h, h->tail, n) <= 0) {
                n->left = h->tail;
                h->tail = h->tail->right = n;
        } else {
                n->distance = 1;
                h->root = merge(h, h->root, n);
                h->root->parent = NULL;
        }
}

static void run_remove(Heap *h, HeapNode *n) {
        if (n->left)
                n->left->right = n->right;
        else
                h->head = n->right;
        if (n->right)
                n->right->left = n->left;
        else
                h->tail = n->left;
}

static void tree_remove(Heap *h, HeapNode *n) {
        HeapNode *up = n->parent, *rest = merge(h, n->left, n->right);

        if (rest)
                rest->parent = up;
        if (!up)
                h->root = rest;
        else if (up->left == n)
                up->left = rest;
        else
                up->right = rest;

        /* The walk ends where a distance stays; until then it grows by one a step, so the walk is O(log
         * n). */
        while (up && lean(up))
                up = up->parent;
}

void heap_remove(HeapNode *n) {
        Heap *h = n->heap;

        if (!h)
                return;
        if (n->distance == 0)
                run_remove(h, n);
        else
                tree_remove(h, n);
        n->heap = NULL;
}
