# SPDX-License-Identifier: MIT
"""Keys and tokens as credentials: PID 1 passes them, and no other process can read them."""
import base64
import json
from pathlib import Path

import pytest

import machine
import road
import wait
import wild
from house import MASKS, SECRETS, leaked
from machine import ETC, SERVICE, SOCKET, TCP, UNIX, run, show, systemctl

NAMES = {"api-keys": ("KEY3", "KEY4"), "allowed-tokens": ("TOKEN2",), "admin-tokens": ("ADMIN",)}
EXAMPLE = Path("/usr/share/doc/gemgate/examples/credentials.conf")
PLAIN, STORE = Path("/etc/credstore"), Path("/etc/credstore.encrypted")


def lines(names):
    return "".join(SECRETS[n] + "\n" for n in names)


@pytest.fixture(autouse=True)
def nothing_is_left(fresh):
    yield
    for folder in (PLAIN, STORE):
        for path in folder.glob("gemgate.*"):
            path.unlink()


def plain():
    folder = PLAIN
    folder.mkdir(mode=0o700, exist_ok=True)
    out = "[Service]\n"
    for name, secrets in NAMES.items():
        path = folder / f"gemgate.{name}"
        path.write_text(lines(secrets))
        path.chmod(0o600)
        out += f"LoadCredential={name}:{path}\n"
    return out


def encrypt(names=NAMES):
    """The commands in the package's example, word for word; on this machine there is no TPM."""
    commands = [line[1:].strip() for line in EXAMPLE.read_text().splitlines() if line.startswith("#     ")]
    assert len(commands) == 1 + len(NAMES) and commands.pop(0).startswith("install -d ")
    STORE.mkdir(mode=0o700, exist_ok=True)
    for (name, secrets), command in zip(NAMES.items(), commands):
        if name in names:
            assert name in command
            (STORE / f"gemgate.{name}").unlink(missing_ok=True)
            run("bash", "-euc", command, input=lines(secrets))
            assert not leaked((STORE / f"gemgate.{name}").read_bytes())


def encrypted():
    """The package's example, word for word."""
    encrypt()
    return EXAMPLE.read_text()


@pytest.mark.parametrize("how", [plain, encrypted])
def test_credentials(how, sim):
    for name in NAMES:
        (ETC / name).unlink()
    with machine.drop_in(how()):
        assert machine.chat(token="TOKEN2").status == 200
        assert machine.chat(token="TOKEN").status == 401
        assert {r.key for r in sim.requests()} <= {SECRETS["KEY3"], SECRETS["KEY4"]}
        assert machine.ask("GET", "/stats", token="ADMIN").status == 200
        unreadable_to_others(machine.pid())
        reload_says_that_they_are_fixed()
    systemctl("restart", SERVICE)
    assert not Path(f"/run/credentials/{SERVICE}").exists()


def unreadable_to_others(pid):
    folder = Path(f"/run/credentials/{SERVICE}")
    assert {p.name for p in folder.iterdir()} == set(NAMES)
    for user in ("stranger", "member"):
        for argv in (("ls", folder), ("cat", folder / "api-keys"), ("cat", f"/proc/{pid}/environ")):
            refused = run(*argv, user=user, check=False)
            assert refused.returncode != 0 and not leaked(refused.stdout + refused.stderr), (user, argv, refused)
    out = run("systemctl", "show", SERVICE) + run("systemctl", "cat", SERVICE)
    assert not leaked(out)
    assert MASKS["MASK3"] not in out


def reload_says_that_they_are_fixed():
    """A file with other values is ignored, which one line reports, and everything else is applied."""
    after = machine.cursor()
    machine.write(ETC / "api-keys", SECRETS["KEY1"] + "\n")
    systemctl("reload", SERVICE)
    lines = [line for line in machine.said(after).splitlines() if line.startswith("changed, but fixed until a restart")]
    assert len(lines) == 1 and "the credential api-keys" in lines[0] and "allowed-tokens" not in lines[0], lines
    assert machine.chat(token="TOKEN2").status == 200


