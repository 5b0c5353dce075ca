# SPDX-License-Identifier: MIT
"""What the CLI's process has and has not, and that nothing of it outlives the job: with scripts in the CLI's place."""
import json
import os
import re
import signal
import socket

import pytest

import wait
from runnerhouse import AS_NOBODY, GET, NODE, WITHOUT_NAMESPACES, alive

BOTH = pytest.mark.parametrize("isolation", ["none", "namespaces"])

CANARIES = {
    "GEMINI_API_KEY": "canary-1", "API_KEYS": "canary-2", "NODE_OPTIONS": "--require=/canary-3", "HTTPS_PROXY": "http://canary-4",
    "GOOGLE_APPLICATION_CREDENTIALS": "/canary-5", "CREDENTIALS_DIRECTORY": "/canary-6", "HOME": "/canary-7",
}


@BOTH
def test_environment_and_arguments(house, isolation):
    cli = house.script("read(); tell(JSON.stringify([process.env, process.argv, process.execArgv, process.cwd()])); done();")
    r = house.runner(cli=cli, isolation=isolation, env=CANARIES)
    result = r.give("the prompt", system="the system").result()
    env, argv, exec_argv, cwd = json.loads(result["answer"])
    scratch = env["HOME"].removesuffix("/home")
    port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)", env.pop("GOOGLE_GEMINI_BASE_URL"))[1])
    assert 1024 <= port
    assert env == {
        "PATH": "/nonexistent", "LANG": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb", "COLORTERM": "truecolor",
        "GEMINI_CLI_NO_RELAUNCH": "1", "HOME": f"{scratch}/home", "TMPDIR": f"{scratch}/tmp",
        "GEMINI_SYSTEM_MD": f"{scratch}/system.md", "GEMINI_EXP": f"{scratch}/exp.json", "GEMINI_API_KEY": r.token,
    }
    assert cwd == f"{scratch}/work"
    assert exec_argv == ["--max-old-space-size=512"]
    assert argv == [str(NODE.resolve()), str(cli.resolve()), "-m", "gemini-2.5-flash", "-o", "stream-json"]
    assert result["argv"] == [argv[0], *exec_argv, *argv[1:]]
    assert scratch == "/scratch" if isolation == "namespaces" else scratch.startswith(str(house.tmp))


@BOTH
def test_privileges(house, isolation):
    r = house.runner(cli=house.script("read();"), isolation=isolation)
    r.ready()
    pid = r.cli()
    status = dict(line.rstrip("\n").split(":\t", 1) for line in open(f"/proc/{pid}/status") if ":\t" in line)
    assert status["NoNewPrivs"] == "1"
    assert {status[f"Cap{s}"] for s in ("Inh", "Prm", "Eff", "Amb")} == {"0" * 16}
    uid = 65534 if os.geteuid() == 0 else os.geteuid()
    assert status["Uid"].split() == [str(uid)] * 4
    if os.geteuid() == 0:
        assert status["Gid"].split() == ["65534"] * 4 and not status["Groups"].strip()
    assert os.getpgid(pid) != os.getpgid(r.process.pid)
    limits = {line[:26].strip(): line[26:].split()[:2] for line in open(f"/proc/{pid}/limits")}
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max open files"] == ["512", "512"]
    assert limits["Max file size"] == [str(96 << 20)] * 2
    assert limits["Max locked memory"] == ["0", "0"]


def test_descriptors(house):
    """stdin, stdout, stderr; whatever else a script has, Node has opened itself."""
    cli = house.script(
        "const held = fs.readdirSync('/proc/self/fd').map((n) => { try { return fs.readlinkSync('/proc/self/fd/' + n); } catch { return ''; } });"
        "read(); tell(JSON.stringify(held)); done();"
    )
    held = json.loads(house.runner(cli=cli).give().result()["answer"])
    kinds = sorted(re.sub(r"\d+", "N", name) for name in held)
    assert [k for k in kinds if k.startswith("socket:")] == []
    assert all(k in ("", "pipe:[N]", "anon_inode:[eventpoll]", "anon_inode:[eventfd]", "anon_inode:[io_uring]", "/dev/null", "/memfd:stdout (deleted)") or
               k.startswith("/proc/") for k in kinds), kinds


