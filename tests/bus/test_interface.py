# SPDX-License-Identifier: MIT
"""dbus/*.xml is what the daemon serves, no more and no less."""
import xml.etree.ElementTree as tree

import pytest
from dbus_fast import SignatureTree

from client import KEY, MANAGER, PATH, PROPERTIES
from house import ROOT

INTROSPECTABLE = "org.freedesktop.DBus.Introspectable"


def shape(interface):
    """An interface as a set of lines."""
    out = set()
    for e in interface:
        notes = {a.get("name").rpartition(".")[2]: a.get("value") for a in e.findall("annotation")}
        notes.pop("Unprivileged", None)  # sd-bus's own; docs/DBUS.md has who may call them
        if e.tag == "property":
            out.add(("property", e.get("name"), e.get("type"), e.get("access"), notes.get("EmitsChangedSignal")))
        elif e.tag in ("method", "signal"):
            args = [(a.get("name"), a.get("type"), a.get("direction", "in" if e.tag == "method" else "out"))
                    for a in e.findall("arg")]
            out.add((e.tag, e.get("name"), *[(n, t, d if e.tag == "method" else None) for n, t, d in args]))
    return out


def live(root, path, name):
    document = tree.fromstring(root.call("Introspect", path=path, interface=INTROSPECTABLE))
    return next(i for i in document.findall("interface") if i.get("name") == name)


def written(name):
    return tree.parse(ROOT / "dbus" / f"{name}.xml").getroot().find("interface")


@pytest.fixture
def key(root):
    return root.call("ListKeyHealth")[0][0]


def test_manager(root):
    assert shape(live(root, PATH, MANAGER)) == shape(written(MANAGER))


def test_key(root, key):
    assert shape(live(root, key, KEY)) == shape(written(KEY))


def test_properties_are_of_their_types(root, key):
    for path, interface in (PATH, MANAGER), (key, KEY):
        want = {p.get("name"): p.get("type") for p in written(interface).findall("property")}
        have = root.call("GetAll", "s", interface, path=path, interface=PROPERTIES)
        assert {n: v.signature for n, v in have.items()} == want


def test_every_method_answers_with_its_types(root, key):
    """All of them, whatever they do: an error in the wrong place would not be one of ours."""
    arguments = {"ResetHealth": ["", ""], "ExplainPick": ["gemini-3.8-flash"], "ExplainModel": [""],
                 "SetLogLevel": ["INFO"], "Reset": [""], "ListDays": [7],
                 "ListClientDays": [7]}
    for path, interface in (PATH, MANAGER), (key, KEY):
        for m in written(interface).findall("method"):
            given = "".join(a.get("type") for a in m.findall("arg[@direction='in']"))
            back = [a.get("type") for a in m.findall("arg[@direction='out']")]
            body = root.call(m.get("name"), given, *arguments.get(m.get("name"), []), path=path, interface=interface)
            SignatureTree("".join(back)).verify(body if len(back) > 1 else [body] if back else [])


def test_tree(root, key):
    """Keys are below /org/gemgate1/key, and nothing else is anywhere."""
    nodes = lambda path: [n.get("name") for n in
                          tree.fromstring(root.call("Introspect", path=path, interface=INTROSPECTABLE)).findall("node")]
    assert nodes(PATH) == ["key"] or all(n.startswith("key") for n in nodes(PATH))
    assert PATH + "/key/" + nodes(PATH + "/key")[0] == key
