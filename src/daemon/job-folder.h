/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The directory of the inner listener where systemd has made none: in RUNTIME_DIRECTORY, TMPDIR or /tmp, and
 * nobody else's to look into. A daemon that was killed leaves its own behind; the next one of its user
 * removes it.
 */

#define JOB_FOLDER_SOCKET "api.sock"

int job_folder_make(char **ret);
