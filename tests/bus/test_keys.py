# SPDX-License-Identifier: MIT
"""Keys are objects: there are as many as the pool has, and no others."""
import json

import pytest

from client import KEY, MANAGER, OBJECTS, PATH, Error, plain
from house import MASKS, SECRETS

FLASH = "gemini-3.8-flash"
KEYS = PATH + "/key"
SPENT = f"key={SECRETS['KEY1']} model={FLASH}: error day\n*: text x"


def entry(n, name=None, **more):
    return {"key": SECRETS[f"KEY{n}"]} | ({"name": name} if name else {}) | more


class Configured:
    """A daemon with a configuration directory, so that it can be reloaded."""

    def __init__(self, machine, start, keys):
        self.folder = machine.new_folder()
        self.keys(keys)
        self.daemon = start(argv=[f"--config-dir={self.folder}"], API_KEYS="")
        machine.wait_owned()

    def keys(self, keys):
        self.write("api-keys", json.dumps(keys))

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o644)


@pytest.fixture
def configured(machine, start):
    return lambda *keys: Configured(machine, start, list(keys))


@pytest.fixture
def home(configured, connect):
    c = configured(entry(1, "home", project="p1"), entry(2))
    return c, connect()


def objects(root):
    return root.call("GetManagedObjects", path=PATH, interface=OBJECTS)


def test_objects(home):
    _, root = home
    have = objects(root)
    keys = [r[0] for r in root.call("ListKeyHealth")]
    assert set(have) == set(keys) and KEYS + "/home" in keys
    for path in keys:
        assert KEY in have[path]
        assert plain(have[path][KEY]) == root.get_all(path, KEY)


def test_properties(home, sim):
    c, root = home
    sim.script(SPENT)
    for _ in range(2):
        assert c.daemon.chat().status == 200
    have = root.get_all(KEYS + "/home", KEY)
    models = have.pop("Models")
    used = have.pop("LastUsed")
    assert "quota" in have.pop("LastError") and have.pop("LastErrorAt") >= used
    assert have == {"Id": "home", "Name": "home", "Mask": MASKS["MASK1"], "Project": "p1", "Enabled": True,
                    "State": "usable", "RequestsTotal": 1, "RequestsToday": 1}
    assert len(models) == 1
    model, state, errors, available, total, today, failed, last_used, error = models[0]
    assert (model, state, errors, total, today, failed) == (FLASH, "cooling", 0, 1, 1, 1)
    assert available > last_used == used and "quota" in error


def test_reset_of_one_key(home, sim):
    c, root = home
    sim.script(f"model={FLASH}: error day")
    c.daemon.chat()
    states = lambda: [r[6] for r in root.call("ListKeyHealth")]
    assert states() == ["cooling", "cooling"]
    assert root.call("Reset", "s", FLASH, path=KEYS + "/home", interface=KEY) == 1
    assert states() == ["usable", "cooling"]
    assert root.call("Reset", "s", "", path=KEYS + "/home", interface=KEY) == 0
    with pytest.raises(Error, match="NoSuchModel"):
        root.call("Reset", "s", "gemini-9", path=KEYS + "/home", interface=KEY)


def test_keys_of_one_mask_are_told_apart(configured, connect, sim):
    """Two keys with the same mask, and a third one that has this mask as its name."""
    alike = SECRETS["KEY1"][:10] + "Z" * 10 + SECRETS["KEY1"][20:]
    c = configured(entry(1), {"key": alike}, entry(2, MASKS["MASK1"]))
    root = connect()
    sim.script(f"model={FLASH}: error day")
    c.daemon.chat()
    first, second, third = root.call("ListKeyHealth")
    assert [r[2] for r in (first, second)] == [MASKS["MASK1"], MASKS["MASK1"] + "#2"]
    assert len({r[0] for r in (first, second, third)}) == 3
    assert root.call("Reset", "s", "", path=first[0], interface=KEY) == 1
    assert [r[6] for r in root.call("ListKeyHealth")] == ["usable", "cooling", "cooling"]


def test_disable_and_enable(home):
    c, root = home
    home, other = (r[0] for r in root.call("ListKeyHealth"))
    root.listen()
    root.call("Disable", path=home, interface=KEY)
    assert root.wait_told("KeyHealthChanged")[:5] == [home, "", "usable", "disabled", "disabled"]
    assert root.get("Enabled", home, KEY) is False and root.get("State", home, KEY) == "disabled"
    assert root.changes(KEY, home) == [{"State": "disabled", "Enabled": False}]
    root.wait("KeysEnabled", lambda: any(c.get("KeysEnabled") == 1 for c in root.changes()))
    for _ in range(4):
        assert c.daemon.chat().status == 200
    assert root.get("RequestsTotal", home, KEY) == 0 and root.get("RequestsTotal", other, KEY) == 4

    root.signals.clear()
    root.call("Enable", path=home, interface=KEY)
    assert root.wait_told("KeyHealthChanged")[:5] == [home, "", "disabled", "usable", "enabled"]
    assert c.daemon.chat().status == 200
    assert root.get("RequestsTotal", home, KEY) == 1
    root.signals.clear()
    root.call("Enable", path=home, interface=KEY)
    root.call("SetLogLevel", "s", "DEBUG")
    root.wait("something else", lambda: root.changes())
    assert root.told("KeyHealthChanged") == [], "a signal although nothing has changed"


