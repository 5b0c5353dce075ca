/* SPDX-License-Identifier: MIT */
#pragma once

/* Macros that every file uses: cleanup attributes, transfer of ownership, array sizes. */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, first) __attribute__((format(printf, fmt, first)))
#define _unused_ __attribute__((unused))
#define _always_inline_ inline __attribute__((always_inline))

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Through void *, because the compiler cannot know the alignment; the offset guarantees it. */
#define CONTAINER_OF(ptr, type, member) ((type *) (void *) ((char *) (ptr) - offsetof(type, member)))

/* Transfers ownership: the variable becomes NULL (or -1), so that its _cleanup_ does nothing. */
#define TAKE_PTR(p)                             \
        ({                                      \
                typeof(p) *_pp = &(p);          \
                typeof(p) _p = *_pp;            \
                *_pp = NULL;                    \
                _p;                             \
        })

#define TAKE_FD(fd)                             \
        ({                                      \
                int *_pfd = &(fd);              \
                int _fd = *_pfd;                \
                *_pfd = -1;                     \
                _fd;                            \
        })

/* Defines func##p() for _cleanup_(), from a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, func)                       \
        static inline _unused_ void func##p(type *p) {   \
                if (*p)                                  \
                        func(*p);                        \
        }                                                \
        struct _cleanup_semicolon_##func

static inline void freep(void *p) {
        free(*(void **) p);
}

/* For tdestroy() of a tree that owns nothing of its nodes. */
static inline void free_nothing(void *p _unused_) {
}

static inline int safe_close(int fd) {
        if (fd >= 0)
                (void) close(fd);
        return -1;
}

static inline void closep(int *fd) {
        (void) safe_close(*fd);
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)
