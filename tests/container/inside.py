# SPDX-License-Identifier: MIT
"""Becomes what an engine would start: the first process of a container, or one that is put beside it.

    inside.py run SPEC        in new namespaces: mounts what SPEC names, then becomes its command
    inside.py exec SPEC       in the namespaces of such a container: becomes the command of SPEC

SPEC is a JSON object: root (an unpacked image), scratch (an empty folder), read_only, tmpfs [[path, options]],
mounts [[source, path, read_only]], argv, env, uid, gid, cwd, caps [number], fds (how many are passed from 3 on).
"""
import ctypes
import json
import os
import subprocess
import sys

PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
LAST_CAP = 63  # what the kernel doesn't have is refused, and that is all
DEVICES = ("null", "zero", "full", "random", "urandom")
libc = ctypes.CDLL(None, use_errno=True)


def mount(*argv):
    subprocess.run(["mount", *argv], check=True)


def put_together(spec, root):
    """An overlay upon the image, so that no container sees what another one wrote; made read-only at the end."""
    scratch = spec["scratch"]
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", scratch)
    for name in ("upper", "work", "root"):
        os.mkdir(f"{scratch}/{name}")
    layers = f"lowerdir={spec['root']},upperdir={scratch}/upper,workdir={scratch}/work"
    mount("-t", "overlay", "-o", layers, "overlay", root)
    places = ["/proc", "/sys", "/dev", "/etc"] + [path for path, _ in spec["tmpfs"]]
    for path in places + [path for source, path, _ in spec["mounts"] if os.path.isdir(source)]:
        os.makedirs(root + path, exist_ok=True)
    for source, path, _ in spec["mounts"]:
        if not os.path.isdir(source):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            open(root + path, "a").close()
    for name in ("hosts", "resolv.conf"):
        open(f"{root}/etc/{name}", "a").close()
    if spec["read_only"]:
        mount("-o", "remount,bind,ro", root)

    mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", root + "/proc")
    mount("-t", "sysfs", "-o", "ro,nosuid,nodev,noexec", "sysfs", root + "/sys")
    mount("-t", "tmpfs", "-o", "mode=755,nosuid", "tmpfs", root + "/dev")
    for name in DEVICES:
        open(f"{root}/dev/{name}", "w").close()
        mount("--bind", f"/dev/{name}", f"{root}/dev/{name}")
    os.symlink("/proc/self/fd", root + "/dev/fd")
    os.mkdir(root + "/dev/shm")
    mount("-t", "tmpfs", "-o", "mode=1777,nosuid,nodev", "tmpfs", root + "/dev/shm")
    for path, options in spec["tmpfs"]:
        mount("-t", "tmpfs", "-o", ",".join(["nosuid,nodev,noexec", *([options] if options else [])]), "tmpfs", root + path)
    for source, path, read_only in spec["mounts"]:
        mount("--bind", source, root + path)
        if read_only:
            mount("-o", "remount,bind,ro", root + path)


def become(spec, root):
    os.chroot(root)
    os.chdir(spec["cwd"])
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for cap in range(LAST_CAP + 1):
        if cap not in spec["caps"]:
            libc.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)
    os.setgroups([])
    os.setresgid(*[spec["gid"]] * 3)
    os.setresuid(*[spec["uid"]] * 3)
    env = dict(spec["env"])
    if spec["fds"]:
        env |= {"LISTEN_FDS": str(spec["fds"]), "LISTEN_PID": str(os.getpid())}
    for fd in range(spec["fds"]):
        os.set_inheritable(3 + fd, True)
    os.execve(spec["argv"][0], spec["argv"], env)


def main(mode, path):
    with open(path) as f:
        spec = json.load(f)
    root = spec["scratch"] + "/root"
    if mode == "run":
        put_together(spec, root)
    become(spec, root)


if __name__ == "__main__":
    main(*sys.argv[1:])
