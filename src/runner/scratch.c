/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/job-protocol.h"
#include "base/text.h"
#include "runner/scratch.h"

#define TREE_FDS 16 /* that nftw() keeps open */

/*
 * Each line was found necessary or useful with 0.61.0. Without security.auth.selectedType the CLI ends with
 * status 41 if there is a base URL; without folderTrust.enabled the working directory ends it with 55.
 * tools.core names a tool that does not exist: an empty list would mean all tools. maxAttempts and
 * retryFetchErrors keep the CLI from retrying for minutes, maxSessionTurns from a second turn. hooksConfig,
 * skills, enableAgents and ignoreLocalEnv close ways to make it run or read files, if anyone could write
 * where it looks.
 */
static const char settings[] =
        "{\"security\":{\"auth\":{\"selectedType\":\"gemini-api-key\"},\"folderTrust\":{\"enabled\":false},"
        "\"disableYoloMode\":true},"
        "\"privacy\":{\"usageStatisticsEnabled\":false},"
        "\"telemetry\":{\"enabled\":false},"
        "\"general\":{\"enableAutoUpdate\":false,\"enableAutoUpdateNotification\":false,\"maxAttempts\":1,"
        "\"retryFetchErrors\":false,\"topicUpdateNarration\":false,\"plan\":{\"enabled\":false},"
        "\"sessionRetention\":{\"enabled\":false}},"
        "\"model\":{\"maxSessionTurns\":1,\"compressionThreshold\":1000000,\"disableLoopDetection\":true},"
        "\"tools\":{\"core\":[\"none\"],\"useRipgrep\":false},"
        "\"mcp\":{\"allowed\":[\"none\"]},"
        "\"context\":{\"includeDirectoryTree\":false,"
        "\"fileFiltering\":{\"enableRecursiveFileSearch\":false}},"
        "\"skills\":{\"enabled\":false},"
        "\"hooksConfig\":{\"enabled\":false},"
        "\"experimental\":{\"enableAgents\":false},"
        "\"advanced\":{\"autoConfigureMemory\":false,\"ignoreLocalEnv\":true},"
        "\"ui\":{\"showCompatibilityWarnings\":false}}\n";

/* The CLI's time-out for an answer's headers is 60 s, and a model may think for longer. The daemon decides
 * when a job has taken too long. */
static const char experiments[] =
        "{\"flags\":[{\"flagId\":45773134,\"intValue\":\"3600\"}],\"experimentIds\":[]}\n";

int scratch_make(Scratch *ret) {
        const char *top = getenv("TMPDIR");
        _cleanup_free_ char *path = NULL;
        int fd, r;

        if (strnull(top) || *top != '/')
                top = "/tmp";
        if (asprintf(&path, "%s/gemgate-runner-XXXXXX", top) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        if (!mkdtemp(path))
                return -errno;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                r = -errno;
                (void) rmdir(path);
                return r;
        }
        *ret = (Scratch){ .fd = fd, .path = TAKE_PTR(path), .remove = true };
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
        (void) remove(path); /* a failure must not keep the others */
        return 0;
}

void scratch_done(Scratch *s) {
        s->fd = safe_close(s->fd);
        if (s->remove)
                (void) nftw(s->path, remove_one, TREE_FDS, FTW_DEPTH | FTW_MOUNT | FTW_PHYS);
        free(TAKE_PTR(s->path));
        s->remove = false;
}

static int write_all(int fd, const char *p, size_t n) {
        while (n > 0) {
                ssize_t k = write(fd, p, n);

                if (k < 0)
                        return -errno;
                p += k;
                n -= (size_t) k;
        }
        return 0;
}

static int write_file(const Scratch *s, const char *name, const char *text, size_t n) {
        _cleanup_close_ int fd = -1;

        fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0644) < 0) /* whatever the umask is */
                return -errno;
        return write_all(fd, text, n);
}

int scratch_replace(const Scratch *s, const char *name, const char *text, size_t n) {
        int r;

        r = write_file(s, ".new", text, n);
        if (r < 0)
                return r;
        return renameat(s->fd, ".new", s->fd, name) < 0 ? -errno : 0;
}

/* Only if the owner differs: a unit's filter does not allow chown(). The descriptor of a mount is O_PATH, so
 * not fchown(). */
static int give(const Scratch *s, const char *name, uid_t owner) {
        if (owner == geteuid())
                return 0;
        return fchownat(s->fd, name, owner, (gid_t) -1, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int make_folder(const Scratch *s, const char *name, mode_t mode, uid_t owner) {
        if (mkdirat(s->fd, name, mode) < 0)
                return -errno;
        return give(s, name, owner);
}

static int make_fifo(const Scratch *s, const char *name, uid_t owner) {
        if (mkfifoat(s->fd, name, 0600) < 0)
                return -errno;
        return give(s, name, owner);
}

int scratch_fill(const Scratch *s, bool dialogue, uid_t owner) {
        static const struct {
                const char *name;
                mode_t mode;
                bool theirs;
        } folders[] = {
                { "home", 0700, true },
                { "home/.gemini", 0700, true },
                { "tmp", 0700, true },
                { "work", 0555, false },
        };
        int r;

        r = give(s, "", owner); /* so that it can be traversed */
        for (size_t i = 0; i < ELEMENTSOF(folders) && r >= 0; i++)
                r = make_folder(s, folders[i].name, folders[i].mode, folders[i].theirs ? owner : geteuid());
        if (r >= 0)
                r = write_file(s, "home/.gemini/settings.json", settings, strlen(settings));
        if (r >= 0)
                r = write_file(s, "exp.json", experiments, strlen(experiments));
        if (r >= 0 && dialogue) {
                r = make_fifo(s, SCRATCH_SESSION, owner);
                if (r >= 0)
                        r = write_file(s, SCRATCH_SYSTEM, CLI_SYSTEM_NEUTRAL, strlen(CLI_SYSTEM_NEUTRAL));
        } else if (r >= 0)
                r = make_fifo(s, SCRATCH_SYSTEM, owner);
        return r;
}
