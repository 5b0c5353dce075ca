/* SPDX-License-Identifier: MIT */

/*
 * A file that a person removes while it is open stays writable, and is lost when it is closed; one that is
 * replaced is written to no more, and the new one is what a restart would read. So before each batch the
 * path is compared with the open file.
 *
 * SQLite keeps its log beside the file, and deletes it by name at the end. The log of the open file must not
 * stay beside another file, which would be read together with it, and the log of another file must not be
 * deleted. So the files that are ours are removed first, and what is left is renamed with the file that it
 * belongs to.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/sqlite-internal.h"

/* All zero, with errno, if there is none. */
static FileId id_of(const char *path, const char *suffix, int flags) {
        char name[STATE_PATH_MAX + 16];
        struct stat st;

        (void) snprintf(name, sizeof(name), "%s%s", path, suffix);
        if (fstatat(AT_FDCWD, name, &st, flags) < 0)
                return (FileId){};
        return (FileId){ .device = st.st_dev, .inode = st.st_ino };
}

/* SQLite opens the file itself through a link. */
static FileId id_of_file(const SqliteFile *f) {
        return id_of(f->path, "", 0);
}

static FileId id_beside(const SqliteFile *f, const char *suffix) {
        return id_of(f->path, suffix, AT_SYMLINK_NOFOLLOW);
}

static bool is_same(FileId a, FileId b) {
        return a.inode == b.inode && a.device == b.device;
}

void sqlite_note_place(SqliteFile *f) {
        f->id = id_of_file(f);
        f->wal = id_beside(f, "-wal");
        f->shm = id_beside(f, "-shm");
        f->lock = id_beside(f, "-lock");
}

SqlitePlace sqlite_file_place(const SqliteFile *f) {
        FileId now = id_of_file(f);

        if (now.inode == 0)
                return errno == ENOENT ? SQLITE_REMOVED : SQLITE_THERE;
        if (!is_same(f->id, now))
                return SQLITE_REPLACED;
        return is_same(f->lock, id_beside(f, "-lock")) ? SQLITE_THERE : SQLITE_UNLOCKED;
}

static void remove_ours(const SqliteFile *f, const char *suffix, FileId ours) {
        char name[STATE_PATH_MAX + 16];

        (void) snprintf(name, sizeof(name), "%s%s", f->path, suffix);
        if (ours.inode > 0 && is_same(ours, id_beside(f, suffix)))
                (void) unlink(name);
}

int sqlite_file_leave(SqliteFile *f, SqlitePlace place, SqliteReport *report) {
        int r = 0;

        if (place != SQLITE_UNLOCKED) {
                remove_ours(f, "-wal", f->wal);
                remove_ours(f, "-shm", f->shm);
        }
        if (place == SQLITE_REPLACED)
                r = sqlite_rename_aside(f->path, "replaced", report);
        (void) sqlite_file_close(f);
        return r;
}

int sqlite_set_replaced_aside(const char *path, SqliteReport *report) {
        struct stat st;

        if (fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
                return 0;
        return sqlite_rename_aside(path, "replaced", report);
}
