#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules of the house that a compiler doesn't know; see docs/ARCHITECTURE.md for why they are there.

    tests/lint/lint.py [FILE...]      without files: everything in the checkout

Prints `path:line: rule: what is wrong` for each fault, then the closing line; fails if there is one. Each rule is a
function from a Source to (line, message) pairs, in RULES at the end; test_lint.py feeds each of them a bad snippet.
"""
import os
import re
import sys

import english

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# --- the floors: a file includes only its own folder and these ---
FLOORS = {
    "base": set(),
    "core": {"base"},
    "config": {"base", "core"},  # config and pool do not know each other
    "pool": {"base", "core"},
    "dialect": {"base", "core", "pool"},
    "io": {"base"},
    "engine": {"base", "core", "pool", "dialect", "io"},
    "server": {"base", "core", "config", "pool", "dialect", "io", "engine"},
    "bus": {"base", "core", "config", "pool", "io"},
    "daemon": {"base", "core", "config", "pool", "dialect", "io", "engine", "server", "bus"},
    "runner": {"base"},
    "ctl": {"base"},
}

# --- each foreign library has its floors; an empty set: no file in src/ ---
FOREIGN = [
    (r"microhttpd\.h", {"io"}),
    (r"curl/.*", {"io"}),
    (r"nghttp2/.*", {"io"}),
    (r"wslay/.*", {"io"}),
    (r"sqlite3\.h|hiredis/.*", {"io"}),
    (r"systemd/.*", {"io", "bus", "daemon", "ctl"}),
    (r"openssl/.*", {"core", "io"}),
    (r"json-c/.*|json\.h", {"config", "dialect", "engine", "server", "runner"}),
    (r"pthread\.h|threads\.h|base/thread\.h", set()),
]

# --- and what one file alone may include ---
FOREIGN_FILES = {
    "src/base/thread.h": {"pthread.h"},
    "src/base/thread.c": {"base/thread.h"},
    # SQLite waits for the disk, and nothing but a thread would keep the loop from waiting with it
    "src/io/store-sqlite.c": {"pthread.h", "base/thread.h"},
    # likewise for the files of LOG_DIR
    "src/io/log-file.c": {"pthread.h", "base/thread.h"},
    # likewise for the files of the configuration, which also take long to parse with 100,000 keys
    "src/daemon/config-thread.c": {"pthread.h", "base/thread.h"},
    # what is done for a body of many MiB takes longer than the loop may be held
    "src/io/worker.c": {"pthread.h", "base/thread.h"},
    # the system's resolver waits for files and servers
    "src/io/resolver.c": {"pthread.h", "base/thread.h"},
    # what nothing reads, such as a full pipe, makes its writer wait
    "src/base/log-outlet.c": {"pthread.h", "base/thread.h"},
    # a large request is translated beside the loop, and looks up its signatures there
    "src/core/response-store-internal.h": {"pthread.h"},
    "src/core/vault-internal.h": {"pthread.h"},
}

# --- calls that have a better sister ---
FORBIDDEN = {
    "sprintf": "snprintf or buf_printf",
    "vsprintf": "vsnprintf",
    "strcpy": "memcpy with a known length",
    "stpcpy": "memcpy with a known length",
    "strcat": "a Buf",
    "strncpy": "memcpy with a known length",
    "strncat": "a Buf",
    "atoi": "a parser that knows failure",
    "atol": "a parser that knows failure",
    "atoll": "a parser that knows failure",
    "atof": "a parser that knows failure",
    "strtok": "text.h's walkers",
    "strtok_r": "text.h's walkers",
    "gets": "getline",
    "alloca": "malloc with _cleanup_free_",
    "system": "posix_spawn",
    "popen": "posix_spawn",
    "gmtime": "gmtime_r",
    "localtime": "localtime_r",
    "ctime": "clock.h",
    "rand": "getrandom",
    "mktemp": "mkstemp",
    "tmpnam": "mkstemp",
}

# --- waiting by the clock hides races and costs time: tests wait for the thing itself ---
SLEEPS = {"sleep", "usleep", "nanosleep", "clock_nanosleep"}
SLEEPERS = {"tests/e2e/wait.py", "tests/system/boot.sh"}  # the loops that poll, with a deadline

# --- where the bytes of a secret may be seen; everyone else has the mask ---
REVEALERS = {
    "src/base/secret.h",
    "src/base/secret.c",
    "src/core/digest.c",  # SHA-256, for ids
    "src/io/http1-request.c",  # x-goog-api-key
    "src/io/http2-request.c",  # likewise
    "src/io/tunnel.c",  # the URL of a proxy
    "src/engine/cli-runner.c",  # a job token, to its runner
}

SOURCE_MAX, HEADER_MAX, COLUMNS = 800, 120, 109

CODE = (".c", ".h")
KINDS = CODE + (".py", ".mjs", ".sh")
SKIP = re.compile(r"^(build[^/]*|node_modules|\.git|\.venv|__pycache__|\.pytest_cache|corpus|data|golden)$")


class Source:
    """One file: its path from the root, its text, and for C the same text with comments and strings blanked."""

    def __init__(self, path, text):
        self.path, self.text = path, text
        self.lines = text.split("\n")
        self.floor = m.group(1) if (m := re.match(r"src/([^/]+)/", path)) else None
        self.is_c = path.endswith(CODE)
        self.in_tests = path.startswith("tests/")
        self.code = blank(text) if self.is_c else text

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1


def blank(text):
    """C without comments and literals, every other byte where it was."""
    token = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)
    return token.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def arguments(code, offset):
    """The arguments of the call whose opening bracket is at offset, split at their top level."""
    depth, start, out = 0, offset + 1, []
    for i in range(offset, len(code)):
        c = code[i]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                return out + [code[start:i].strip()]
        elif c == "," and depth == 1:
            out.append(code[start:i].strip())
            start = i + 1
    return out


def calls(source, names):
    for m in re.finditer(r"(?<![\w.>])(%s)\s*\(" % "|".join(map(re.escape, names)), source.code):
        yield m


# --- rules ---


def floor_includes(s):
    if s.floor is None or not s.is_c:
        return
    if s.floor not in FLOORS:
        yield 1, f"src/{s.floor} is no floor"
        return
    for n, line in enumerate(s.lines, 1):
        m = re.match(r'\s*#\s*include\s*"([^"]*)"', line)
        if not m:
            continue
        target = m.group(1).partition("/")[0] if "/" in m.group(1) else None
        if target is None or target in (".", ".."):
            yield n, f'"{m.group(1)}" has no floor in its path'
        elif target != s.floor and target not in FLOORS[s.floor]:
            yield n, f"{s.floor} must not include {target}"


def foreign_includes(s):
    if s.floor is None or not s.is_c:
        return
    for n, line in enumerate(s.lines, 1):
        m = re.match(r"\s*#\s*include\s*[<\"]([^>\"]*)", line)
        for pattern, floors in FOREIGN if m else ():
            if m.group(1) in FOREIGN_FILES.get(s.path, ()):
                continue
            if re.fullmatch(pattern, m.group(1)) and s.floor not in floors:
                yield n, f"{m.group(1)} belongs to {', '.join(sorted(floors)) or 'nobody'}"


def length(s):
    limit = HEADER_MAX if s.path.endswith(".h") else SOURCE_MAX
    n = s.text.count("\n")
    if n > limit:
        yield limit + 1, f"{n} lines, at most {limit}"


def forbidden_calls(s):
    if s.is_c:
        for m in calls(s, FORBIDDEN):
            yield s.line_of(m.start()), f"{m.group(1)}: use {FORBIDDEN[m.group(1)]}"


def sleeping(s):
    if not s.in_tests or s.path in SLEEPERS or s.path.startswith("tests/bench/"):
        return
    if s.is_c:
        found = calls(s, SLEEPS)
    elif s.path.endswith(".py"):
        found = re.finditer(r"\b((?:time|asyncio)\.sleep)\s*\((?!0\))|from time import .*\b(sleep)\b", s.code)
    elif s.path.endswith(".mjs"):
        found = re.finditer(r"\b(setTimeout|setInterval)\b", s.code)
    else:
        found = re.finditer(r"^\s*(sleep)\s", s.code, re.M)
    for m in found:
        yield s.line_of(m.start()), f"{m.group(1) or m.group(2)} in a test: wait for the thing itself (tests/e2e/wait.py)"


def revealing(s):
    if s.path in REVEALERS or s.in_tests or not s.is_c:
        return
    for m in calls(s, ["secret_reveal"]):
        yield s.line_of(m.start()), "secret_reveal: this file is not in the list of those that may"


def timer_accuracy(s):
    """For sd-event accuracy 0 means 250 ms late, not exact; 1 is exact."""
    if not s.is_c:
        return
    where = {"sd_event_add_time": 4, "sd_event_add_time_relative": 4, "sd_event_source_set_time_accuracy": 1}
    for m in calls(s, where):
        given = arguments(s.code, m.end() - 1)
        at = where[m.group(1)]
        if len(given) > at and re.fullmatch(r"0[uUlL]*", given[at]):
            yield s.line_of(m.start()), f"{m.group(1)} with accuracy 0 means 250 ms; 1 is exact"


def licence(s):
    if not any("SPDX-License-Identifier: MIT" in line for line in s.lines[:2]):
        yield 1, "no SPDX-License-Identifier: MIT in the first lines"


def form(s):
    if s.text and not s.text.endswith("\n"):
        yield len(s.lines), "no newline at the end"
    for n, line in enumerate(s.lines, 1):
        if "\t" in line:
            yield n, "a tab"
        if line != line.rstrip():
            yield n, "blanks at the end of the line"
        if s.is_c and len(line) > COLUMNS:
            yield n, f"{len(line)} columns, at most {COLUMNS}"


def comment_style(s):
    if s.is_c:
        for m in re.finditer(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|(//)", s.text, re.S):
            if m.group(1):
                yield s.line_of(m.start()), "a // comment: /* */ here"


def comment_form(s):
    """What a formatter does to a comment that it may reflow: a stray slash, and lists that are no lists any more."""
    if not s.is_c:
        return
    for m in re.finditer(r"/\*.*?\*/", s.text, re.S):
        first, text = s.line_of(m.start()), None  # text: the column of the list item's text
        for n, line in enumerate(m.group().split("\n"), first):
            if re.search(r"\s/$", line):
                yield n, "a comment's line ends in a stray /"
            item = re.match(r"( *\* +(?:-|\d+\.) )\S", line)
            if item:
                text = len(item.group(1))
            elif not line.strip(" */"):
                text = None
            elif text is not None and len(re.match(r" *\* *", line).group()) < text:
                yield n, "the continuation of a list's item is not indented"


def plain_english(s):
    for offset, words, better in english.refused(s.path, s.text):
        yield s.line_of(offset), f'"{words}": rather {better}'


def machine_paths(s):
    """The project builds wherever it is cloned, by itself."""
    for n, line in enumerate(s.lines, 1):
        if m := re.search(r"(?<![\w.])(/work/|\.\./shared\b|/tmp/b-\w+)", line):
            yield n, f"{m.group(1)} is a path of one machine"


RULES = [
    floor_includes,
    foreign_includes,
    length,
    forbidden_calls,
    sleeping,
    revealing,
    timer_accuracy,
    licence,
    form,
    comment_style,
    comment_form,
    plain_english,
    machine_paths,
]
PROSE_RULES = {plain_english}  # for texts, which are no sources

# Files that quote what the rules look for.
EXEMPT = {p: {machine_paths, sleeping} for p in ("tests/lint/lint.py", "tests/lint/test_lint.py")}
EXEMPT["tests/lint/english.py"] = {plain_english}
EXEMPT["tests/lint/test_lint.py"].add(plain_english)
EXEMPT["packaging/debian/rules"] = {form}  # make needs its tabs


def check(path, text):
    s = Source(path, text)
    for rule in PROSE_RULES if is_prose(path) else RULES:
        if rule not in EXEMPT.get(path, ()):
            for line, message in rule(s):
                yield line, rule.__name__.replace("_", "-"), message


def is_prose(path):
    return path.endswith(english.PROSE) and not path.endswith(KINDS)


def wanted(path):
    """Sources and texts by their suffix; scripts without one by their first line."""
    if path.endswith(KINDS) or is_prose(path):
        return True
    if "." in os.path.basename(path):
        return False
    with open(os.path.join(ROOT, path), "rb") as f:
        return f.read(2) == b"#!"


def tree():
    yield from ("README.md", ".env.example", "Dockerfile")
    for top in ("src", "tests", "packaging", ".ci", "docs", "units", "dbus"):
        for folder, folders, files in os.walk(os.path.join(ROOT, top)):
            folders[:] = sorted(f for f in folders if not SKIP.match(f))
            for name in sorted(files):
                path = os.path.relpath(os.path.join(folder, name), ROOT)
                if wanted(path):
                    yield path


def main(arguments_):
    paths = [os.path.relpath(os.path.abspath(a), ROOT) for a in arguments_] or list(tree())
    good = bad = 0
    for path in paths:
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            faults = list(check(path, f.read()))
        for line, rule, message in faults:
            print(f"{path}:{line}: {rule}: {message}")
        bad += bool(faults)
        good += not faults
    print(f"{good} passed, {bad} failed")
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
