# SPDX-License-Identifier: MIT
"""org.gemgate1 on the system bus: every method, property and signal, as root, as a member of the group, as another user, as a
user that polkit allows; with polkit and without; and a bus that goes away."""
import contextlib
import json
import subprocess
import threading
import xml.etree.ElementTree as tree
from pathlib import Path

import pytest

import machine
import wait
from house import MASKS, SECRETS, leaked
from load import Load
from machine import MODEL, SERVICE, TCP, chat_request, pid, run, systemctl

NAME, ROOT = "org.gemgate1", "/org/gemgate1"
MANAGER, KEY = "org.gemgate1.Manager", "org.gemgate1.Key"
XML = Path("/usr/share/dbus-1/interfaces")

# method → arguments for busctl, polkit's action, signature of the answer
METHODS = {
    (MANAGER, "ListKeyHealth"): ([], "read", "a(ossssusts)"),
    (MANAGER, "GetStatistics"): ([], "read", "a{sv}"),
    (MANAGER, "ListDays"): (["u", "7"], "read", "a(sstttt)"),
    (MANAGER, "ListClientDays"): (["u", "7"], "read", "a(st)"),
    (MANAGER, "ListRequests"): ([], "read", "a(ssssstssut)u"),
    (MANAGER, "ExplainPick"): (["s", MODEL], "read", "a(osbst)"),
    (MANAGER, "ExplainModel"): (["s", MODEL], "read", "a{sv}"),
    (MANAGER, "ResetHealth"): (["ss", "", ""], "reset", "u"),
    (MANAGER, "TestKeys"): ([], "manage", "a(ossssus)u"),
    (MANAGER, "Reload"): ([], "manage", None),
    (MANAGER, "SetLogLevel"): (["s", "info"], "manage", None),
    (KEY, "Reset"): (["s", ""], "reset", "u"),
    (KEY, "Disable"): ([], "manage", None),
    (KEY, "Enable"): ([], "manage", None),
    (KEY, "Test"): ([], "manage", "ssus"),
}
IDS = [f"{i.rpartition('.')[2]}.{m}" for i, m in METHODS]

RULES = Path("/etc/polkit-1/rules.d/50-gemgate-test.rules")
FRIEND = """
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.gemgate1.") == 0 && subject.user == "friend") return polkit.Result.YES;
});
"""


def call(interface, member, *arguments, path=None, user=None, check=False):
    path = path or (ROOT if interface == MANAGER else first_key())
    return run("busctl", "--json=short", "call", NAME, path, interface, member, *arguments, user=user, check=check)


def data(result):
    assert result.returncode == 0, result
    return json.loads(result.stdout)


def get(interface, name, path=ROOT, user=None):
    return run("busctl", "--json=short", "get-property", NAME, path, interface, name, user=user, check=False)


def value(name, interface=MANAGER, path=ROOT):
    return data(get(interface, name, path))["data"]


def rows():
    return data(call(MANAGER, "ListKeyHealth"))["data"][0]


def first_key():
    return next(p for p in run("busctl", "tree", "--list", NAME).split() if p.startswith(ROOT + "/key/"))


def key_of(mask):
    return next(r[0] for r in rows() if r[2] == mask)


def described(interface):
    """The members in the installed XML."""
    node = tree.parse(XML / f"{interface}.xml").getroot()
    return node.find(f"interface[@name='{interface}']")


@pytest.fixture(autouse=True)
def served(running, sim):
    """A daemon with one model in use."""
    for _ in range(2):
        assert machine.chat().status == 200


@pytest.fixture
def polkit_rule():
    RULES.write_text(FRIEND)
    RULES.chmod(0o644)
    wait.until("polkit to have read it", lambda: call(MANAGER, "ExplainPick", "s", MODEL, user="friend").returncode == 0)
    yield
    RULES.unlink()


@contextlib.contextmanager
def without_polkit():
    systemctl("mask", "--now", "--runtime", "polkit.service")
    try:
        yield
    finally:
        systemctl("unmask", "--runtime", "polkit.service")


def test_every_method_is_tried_here():
    """And has the signature in the XML; there are no other members."""
    for interface in (MANAGER, KEY):
        for method in described(interface).iter("method"):
            arguments, _, answer = METHODS[interface, method.get("name")]
            ins = "".join(a.get("type") for a in method if a.get("direction") == "in")
            outs = "".join(a.get("type") for a in method if a.get("direction") == "out")
            assert ins == (arguments[0] if arguments else "") and outs == (answer or "")


