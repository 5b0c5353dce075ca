/* SPDX-License-Identifier: MIT */
#pragma once

/* What the CLI must not have. */

#include <sys/types.h>

#include "base/macros.h"

/* Who the runner is and who the CLI shall be: nobody if the runner is root and may become it, else the
 * runner's own user. */
typedef struct Identity {
        uid_t outer_uid;
        gid_t outer_gid;
        uid_t uid;
        bool user_namespace; /* nothing of the kind can be had without: the runner isn't (all of) root */
} Identity;

void privilege_identify(bool namespaces, Identity *ret);

/* For the process that becomes the CLI or its parent: that user, without groups of root's, without
 * capabilities, and without a way to new ones. */
int privilege_drop(uid_t uid);

/* And its ceilings. */
int privilege_limit(void);
