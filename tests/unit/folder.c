/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <dirent.h>
#include <unistd.h>

#include "folder.h"

void folder_remove(const char *path) {
        DIR *d = opendir(path);
        struct dirent *e;

        assert_non_null(d);
        while ((e = readdir(d)))
                if (e->d_name[0] != '.')
                        assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
        (void) closedir(d);
        assert_int_equal(rmdir(path), 0);
}

size_t folder_count(const char *path) {
        DIR *d = opendir(path);
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        (void) closedir(d);
        return n;
}
