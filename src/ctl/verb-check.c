/* SPDX-License-Identifier: MIT */

/* check-config runs the daemon's own check of the configuration. Its program is the one beside this one. It
 * gets this program's name, with which its lines begin then. */

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/text.h"
#include "ctl/ctl.h"

#define CONFIG_DIR "/etc/gemgate"

extern char **environ;

/* "…/gemgated" beside this program, or only the name, to be searched in PATH. */
static int find_daemon(char **ret) {
        char self[PATH_MAX];
        char *slash;
        ssize_t n;

        n = readlink("/proc/self/exe", self, sizeof(self) - 1);
        if (n > 0) {
                self[n] = '\0';
                slash = strrchr(self, '/');
                if (slash) {
                        *slash = '\0';
                        if (asprintf(ret, "%s/gemgated", self) < 0)
                                return -ENOMEM;
                        if (access(*ret, X_OK) == 0)
                                return 0;
                        free(*ret);
                }
        }
        *ret = strdup("gemgated");
        return *ret ? 0 : -ENOMEM;
}

static bool is_directory(const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A FILE is an env file, a directory is a configuration directory; without one, the installed directory, if
 * it exists. */
static int source_option(const char *what, char **ret) {
        const char *option = "config-dir";

        if (!what && !is_directory(CONFIG_DIR)) {
                *ret = NULL;
                return 0;
        }
        if (what && !is_directory(what))
                option = "env-file";
        return asprintf(ret, "--%s=%s", option, what ?: CONFIG_DIR) < 0 ? -ENOMEM : 0;
}

static int status_of(int raw) {
        static const struct {
                int daemon, ours;
        } rows[] = { { 0, CTL_OK }, { EX_NOPERM, CTL_DENIED }, { EX_USAGE, CTL_USAGE } };

        if (WIFEXITED(raw))
                for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                        if (rows[i].daemon == WEXITSTATUS(raw))
                                return rows[i].ours;
        return CTL_FAILED;
}

int verb_check_config(Ctl *c, unsigned n, char *args[]) {
        _cleanup_free_ char *daemon = NULL, *source = NULL;
        char self[] = "gemgatectl", check[] = "--check-config";
        int r, raw;
        pid_t pid;

        r = find_daemon(&daemon);
        if (r >= 0)
                r = source_option(n > 0 ? args[0] : NULL, &source);
        if (r < 0)
                return ctl_oom(c);
        r = posix_spawnp(&pid, daemon, NULL, NULL, (char *[]){ self, check, source, NULL }, environ);
        if (r != 0)
                return ctl_say(c, CTL_FAILED, "%s: %s", daemon, strerror(r));
        while (waitpid(pid, &raw, 0) < 0)
                if (errno != EINTR)
                        return ctl_say(c, CTL_FAILED, "%s: %s", daemon, strerror(errno));
        return status_of(raw);
}
