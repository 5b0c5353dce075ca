/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/hedge.h"

/* The 95th percentile is computed again after so many values. */
#define REFRESH 16U

typedef struct Window {
        char model[MODEL_NAME_MAX + 1]; /* "": free */
        bool stream;
        uint64_t used;                /* the latest use: the window unused for longest is replaced */
        uint32_t spans[HEDGE_WINDOW]; /* milliseconds */
        uint64_t n;                   /* values in all */
        usec_t p95;                   /* 0: unknown */
} Window;

struct Hedges {
        uint64_t credit; /* in twentieths of a hedge */
        uint64_t used;
        Window windows[HEDGE_MODELS_MAX];
};

int hedges_new(Hedges **ret) {
        Hedges *h = calloc(1, sizeof(Hedges));

        if (!h)
                return -ENOMEM;
        *ret = h;
        return 0;
}

Hedges *hedges_free(Hedges *h) {
        free(h);
        return NULL;
}

/* The window of this model and kind, or the one unused for longest, to be replaced. */
static Window *window_of(Hedges *h, const char *model, bool stream) {
        Window *oldest = h->windows;

        for (size_t i = 0; i < HEDGE_MODELS_MAX; i++) {
                Window *w = &h->windows[i];

                if (w->stream == stream && streq(w->model, model))
                        return w;
                if (w->used < oldest->used)
                        oldest = w;
        }
        *oldest = (Window){ .stream = stream };
        memcpy(oldest->model, model, strlen(model) + 1);
        return oldest;
}

usec_t hedges_begin(Hedges *h, usec_t after, const char *model, bool stream) {
        if (after == HEDGE_OFF)
                return 0;
        if (h->credit < (uint64_t) HEDGE_SAVED * HEDGE_SHARE)
                h->credit++;
        return after == HEDGE_P95 ? window_of(h, model, stream)->p95 : after;
}

static int compare(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return x < y ? -1 : x > y;
}

static usec_t percentile(const Window *w) {
        uint32_t sorted[HEDGE_WINDOW];
        size_t n = MIN(w->n, (uint64_t) HEDGE_WINDOW);

        memcpy(sorted, w->spans, n * sizeof(uint32_t));
        qsort(sorted, n, sizeof(uint32_t), compare);
        return MAX(sorted[n * 95 / 100], 1U) * USEC_PER_MSEC;
}

void hedges_note_first(Hedges *h, const char *model, bool stream, usec_t span) {
        Window *w = window_of(h, model, stream);

        w->used = ++h->used;
        w->spans[w->n++ % HEDGE_WINDOW] = (uint32_t) MIN(span / USEC_PER_MSEC, (usec_t) UINT32_MAX);
        if (w->n >= HEDGE_KNOWN && w->n % REFRESH == 0)
                w->p95 = percentile(w);
}

bool hedges_may(const Hedges *h) {
        return h->credit >= HEDGE_SHARE;
}

void hedges_take(Hedges *h) {
        h->credit -= HEDGE_SHARE;
}