@BOTH
def test_working_directory_is_empty_and_nobodys(house, isolation):
    cli = house.script(
        "let wrote = 'wrote'; try { fs.writeFileSync('GEMINI.md', 'x'); } catch (e) { wrote = e.code; }"
        "read(); tell(JSON.stringify([fs.readdirSync('.'), wrote])); done();"
    )
    before = AS_NOBODY if isolation == "namespaces" else ()
    left, wrote = json.loads(house.runner(cli=cli, isolation=isolation, before=before).give().result()["answer"])
    assert left == [] and wrote == ("EROFS" if isolation == "namespaces" else "EACCES")


@BOTH
def test_home_and_tmp_are_empty_and_writable(house, isolation):
    cli = house.script(
        "const env = process.env; const there = [env.HOME, env.HOME + '/.gemini', env.TMPDIR].map((d) => fs.readdirSync(d));"
        "fs.writeFileSync(env.HOME + '/a', 'x'); fs.mkdirSync(env.TMPDIR + '/b/c/d', { recursive: true }); fs.writeFileSync(env.TMPDIR + '/b/c/e', '');"
        "fs.chmodSync(env.TMPDIR + '/b/c', 0); read(); tell(JSON.stringify([there, JSON.parse(fs.readFileSync(env.HOME + '/.gemini/settings.json'))])); done();"
    )
    there, settings = json.loads(house.runner(cli=cli, isolation=isolation).give().result()["answer"])
    assert there == [[".gemini"], ["settings.json"], []]
    assert settings["tools"]["core"] == ["none"] and settings["general"]["maxAttempts"] == 1
    assert settings["general"]["retryFetchErrors"] is False and settings["security"]["folderTrust"]["enabled"] is False


# --- the end ---

FAMILY = (
    # A child in the group, one in a separate session, and one whose parent is gone: each with the token.
    "const { spawn, spawnSync } = require('node:child_process'); const node = process.execPath;"
    "spawn(node, ['-e', 'require(\"fs\").readSync(0, Buffer.alloc(1))'], { stdio: ['pipe', 'inherit', 'inherit'] });"
    "spawn(node, ['-e', 'setInterval(() => {}, 1e6)'], { detached: true, stdio: 'inherit' }).unref();"
    "spawnSync(node, ['-e', 'require(\"child_process\").spawn(process.execPath, [\"-e\", \"setInterval(() => {}, 1e6)\"],"
    " { detached: true, stdio: \"inherit\" }).unref()'], { stdio: 'inherit' });"
)


@BOTH
@pytest.mark.parametrize("ignoring", ["", "for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(s, () => {});"])
def test_hang_up_takes_the_whole_family(house, isolation, ignoring):
    r = house.runner(cli=house.script(ignoring + FAMILY + "tell('born'); setInterval(() => {}, 1e6);"), isolation=isolation)
    r.ready()
    assert r.text() == "born"
    assert len(r.below()) >= 4
    r.hang_up()


@BOTH
def test_end_takes_the_whole_family(house, isolation):
    """They hold its stdout open, and are not waited for."""
    r = house.runner(cli=house.script(FAMILY + "read(); tell('x'); done(); process.exit(0);"), isolation=isolation)
    result = r.give().result()
    assert result["status"] == "success" and result["exit_code"] == 0
    assert r.wait() == 0


@BOTH
@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_is_a_hang_up(house, isolation, which):
    r = house.runner(cli=house.script(FAMILY + "tell('born'); setInterval(() => {}, 1e6);"), isolation=isolation)
    r.ready()
    r.text()
    r.process.send_signal(which)
    assert r.wait() == 0


