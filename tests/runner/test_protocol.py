# SPDX-License-Identifier: MIT
"""What the daemon may send and the answers; the CLI is a script that does exactly what a case needs."""
import json
import os
import signal
import subprocess
import threading

import pytest

import wait
from fakegemini import GUARD, guarded
from house import SANITIZED
from runnerhouse import GET, RUNNER

ECHO = "const p = read(); tell(p); tell(system()); done();"


def test_ready_text_result(house):
    r = house.runner(cli=house.script(ECHO))
    assert r.ready() == {"event": "ready", "isolation": "process", "version": "9.9.9"}
    result = r.give("@x $y", system="be brief").result()
    assert result["answer"] == "\n" + guarded("@x $y") + guarded("be brief")
    assert result["status"] == "success" and result["message"] == "" and result["messages"] == 2
    assert result["exit_code"] == 0 and result["signal"] == 0 and result["skipped"] == 0
    assert result["argv"][1:2] + result["argv"][3:] == ["--max-old-space-size=512", "-m", "gemini-2.5-flash", "-o", "stream-json"]
    assert r.wait() == 0


def test_system_of_nobody(house):
    """The CLI's own would be 23 KB; and it comes without guards, for the daemon to know it by."""
    assert house.runner(cli=house.script(ECHO)).give().result()["answer"].endswith("You answer the user.")


def test_dialogue(house):
    cli = house.script(
        "const file = process.argv[process.argv.indexOf('--session-file') + 1];"
        "const s = fs.readFileSync(file, 'utf8');"
        "tell(JSON.stringify([JSON.parse(s).messages.map((m) => m.content), system(), system(), fs.readFileSync(file, 'utf8') === s, read()]));"
        "done();"
    )
    r = house.runner(cli=cli, dialogue=True)
    history = [{"role": "user", "text": "/quit"}, {"role": "model", "text": "a"}, {"role": "user", "text": ""}]
    told = json.loads(r.give("p", system="s", history=history).result()["answer"])
    assert told == [[[{"text": guarded("/quit")}], guarded("a"), [{"text": GUARD * 2}]], guarded("s"), guarded("s"), True, "\n" + guarded("p")]


def test_dialogue_without_history(house):
    cli = house.script(
        "const s = fs.readFileSync(process.argv[process.argv.indexOf('--session-file') + 1], 'utf8');"
        "tell(JSON.stringify(JSON.parse(s).messages)); read(); done();"
    )
    assert house.runner(cli=cli, dialogue=True).give().result()["answer"] == "[]"


def test_system_file_is_there_for_a_second_reader(house):
    cli = house.script("const a = system(), b = system(); tell(String(a === b && a.length > 0)); read(); done();")
    assert house.runner(cli=cli).give(system="s").result()["answer"] == "true"


def test_one_byte_comes_before_the_job(house):
    """Or the CLI would not wait for more."""
    r = house.runner(cli=house.script("const b = Buffer.alloc(9); tell(String(fs.readSync(0, b))); read(); done();"))
    r.ready()
    assert r.text() == "1"
    r.give().result()


@pytest.mark.parametrize(
    "line, why",
    [
        (b"", "must be a JSON object"),
        (b"nonsense", "must be a JSON object"),
        (b'{"job":{"prompt":"p"}}', "the first line must be a start"),
        (b'{"start":{"token":"a b"}}', "start.token"),
        (b"\xff", "must be a JSON object"),
    ],
)
def test_no_start(house, line, why):
    r = house.runner(cli=house.script(ECHO), start=False)
    r.send(line)
    result = r.result()
    assert result["status"] == "none" and why in result["message"] and result["exit_code"] is None
    assert r.wait() == 0


@pytest.mark.parametrize(
    "line, why",
    [
        (b"nonsense", "must be a JSON object"),
        (b'{"job":{}}', "job.prompt"),
        (b'{"start":{"token":"again"}}', "must be a job"),
        (b'{"job":{"prompt":"p","history":[{"role":"user","text":"t"}]}}', "a history needs a dialogue"),
        (b'{"job":{"prompt":"%b"}}' % (b"x" * 2000001), "the prompt is too long"),
        (b'{"job":{"prompt":"","system":"%b"}}' % (b"x" * 1048577), "the system text is too long"),
    ],
)
def test_no_job(house, line, why):
    r = house.runner(cli=house.script(ECHO))
    r.ready()
    r.send(line)
    result = r.result()
    assert result["status"] == "none" and why in result["message"] and result["messages"] == 0
    assert r.wait() == 0


