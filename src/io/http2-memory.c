/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <string.h>

#include "base/limits-http2.h"
#include "io/http2-memory.h"

static bool has_room(Http2Memory *m, size_t size) {
        if (size <= HTTP2_MEMORY_MAX && m->n + size <= HTTP2_MEMORY_MAX)
                return true;
        m->refused = true;
        return false;
}

static void *count(Http2Memory *m, void *p) {
        if (p)
                m->n += malloc_usable_size(p);
        return p;
}

static void *memory_malloc(size_t size, void *userdata) {
        return has_room(userdata, size) ? count(userdata, malloc(size)) : NULL;
}

static void *memory_calloc(size_t n, size_t size, void *userdata) {
        size_t all;

        if (__builtin_mul_overflow(n, size, &all) || !has_room(userdata, all))
                return NULL;
        return count(userdata, calloc(n, size));
}

static void memory_free(void *p, void *userdata) {
        Http2Memory *m = userdata;
        size_t size;

        if (!p)
                return;
        size = malloc_usable_size(p);
        m->n -= size;
        explicit_bzero(p, size);
        free(p);
}

/* Not realloc(): it may leave the old content behind. */
static void *memory_realloc(void *p, size_t size, void *userdata) {
        void *q;

        q = memory_malloc(size, userdata);
        if (!q || !p)
                return q;
        memcpy(q, p, MIN(size, malloc_usable_size(p)));
        memory_free(p, userdata);
        return q;
}

nghttp2_mem http2_memory_functions(Http2Memory *m) {
        return (nghttp2_mem){ m, memory_malloc, memory_free, memory_calloc, memory_realloc };
}