def test_example_without_some_of_its_files(sim):
    """Only the keys are encrypted: the tokens are those of /etc/gemgate."""
    (ETC / "api-keys").unlink()
    encrypt(["api-keys"])
    with machine.drop_in(EXAMPLE.read_text()):
        assert machine.chat().status == 200
        assert {r.key for r in sim.requests()} <= {SECRETS["KEY3"], SECRETS["KEY4"]}
        assert machine.ask("GET", "/stats", token="ADMIN").status == 200


# A credential with a proxy, and what is in it.
PROXIES = {"upstream-proxy": lambda url: url + "\n", "project-proxies": lambda url: json.dumps({"mine": url})}
LOGIN = f"{road.USER}:{road.PLAIN}"


@pytest.mark.parametrize("name", PROXIES)
def test_proxy(name, sim, tmp_path):
    """Gemini is asked through the proxy, with its user and password, and only the proxy asks for Gemini's address."""
    with wild.google(tmp_path, sim) as google:
        google.trust()
        proxy = road.Connect(wild.PORT)
        path = PLAIN / f"gemgate.{name}"
        try:
            PLAIN.mkdir(mode=0o700, exist_ok=True)
            path.write_text(PROXIES[name](f"http://{road.USER}:{road.PASSWORD}@127.0.0.1:{proxy.port}"))
            path.chmod(0o600)
            machine.configure(sim, GEMINI_BASE_URL=f"https://{wild.HOST}:{wild.PORT}")
            machine.write(ETC / "api-keys", json.dumps([{"key": SECRETS["KEY1"], "project": "mine"}]))
            after = machine.cursor()
            with machine.drop_in(f"[Service]\nLoadCredential={name}:{path}\n"):
                assert machine.chat().status == 200
                assert [user for user, _ in proxy.tunnels] == [base64.b64encode(LOGIN.encode()).decode()]
                assert proxy.heads[0].startswith(f"CONNECT {wild.HOST}:{wild.PORT} ") and not google.asked
                machine.write(ETC / name, PROXIES[name]("http://127.0.0.1:9"))
                systemctl("reload", SERVICE)
                machine.wait_said("fixed until a restart", after)
                assert f"the credential {name}" in machine.said(after)
                assert machine.chat().status == 200
                given = Path(f"/proc/{machine.pid()}/environ").read_text() + run("systemctl", "show", SERVICE)
                given += run("gemgatectl", "status") + machine.said(after)
                assert road.PLAIN not in given and road.PASSWORD not in given and road.USER not in given
            systemctl("stop", SERVICE)
        finally:
            (ETC / name).unlink(missing_ok=True)
            proxy.server.stop()


def foreign():
    """Encrypted for another name, as by another machine: it cannot be decrypted."""
    encrypt()
    (STORE / "gemgate.admin-tokens").write_bytes((STORE / "gemgate.api-keys").read_bytes())
    return EXAMPLE.read_text()


def garbage():
    encrypt()
    (STORE / "gemgate.api-keys").write_text("AIza-not-encrypted\n")
    return EXAMPLE.read_text()


# What systemd cannot set up, and the line that it logs. The daemon is not executed.
FAILS = {
    "foreign": (foreign, "Failed to set up credentials"),
    "garbage": (garbage, "Failed to set up credentials"),
    "missing": (lambda: "[Service]\nLoadCredential=api-keys:/etc/credstore/gemgate.none\n", "Failed to set up credentials"),
    "sandbox": (lambda: "[Service]\nReadWritePaths=/nonexistent\n", "Failed to set up mount namespacing"),
    "user": (lambda: "[Service]\nUser=gemgate-none\n", "Failed to determine user credentials"),
}


@pytest.mark.parametrize("how", FAILS)
def test_daemon_that_systemd_cannot_execute(how):
    """Its clients are answered with 503, with one start for each; once the cause is removed, the next client is served."""
    drop_in, line = FAILS[how]
    with machine.drop_in(drop_in()):
        for n in range(1, 4):
            after = machine.cursor()
            a = machine.chat(where=UNIX if n == 2 else TCP)
            assert a and a.status == 503 and "gemgate cannot start" in a.body.decode() and a.header("retry-after"), a
            wait.until("the socket to listen again", lambda: show("SubState", SOCKET) == "listening")
            assert machine.said(after).count(line) == 1, machine.said(after)
        assert show("ActiveState", SERVICE) == "failed"
    assert machine.chat().status == 200
