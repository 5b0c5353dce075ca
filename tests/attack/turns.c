/* SPDX-License-Identifier: MIT */

/*
 * A library to be preloaded into gemgated: it measures the CPU that the thread of the loop takes between two
 * calls of epoll, which is a turn of the loop or less, and leaves the longest in the file TURNS_FILE, in
 * nanoseconds. A test sets it to zero before what it measures.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static uint64_t *longest, begun;

static uint64_t cpu(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

__attribute__((constructor)) static void begin(void) {
        const char *path = getenv("TURNS_FILE");
        int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
        void *p;

        if (fd < 0)
                return;
        p = mmap(NULL, sizeof(*longest), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        (void) close(fd);
        if (p != MAP_FAILED)
                longest = p;
}

static int is_measured(void) {
        return longest && syscall(SYS_gettid) == getpid();
}

static void turn_ends(void) {
        uint64_t span;

        if (!is_measured() || begun == 0)
                return;
        span = cpu() - begun;
        if (span > *longest)
                *longest = span;
}

static void turn_begins(void) {
        if (is_measured())
                begun = cpu();
}

/* gemgated defines epoll_wait() by this one, so it is not looked for here. */
__attribute__((visibility("default"))) int epoll_pwait(int fd, struct epoll_event *events, int n,
                                                       int timeout, const sigset_t *mask) {
        static int (*real)(int, struct epoll_event *, int, int, const sigset_t *);
        int r;

        if (!real)
                real = (int (*)(int, struct epoll_event *, int, int, const sigset_t *)) dlsym(RTLD_NEXT,
                                                                                             "epoll_pwait");
        turn_ends();
        r = real(fd, events, n, timeout, mask);
        turn_begins();
        return r;
}

__attribute__((visibility("default"))) int epoll_pwait2(int fd, struct epoll_event *events, int n,
                                                        const struct timespec *timeout,
                                                        const sigset_t *mask) {
        static int (*real)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
        int r;

        if (!real)
                real = (int (*)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *))
                        dlsym(RTLD_NEXT, "epoll_pwait2");
        turn_ends();
        r = real(fd, events, n, timeout, mask);
        turn_begins();
        return r;
}
