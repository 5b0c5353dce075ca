/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "runner/privilege.h"

#define NOBODY 65534U

#define WORDS _LINUX_CAPABILITY_U32S_3

static int get(struct __user_cap_data_struct data[static WORDS]) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

        return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static bool has(const struct __user_cap_data_struct data[static WORDS], unsigned cap) {
        return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

static bool has_none(const struct __user_cap_data_struct data[static WORDS]) {
        for (size_t i = 0; i < WORDS; i++)
                if (data[i].effective != 0 || data[i].permitted != 0 || data[i].inheritable != 0)
                        return false;
        return true;
}

void privilege_identify(bool namespaces, Identity *ret) {
        static const unsigned change[] = { CAP_SETUID, CAP_SETGID, CAP_CHOWN };
        static const unsigned isolate[] = { CAP_SYS_ADMIN, CAP_NET_ADMIN };
        struct __user_cap_data_struct data[WORDS] = {};
        bool may_change = geteuid() == 0 && get(data) >= 0, may_isolate;

        for (size_t i = 0; i < ELEMENTSOF(change); i++)
                may_change = may_change && has(data, change[i]);
        may_isolate = may_change;
        for (size_t i = 0; i < ELEMENTSOF(isolate); i++)
                may_isolate = may_isolate && has(data, isolate[i]);

        *ret = (Identity){
                .outer_uid = geteuid(),
                .outer_gid = getegid(),
                .uid = geteuid(),
                .user_namespace = namespaces && !may_isolate,
        };
        /* In a user namespace any user may be chosen: outside it is still the same user. */
        if (ret->uid == 0 && (may_change || ret->user_namespace))
                ret->uid = NOBODY;
}

int privilege_drop(uid_t uid) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[WORDS] = {}, data[WORDS] = {};
        int r;

        if (uid != geteuid() &&
            (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0))
                return -errno;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        (void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        /* A unit's filter of system calls also refuses calls that would drop nothing more. */
        r = get(data);
        if (r < 0 || has_none(data))
                return r;
        return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int privilege_limit(void) {
        /* No core file: it would hold the conversation. Files as in root.c: three times the longest job. No
         * limit of address space, of which V8 reserves far more than it uses. A unit has its own limits, and
         * its filter refuses others with EPERM, which lowering a limit never returns elsewhere. */
        static const struct {
                int resource;
                rlim_t limit;
        } limits[] = {
                { RLIMIT_CORE, 0 },
                { RLIMIT_NOFILE, 512 },
                { RLIMIT_FSIZE, 96U << 20 },
                { RLIMIT_MEMLOCK, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                struct rlimit l, now;

                if (getrlimit((__rlimit_resource_t) limits[i].resource, &now) < 0)
                        return errno == EPERM ? 0 : -errno;
                l.rlim_cur = l.rlim_max = MIN(limits[i].limit, now.rlim_max);
                if (setrlimit((__rlimit_resource_t) limits[i].resource, &l) < 0)
                        return errno == EPERM ? 0 : -errno;
        }
        return 0;
}
