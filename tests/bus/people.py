# SPDX-License-Identifier: MIT
"""Users that this machine does not have: every program of these tests sees a private passwd and group, with gemgate in
them. That needs root, and nothing of this machine is changed."""
import contextlib
import os

GEMGATE = 64900


class User:
    def __init__(self, name, uid, gid, groups=()):
        self.name, self.uid, self.gid, self.groups = name, uid, gid, list(groups)

    def __repr__(self):
        return self.name


ROOT = User("root", 0, 0)
DAEMON = User("gemgate", GEMGATE, GEMGATE)
MEMBER = User("member", 64901, 64901, [GEMGATE])
PRIMARY = User("primary-member", 64902, GEMGATE)
STRANGER = User("stranger", 64903, 64903)
OTHER = User("other-stranger", 64904, 64904)
ALL = [ROOT, DAEMON, MEMBER, PRIMARY, STRANGER, OTHER]


def write(folder):
    passwd = [f"{u.name}:x:{u.uid}:{u.gid}::/nonexistent:/bin/sh\n" for u in ALL]
    groups = ["root:x:0:\n", f"gemgate:x:{GEMGATE}:member\n"]
    groups += [f"{u.name}:x:{u.gid}:\n" for u in ALL if u.gid not in (0, GEMGATE)]
    (folder / "passwd").write_text("".join(passwd))
    (folder / "group").write_text("".join(groups))


def world(folder, user=ROOT):
    """The beginning of a command line that runs something there, as that user."""
    script = 'mount --bind "$0/passwd" /etc/passwd && mount --bind "$0/group" /etc/group && exec "$@"'
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder]
    if user is not ROOT:
        groups = f"--groups={','.join(map(str, user.groups))}" if user.groups else "--clear-groups"
        argv += ["setpriv", f"--reuid={user.uid}", f"--regid={user.gid}", groups]
    return argv


@contextlib.contextmanager
def identity(user):
    """What connects meanwhile is that user's: the kernel notes it in the socket."""
    before = os.getgroups()
    os.setgroups(user.groups)
    os.setegid(user.gid)
    os.seteuid(user.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)
