# SPDX-License-Identifier: MIT
"""The sandbox holds: a program in gemgated's place, with its unit, is refused what it must be refused. And gemgated does
its whole job in it, as every other test here shows."""
import json
import re
import textwrap
from pathlib import Path

import pytest

import machine
from wild import HOST, PORT, google
from machine import SERVICE, run, show, systemctl

SCORE_MAX = 1.1

# Runs instead of gemgated, in its sandbox; python and its libraries are the only more that may be executed.
PROBE = '''
import ctypes, errno, json, mmap, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
out = {}

def attempt(name):
    def run(f):
        try:
            out[name] = f() or "done"
        except OSError as e:
            out[name] = errno.errorcode.get(e.errno, str(e.errno))
        except Exception as e:
            out[name] = type(e).__name__
    return run

def call(number, *a):
    ctypes.set_errno(0)
    if libc.syscall(number, *a) < 0:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))

for name, path in {
    "write /usr": "/usr/x", "write /etc": "/etc/x", "write /etc/gemgate": "/etc/gemgate/x", "write /var": "/var/x",
    "write /run": "/run/x", "write /run/gemgate": "/run/gemgate/x", "write /boot": "/boot/x", "write /dev": "/dev/x",
}.items():
    attempt(name)(lambda path=path: open(path, "w").close())
attempt("write state")(lambda: open(os.environ["STATE_DIRECTORY"] + "/x", "w").close())
attempt("write tmp")(lambda: open("/tmp/gemgate-probe", "w").close())
attempt("read home")(lambda: os.listdir("/home") and None or os.listdir("/root") and None)
attempt("read shadow")(lambda: open("/etc/shadow").close())
attempt("exec shell")(lambda: subprocess.run(["/bin/sh", "-c", "true"]) and None)
attempt("exec state")(lambda: (
    open(os.environ["STATE_DIRECTORY"] + "/prog", "w").write("#!/usr/bin/gemgated\\n"),
    os.chmod(os.environ["STATE_DIRECTORY"] + "/prog", 0o755),
    os.execv(os.environ["STATE_DIRECTORY"] + "/prog", ["prog"])) and None)
for name, family in {"AF_NETLINK": 16, "AF_PACKET": 17, "AF_VSOCK": 40, "AF_ALG": 38, "AF_BLUETOOTH": 31}.items():
    attempt(name)(lambda family=family: socket.socket(family, socket.SOCK_RAW if family == 16 else socket.SOCK_STREAM).close())
for name, family in {"AF_INET": 2, "AF_INET6": 10, "AF_UNIX": 1}.items():
    attempt(name)(lambda family=family: socket.socket(family).close())
attempt("writable and executable")(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC).close())
def protect():
    m = mmap.mmap(-1, 4096)
    at = ctypes.addressof(ctypes.c_char.from_buffer(m))
    if libc.mprotect(ctypes.c_void_p(at), 4096, 5) < 0:
        raise OSError(ctypes.get_errno(), "mprotect")
attempt("made executable")(protect)
attempt("ptrace")(lambda: call(101, 16, os.getppid(), 0, 0))
attempt("process_vm_readv")(lambda: call(310, os.getppid(), 0, 0, 0, 0, 0))
attempt("bpf")(lambda: call(321, 0, 0, 0))
attempt("unshare")(lambda: call(272, 0x10000000))
attempt("mount")(lambda: call(165, 0, 0, 0, 0, 0))
attempt("add_key")(lambda: call(248, b"user", b"x", b"y", 1, -3))
attempt("setuid")(lambda: call(105, 0))
attempt("chown")(lambda: call(92, b"/tmp", 1, 1))
attempt("reboot")(lambda: call(169, 0, 0, 0, 0))
attempt("personality")(lambda: call(135, 0x0400000))
attempt("clock_settime")(lambda: call(227, 0, 0))
attempt("set-user-id file")(lambda: os.open("/tmp/suid", os.O_CREAT | os.O_WRONLY, 0o4755) and os.chmod("/tmp/suid", 0o4755))
attempt("real time")(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
out["processes"] = sorted(int(p) for p in os.listdir("/proc") if p.isdigit()) == [os.getpid()] and "own" or "others"
out["kernel files"] = os.path.exists("/proc/kallsyms") and "there" or "hidden"
out["devices"] = sorted(os.listdir("/dev"))
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
out["status"] = {k: status[k].strip() for k in ("CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Uid")}
json.dump(out, open(os.environ["STATE_DIRECTORY"] + "/probe.json", "w"))
'''

