# SPDX-License-Identifier: MIT
"""What docs/ lists is what the sources have: events and fields of the log, error types and codes, routes, settings. Each side
is read as text, so a new row of a table fails here until the page has it, and a row of the page that is in no table, too."""
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def page(name):
    return (ROOT / name).read_text()


@functools.cache
def sources():
    return {p.relative_to(ROOT): p.read_text() for p in sorted((ROOT / "src").rglob("*.[ch]"))}


def section(text, title):
    """From its heading to the next one of any depth."""
    return re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", text, re.M | re.S)[1]


def rows(text):
    """The cells of each row of the tables in it, without their heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [r for r, after in zip(cells, cells[1:] + [[""]]) if not set(r[0]) <= set("-") and not (after[0] and set(after[0]) <= set("-"))]


def quoted(text):
    return set(re.findall(r"`([^`]+)`", text))


def calls(text, name):
    """The arguments of each call, as text."""
    for m in re.finditer(rf"\b{name}\(", text):
        depth, end = 1, m.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[m.end() : end - 1]


# --- docs/LOGS.md ---


def message_ids():
    return dict(re.findall(r'#define (MESSAGE_\w+)\s+"([0-9a-f]{32})"', page("src/daemon/message-ids.h")))


def test_every_event_of_the_log_is_listed():
    listed = [next(iter(quoted(r[2]))) for r in rows(section(page("docs/LOGS.md"), "Events"))]
    assert sorted(listed) == sorted(message_ids().values())
    assert sorted(re.findall(r"^-- ([0-9a-f]{32})$", page("packaging/gemgate.catalog"), re.M)) == sorted(listed)
    units = "".join(p.read_text() for p in (ROOT / "units").glob("*.service"))
    others = {p: t for p, t in sources().items() if p.name != "message-ids.h"}
    for name in message_ids():
        assert any(re.search(rf"\b{name}\b", t) for t in others.values()) or message_ids()[name] in units, f"{name} is in no call"
    # an id that is not in the header would be in no list
    assert [str(p) for p, t in others.items() for _ in re.findall(r'log_event\([^;]*"[0-9a-f]{32}"', t)] == []


def test_every_event_has_the_level_that_is_listed():
    """Of those whose level is in the same call as the id."""
    listed = {next(iter(quoted(r[2]))): r[1] for r in rows(section(page("docs/LOGS.md"), "Events"))}
    found = {}
    for text in sources().values():
        for level, name in re.findall(r"LOG_LEVEL_(\w+),\s*(MESSAGE_\w+)", text):
            found[name] = level.lower()
    assert len(found) > 10
    assert {name: listed[message_ids()[name]] for name in found} == found


def log_fields():
    found = set()
    for text in sources().values():
        for name in ("log_struct", "log_event", "log_ids"):
            for arguments in calls(text, name):
                found |= set(re.findall(r'\{\s*"([a-z_]+)"\s*,', arguments))
        found |= set(re.findall(r'LogField\)?\s*(?:field = )?\{\s*"([a-z_]+)"', text))
    return {name.upper() for name in found}


def test_every_field_of_the_log_is_listed():
    text, fields = page("docs/LOGS.md"), log_fields()
    assert len(fields) > 30
    assert sorted(f for f in fields if f not in quoted(text)) == []
    listed = {name for r in rows(section(text, "One line for each request")) for name in quoted(r[0])}
    assert sorted(listed - fields) == [], "listed, but in no call"


# --- docs/HTTP.md: errors ---


def table_of(path, pattern):
    return re.findall(pattern, page(path))


def code_errors():
    """(status, type, code), where the code may be empty."""
    return {(int(s), t, c) for s, t, c in table_of("src/dialect/api-error.c", r'\{ (\d+), "(\w+)", (?:NULL|"(\w+)") \},')}


def codes():
    """Also those that a rule or a handler sets."""
    text = page("src/dialect/api-error.c")
    of_rules = re.findall(r'\[VERDICT_\w+\] = \{ \d+, "(\w+)"', text)
    set_elsewhere = [c for t in sources().values() for c in re.findall(r'(?:->|\.)code = "(\w+)"', t)]
    return {c for _, _, c in code_errors() if c} | set(of_rules) | set(set_elsewhere)


def listed_errors():
    """In OpenAI's form."""
    for status, kind, code, _ in rows(section(page("docs/HTTP.md"), "Errors")):
        for c in code.split(", "):
            yield int(status), kind, "" if c == "null" else c


