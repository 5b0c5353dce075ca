/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The only place that the CLI may write to, made for one job and removed after it:
 *
 *     home/.gemini/settings.json   its settings: one attempt, no tools, nothing that it could start or load
 *     exp.json                     how long it waits for an answer's headers
 *     tmp/                         TMPDIR; the CLI leaves error reports there, with the conversation
 *     work/                        its working directory: empty and not writable
 *     system.md, session.json      the inputs that the CLI waits for: see feed.h
 *
 * The runner reaches it by a descriptor and the CLI by a path, because in namespaces it is a separate file
 * system that none of the runner's paths leads to.
 */

#include <sys/types.h>

#include "base/buf.h"

#define SCRATCH_SYSTEM  "system.md"
#define SCRATCH_SESSION "session.json"

typedef struct Scratch {
        int fd;
        char *path;  /* as the CLI sees it */
        bool remove; /* at the end its path must be removed; else it goes when its mount does */
} Scratch;

#define SCRATCH_INIT ((Scratch){ .fd = -1 })

int scratch_make(Scratch *ret); /* in TMPDIR, else /tmp */
void scratch_done(Scratch *s);  /* No process may still use the folder. */

/* Makes everything above. The kind of job decides which of system.md and session.json is the FIFO (feed.h).
 * `owner` is the user who may write where the CLI does. */
int scratch_fill(const Scratch *s, bool dialogue, uid_t owner);

/* Replaces the file of that name by a regular file; a process that has it open keeps the old one. */
int scratch_replace(const Scratch *s, const char *name, const char *text, size_t n);
