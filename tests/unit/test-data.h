/* SPDX-License-Identifier: MIT */
#pragma once

/* Files of tests/, for tests whose rows are files. */

#include "test.h"

#include "base/buf.h"

/* The whole file, or false if there is none. `path` is relative to tests/. */
static inline bool test_read(const char *path, Buf *ret) {
        char full[4096], piece[4096];
        size_t n;
        FILE *f;

        (void) snprintf(full, sizeof(full), "%s/%s", TEST_DATA, path);
        f = fopen(full, "re");
        if (!f) {
                assert_int_equal(errno, ENOENT);
                return false;
        }
        while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
                assert_int_equal(buf_append(ret, piece, n), 0);
        assert_false(ferror(f));
        (void) fclose(f);
        return true;
}