@BOTH
def test_killed_runner_takes_the_cli_with_it(house, isolation):
    r = house.runner(cli=house.script("tell('born'); setInterval(() => {}, 1e6);"), isolation=isolation)
    r.ready()
    r.text()
    below = r.below()
    r.process.kill()
    r.process.wait()
    wait.until("the CLI to be gone", lambda: not [p for p in below if alive(*p)])
    # No process is left to clean up; in namespaces nothing needs it.
    left = os.listdir(house.tmp)
    assert len(left) == (isolation == "none")
    for name in left:
        os.system(f"rm -rf {house.tmp}/{name}")


def test_hang_up_before_the_start(house):
    r = house.runner(cli=house.script("read();"), start=False)
    r.hang_up()


@BOTH
def test_half_closed_is_hung_up(house, isolation):
    r = house.runner(cli=house.script("read();"), isolation=isolation)
    r.ready()
    r.socket.shutdown(socket.SHUT_WR)
    assert r.next() is None and r.wait() == 0


# --- the relay ---

@BOTH
def test_relay_is_byte_for_byte(house, isolation):
    """4 MiB of every byte there and back at once, through an upstream that sends back what it gets."""
    house.upstream._serve = lambda c: echo(c)
    cli = house.script(
        GET + "read(); const sent = Buffer.alloc(4 << 20, Buffer.from([...Array(256).keys()])); const got = []; const c = open();"
        "c.on('data', (d) => got.push(d)); c.on('end', () => { tell(String(Buffer.concat(got).equals(sent))); done(); }); c.end(sent);"
    )
    assert house.runner(cli=cli, isolation=isolation).give().result()["answer"] == "true"


def echo(c):
    with c:
        while piece := c.recv(65536):
            c.sendall(piece)


def test_relay_has_a_ceiling(house):
    """Eight at once; the others wait in the kernel until they are accepted."""
    house.upstream._serve = lambda c: echo(c)
    cli = house.script(
        GET + "read(); let n = 0; const all = []; for (let i = 0; i < 12; i++) { const c = open(); all.push(c); c.write('x');"
        "c.on('data', () => { if (++n === 8) tell('eight'); if (n === 12) { tell('twelve'); done(); process.exit(0); } }); }"
        "fs.readFile(process.env.HOME + '/go', () => all.forEach((c) => c.end()));"
    )
    r = house.runner(cli=cli)
    home = dict(v.split(b"=", 1) for v in open(f"/proc/{r.cli()}/environ", "rb").read().split(b"\0") if v)[b"HOME"]
    os.mkfifo(home + b"/go")
    os.chmod(home + b"/go", 0o644)
    r.ready()
    r.give()
    assert r.text() == "eight"
    assert house.upstream.connections == 8
    open(home + b"/go", "wb").close()
    assert r.text() == "twelve"
    r.result()


def test_relay_without_upstream(house):
    os.unlink(house.upstream.path)
    cli = house.script(GET + "read(); const c = open(); c.on('close', () => { tell('closed'); done(); });")
    assert house.runner(cli=cli).give().result()["answer"] == "closed"


# --- the isolation that it reports ---


def test_isolation_is_told(house):
    cli = house.script("read();")
    told = [house.runner(cli=cli, isolation=i).ready()["isolation"] for i in ("unit", "namespaces", "none")]
    assert told == ["unit", "namespaces", "process"]


def test_isolation_of_an_ordinary_user(house):
    assert house.runner(cli=house.script("read();"), isolation="namespaces", before=AS_NOBODY).ready()["isolation"] == "namespaces"


def test_no_namespaces_to_be_had(house):
    r = house.runner(cli=house.script("read(); tell('x'); done();"), isolation="namespaces", before=WITHOUT_NAMESPACES)
    assert r.ready()["isolation"] == "process"
    assert r.give().result()["status"] == "success"
    assert "no namespaces: making namespaces: " in r.said()


def test_namespaces_that_fail_half_way(house):
    """So few descriptors that the new root cannot be built: the beginning is undone, and it goes on without."""
    r = house.runner(cli=house.script("read(); tell('x'); done();"), isolation="namespaces", before=["prlimit", "--nofile=20"])
    assert r.ready()["isolation"] == "process"
    assert r.give().result()["status"] == "success"
    assert "no namespaces: making a tmpfs: Too many open files" in r.said()
