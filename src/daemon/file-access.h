/* SPDX-License-Identifier: MIT */
#pragma once

/* What other users of this machine may do with a file of the configuration. */

#include <sys/stat.h>

#include "base/macros.h"

/* True if they can read it: by its own mode, and that of every directory above it. */
bool file_others_can_read(const char *path, const struct stat *st);

/* True if its own mode lets them write it, or a directory above lets them put another file in its place. The
 * mode counts even if a directory keeps others away, because the directory's group may not write it, either.
 */
bool file_others_can_write(const char *path, const struct stat *st);