@pytest.mark.parametrize("interface, path", [(MANAGER, ROOT), (KEY, None)])
def test_introspection_is_the_xml(interface, path):
    """busctl sees what is in the file: members, signatures, flags."""
    out = run("busctl", "introspect", NAME, path or first_key(), interface)
    seen = set()
    for line in out.splitlines()[1:]:
        f = line.split()
        signature, result = f[2], f[3] if f[1] == "method" else ""
        seen.add((f[1], f[0][1:], signature.strip("-"), result.strip("-")))
    want = set()
    for m in described(interface):
        types = lambda d: "".join(a.get("type") for a in m if a.get("direction") == d)
        if m.tag == "method":
            want.add(("method", m.get("name"), types("in"), types("out")))
        elif m.tag == "property":
            want.add(("property", m.get("name"), m.get("type"), ""))
        elif m.tag == "signal":
            want.add(("signal", m.get("name"), "".join(a.get("type") for a in m.iter("arg")), ""))
    assert seen == want


@pytest.mark.parametrize("user", [None, "member", "friend"])
@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_method_as_one_who_may(method, user, polkit_rule):
    arguments, _, answer = METHODS[method]
    result = call(*method, *arguments, user=user)
    assert result.returncode == 0, result
    if answer:
        assert json.loads(result.stdout)["type"] == answer
    assert not leaked(result.stdout)


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_method_as_a_stranger(method, polkit_rule):
    result = call(*method, *METHODS[method][0], path=ROOT if method[0] == MANAGER else first_key(), user="stranger")
    assert result.returncode != 0
    assert "polkit" in result.stderr or "ccess denied" in result.stderr, result.stderr


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_method_without_polkit(method, polkit_rule):
    """No polkit means no, for those who need it; root and the group don't."""
    arguments = METHODS[method][0]
    path = ROOT if method[0] == MANAGER else first_key()
    with without_polkit():
        for user in ("friend", "stranger"):
            result = call(*method, *arguments, path=path, user=user)
            assert result.returncode != 0, (user, result)
        for user in (None, "member"):
            assert call(*method, *arguments, path=path, user=user).returncode == 0, user


@pytest.mark.parametrize("interface", [MANAGER, KEY])
def test_properties(interface, polkit_rule):
    """Only root and the group read them, whatever polkit answers."""
    path = ROOT if interface == MANAGER else first_key()
    names = [p.get("name") for p in described(interface).iter("property")]
    assert len(names) >= 7
    for name in names:
        for user in (None, "member"):
            result = get(interface, name, path, user)
            kind = next(p.get("type") for p in described(interface).iter("property") if p.get("name") == name)
            assert data(result)["type"] == kind
            assert not leaked(result.stdout)
        for user in ("friend", "stranger"):
            result = get(interface, name, path, user)
            assert result.returncode != 0 and "denied" in result.stderr, (user, name, result)


def test_what_properties_say():
    assert value("Version") in run("gemgated", "--version")
    assert value("KeysTotal") == value("KeysUsable") == 2
    assert value("RequestsToday") == value("RequestsTotal") == 2
    assert value("ActiveExchanges") == 0
    assert value("NextReset") > value("StartTimestamp") > 1_700_000_000_000_000
    path = key_of(MASKS["MASK1"])
    assert value("Mask", KEY, path) == MASKS["MASK1"] and value("Enabled", KEY, path) is True
    assert value("RequestsToday", KEY, path) == 1


