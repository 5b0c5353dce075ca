/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The directory of the inner listener's socket, if systemd has made none: in RUNTIME_DIRECTORY, TMPDIR or
 * /tmp, private to the user. A killed daemon leaves its directory behind; the next daemon of the same user
 * removes it.
 */

#define JOB_FOLDER_SOCKET "api.sock"

int job_folder_make(char **ret);
