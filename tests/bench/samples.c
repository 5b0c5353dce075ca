/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "samples.h"

int samples_init(Samples *s, size_t size) {
        assert(s);

        s->us = calloc(MAX(size, (size_t) 1), sizeof(*s->us));
        if (!s->us)
                return -ENOMEM;
        s->n = 0;
        s->size = size;
        return 0;
}

void samples_done(Samples *s) {
        assert(s);

        free(s->us);
        *s = (Samples){};
}

void samples_add(Samples *s, usec_t span) {
        assert(s->n < s->size);

        s->us[s->n++] = (uint32_t) MIN(span, (usec_t) UINT32_MAX);
}

static int compare_u32(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;
        return (x > y) - (x < y);
}

void samples_sort(Samples *s) {
        qsort(s->us, s->n, sizeof(*s->us), compare_u32);
}

uint32_t samples_at(const Samples *s, double share) {
        size_t rank;

        assert(share > 0 && share <= 1);
        if (s->n == 0)
                return 0;
        rank = (size_t) (share * (double) s->n);
        if ((double) rank < share * (double) s->n)
                rank++;
        return s->us[MIN(MAX(rank, (size_t) 1), s->n) - 1];
}

void samples_print(Samples *s, const char *name) {
        samples_sort(s);
        printf(", \"%s\": {\"p50\": %u, \"p99\": %u, \"p999\": %u, \"max\": %u}", name, samples_at(s, 0.5),
               samples_at(s, 0.99), samples_at(s, 0.999), samples_at(s, 1));
}