def test_managed_objects():
    """ObjectManager at /org/gemgate1: one object a key."""
    out = json.loads(
        run("busctl", "--json=short", "call", NAME, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    )["data"][0]
    keys = [p for p in out if p.startswith(ROOT + "/key/")]
    assert len(keys) == 2 and all(KEY in out[p] for p in keys)
    refused = run(
        "busctl", "call", NAME, ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", user="stranger", check=False
    )
    assert refused.returncode != 0


def test_disable_and_enable():
    path = key_of(MASKS["MASK1"])
    data_ = call(KEY, "Disable", path=path)
    assert data_.returncode == 0 and value("Enabled", KEY, path) is False
    assert value("KeysUsable") == 1
    for _ in range(3):
        assert machine.chat().status == 200
    assert value("RequestsToday", KEY, path) == 1
    call(KEY, "Enable", path=path, check=True)
    assert value("Enabled", KEY, path) is True


def test_reset(sim):
    sim.script(f"key={SECRETS['KEY1']} : error invalid_key")
    for _ in range(3):
        assert machine.chat().status == 200
    assert value("KeysUsable") == 1
    sim.script("")
    path = key_of(MASKS["MASK1"])
    assert data(call(KEY, "Reset", "s", "", path=path))["data"] == [1]
    assert value("KeysUsable") == 2
    assert data(call(MANAGER, "ResetHealth", "ss", "", ""))["data"] == [0]


def test_explain(sim):
    sim.script(f"key={SECRETS['KEY1']} : error invalid_key")
    for _ in range(3):
        assert machine.chat().status == 200
    out = data(call(MANAGER, "ExplainPick", "s", MODEL))["data"][0]
    usable = [r[2] for r in out]
    assert usable == sorted(usable, reverse=True) and len(out) == 2 and out[0][1:3] and not out[-1][2]
    assert out[-1][3], "no reason is given"


@pytest.mark.parametrize(
    "method, arguments, error",
    [
        ("ResetHealth", ["ss", "no-such-key", ""], "NoSuchKey"),
        ("ResetHealth", ["ss", "", "no-such-model"], "NoSuchModel"),
        ("ExplainPick", ["s", "a model/that is none"], "InvalidModel"),
        ("SetLogLevel", ["s", "loud"], ""),
    ],
)
def test_errors_are_sentences(method, arguments, error):
    result = subprocess.run(
        ["dbus-send", "--system", "--print-reply", f"--dest={NAME}", ROOT, f"{MANAGER}.{method}"]
        + [f"string:{a}" for a in arguments[1:]],
        capture_output=True, text=True, timeout=20,
    )
    assert result.returncode != 0
    name, _, sentence = result.stderr.removeprefix("Error ").partition(": ")
    assert name.startswith("org.gemgate1.Error." + error), result.stderr
    assert sentence.strip().endswith(".") and " " in sentence, result.stderr


# --- signals ---


class Monitor:
    """dbus-monitor as a user: the signals of gemgate that reach it."""

    def __init__(self, user):
        owner = json.loads(
            run("busctl", "--json=short", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                "GetNameOwner", "s", NAME)
        )["data"][0]
        argv = ["dbus-monitor", "--system", "--monitor", f"type='signal',sender='{owner}'", "type='signal',interface='test.Test'"]
        if user:
            argv = ["runuser", "-u", user, "--", *argv]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.text = ""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.text += line

    def __enter__(self):
        # what we send ourselves and see: from now on it listens
        def heard():
            run("dbus-send", "--system", "--type=signal", "/test", "test.Test.Ready", check=False)
            return "member=Ready" in self.text

        wait.until("dbus-monitor to listen", heard)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def wait(self, member):
        wait.until(f"the signal {member}", lambda: f"member={member}" in self.text)
        return self.text


def cause_signals(sim):
    """One of each kind that there is."""
    systemctl("reload", SERVICE)
    sim.script(f"key={SECRETS['KEY1']} : error invalid_key")
    for _ in range(3):
        machine.chat()
    sim.script("* : error rpd")
    machine.chat()
    sim.script("")
    machine.configure(sim, keys=("KEY2", "KEY3"))
    systemctl("reload", SERVICE)


SIGNALS = ("Reloaded", "KeyHealthChanged", "QuotaExhausted", "PropertiesChanged", "InterfacesAdded", "InterfacesRemoved")


@pytest.mark.parametrize("user", [None, "member"])
def test_signals(user, sim):
    with Monitor(user) as m:
        cause_signals(sim)
        for name in SIGNALS:
            m.wait(name)
        assert MANAGER in m.text and not leaked(m.text)


def test_signals_are_not_for_strangers(sim):
    with Monitor("stranger") as stranger, Monitor(None) as root:
        cause_signals(sim)
        for name in SIGNALS:
            root.wait(name)
        # the bus delivers in order: what comes after is there, what came before is not
        run("dbus-send", "--system", "--type=signal", "/test", "test.Test.Last")
        stranger.wait("Last")
        assert not [name for name in SIGNALS if f"member={name}" in stranger.text], stranger.text


def test_changes_are_coalesced():
    """Many requests, few signals."""
    with Monitor(None) as m:
        with Load(TCP, chat_request()) as load:
            pass
        load.check()
        wait.until("the last figure", lambda: value("ActiveExchanges") == 0)
        m.wait("PropertiesChanged")
        assert m.text.count("member=PropertiesChanged") < max(10, load.ok / 3)


# --- the bus itself ---


def test_bus_restart_while_serving(running):
    """Serving is not harmed, and the name is back by itself."""
    with Load(TCP, chat_request()) as load:
        systemctl("restart", "dbus.service", timeout=60)
        wait.until("the name", lambda: get(MANAGER, "Version").returncode == 0)
    load.check()
    assert pid() == running
    assert call(MANAGER, "ListKeyHealth", user="member").returncode == 0


def test_no_bus_at_the_start():
    """A daemon without a bus serves; when one comes, its name is there."""
    systemctl("stop", SERVICE)
    systemctl("stop", "dbus.socket", "dbus.service", timeout=60)
    try:
        a = machine.chat()
        assert a and a.status == 200
    finally:
        systemctl("start", "dbus.socket", "dbus.service", timeout=60)
    first = machine.wait_active()
    wait.until("the name", lambda: get(MANAGER, "Version").returncode == 0)
    assert pid() == first


def test_name_is_not_for_everybody():
    """Only gemgate and root own it."""
    systemctl("stop", SERVICE)
    bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
    for user in ("stranger", "member"):
        result = run("busctl", "call", *bus, "RequestName", "su", NAME, 4, user=user, check=False)
        assert result.returncode != 0 and "ccess denied" in result.stderr, result
