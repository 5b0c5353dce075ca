/* SPDX-License-Identifier: MIT */
#pragma once

/* Removes the folder of a test with the files in it; no name of a file may begin with a dot. */
void folder_remove(const char *path);
