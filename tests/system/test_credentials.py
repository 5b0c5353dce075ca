# SPDX-License-Identifier: MIT
"""Keys and tokens as credentials: PID 1 passes them, and no other process can read them."""
from pathlib import Path

import pytest

import machine
from house import MASKS, SECRETS, leaked
from machine import ETC, SERVICE, run, show, systemctl

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


def encrypted():
    """The package's example, word for word, and the commands that it names."""
    STORE.mkdir(mode=0o700, exist_ok=True)
    for name, secrets in NAMES.items():
        path = STORE / f"gemgate.{name}"
        path.unlink(missing_ok=True)
        run("systemd-creds", "encrypt", "--with-key=host", f"--name={name}", "-", path, input=lines(secrets))
        assert not leaked(path.read_bytes())
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
    lines = [line for line in machine.said(after).splitlines() if "fixed until a restart" in line]
    assert len(lines) == 1 and "the credential api-keys" in lines[0] and "allowed-tokens" not in lines[0], lines
    assert machine.chat(token="TOKEN2").status == 200