@pytest.mark.parametrize("path", ["/none", "/home/deeper", "/AIza_2a_2a_2a_2a0001", ""])
def test_what_is_no_key_is_no_object(home, path):
    _, root = home
    with pytest.raises(Error, match="UnknownObject|UnknownMethod|UnknownInterface"):
        root.call("Enable", path=KEYS + path, interface=KEY)


def test_reload(home, connect):
    """Keys come and go as objects; one that stays keeps what is known of it."""
    c, root = home
    for _ in range(4):
        c.daemon.chat()
    other = next(p for p in objects(root) if p != KEYS + "/home")
    root.listen()
    c.keys([entry(1, "home"), entry(3, "new")])
    root.call("Reload")
    ok, message = root.wait_told("Reloaded")
    assert ok and message == "configuration reloaded: 1 key added, 1 removed, 1 kept"
    assert root.told("InterfacesRemoved", OBJECTS)[0][0] == other
    assert KEY in root.told("InterfacesRemoved", OBJECTS)[0][1]
    path, interfaces = root.told("InterfacesAdded", OBJECTS)[0]
    assert path == KEYS + "/new" and plain(interfaces[KEY])["Mask"] == MASKS["MASK3"]
    assert set(objects(root)) == {KEYS + "/home", KEYS + "/new"}
    assert root.get("RequestsTotal", KEYS + "/home", KEY) == 2
    assert root.get("ReloadTimestamp") > root.get("StartTimestamp")


def test_reload_names_what_has_changed(home):
    """Before the answer, so that a caller has it by then; never a value."""
    c, root = home
    root.listen()
    c.write("gemgate.env", "MAX_BODY=1M\nALLOWED_TOKENS=another-token-of-a-client-1\nDRAIN_TIMEOUT=30s\n")
    root.call("Reload")
    assert root.told("Reloaded") == [[True, "configuration reloaded: 0 keys added, 0 removed, 2 kept; changed: MAX_BODY; "
                                            "warning: changed, but fixed until a restart: ALLOWED_TOKENS in the environment"]]
    c.write("gemgate.env", "")
    root.call("Reload")
    root.signals.clear()
    root.call("Reload")
    assert root.told("Reloaded") == [[True, "configuration reloaded: 0 keys added, 0 removed, 2 kept"]]


def test_reload_tells_its_warnings(home):
    """What the log warns of is in the answer, too: a setting that waits for a restart. The log has it once."""
    c, root = home
    root.listen()
    c.write("gemgate.env", "MAX_CONNECTIONS=77\n")
    root.call("Reload")
    assert root.told("Reloaded") == [[True, "configuration reloaded: 0 keys added, 0 removed, 2 kept; "
                                            "warning: changed, but fixed until a restart: MAX_CONNECTIONS"]]
    assert len([e for e in c.daemon.log() if "fixed until a restart" in e["message"]]) == 1
    c.write("gemgate.env", "")
    root.call("Reload")
    assert root.told("Reloaded")[-1] == [True, "configuration reloaded: 0 keys added, 0 removed, 2 kept"]


def test_reload_renames(home):
    c, root = home
    c.daemon.chat()
    root.listen()
    c.keys([entry(1, "cottage"), entry(2)])
    root.call("Reload")
    root.wait_told("Reloaded")
    assert root.told("InterfacesRemoved", OBJECTS)[0][0] == KEYS + "/home"
    assert root.told("InterfacesAdded", OBJECTS)[0][0] == KEYS + "/cottage"
    assert root.get("RequestsTotal", KEYS + "/cottage", KEY) == 1


@pytest.mark.parametrize("file,text,word", [
    ("gemgate.env", "MAX_BODY=lots\n", "MAX_BODY: lots"),
    ("gemgate.env", "ALLOWED_IPS=[\"1.2.3\"]\n", "ALLOWED_IPS"),
    ("api-keys", '["AI', "API_KEYS"),
])
def test_reload_that_is_refused(home, file, text, word):
    c, root = home
    before = objects(root)
    root.listen()
    c.write(file, text)
    with pytest.raises(Error) as e:
        root.call("Reload")
    assert e.value.name == "org.gemgate1.Error.InvalidConfiguration" and word in e.value.sentence
    assert root.wait_told("Reloaded") == [False, e.value.sentence]
    assert objects(root) == before
    assert c.daemon.chat().status == 200


def test_reload_of_very_many(home, connect):
    """More keys are added and removed than the bus takes at once; the result of the reload is still sent."""
    c, root = home
    listener = connect()
    listener.driver("AddMatch", "s", "type='signal',member='Reloaded'")
    for n, tag in enumerate("ab", 1):
        c.keys([f"AIzaSyMany-{tag}{i:08d}-keys-and-keys-and" for i in range(20000)])
        root.call("Reload")
        listener.wait("Reloaded", lambda: len(listener.told("Reloaded")) == n)
    assert all(ok for ok, _ in listener.told("Reloaded"))
    assert root.get("KeysTotal") == 20000
