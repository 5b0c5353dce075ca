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
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/sqlite-internal.h"

static FileId id_of(const char *path, const char *suffix) {
        char name[STATE_PATH_MAX + 16];
        struct stat st;

        (void) snprintf(name, sizeof(name), "%s%s", path, suffix);
        if (lstat(name, &st) < 0)
                return (FileId){};
        return (FileId){ .device = st.st_dev, .inode = st.st_ino };
}

static bool is_same(FileId a, FileId b) {
        return a.inode == b.inode && a.device == b.device;
}

void sqlite_note_place(SqliteFile *f) {
        struct stat st;

        /* As the open does, through a link. */
        if (stat(f->path, &st) >= 0)
                f->id = (FileId){ .device = st.st_dev, .inode = st.st_ino };
        f->wal = id_of(f->path, "-wal");
        f->shm = id_of(f->path, "-shm");
        f->lock = id_of(f->path, "-lock");
}

SqlitePlace sqlite_file_place(const SqliteFile *f) {
        struct stat st;

        if (stat(f->path, &st) < 0)
                return errno == ENOENT ? SQLITE_REMOVED : SQLITE_THERE;
        if (!is_same(f->id, (FileId){ .device = st.st_dev, .inode = st.st_ino }))
                return SQLITE_REPLACED;
        return is_same(f->lock, id_of(f->path, "-lock")) ? SQLITE_THERE : SQLITE_UNLOCKED;
}

static void remove_ours(const SqliteFile *f, const char *suffix, FileId ours) {
        char name[STATE_PATH_MAX + 16];

        (void) snprintf(name, sizeof(name), "%s%s", f->path, suffix);
        if (ours.inode > 0 && is_same(ours, id_of(f->path, suffix)))
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
