# SPDX-License-Identifier: MIT
import os
import subprocess
from pathlib import Path

import pytest

import mock as gemgated

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("GEMGATE_BUILD", ROOT / "build-test")).resolve()
GEMGATECTL = BUILD / "src" / "gemgatectl"


class Ctl:
    """gemgatectl, run to its end with nothing but what a test gives it."""

    def __init__(self, address):
        self.env = gemgated.environment(address)

    def __call__(self, *args, status=0, **env):
        p = subprocess.run([GEMGATECTL, *args], env=self.env | env, stdin=subprocess.DEVNULL, capture_output=True,
                           text=True, timeout=60)
        assert p.returncode == status, f"{args} ended with {p.returncode}:\n{p.stdout}{p.stderr}"
        return p.stdout if status == 0 else p.stderr


@pytest.fixture(scope="session")
def private_bus(tmp_path_factory):
    bus = gemgated.PrivateBus(tmp_path_factory.mktemp("bus"))
    yield bus
    bus.close()


@pytest.fixture
def mock(private_bus):
    m = gemgated.Mock(private_bus.address)
    yield m
    m.close()


@pytest.fixture
def ctl(private_bus):
    return Ctl(private_bus.address)