def test_every_error_is_listed():
    listed = set(listed_errors())
    assert sorted(code_errors() - listed) == []
    assert {c for _, _, c in listed if c} == codes()
    types = {t for _, t, _ in code_errors()} | {"server_error"}  # of what has no row: 500
    assert {t for _, t, _ in listed} == types
    whole = 0  # the bodies that are written as a whole
    for path, text in sources().items():
        if "dialect" in path.parts:
            continue
        for t, c in re.findall(r'\\"type\\":\\"(\w+_error)\\",\s*"?\s*"?\\"param\\":null,"?\s*"?\\"code\\":(?:\\"(\w+)\\"|null)', text):
            assert (t, c) in {(kind, code) for _, kind, code in listed}, path
            whole += 1
    assert whole == 5


def test_every_type_of_anthropics_errors_is_listed():
    rows_of_code = table_of("src/dialect/anthropic/error.c", r'\{ (\w+), "(\w+)" \}')
    in_code = {(529 if s == "OVERLOADED" else int(s), t) for s, t in rows_of_code}
    listed = {(int(s), t.strip("`")) for s, t in rows(section(page("docs/HTTP.md"), "Errors in Anthropic's form"))}
    assert in_code == {(s, t) for s, t in listed if s not in (500, 502, 503)}
    assert {t for s, t in listed if s in (500, 502, 503)} == {"api_error"}


def test_every_status_of_googles_errors_is_listed():
    in_code = {(int(s), t) for s, t in table_of("src/dialect/gemini/error-shape.c", r'\{ (\d+), "([A-Z_]+)" \}')}
    listed = {(int(s), t.strip("`")) for s, t in rows(section(page("docs/HTTP.md"), "Errors in Google's form"))}
    assert in_code == {(s, t) for s, t in listed if s not in (500, 502)}
    assert {t for s, t in listed if s in (500, 502)} == {"INTERNAL"}


def test_every_verdict_is_listed():
    names = set(re.findall(r'\[VERDICT_\w+\]\s*= \{ "(\w+)"', page("src/core/verdict.c")))
    assert len(names) > 20
    listed = {n for r in rows(page("docs/DIALECTS.md")) for n in quoted(r[0])} | quoted(page("docs/DIALECTS.md"))
    assert sorted(names - listed - {"ok"}) == []


# --- docs/HTTP.md: routes ---


def code_routes():
    """The rows of the table, and what Google's versions share. The rest of Google's API is in CONFORMANCE.md."""
    text = page("src/server/routes.c")
    table = re.search(r"static const Route routes\[\] = \{\n(.*?)^\};", text, re.M | re.S)[1]
    shared = re.search(r"#define EXCHANGES\(version\)(.*?)^\n", text, re.M | re.S)[1]
    found = re.findall(r'"([A-Z]+)",\s*"(/[^"]*)"', table)
    found += [(m, "/v1beta" + p) for m, p in re.findall(r'"([A-Z]+)",\s*version "(/[^"]*)"', shared)]
    return {(m, p + "{}" if len(p) > 1 and p.endswith("/") else p) for m, p in found}


def probed_routes():
    """All of them, from the page that test_conformance.py compares with the daemon."""
    first = [r[0] for r in rows(section(page("docs/CONFORMANCE.md"), "Paths"))]
    found = re.findall(r"`([A-Z]+) (/[^`]*)`", "\n".join(first))
    return {(m, re.sub(r"(\{|(?<=/)x\b).*", "{}", p)) for m, p in found}  # Google's have x for an id


def listed_routes():
    methods = {"…": ["GET", "POST", "PATCH", "DELETE"]}
    for cell, paths, *_ in rows(page("docs/HTTP.md").partition("\n## ")[0]):
        if not re.fullmatch(r"[A-Z, ]+|…", cell):
            continue  # another table
        for method in methods.get(cell, cell.split(", ")):
            for path in quoted(paths):
                yield cell, method, re.sub(r"\{.*", "{}", path)
                if cell == "…":  # and each object below it
                    yield cell, method, path + "/{}"


def test_every_route_is_listed():
    routes = code_routes()
    assert len(routes) > 30
    listed = {(m, p) for _, m, p in listed_routes()}
    assert sorted(routes - listed) == [("POST", "/v1/responses/{}")]  # {id}/cancel, in the row of GET
    probed = probed_routes()
    assert len(probed) > 100
    assert sorted((m, p) for cell, m, p in listed_routes() if cell != "…" and (m, p) not in routes | probed) == []


# --- settings ---


def settings():
    return re.findall(r'^        \{ "([A-Z_]+)",', page("src/config/table.c"), re.M)


def test_every_setting_is_listed():
    assert len(settings()) > 40
    assert [r[0] for r in rows(section(page("docs/CONFIG.md"), "Settings"))] == settings()
    example = set(re.findall(r"^#?([A-Z_]+)=", page(".env.example"), re.M))
    composed = set(re.findall(r"\$\{([A-Z_]+)", page("packaging/compose.yaml"))) | {n for n in example if n.startswith("COMPOSE_")}
    assert sorted(set(settings()) - example) == []
    assert sorted(example - set(settings()) - composed) == ["TZ"]  # everybody's
