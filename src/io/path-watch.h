/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Waits for a path to appear, such as the socket of a program that is not there yet. inotify watches the
 * nearest folder that exists: waiting takes no wake-up unless something of the awaited name comes.
 *
 * What inotify does not see remains unseen: a mount over a folder of the path, and a symbolic link whose
 * target appears. So an owner that must not miss the path looks from time to time, too.
 */

#include "io/forward.h"
#include "io/loop.h"

/* f() is called once, when the path exists or cannot be watched any more; it may free the watch. The path is
 * absolute. Returns 0; 1: the path exists already, and there is no watch; -errno: it cannot be watched. */
int path_watch_new(Loop *l, const char *path, void (*f)(void *userdata), void *userdata, PathWatch **ret);
PathWatch *path_watch_free(PathWatch *w);
DEFINE_CLEANUP(PathWatch *, path_watch_free);
