/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "daemon/file-access.h"

typedef struct Above {
        bool reachable;   /* others may search all of the directories */
        bool replaceable; /* others may write one of them, and reach it */
} Above;

/* Of a path that cannot be resolved nothing is known, so its own mode decides. */
static Above look_above(const char *path) {
        _cleanup_free_ char *real = realpath(path, NULL);
        Above a = { .reachable = true };
        struct stat st;

        for (char *p = real; p && (p = strchr(p, '/')); p++) {
                char after = p[1];

                /* up to this slash; the root is the slash itself */
                p[p == real] = 0;
                if (stat(real, &st) < 0)
                        return (Above){ .reachable = true };
                if (p == real)
                        p[1] = after;
                else
                        p[0] = '/';
                a.reachable &= (st.st_mode & S_IXOTH) != 0;
                a.replaceable |= a.reachable && st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX);
        }
        return a;
}

bool file_others_can_read(const char *path, const struct stat *st) {
        return st->st_mode & S_IROTH && look_above(path).reachable;
}

bool file_others_can_write(const char *path, const struct stat *st) {
        return st->st_mode & S_IWOTH || look_above(path).replaceable;
}