DONE = {"write state", "write tmp", "AF_INET", "AF_INET6", "AF_UNIX"}
HARMLESS = {"processes", "kernel files", "devices", "status"}


@pytest.fixture(scope="module")
def probed(installed):
    """What became of each attempt."""
    script = Path("/usr/local/lib/gemgate-probe.py")
    script.write_text(PROBE)
    machine.clean()
    python = Path("/usr/bin/python3").resolve()
    with machine.drop_in(
        textwrap.dedent(f"""
        [Service]
        Type=oneshot
        Restart=no
        ExecStart=
        ExecStart={python} {script}
        ExecPaths={python} /lib /usr/lib
        """)
    ):
        systemctl("start", SERVICE)
    path = Path("/var/lib/gemgate/probe.json")
    found = json.loads(path.read_text())
    path.unlink()
    script.unlink()
    (path.parent / "x").unlink(missing_ok=True)
    machine.clean()
    return found


def attempts():
    return sorted(set(re.findall(r'"((?:write|read|exec|AF_)[^"]*)"', PROBE)) | set(re.findall(r'attempt\("([^"]*)"\)', PROBE)))


@pytest.mark.parametrize("what", attempts())
def test_sandbox_holds(probed, what):
    assert what in probed, sorted(probed)
    if what in DONE:
        assert probed[what] == "done", probed[what]
    else:
        assert probed[what] != "done", f"{what} was not refused"


def test_no_privilege_is_left(probed):
    s = probed["status"]
    assert s["CapEff"] == s["CapBnd"] == s["CapAmb"] == "0" * 16
    assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2"
    assert "0" not in s["Uid"].split()


def test_others_are_not_seen(probed):
    assert probed["processes"] == "own" and probed["kernel files"] == "hidden"
    assert not [d for d in probed["devices"] if re.match(r"(sd|vd|nvme|mem|kmsg|fuse|tty\d)", d)], probed["devices"]
    assert not list(Path("/tmp").glob("gemgate-probe"))


def score(unit):
    rows = json.loads(run("systemd-analyze", "security", "--json=short", unit, check=False).stdout)
    last = run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout.strip().splitlines()[-1]
    return float(re.search(r"exposure level for \S+: ([0-9.]+)", last).group(1)), rows


@pytest.mark.parametrize("unit", [SERVICE, "gemgated@1.service"])
def test_score(unit):
    figure, rows = score(unit)
    print(f"{unit}: {figure}")
    assert figure <= SCORE_MAX, [r for r in rows if r.get("set") is False]


def test_limits_are_enforced(running):
    """The cgroup's files, not the unit's settings."""
    assert int(show("MemoryCurrent")) > 0
    group = show("ControlGroup")
    memory = Path(f"/sys/fs/cgroup/memory{group}/memory.limit_in_bytes")
    tasks = Path(f"/sys/fs/cgroup/pids{group}/pids.max")
    if not memory.exists():  # a pure cgroup2 system
        memory, tasks = Path(f"/sys/fs/cgroup{group}/memory.max"), Path(f"/sys/fs/cgroup{group}/pids.max")
    assert int(memory.read_text()) == int(show("MemoryMax")) <= 4 << 30
    assert int(tasks.read_text()) == int(show("TasksMax"))


def test_names_and_tls_work_in_it(sim, tmp_path):
    """What every test here has on loopback and in the clear is DNS and TLS in the wild: threads, name services, the machine's
    authorities. One that is not among those is refused."""
    with google(tmp_path, sim) as g:
        machine.configure(sim, GEMINI_BASE_URL=f"https://{HOST}:{PORT}")
        a = machine.chat()
        assert a.status >= 500 and not sim.requests(), a
        assert g.asked, "the name server got no question"
        g.trust()
        systemctl("restart", SERVICE)
        a = machine.chat()
        assert a.status == 200 and len(sim.requests()) == 1, a
        assert g.versions[-1] in ("TLSv1.2", "TLSv1.3")
        systemctl("stop", SERVICE)
