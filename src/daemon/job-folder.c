/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "daemon/job-folder.h"

#define PREFIX "gemgate-job-"
/* A directory that another daemon is just making has no listener yet. */
#define STALE_AFTER USEC_PER_MINUTE

static bool is_listened_at(const char *base, const char *name) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = -1;

        if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s/" JOB_FOLDER_SOCKET, base, name) >=
            (int) sizeof(a.sun_path))
                return true; /* no daemon could have bound it */
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return true;
        return connect(fd, (struct sockaddr *) &a, sizeof(a)) >= 0 ||
               (errno != ECONNREFUSED && errno != ENOENT);
}

/* Removes a directory of this user that holds nothing but a socket without a listener. Anything else
 * stays. */
static void remove_if_stale(int base_fd, const char *base, const char *name) {
        usec_t now = clock_realtime();
        _cleanup_close_ int fd = -1;
        struct stat st;

        fd = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid() ||
            (usec_t) st.st_mtime * USEC_PER_SEC + STALE_AFTER > now || is_listened_at(base, name))
                return;
        (void) unlinkat(fd, JOB_FOLDER_SOCKET, 0);
        (void) unlinkat(base_fd, name, AT_REMOVEDIR);
}

static void sweep(const char *base) {
        struct dirent *e;
        unsigned n = 0;
        DIR *d;

        d = opendir(base);
        if (!d)
                return;
        while (n++ < SWEEP_ENTRIES_MAX && (e = readdir(d)))
                if (startswith(e->d_name, PREFIX))
                        remove_if_stale(dirfd(d), base, e->d_name);
        (void) closedir(d);
}

int job_folder_make(char **ret) {
        const char *base = getenv("RUNTIME_DIRECTORY") ?: getenv("TMPDIR") ?: "/tmp";
        _cleanup_free_ char *folder = NULL;

        sweep(base);
        if (asprintf(&folder, "%s/" PREFIX "XXXXXX", base) < 0) {
                folder = NULL;
                return -ENOMEM;
        }
        if (!mkdtemp(folder))
                return -errno;
        *ret = TAKE_PTR(folder);
        return 0;
}
