/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "runner/orphans.h"

#define CHILDREN "/proc/thread-self/children"

int orphans_adopt(void) {
        return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* False without that file: an old kernel, or no /proc. */
static bool kill_children(void) {
        FILE *f = fopen(CHILDREN, "re");
        int pid;

        if (!f)
                return false;
        while (fscanf(f, "%d", &pid) == 1)
                (void) kill(pid, SIGKILL);
        (void) fclose(f);
        return true;
}

void orphans_kill(pid_t group) {
        bool all;

        (void) kill(-group, SIGKILL);
        (void) kill(group, SIGKILL); /* its own group may not exist yet */
        /* Each ended child may leave new ones, so they are searched again after every end. */
        do
                all = kill_children();
        while (waitpid(all ? -1 : group, NULL, 0) >= 0 || errno == EINTR);
}
