# SPDX-License-Identifier: MIT
"""What a process can reach from inside the namespaces: a script lists all of it."""
import json
import os
import socket

import pytest

from runnerhouse import AS_NOBODY, NODE

# Every path below / with its kind, whether it can be read and whether it can be written; nothing is followed.
WALK = """
const found = [];
const can = (path, how) => { try { fs.accessSync(path, how); return true; } catch { return false; } };
(function walk(folder) {
  let names;
  try { names = fs.readdirSync(folder, { withFileTypes: true }); } catch { return; }
  for (const e of names) {
    const path = (folder === '/' ? '' : folder) + '/' + e.name;
    const kind = e.isDirectory() ? 'd' : e.isSocket() ? 's' : e.isFIFO() ? 'p' : e.isCharacterDevice() ? 'c' : e.isBlockDevice() ? 'b' : 'f';
    found.push([path, kind, can(path, fs.constants.R_OK), can(path, fs.constants.W_OK)]);
    if (e.isDirectory()) walk(path);
  }
})('/');
"""

REACH = """
const net = require('node:net'), os = require('node:os');
const reach = (to) => new Promise((r) => { const c = net.connect(to); c.on('connect', () => r(true)); c.on('error', () => r(false)); });
const targets = %s;
(async () => {
  const reached = [];
  for (const t of targets) reached.push(await reach(t));
  tell(JSON.stringify([reached, Object.keys(os.networkInterfaces()), process.pid < 10, os.hostname()]));
  read(); done(); process.exit(0);
})();
"""

WHO = pytest.mark.parametrize("before", [[], AS_NOBODY], ids=["as-we-are", "ordinary"])


@WHO
def test_files(house, before):
    cli = house.script(WALK + "read(); for (const f of found) tell(JSON.stringify(f) + '\\n'); done();")
    r = house.runner(cli=cli, isolation="namespaces", before=before)
    assert r.ready()["isolation"] == "namespaces"
    found = {path: (kind, readable, writable) for path, kind, readable, writable in map(json.loads, r.give().result()["answer"].splitlines())}
    package = str(cli.resolve().parents[1])
    allowed = {str(NODE.resolve()), "/etc/passwd", "/etc/ld.so.cache", "/dev/null", "/dev/urandom"}
    files = {p for p, (kind, *_) in found.items() if kind != "d"}
    other = {p for p in files if p not in allowed and not p.startswith((package + "/", "/scratch/")) and ".so" not in p}
    assert not other
    assert not [p for p, (kind, *_) in found.items() if kind == "s"]
    writable = {p for p, (_, _, w) in found.items() if w} - {"/dev/null", "/dev/urandom"}
    assert {p for p in writable if not p.startswith("/scratch")} == set()
    assert "/scratch/home" in writable and "/scratch/tmp" in writable and "/scratch/work" not in writable
    assert not [p for p in found if p.startswith(("/proc", "/sys", "/run", "/root", "/home"))]
    # The scratch is what the runner has put there.
    scratch = {p.removeprefix("/scratch/") for p in found if p.startswith("/scratch/")}
    assert scratch == {"home", "home/.gemini", "home/.gemini/settings.json", "exp.json", "tmp", "work", "system.md"}


def test_passwd_is_its_own(house):
    r = house.runner(cli=house.script("read(); tell(fs.readFileSync('/etc/passwd', 'utf8')); done();"), isolation="namespaces")
    assert r.give().result()["answer"].count("\n") == 1


@WHO
def test_sockets(house, before):
    """A unix socket by its path, one in the abstract namespace, and one on this machine's loopback; each is reachable from
    outside, so that failing to reach it proves something."""
    tcp = socket.create_server(("127.0.0.1", 0))
    abstract, name = socket.socket(socket.AF_UNIX), "gemgate-test-" + os.urandom(8).hex()
    abstract.bind("\0" + name)
    abstract.listen()
    targets = [{"port": tcp.getsockname()[1], "host": "127.0.0.1"}, {"path": house.upstream.path}, {"path": "\0" + name},
               {"path": "/run/systemd/private"}, {"path": "/run/dbus/system_bus_socket"}]
    cli = house.script(REACH % json.dumps(targets))
    with tcp, abstract:
        outside = json.loads(house.runner(cli=cli, isolation="none").give().result()["answer"])
        inside = json.loads(house.runner(cli=cli, isolation="namespaces", before=before).give().result()["answer"])
    assert outside[0][:3] == [True, True, True]
    assert inside == [[False] * 5, ["lo"], True, "gemgate"]


@WHO
def test_namespaces(house, before):
    """Root needs no user namespace: the CLI is another user there."""
    r = house.runner(cli=house.script("read();"), isolation="namespaces", before=before)
    r.ready()
    pid = r.cli()
    spaces = ["mnt", "net", "pid", "ipc", "uts"] + (["user"] if before else [])
    for space in spaces:
        assert os.readlink(f"/proc/{pid}/ns/{space}") != os.readlink(f"/proc/self/ns/{space}"), space


def test_mounts(house):
    """All but the scratch is read-only, nothing is setuid there, and of the old root nothing is left."""
    r = house.runner(cli=house.script("read();"), isolation="namespaces")
    r.ready()
    mounts = [line.split() for line in open(f"/proc/{r.cli()}/mountinfo")]
    options = {m[4]: set(m[5].split(",")) for m in mounts}
    assert all("nosuid" in o for o in options.values())
    assert {path for path, o in options.items() if "rw" in o} == {"/scratch"}
    assert {"nodev", "noexec"} <= options["/scratch"]
