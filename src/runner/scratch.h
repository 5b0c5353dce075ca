/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The only place that the CLI may write to, made for one job and gone with it:
 *
 *     home/.gemini/settings.json   its settings: one attempt, no tools, nothing that it could start or load
 *     exp.json                     how long it waits for an answer's headers
 *     tmp/                         TMPDIR; it leaves reports of errors there, with the conversation
 *     work/                        its working directory: empty, and nobody's to write
 *     system.md, session.json      what it waits for: see feed.h
 *
 * The runner reaches it by a descriptor and the CLI by a path, because in namespaces it is a file system of
 * its own that no path of the runner's leads to.
 */

#include <sys/types.h>

#include "base/buf.h"

#define SCRATCH_SYSTEM  "system.md"
#define SCRATCH_SESSION "session.json"

typedef struct Scratch {
        int fd;
        char *path;  /* as the CLI sees it */
        bool remove; /* with its path, at the end; else it goes with its mount */
} Scratch;

#define SCRATCH_INIT ((Scratch){ .fd = -1 })

int scratch_make(Scratch *ret); /* in TMPDIR, else /tmp */
void scratch_done(Scratch *s);  /* nobody may be using it any more */

/* Everything above; the two that are fed as what their kind wants. `owner` may write where the CLI does. */
int scratch_fill(const Scratch *s, bool dialogue, uid_t owner);

/* A regular file in place of what has that name; whoever has that open keeps it. */
int scratch_replace(const Scratch *s, const char *name, const char *text, size_t n);
