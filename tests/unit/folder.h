/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>

/* Removes the folder of a test with the files in it; no name of a file may begin with a dot. */
void folder_remove(const char *path);

/* How many entries it has, with `.` and `..`; also of /proc/self/fd and /proc/self/task. */
size_t folder_count(const char *path);