def test_line_without_end(house):
    """45 MB without a newline, from a daemon that listens only then."""
    r = house.runner(cli=house.script(ECHO))
    r.ready()
    for _ in range(45):
        r.socket.sendall(b"x" * (1 << 20))
    result = r.result()
    assert result["status"] == "none" and "too long" in result["message"]
    assert r.wait() == 0


def test_slow_and_torn(house):
    """Both lines in single bytes."""
    r = house.runner(cli=house.script(ECHO), start=False)
    for line in ({"start": {"token": r.token}}, {"job": {"prompt": "päng"}}):
        for byte in json.dumps(line, ensure_ascii=False).encode() + b"\n":
            r.socket.sendall(bytes([byte]))
    assert guarded("päng") in r.result()["answer"]


def test_long_pieces_come_in_several(house):
    r = house.runner(cli=house.script("read(); tell('€'.repeat(100000)); done();")).give()
    result = r.result()
    texts = [e["text"] for e in r.events if e["event"] == "text"]
    assert result["messages"] == 1 and "".join(texts) == "€" * 100000
    assert len(texts) == 5 and max(len(t.encode()) for t in texts) <= 65536


def test_a_slow_reader(house):
    """64 MB are written while the daemon does not read. They are not in the runner's memory, and nothing is lost."""
    r = house.runner(cli=house.script("read(); for (let i = 0; i < 1024; i++) tell('x'.repeat(65000)); done();"))
    r.ready()
    cli = r.cli()
    r.give()
    wait.until("the CLI to have ended", lambda: not os.path.exists(f"/proc/{cli}"))
    held = next(int(line.split()[1]) for line in open(f"/proc/{r.process.pid}/status") if line.startswith("RssAnon"))
    assert held < (200 if SANITIZED else 32) * 1024
    result = r.result()
    assert result["messages"] == 1024 and len(result["answer"]) == 1024 * 65000


def test_output_has_a_ceiling(house):
    """A CLI that writes without end stops at the limit on a file's size."""
    r = house.runner(cli=house.script("read(); try { for (;;) tell('x'.repeat(65000)); } catch (e) { process.exit(e.code === 'EFBIG' ? 7 : 8); }"))
    result = r.give().result()
    assert (result["exit_code"], result["signal"]) in ((7, 0), (None, signal.SIGXFSZ))
    assert 90 << 20 < len(result["answer"]) < 96 << 20


def test_garbage_between_events(house):
    cli = house.script(
        "read(); fs.writeSync(1, 'Warning: x\\n{}\\n[1]\\n\\xff\\n'); tell('a'); fs.writeSync(1, '{\"type\":\"message\"}\\n\\n');"
        "fs.writeSync(1, 'y'.repeat(5 << 20) + '\\n'); tell('b'); done(); fs.writeSync(1, '{\"type\":\"resul');"
    )
    result = house.runner(cli=cli).give().result()
    assert (result["answer"], result["status"], result["skipped"]) == ("ab", "success", 7)


def test_error_words(house):
    cli = house.script(
        "read(); fs.writeSync(2, 'noise '.repeat(9000) + 'the end\\n');"
        "say({ type: 'result', status: 'error', error: { type: 'x', message: 'm'.repeat(9000) } }); process.exitCode = 144;"
    )
    result = house.runner(cli=cli).give().result()
    assert result["status"] == "error" and result["message"] == "m" * 4096 and result["exit_code"] == 144
    assert len(result["stderr"]) == 16384 and result["stderr"].endswith("noise the end\n")


@pytest.mark.parametrize(
    "source, exit_code, number",
    [
        ("process.exit(42);", 42, 0),
        ("read(); process.exit(0);", 0, 0),
        ("read(); tell('half'); process.kill(process.pid, 'SIGKILL');", None, signal.SIGKILL),
        ("process.kill(process.pid, 'SIGTERM'); read();", None, signal.SIGTERM),
        ("throw new Error('so');", 1, 0),
        ("read(); const a = []; for (;;) a.push(new Array(1e6).fill(a.length));", None, signal.SIGABRT),
    ],
)
@pytest.mark.parametrize("isolation", ["none", "namespaces"])
def test_crash(house, source, exit_code, number, isolation):
    r = house.runner(cli=house.script(source), isolation=isolation)
    r.give()
    result = r.result()
    assert result["status"] == "none" and result["exit_code"] == exit_code and result["signal"] == number
    if "Error" in source:
        assert "Error: so" in result["stderr"]
    assert r.wait() == 0


