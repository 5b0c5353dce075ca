/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/text.h"
#include "runner/root.h"

#define TREES_MAX (LIBRARIES_MAX + 8U)

/* Exists on every system; the new root covers it. */
#define COVERED "/tmp"

/* The CLI records the conversation in its home, and after an error writes it to TMPDIR: three times the
 * longest job, guarded and escaped. */
#define SCRATCH_SIZE  "192m"
#define SCRATCH_FILES "1024"
#define ROOT_SIZE     "1m"
#define ROOT_FILES    "1024"

typedef struct Tree {
        const char *path;
        int fd;
} Tree;

typedef struct Root {
        Tree trees[TREES_MAX];
        size_t n;
        int fd, scratch;
} Root;

static void root_done(Root *r) {
        for (size_t i = 0; i < r->n; i++)
                (void) safe_close(r->trees[i].fd);
        (void) safe_close(r->fd);
        (void) safe_close(r->scratch);
}

/* An empty tmpfs that is not mounted anywhere yet. */
static int make_tmpfs(const char *size, const char *files, uint64_t attributes, int *ret_fd) {
        _cleanup_close_ int fs = -1;
        int fd;

        fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
        if (fs < 0)
                return -errno;
        if (fsconfig(fs, FSCONFIG_SET_STRING, "size", size, 0) < 0 ||
            fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", files, 0) < 0 ||
            fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
            fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned) attributes);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

static int take(Root *r, const char *path, uint64_t attributes) {
        struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | attributes };
        _cleanup_close_ int fd = -1;

        if (r->n >= TREES_MAX)
                return -E2BIG;
        fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &a, sizeof(a)) < 0)
                return -errno;
        r->trees[r->n++] = (Tree){ .path = path, .fd = TAKE_FD(fd) };
        return 0;
}

/* Takes a path that not every system has, and needs none if it is missing. */
static int take_if_there(Root *r, const char *path, uint64_t attributes) {
        int e = take(r, path, attributes);

        return e == -ENOENT ? 0 : e;
}

static int take_all(Root *r, const Place *p, const Libraries *l) {
        /* Where a loader that cannot list looks. */
        static const char *const everywhere[] = { "/lib", "/lib64", "/usr/lib", "/usr/lib64" };
        static const char *const devices[] = { "/dev/null", "/dev/urandom" };
        int e;

        e = take(r, p->node, MOUNT_ATTR_NODEV);
        if (e >= 0)
                e = take(r, p->package ?: p->entry, MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        for (size_t i = 0; i < l->n && e >= 0; i++)
                e = take(r, l->path[i], MOUNT_ATTR_NODEV);
        for (size_t i = 0; i < ELEMENTSOF(everywhere) && e >= 0 && l->n == 0; i++)
                e = take_if_there(r, everywhere[i], MOUNT_ATTR_NODEV);
        if (e >= 0)
                e = take_if_there(r, "/etc/ld.so.cache", MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        for (size_t i = 0; i < ELEMENTSOF(devices) && e >= 0; i++)
                e = take(r, devices[i], MOUNT_ATTR_NOEXEC);
        return e;
}

/* The parent directories of a path, in the new root. */
static int make_parents(int root, const char *path) {
        _cleanup_free_ char *copy = strdup(path + 1);

        if (!copy)
                return -ENOMEM;
        for (char *slash = copy; (slash = strchr(slash, '/')); *slash++ = '/') {
                *slash = '\0';
                if (mkdirat(root, copy, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

static int put(const Root *r, const Tree *t) {
        const char *name = t->path + 1;
        struct stat st;
        int e;

        e = make_parents(r->fd, t->path);
        if (e < 0)
                return e;
        if (fstat(t->fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                e = mkdirat(r->fd, name, 0755);
        else
                e = mknodat(r->fd, name, S_IFREG | 0644, 0);
        if (e < 0 && errno != EEXIST)
                return -errno;
        return move_mount(t->fd, "", r->fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Node looks up its user, and fails if there is no entry. */
static int write_passwd(const Root *r, uid_t uid) {
        _cleanup_close_ int fd = -1;

        if (mkdirat(r->fd, "etc", 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = openat(r->fd, "etc/passwd", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        if (dprintf(fd, "gemini:x:%u:%u::%s/home:/nonexistent\n", (unsigned) uid, (unsigned) uid,
                    ROOT_SCRATCH) < 0)
                return -EIO;
        return 0;
}

static int fill(const Root *r, uid_t uid) {
        int e;

        e = write_passwd(r, uid);
        for (size_t i = 0; i < r->n && e >= 0; i++)
                e = put(r, r->trees + i);
        if (e >= 0 && mkdirat(r->fd, &ROOT_SCRATCH[1], 0755) < 0)
                e = -errno;
        if (e >= 0 && move_mount(r->scratch, "", r->fd, &ROOT_SCRATCH[1], MOVE_MOUNT_F_EMPTY_PATH) < 0)
                e = -errno;
        return e;
}

static int change(const Root *r) {
        struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };

        if (mount_setattr(r->fd, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0)
                return -errno;
        /* The old root is mounted over the new one and unmounted there. */
        if (fchdir(r->fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
            chdir("/") < 0)
                return -errno;
        return 0;
}

static int failed(int e, const char *step, const char **ret_step) {
        *ret_step = step;
        return e;
}

int root_enter(const Place *p, const Libraries *l, uid_t uid, int *ret_scratch, const char **ret_step) {
        _cleanup_(root_done) Root r = { .fd = -1, .scratch = -1 };
        int e;

        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return failed(-errno, "making the mounts its own", ret_step);
        e = take_all(&r, p, l);
        if (e < 0)
                return failed(e, "taking Node and the CLI", ret_step);
        e = make_tmpfs(ROOT_SIZE, ROOT_FILES, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &r.fd);
        if (e >= 0)
                e = make_tmpfs(SCRATCH_SIZE, SCRATCH_FILES,
                               MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, &r.scratch);
        if (e < 0)
                return failed(e, "making a tmpfs", ret_step);
        if (move_mount(r.fd, "", AT_FDCWD, COVERED, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return failed(-errno, "placing the new root", ret_step);
        e = fill(&r, uid);
        if (e < 0)
                return failed(e, "filling the new root", ret_step);
        e = change(&r);
        if (e < 0)
                return failed(e, "changing to the new root", ret_step);
        *ret_scratch = TAKE_FD(r.scratch);
        return 0;
}

int root_seal(const char *folder) {
        struct mount_attr a = { .attr_set = MOUNT_ATTR_RDONLY };
        _cleanup_close_ int fd = -1;

        fd = open_tree(AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &a, sizeof(a)) < 0 ||
            move_mount(fd, "", AT_FDCWD, folder, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}
