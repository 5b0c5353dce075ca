# SPDX-License-Identifier: MIT
"""What there is, is in the manual: verbs, options, settings, the interface."""
import re
import xml.etree.ElementTree as tree

import pytest

from gemgatectl import BUILD, GEMGATED, ROOT, run

MAN = BUILD / "docs" / "man"


def page(name):
    """The words of a page: escapes undone, fonts forgotten."""
    text = (MAN / name).read_text()
    text = re.sub(r"\\f[A-Z]", "", text)
    return re.sub(r"\\(-|\[[^]]*\]|.)", lambda m: {"[cq]": "'"}.get(m.group(1), m.group(1)[-1:]), text)


def names(what):
    return [line.split("\t")[0].rstrip("=") for line in run(["_complete", what])[1].splitlines()]


@pytest.mark.parametrize("what", ["verbs", "options"])
def test_gemgatectl(what):
    text = page("gemgatectl.1")
    found = names(what)
    assert len(found) > 5
    for name in found:
        # at the beginning of an entry, or behind a short option
        assert re.search(rf"^(-\w, )?{re.escape(name)}\b", text, re.M), f"{name} is not in gemgatectl(1)"


def test_exit_statuses():
    header = (ROOT / "src" / "ctl" / "ctl.h").read_text()
    statuses = {"0", *re.findall(r"CTL_\w+ = (\d+)", header)}
    assert statuses == {"0", "1", "3", "4", "64"}
    section = page("gemgatectl.1").split("EXIT STATUS")[1].split("ENVIRONMENT")[0]
    assert set(re.findall(r"^(\d+)$", section, re.M)) == statuses


def test_states():
    words = (ROOT / "src" / "ctl" / "words.c").read_text()
    states = re.findall(r'\{ "(\w+)", STYLE_', words)
    assert len(states) == 9
    for state in states:
        assert re.search(rf"^{state}$", page("gemgatectl.1"), re.M), state


def test_gemgated_options():
    _, text, _ = run(["--help"], program=GEMGATED)
    options = re.findall(r"^  (--[\w-]+)", text, re.M)
    assert len(options) >= 5
    for option in options:
        assert re.search(rf"^{option}\b", page("gemgated.8"), re.M), f"{option} is not in gemgated(8)"


def test_settings():
    _, text, _ = run(["--help"], program=GEMGATED)
    settings = re.findall(r"^  ([A-Z_]+) ", text, re.M)
    assert len(settings) > 20
    for setting in settings:
        assert re.search(rf"^{setting}$", page("gemgate.env.5"), re.M), f"{setting} is not in gemgate.env(5)"


@pytest.mark.parametrize("interface", ["Manager", "Key"])
def test_interface(interface):
    text = page("org.gemgate1.5")
    members = [m.get("name") for kind in ("method", "signal", "property")
               for m in tree.parse(ROOT / "dbus" / f"org.gemgate1.{interface}.xml").iter(kind)]
    assert members
    for member in members:
        assert member in text, f"{member} is not in org.gemgate1(5)"