def test_crash_while_warm(house):
    """Without a job: the daemon gets an error at once."""
    result = house.runner(cli=house.script("process.exit(41);")).result()
    assert result["status"] == "none" and result["exit_code"] == 41 and result["messages"] == 0


def test_one_that_does_not_end(house):
    """After its result the CLI is not waited for."""
    result = house.runner(cli=house.script("read(); tell('x'); done(); for (;;);")).give().result()
    assert result["status"] == "success" and result["answer"] == "x"
    assert result["exit_code"] is None and result["signal"] == signal.SIGKILL


def test_max_wait(house):
    r = house.runner(cli=house.script("read();"), options=["--max-wait=200ms"])
    r.ready()
    assert r.next() is None and r.wait() == 0


def test_max_wait_ends_with_the_job(house):
    house.upstream._serve = lambda c: c.close() if go.wait(wait.DEADLINE) else None
    go = threading.Event()
    source = "const p = read(); tell('has it'); const c = open(); c.on('close', () => { tell(p); done(); });"
    r = house.runner(cli=house.script(GET + source), options=["--max-wait=300ms"], start=False)
    # Both at once, so that a busy machine cannot come between them.
    r.socket.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in (
        {"start": {"token": r.token, "dialogue": False}}, {"job": {"prompt": "ping"}}
    )))
    r.ready()
    assert r.text() == "has it"
    # Past the time in which a job would have had to come.
    with pytest.raises(subprocess.TimeoutExpired):
        r.process.wait(0.6)
    go.set()
    assert r.result()["status"] == "success"


@pytest.mark.parametrize("cli", ["/nonexistent/gemini", "no-such-gemini"])
def test_no_cli(house, cli):
    r = house.runner(cli=cli)
    result = r.result()
    assert result["status"] == "none" and cli in result["message"] and result["argv"] == []
    assert r.wait() == 0


def test_no_cli_is_told_before_the_start(house):
    assert house.runner(cli="/nonexistent", start=False).result()["status"] == "none"


def test_node_that_cannot_run(house):
    cli = house.script(ECHO)
    node = cli.parent / "node"
    node.unlink()
    node.write_text("#!/nonexistent\n")
    node.chmod(0o755)
    for isolation in ("none", "namespaces"):
        result = house.runner(cli=cli, isolation=isolation).result()
        assert result["status"] == "none" and "executing node: No such file" in result["message"]


@pytest.mark.parametrize("version, reported", [('"0.61.0-nightly.1"', "0.61.0-nightly.1"), ("7", None), ('"a b"', None)])
def test_version(house, version, reported):
    assert house.runner(cli=house.script("read();", version=version)).ready()["version"] == reported


@pytest.mark.parametrize(
    "argv",
    [[], ["--cli=x"], ["--upstream=/x"], ["--cli=x", "--upstream=" + "/x" * 60], ["--cli=x", "--upstream=/x", "--isolation=much"],
     ["--cli=x", "--upstream=/x", "--max-wait=soon"], ["--cli=x", "--upstream=/x", "more"], ["--no-such"]],
)
def test_usage(argv):
    p = subprocess.run([RUNNER, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert p.returncode == 64 and p.stderr.count("\n") == 1 and "gemgate-runner" in p.stderr


def test_stdin_is_no_socket():
    p = subprocess.run([RUNNER, "--cli=x", "--upstream=/x"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert p.returncode == 69 and "standard input" in p.stderr


def test_help_and_version():
    for option in ("--help", "--version"):
        p = subprocess.run([RUNNER, option], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert p.returncode == 0 and "gemgate-runner" in p.stdout and not p.stderr


def test_socket_as_all_three(house):
    """By default systemd passes it as stdout and stderr, too: none of our lines may be among the protocol's."""
    import socket as s

    a, b = s.socketpair()
    with b:
        p = subprocess.Popen([RUNNER, "--cli=/nonexistent", f"--upstream={house.upstream.path}"], stdin=b, stdout=b, stderr=b)
    with a:
        said = b""
        while piece := a.recv(65536):
            said += piece
    assert p.wait(wait.DEADLINE) == 0 and [json.loads(line)["event"] for line in said.splitlines()] == ["result"]
