# SPDX-License-Identifier: MIT
"""Each of Google's paths goes there and back, byte for byte: the cases of google-paths.txt, one for each row of the daemon's
table."""
import json
import subprocess

import pytest

import google_paths
import house

CASES = google_paths.cases()
VERSIONS = ("v1beta", "v1", "v1alpha")
# A client for each case, so that its lists have only its own; these tokens are as secret as the others.
TOKENS = {c.row: f"{house.SECRETS['TOKEN']}-{i}" for i, c in enumerate(CASES)}
PASSED = {"host", "user-agent", "accept", "x-goog-api-key", "content-type", "content-length", "connection"}
OTHERS = [("Cookie", "a=b"), ("X-Goog-User-Project", "p"), ("X-Goog-Api-Client", "a/1")]


@pytest.fixture(scope="module", params=VERSIONS)
def one(request, running_sim, tmp_path_factory):
    """A daemon for all cases of a version, whose names are the same in each."""
    settings = {"ALLOWED_TOKENS": json.dumps(list(TOKENS.values()))}
    with house.Daemon(tmp_path_factory.mktemp("paths"), running_sim, settings) as d:
        d.version = request.param
        yield d


def rows():
    """METHOD PATH of each, as the daemon was built with."""
    program = house.BUILD / "tests" / "e2e" / "google-paths"
    return subprocess.check_output([program], text=True).splitlines()


def test_each_row_has_a_case():
    assert [c.row for c in CASES] == rows()


def test_a_case_is_of_its_row():
    """What its last step asks for has the form of the row."""
    for case in CASES:
        method, target, _, _ = google_paths.parts(case.steps[-1].sent if "predictLong" not in case.row else case.steps[0].sent)
        row, path = case.row.split(" ")
        have, want = target.split("?")[0].split("/"), path.split("/")
        assert method == row and len(have) >= len(want), case.row
        for h, w in zip(have, want):
            assert h == w or "{" in w and h.partition(":")[2] == w.partition(":")[2], case.row


@pytest.mark.unjudged
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.row)
def test_there_and_back(sim, one, start, case):
    token, version = TOKENS[case.row], one.version
    if case.row.startswith("GET /v1beta/models") and "operations" not in case.row:  # their list is kept
        one = start(ALLOWED_TOKENS=json.dumps([token]))
    for step in case.steps:
        sim.clear()
        answer = "\n".join(step.answer)
        form = "raw"
        if answer.startswith("data: "):
            form, answer = "sse", answer.removeprefix("data: ")
        sim.script(f"method=* : {form} <<END\n{answer}\nEND\n" if step.answer else "")
        method, target, headers, body = google_paths.parts(step.sent)
        there = target.replace("/v1beta/", f"/{version}/")
        a = one.ask(method, there, [*headers, ("x-goog-api-key", token), *OTHERS], body.encode() or None, token=None)
        if step.asked == ["none"]:
            assert sim.requests() == []
        else:
            asked = google_paths.parts(step.asked) if step.asked else (method, target, headers, body)
            told = [r.told for r in sim.requests()]
            assert len(told) == 1, told
            [r] = sim.requests()
            assert (r.method, r.target, r.body) == (asked[0], asked[1], asked[3])
            heads = {n.lower(): v for n, v in r.headers.items()}
            assert set(heads) - PASSED == {n.lower() for n, _ in headers} - PASSED, heads
            assert all(heads[n.lower()] == v for n, v in headers if n != "Content-Type")
        got = step.got or step.answer
        status, _, words = got[0].partition(" ")
        if status.isdigit():
            error = json.loads(a.body)["error"]
            assert (a.status, error["code"]) == (int(status), int(status)) and words in error["message"]
        else:
            assert (a.status, a.body.decode().rstrip("\r\n")) == (200, "\n".join(got))
