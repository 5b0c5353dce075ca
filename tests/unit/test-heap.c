/* SPDX-License-Identifier: MIT */
#include "test.h"

#include "pool/heap.h"

#define NODES 3000U

typedef struct World {
        Heap heap;
        HeapNode nodes[NODES];
        uint64_t steps, random;
} World;

static uint32_t draw(World *w, uint32_t below) {
        w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
        return (uint32_t) (w->random >> 33) % below;
}

static uint32_t distance(const HeapNode *n) {
        return n ? n->distance : 0;
}

/* What a leftist heap promises, at every node; returns how many there are. */
static size_t check_tree(const Heap *h, const HeapNode *n, const HeapNode *parent) {
        if (!n)
                return 0;
        assert_ptr_equal(n->heap, h);
        assert_ptr_equal(n->parent, parent);
        assert_true(!parent || heap_rank_compare(&parent->rank, &n->rank) <= 0);
        assert_true(distance(n->left) >= distance(n->right));
        assert_int_equal(n->distance, distance(n->right) + 1);
        return 1 + check_tree(h, n->left, n) + check_tree(h, n->right, n);
}

/* The run is sorted, and linked both ways. */
static size_t check(const Heap *h) {
        const HeapNode *last = NULL;
        size_t n = 0;

        for (const HeapNode *i = h->head; i; last = i, i = i->right, n++) {
                assert_ptr_equal(i->heap, h);
                assert_ptr_equal(i->left, last);
                assert_int_equal(i->distance, 0);
                assert_true(!last || heap_rank_compare(&last->rank, &i->rank) <= 0);
        }
        assert_ptr_equal(h->tail, last);
        return n + check_tree(h, h->root, NULL);
}

static void test_compare(void **state) {
        static const HeapRank rising[] = {
                { { 0, 0, 0 }, 0 }, { { 0, 0, 0 }, 1 },          { { 0, 0, 1 }, 0 }, { { 0, 1, 0 }, 5 },
                { { 0, 1, 2 }, 0 }, { { 1, 0, 0 }, 0 },          { { 1, 0, 9 }, 0 }, { { 2, 0, 0 }, 0 },
                { { 2, 0, 0 }, 7 }, { { UINT64_MAX, 0, 0 }, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rising); i++)
                for (size_t j = 0; j < ELEMENTSOF(rising); j++)
                        assert_int_equal(heap_rank_compare(rising + i, rising + j), (i > j) - (i < j));
}

/* Pushes and removals anywhere, the heap looked at in between; then it gives everything back in order. */
static void test_random(void **state) {
        World *w = calloc(1, sizeof(World));
        HeapRank last = {};
        size_t n = 0;

        w->random = 1;
        w->heap.steps = &w->steps;
        for (unsigned i = 0; i < 30000; i++) {
                HeapNode *node = w->nodes + draw(w, NODES);

                if (node->heap) {
                        heap_remove(node);
                        n--;
                } else {
                        heap_push(&w->heap, node, (HeapRank){ { draw(w, 4), draw(w, 9), i }, draw(w, 9) });
                        n++;
                }
                if (i % 500 == 0)
                        assert_int_equal(check(&w->heap), n);
        }

        assert_true(n > NODES / 4);
        for (HeapNode *node; (node = heap_first(&w->heap)); n--) {
                assert_true(heap_rank_compare(&last, &node->rank) <= 0);
                last = node->rank;
                heap_remove(node);
                assert_null(node->heap);
        }
        assert_int_equal(n, 0);
        free(w);
}

/* The worst single operation, not the average; in orders that are bad for one kind of heap or another. */
static void test_steps(void **state) {
        static const struct {
                const char *order;
                unsigned worst;
        } rows[] = {
                { "rising", 2 }, /* however many there are */
                { "equal", 2 },
                { "falling", 4 * 12 }, /* two merges along two paths each; log2(3,000) is 11.6 */
                { "random", 4 * 12 },
                { "zigzag", 4 * 12 },
        };

        for (size_t o = 0; o < ELEMENTSOF(rows); o++) {
                World *w = calloc(1, sizeof(World));
                uint64_t worst = 0;

                w->random = 2;
                w->heap.steps = &w->steps;
                for (uint32_t i = 0; i < 6 * NODES; i++) {
                        const uint32_t back = 6 * NODES - i;
                        const uint64_t by[] = { i, 7, back, draw(w, 1000), i % 2 ? i : back };
                        HeapNode *node = i < NODES ? w->nodes + i : heap_first(&w->heap);
                        uint64_t before = w->steps;

                        heap_remove(node);
                        heap_push(&w->heap, node, (HeapRank){ { by[o] } });
                        (void) heap_first(&w->heap);
                        worst = MAX(worst, w->steps - before);
                }
                print_message("           %s: %u comparisons at worst\n", rows[o].order, (unsigned) worst);
                assert_in_range(worst, 1, rows[o].worst);
                free(w);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compare),
                cmocka_unit_test(test_random),
                cmocka_unit_test(test_steps),
        };

        return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
