# SPDX-License-Identifier: MIT
"""The booted system as an operator has it: systemctl, journalctl, files in /etc/gemgate, users.

The tests run inside, as root; see README.md."""
import contextlib
import grp
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import http1
import wait
from house import SECRETS

SERVICE, SOCKET = "gemgated.service", "gemgated.socket"
TCP, UNIX = ("127.0.0.1", 8080), "/run/gemgate/http.sock"
ETC = Path("/etc/gemgate")
UNITS = Path("/etc/systemd/system")
MODEL = "gemini-3.8-flash"
found_in_etc = {}  # (mode, user, group, text) of what the installation put there


class Failed(AssertionError):
    def __init__(self, argv, result):
        self.status, self.out, self.err = result.returncode, result.stdout, result.stderr
        super().__init__(f"{' '.join(map(str, argv))}: status {self.status}\n{self.out}{self.err}")


def run(*argv, user=None, check=True, timeout=wait.DEADLINE, **kw):
    """Standard output of a program that succeeded; with check=False the whole result."""
    argv = [str(a) for a in argv]
    if user:
        argv = ["runuser", "-u", user, "--", *argv]
    kw.setdefault("stdin", None if "input" in kw else subprocess.DEVNULL)
    if "input" in kw:
        kw.pop("stdin")
    result = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, **kw)
    if not check:
        return result
    if result.returncode != 0:
        raise Failed(argv, result)
    return result.stdout


def systemctl(*argv, **kw):
    return run("systemctl", *argv, **kw)


def show(prop, unit=SERVICE):
    return systemctl("show", "--value", "-p", prop, unit).strip()


def pid(unit=SERVICE):
    return int(show("MainPID", unit))


def is_active(unit=SERVICE):
    return show("ActiveState", unit) == "active"


def wait_active(unit=SERVICE, deadline=wait.DEADLINE):
    wait.until(f"{unit} to be active", lambda: is_active(unit), deadline)
    return pid(unit)


def wait_state(state, unit=SERVICE, deadline=wait.DEADLINE):
    return wait.until(f"{unit} to be {state}", lambda: show("ActiveState", unit) == state, deadline)


# --- configuration ---


def write(path, text, mode=0o640, group="gemgate"):
    """As an administrator's editor does: the new file takes the place of the old."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.write_text(text)
    os.chmod(new, mode)
    os.chown(new, 0, grp.getgrnam(group).gr_gid)
    new.rename(path)


def configure(sim=None, keys=("KEY1", "KEY2"), tokens=("TOKEN",), admins=("ADMIN",), **settings):
    """The files of /etc/gemgate; keys and tokens by their names in SECRETS, one a line."""
    settings.setdefault("GEMINI_BASE_URL", sim.url if sim else "http://127.0.0.1:9")
    settings.setdefault("AFFINITY_SPILL", "off")  # the keys in their order, whatever is asked
    lines = lambda names: "".join(SECRETS[n] + "\n" for n in names)
    for name, names in (("api-keys", keys), ("allowed-tokens", tokens), ("admin-tokens", admins)):
        if names:
            write(ETC / name, lines(names))
        else:
            (ETC / name).unlink(missing_ok=True)
    write(ETC / "gemgate.env", "".join(f"{k}={v}\n" for k, v in settings.items()))


@contextlib.contextmanager
def drop_in(text, unit=SERVICE, name="50-test.conf"):
    """[Section] lines over the unit's own, until the end of the block."""
    folder = UNITS / f"{unit}.d"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    systemctl("daemon-reload")
    try:
        yield
    finally:
        (folder / name).unlink()
        with contextlib.suppress(OSError):
            folder.rmdir()
        systemctl("daemon-reload")


def clean():
    """As after the installation: socket active, service stopped, nothing of a test's left."""
    dirty = list(UNITS.glob("gemgated*.d")) + list(Path("/run/systemd/system").glob("gemgated*.d"))
    for folder in dirty:
        shutil.rmtree(folder)
    if dirty:
        systemctl("daemon-reload")
    run("systemctl", "stop", SERVICE, check=False)
    for file in Path("/var/lib/gemgate").rglob("state.db*"):  # what one test counted is not another's
        file.unlink()
    run("systemctl", "reset-failed", check=False)
    systemctl("start", SOCKET)


# --- HTTP ---


def connect(where=TCP, **kw):
    return http1.Connection(where, **kw)


def ask(method, target, headers=(), body=None, token="TOKEN", where=TCP, **kw):
    """One request on a separate connection; None if the peer closed without an answer."""
    headers = list(headers)
    if token:
        headers.append(("Authorization", f"Bearer {SECRETS[token]}"))
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
    with connect(where, **kw) as c:
        c.send(http1.compose(method, target, headers, body))
        return c.read(method)


def chat(content="Hi", model=MODEL, where=TCP, token="TOKEN", headers=(), **fields):
    messages = [{"role": "user", "content": content}]
    body = {"model": model, "messages": messages, **fields}
    return ask("POST", "/v1/chat/completions", headers, body, token, where)


def chat_request(content="Hi", **fields):
    """One chat as bytes, on a connection that ends with it."""
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": content}], **fields}).encode()
    headers = [("Authorization", f"Bearer {SECRETS['TOKEN']}"), ("Connection", "close")]
    return http1.compose("POST", "/v1/chat/completions", headers, body)


def health(where=TCP):
    a = ask("GET", "/health", token=None, where=where)
    assert a and a.status == 200, a
    return json.loads(a.body)


# --- journal ---


def cursor():
    """This moment in the journal; journal(after=…) reads on from there. Not journalctl's own cursor: in systemd 252
    --after-cursor together with a match leaves out the first entry that matches."""
    run("journalctl", "--sync")
    return f"@{time.time():.6f}"


def about(unit, matches):
    """The arguments of journalctl for the entries of a unit that match. `-u` believes the field UNIT only if PID 1 wrote
    it, and loses a line of the child that systemd forks for the unit when the child ends before journald has looked up
    its control group; so the fields are named here, with `+` for "or"."""
    fields = ["_SYSTEMD_UNIT", "UNIT", "OBJECT_SYSTEMD_UNIT"]
    alternatives = [[f"{field}={unit}", *matches] for field in fields]
    return [word for one in alternatives for word in ("+", *one)][1:]


def journal(*matches, after=None, unit=SERVICE, namespace=None):
    """Entries as dicts. Values that are no text come as journalctl gives them: lists of bytes. unit may be a pattern."""
    ns = [f"--namespace={namespace}"] if namespace else []
    run("journalctl", *ns, "--sync")
    argv = ["journalctl", *ns, "-q", "-o", "json", "--all"]
    if unit and "*" in unit:
        argv += ["-u", unit]
    elif unit:
        matches = about(unit, matches)
    if after:
        argv += [f"--since={after}"]
    return [json.loads(line) for line in run(*argv, *matches).splitlines()]


def said(after=None, unit=SERVICE):
    """Only the messages, those of the service and those of PID 1 about it."""
    return "\n".join(str(e.get("MESSAGE")) for e in journal(after=after, unit=unit))


def wait_said(text, after=None, unit=SERVICE):
    return wait.until(f"the journal to say {text!r}", lambda: text in said(after, unit))
