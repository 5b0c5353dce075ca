# SPDX-License-Identifier: MIT
"""UPSTREAM_CA_FILE: the CAs that Gemini's certificate is verified with."""
import pytest

import road
import wait
from test_reload import Configured


@pytest.fixture
def google(sim, tmp_path):
    g = road.Google(sim, *road.authority(tmp_path))
    yield g
    g.server.stop()


@pytest.fixture
def other(tmp_path):
    """The certificate of another authority, of the same names."""
    (tmp_path / "other").mkdir()
    return road.authority(tmp_path / "other")[0].read_text()


def cause(d):
    told = lambda: [e["cause"] for e in d.log() if e.get("dialect") == "openai-chat" and e.get("cause")]
    n = len(told())
    assert d.chat().status == 503
    wait.until("the line of the request", lambda: len(told()) > n)
    return told()[-1]


def test_reload(sim, tmp_path, google, other):
    """Each reload reads the file again, also if only its content has changed: it must not be known by its path."""
    good, ca_file = (tmp_path / "cert.pem").read_text(), tmp_path / "ca.pem"
    (tmp_path / "gemgated").mkdir()
    with Configured(tmp_path / "gemgated", sim) as d:
        d.set(GEMINI_BASE_URL=f"https://127.0.0.1:{google.server.port}")
        d.reload()
        assert "certificate" in cause(d)
        for content in (good, other, other + good, other):
            ca_file.write_text(content)
            d.set(UPSTREAM_CA_FILE=ca_file)
            d.reload()
            if good in content:
                assert d.chat().status == 200
            else:
                assert "certificate" in cause(d)
        ca_file.write_text(good)
        d.reload()
        assert d.chat().status == 200
        ca_file.write_text("nothing\n")
        d.refuse("UPSTREAM_CA_FILE: ", "/ca.pem: must be a file of certificates in PEM")
        assert d.chat().status == 200
        d.set(UPSTREAM_CA_FILE=None)
        d.reload()
        assert "certificate" in cause(d)
