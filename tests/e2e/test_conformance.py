# SPDX-License-Identifier: MIT
"""Each row of conformance.py, through gemgated. tests/lint/test_documents.py checks the document that is written from them."""
import json
import re

import conformance
import conformance_paths
import house
import pytest
from conformance import ABSENT, BASE, FORMS, OLDEST, PATHS, SPEECH

ROWS = list(conformance.named())
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")


@pytest.fixture(scope="module")
def one(running_sim, tmp_path_factory):
    """A daemon for all rows."""
    with house.Daemon(tmp_path_factory.mktemp("conformance"), running_sim) as d:
        yield d


def form(members):
    out = b""
    for name, value in members.items():
        if value is None:
            continue
        more = ""
        if isinstance(value, list):
            filename, kind, value = value
            more = f'; filename="{filename}"\r\nContent-Type: {kind}'
        out += f'--XyZ\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'.encode()
    return [("Content-Type", "multipart/form-data; boundary=XyZ")], out + b"--XyZ--\r\n"


def ask(d, endpoint, members):
    body = BASE[endpoint] | members
    headers, body = form(body) if endpoint in FORMS else ([], json.dumps(body).encode())
    answer = d.ask("POST", PATHS[endpoint], headers, body)
    kind = answer.header("Content-Type") or ""
    if not kind.startswith(("application/json", "text/event-stream")):
        return answer.status, {"(type)": kind, "(body)": answer.body.decode("latin-1")}
    text = answer.body.decode()
    if (answer.header("Content-Type") or "").startswith("text/event-stream"):
        events = [line.removeprefix("data: ") for line in text.split("\n") if line.startswith("data: ")]
        assert endpoint.startswith(("messages", "responses")) or events.pop() == "[DONE]"
        return answer.status, [json.loads(e) for e in events]
    return answer.status, json.loads(text)


def look(value, path):
    """What is at a path; `(some)` is the first element that has the rest."""
    for i, step in enumerate(steps := path.split(".")):
        if step == "(some)":
            found = [look(v, ".".join(steps[i + 1 :])) for v in value]
            return next((v for v in found if v not in (ABSENT, "")), ABSENT)
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, TypeError, ValueError):
            return ABSENT
    return value


def fits(value, expected):
    tests = {"(text)": lambda v: isinstance(v, str) and v, "(list)": lambda v: isinstance(v, list) and v,
             "(number)": lambda v: isinstance(v, (int, float)), "(a name)": lambda v: NAME.fullmatch(v)}
    if isinstance(expected, str) and expected in tests:
        return bool(tests[expected](value))
    if isinstance(expected, str) and expected.endswith("(and more)"):
        return isinstance(value, str) and value.startswith(expected.removesuffix("(and more)"))
    if isinstance(expected, str) and expected.startswith("(holds) "):
        return isinstance(value, str) and expected.removeprefix("(holds) ") in value
    return value == expected


def check(value, expected):
    for path, wanted in expected.items():
        found = look(value, path)
        assert fits(found, wanted), f"{path} is {found!r}, not {wanted!r}, in {value}"


@pytest.mark.parametrize("endpoint,row", [pytest.param(e, r, id=n) for n, e, r in ROWS])
def test_row(sim, one, endpoint, row):
    rule = f"{'method=*mbed*' if endpoint == 'embeddings' else '*'} : {row.script}" if row.script else ""
    sim.script(f"model {OLDEST}\nmodel {SPEECH}\n{rule}\n")
    status, answer = ask(one, endpoint, row.probe)
    upstream = [(r.target, json.loads(r.body)) for r in sim.requests()]
    if row.kind == "refused":
        param, message = row.expected
        error = answer["error"]
        param = None if endpoint.startswith("messages") else param  # Anthropic's form has none
        assert (status, error["type"], error.get("param"), upstream) == (400, "invalid_request_error", param, []), answer
        begins = message.startswith("(begins) ")
        assert error["message"].startswith(message.removeprefix("(begins) ")) if begins else error["message"] == message
        return
    assert status == 200, answer
    if row.kind == "answered":
        check(answer, row.expected)
    elif row.kind == "mapped":
        ((target, body),) = upstream
        check(body | {"(path)": target}, {k: v for k, v in row.expected.items() if k != "(path)"})
        assert target == row.expected.get("(path)", target)
    else:
        # The model of the probe stays: what is compared is the member.
        model = {"model": row.probe["model"]} if "model" in row.probe else {}
        assert ask(one, endpoint, model | row.expected)[0] == 200
        assert upstream[0][1] == json.loads(sim.requests()[-1].body)


def in_sample(route):
    """With the ids of Google's paths in conformance_paths."""
    ids = iter("xy")
    googles = route["description"] in ("as in Google's API", "is refused")
    return re.sub(r"\{[^}]*\}", lambda _: next(ids), route["path"]) if googles else route["path"]


def test_every_route_has_a_row(one):
    routes = json.loads(one.ask("GET", "/", token="ADMIN").body)["routes"]
    got = {(r["method"], in_sample(r), r["description"]) for r in routes}
    assert got == {conformance_paths.shown(r) for r in conformance_paths.ROUTES + conformance_paths.MANAGEMENT}


@pytest.mark.parametrize("route", [*conformance_paths.ROUTES, *conformance_paths.MANAGEMENT],
                         ids=lambda r: f"{r.method} {r.path}{r.rest}")
def test_route(sim, one, route):
    sim.script(f"model {SPEECH}\nmodel={SPEECH}: {conformance.SOUND}\n")
    headers, body = [], BASE[route.body] if isinstance(route.body, str) else route.body
    if route.body == "transcriptions":
        headers, body = form(body)
    token = "ADMIN" if route in conformance_paths.MANAGEMENT else "TOKEN"
    answer = one.ask(route.method, route.path + route.rest, headers, body, token=token)
    assert answer.status == route.status, answer.body
    asked = [r.target for r in sim.requests() if not re.search("/models[?]|sim[0-9]+$", r.target)]  # that of other rows
    assert asked == ([route.upstream] if route.upstream else [])
