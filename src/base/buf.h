/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A growing byte buffer with a ceiling. Errors are sticky: the first failed append (-ENOMEM, or -E2BIG at
 * the ceiling) drops the content, and every later call returns the same error. So a writer of many pieces
 * checks once, at the end. buf_consume() removes bytes from the front by moving an offset, without copying.
 * A secret buffer is wiped whenever its memory is freed or moved. The content has no NUL at its end until
 * buf_cstr() adds one.
 */

#include <string.h>

#include "base/macros.h"

typedef struct Buf Buf;

struct Buf {
        char *base;
        size_t off;  /* first live byte */
        size_t n;    /* live bytes */
        size_t size; /* allocated */
        size_t max;  /* ceiling of n */
        int error;   /* 0, or the -errno of the first failure */
        bool secret;
};

#define BUF_INIT(ceiling) ((Buf){ .max = (ceiling) })
#define BUF_INIT_SECRET(ceiling) ((Buf){ .max = (ceiling), .secret = true })

void buf_done(Buf *b);
void buf_clear(Buf *b); /* empties, forgets an error, keeps the memory */

int buf_reserve(Buf *b, size_t more);
int buf_append_slow(Buf *b, const void *p, size_t n);
int buf_printf(Buf *b, const char *fmt, ...) _printf_(2, 3);
void buf_consume(Buf *b, size_t n);

/* The content with a NUL after it, not counted in n; NULL on a failed buffer. */
char *buf_cstr(Buf *b);

/* Gives the memory (malloc'ed, NUL-terminated) to the caller and empties the buffer. */
int buf_steal(Buf *b, char **ret, size_t *ret_n);

static inline char *buf_data(const Buf *b) {
        return b->base + b->off;
}

static inline bool buf_has_room(const Buf *b, size_t n) {
        return __builtin_expect(n < b->size - b->off - b->n && b->n + n <= b->max && b->error == 0, 1);
}

/* Where the next n bytes go, which the caller writes and then adds to b->n; NULL on a failed buffer. */
static inline char *buf_room(Buf *b, size_t n) {
        return buf_has_room(b, n) || buf_reserve(b, n) >= 0 ? buf_data(b) + b->n : NULL;
}

static inline int buf_append(Buf *b, const void *p, size_t n) {
        if (buf_has_room(b, n)) {
                if (n > 0)
                        memcpy(b->base + b->off + b->n, p, n);
                b->n += n;
                return 0;
        }
        return buf_append_slow(b, p, n);
}

static inline int buf_puts(Buf *b, const char *s) {
        return buf_append(b, s, strlen(s));
}

static inline int buf_putc(Buf *b, char c) {
        return buf_append(b, &c, 1);
}

#define _cleanup_buf_ _cleanup_(buf_done)
