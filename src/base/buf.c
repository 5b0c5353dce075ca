/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/memory.h"

#define BUF_SIZE_FIRST 256U

static void buf_release(Buf *b) {
        if (b->base && b->secret)
                explicit_bzero(b->base, b->size);
        free(b->base);
        b->base = NULL;
        b->off = b->n = b->size = 0;
}

void buf_done(Buf *b) {
        buf_release(b);
        b->error = 0;
}

void buf_clear(Buf *b) {
        if (b->base && b->secret)
                explicit_bzero(b->base, b->size);
        b->off = b->n = 0;
        b->error = 0;
}

static int buf_fail(Buf *b, int error) {
        buf_release(b);
        b->error = error;
        return error;
}

/* Makes room for `more` bytes and a NUL after them. */
int buf_reserve(Buf *b, size_t more) {
        size_t need, size;
        char *base;

        if (b->error < 0)
                return b->error;
        if (more > b->max || b->n > b->max - more)
                return buf_fail(b, -E2BIG);

        need = b->n + more + 1;
        if (need <= b->size - b->off)
                return 0;

        /* Moving costs less than growing, but only if at least half of the memory is free at the front: else
         * a buffer that is read in small pieces would be moved at every append. */
        if (need <= b->size && b->off >= b->size / 2) {
                memmove(b->base, b->base + b->off, b->n);
                b->off = 0;
                return 0;
        }

        size = MAX(b->size, BUF_SIZE_FIRST);
        while (size < need)
                size *= 2;

        if (b->off == 0 && !b->secret) { /* the pages of a large one move without a copy */
                base = realloc(b->base, size);
                if (!base)
                        return buf_fail(b, -ENOMEM);
        } else {
                base = malloc(size);
                if (!base)
                        return buf_fail(b, -ENOMEM);
                if (b->n > 0)
                        memcpy(base, b->base + b->off, b->n);
                if (b->base && b->secret)
                        explicit_bzero(b->base, b->size);
                free(b->base);
        }
        memory_note(size);

        b->base = base;
        b->off = 0;
        b->size = size;
        return 0;
}

int buf_append_slow(Buf *b, const void *p, size_t n) {
        int r;

        r = buf_reserve(b, n);
        if (r < 0)
                return r;
        if (n > 0)
                memcpy(b->base + b->off + b->n, p, n);
        b->n += n;
        return 0;
}

int buf_printf(Buf *b, const char *fmt, ...) {
        va_list ap;
        size_t room;
        int k, r;

        for (;;) {
                r = buf_reserve(b, 0);
                if (r < 0)
                        return r;
                room = b->size - b->off - b->n;

                va_start(ap, fmt);
                k = vsnprintf(b->base + b->off + b->n, room, fmt, ap);
                va_end(ap);
                if (k < 0)
                        return buf_fail(b, -EINVAL);
                if ((size_t) k < room && b->n + (size_t) k <= b->max) {
                        b->n += (size_t) k;
                        return 0;
                }
                r = buf_reserve(b, (size_t) k);
                if (r < 0)
                        return r;
        }
}

void buf_consume(Buf *b, size_t n) {
        assert(n <= b->n);

        b->off += n;
        b->n -= n;
        if (b->n == 0)
                b->off = 0;
}

char *buf_cstr(Buf *b) {
        if (buf_reserve(b, 0) < 0)
                return NULL;
        b->base[b->off + b->n] = 0;
        return b->base + b->off;
}

int buf_steal(Buf *b, char **ret, size_t *ret_n) {
        if (!buf_cstr(b))
                return b->error;

        if (b->off > 0)
                memmove(b->base, b->base + b->off, b->n + 1);
        *ret = TAKE_PTR(b->base);
        if (ret_n)
                *ret_n = b->n;
        b->off = b->n = b->size = 0;
        return 0;
}
