/* SPDX-License-Identifier: MIT */
#pragma once

/* Removes the privileges that the CLI must not have. */

#include <sys/types.h>

#include "base/macros.h"

/* The runner's identity, and the CLI's: nobody if the runner is root and may change to it, else the runner's
 * own user. */
typedef struct Identity {
        uid_t outer_uid;
        gid_t outer_gid;
        uid_t uid;
        bool user_namespace; /* a user namespace is needed, because the runner is not root, or lacks
                              * capabilities */
} Identity;

void privilege_identify(bool namespaces, Identity *ret);

/* For the process that becomes the CLI or its parent: changes to that user, without root's groups, without
 * capabilities, and without a way to gain any. */
int privilege_drop(uid_t uid);

/* Sets its resource limits. */
int privilege_limit(void);
