/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/mman.h>

#include "base/text.h"
#include "runner/tail.h"

/*
 * The kernel reports no events for a file as memfd_create() returns it; opened again by its name it is like
 * any other file. The watch is added first, because the kernel checks for watches when a file is opened.
 */
static int open_again(int fd, int *ret_notify, int *ret_writer) {
        _cleanup_close_ int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char path[64];
        int writer;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (notify >= 0 && inotify_add_watch(notify, path, IN_MODIFY) < 0)
                notify = safe_close(notify);
        writer = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
        if (writer < 0)
                return -errno;
        *ret_notify = TAKE_FD(notify);
        *ret_writer = writer;
        return 0;
}

/* A unit's filter of system calls groups memfd_create() with calls that share memory; there /tmp is in
 * memory as well. */
static int make_file(void) {
        const char *top = getenv("TMPDIR");
        int fd = memfd_create("stdout", MFD_CLOEXEC);

        if (fd >= 0)
                return fd;
        if (strnull(top) || *top != '/')
                top = "/tmp";
        return open(top, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int tail_open(Tail *ret, int *ret_writer) {
        _cleanup_close_ int fd = make_file();
        int notify = -1, r;

        if (fd < 0)
                return -errno;
        r = open_again(fd, &notify, ret_writer);
        if (r < 0)
                return r;
        *ret = (Tail){ .fd = TAKE_FD(fd), .notify = notify };
        return 0;
}

void tail_done(Tail *t) {
        t->fd = safe_close(t->fd);
        t->notify = safe_close(t->notify);
}

/* The events only say that the file grew, which is checked below. */
static void forget_events(const Tail *t) {
        char events[4096];

        while (t->notify >= 0 && read(t->notify, events, sizeof(events)) > 0)
                ;
}

int tail_read(Tail *t, char *p, size_t n, size_t *ret_n) {
        ssize_t k;

        forget_events(t);
        k = pread(t->fd, p, n, (off_t) t->at);
        if (k < 0)
                return -errno;
        t->at += (uint64_t) k;
        *ret_n = (size_t) k;
        return 0;
}
