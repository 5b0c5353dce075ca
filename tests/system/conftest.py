# SPDX-License-Identifier: MIT
"""The package is installed once; each test finds the machine as after the installation, with a configuration whose
upstream is gemini-sim, the socket active and the service stopped."""
import os
import stat
from pathlib import Path

import pytest

import machine
from fixtures import running_sim, sim  # noqa: F401

# Files that come first, and last, in this order.
FIRST = ["package", "activation"]
LAST = ["upgrade", "canaries", "reboot", "remove"]


def pytest_configure():
    comm = Path("/proc/1/comm").read_text().strip()
    if comm != "systemd" or not Path("/etc/.sdh").exists():
        pytest.exit("these tests run on a system that boot.sh has booted: ./tests/run system", 1)


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.stem.removeprefix("test_")
        return FIRST.index(name) - len(FIRST) if name in FIRST else LAST.index(name) + 1 if name in LAST else 0

    items.sort(key=place)


@pytest.fixture(scope="session")
def deb():
    return Path(os.environ["GEMGATE_DEB"])


@pytest.fixture(scope="session")
def installed(deb):
    """dpkg -i, as an operator does; returns its output. On the second boot the package is installed already."""
    if machine.run("dpkg-query", "-W", "gemgate", check=False).returncode == 0:
        return ""
    try:
        said = machine.run("dpkg", "-i", deb, timeout=300)
    except AssertionError as e:
        pytest.exit(f"the package cannot be installed: {e}", 1)
    for file in machine.ETC.iterdir():
        mode = stat.S_IMODE(file.stat().st_mode)
        machine.found_in_etc[file.name] = mode, file.owner(), file.group(), file.read_text()
    machine.run("usermod", "-a", "-G", "gemgate", "member")
    return said


@pytest.fixture(autouse=True)
def fresh(installed, sim):  # noqa: F811
    machine.clean()
    machine.configure(sim)
    yield
    machine.clean()


@pytest.fixture
def running(fresh):
    """The service, started by a first connection."""
    machine.health()
    return machine.wait_active()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.journal_cursor = machine.cursor()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """The report of a failed test has the journal of that time."""
    report = (yield).get_result()
    if report.failed:
        machine.run("journalctl", "--sync")
        lines = machine.run("journalctl", "-q", "-o", "short-precise", f"--since={item.journal_cursor}").splitlines()
        lines = [line[:400] for line in lines if not line.endswith((" 200", "(uid=0)"))]  # without the many that are well
        report.sections.append(("journal", "\n".join(lines[-40:])))
