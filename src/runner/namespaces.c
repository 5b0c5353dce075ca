/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/text.h"
#include "runner/namespaces.h"
#include "runner/privilege.h"
#include "runner/relay.h"
#include "runner/root.h"

#define FLAGS ((unsigned long) CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

/* Not unshare() and fork(): that would need a process in between. The runner has one thread, so the C
 * library needs no notice. */
pid_t namespaces_fork(const Identity *who) {
        unsigned long flags = FLAGS | SIGCHLD | (who->user_namespace ? CLONE_NEWUSER : 0UL);

        return (pid_t) syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

static int write_proc(const char *path, const char *text) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Maps one user and one group: the own ones. */
static int map_user(const Identity *who) {
        char text[64];
        int r;

        r = write_proc("/proc/self/setgroups", "deny");
        if (r < 0 && r != -ENOENT)
                return r;
        (void) snprintf(text, sizeof(text), "%u %u 1", (unsigned) who->uid, (unsigned) who->outer_gid);
        r = write_proc("/proc/self/gid_map", text);
        if (r < 0)
                return r;
        (void) snprintf(text, sizeof(text), "%u %u 1", (unsigned) who->uid, (unsigned) who->outer_uid);
        r = write_proc("/proc/self/uid_map", text);
        if (r < 0)
                return r;
        /* Another user namespace inside would give back the capabilities that the CLI has lost. */
        (void) write_proc("/proc/sys/user/max_user_namespaces", "0");
        return 0;
}

static int loopback_up(void) {
        struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

static int failed(int r, const char *step, const char **ret_step) {
        *ret_step = step;
        return r;
}

int namespaces_enter(const Identity *who, const Place *p, const Libraries *l, int *ret_listener,
                     int *ret_scratch, const char **ret_step) {
        static const char name[] = "gemgate";
        _cleanup_close_ int listener = -1;
        int r;

        if (who->user_namespace) {
                r = map_user(who);
                if (r < 0)
                        return failed(r, "entering a user namespace", ret_step);
        }
        r = loopback_up();
        if (r >= 0)
                r = relay_listen(&listener);
        if (r < 0)
                return failed(r, "bringing its loopback up", ret_step);
        (void) sethostname(name, strlen(name));
        r = root_enter(p, l, who->uid, ret_scratch, ret_step);
        if (r < 0)
                return r;
        *ret_listener = TAKE_FD(listener);
        return 0;
}
