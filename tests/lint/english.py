# SPDX-License-Identifier: MIT
"""The words that plain English does without; see "Plain English" in docs/ARCHITECTURE.md.

Looked for in comments and in strings of C and Python, and in every line of other texts. A string without a blank is a
name or a value, no sentence. Quotes of code between `backticks` and names such as on_heard() are let pass.
"""
import re

# What is refused, and what is written instead.
WORDS = {
    r"whoever|nobody|somebody|anybody|everybody": "name the thing: a client, the caller, no other process",
    r"told|heard|hears": "receives, reports, is notified, gets",
    r"says|said": "a program names, reports, sends, returns",
    r"stands?": "is, applies, holds",
    r"he|him|his": "it, the request, the client",
    r"of (?:its|their) own": "its own X, a separate X",
    r"no word|without a word|the word that": "a notification, silently",
    r"has had (?:its|his) turn": "was dequeued",
    r"what is no \w+": "X that is not …",
    r"can(?:not)? be had|could (?:not )?be had": "is available",
    r"anew": "again",
    r"in vain": "without success",
    r"for want of": "for lack of, without",
    r"befalls?": "happens to",
}
REFUSED = [(re.compile(rf"(?<![\w'./-])(?:{words})(?![\w'(/-])", re.I), better) for words, better in WORDS.items()]

# Path, the words as they are there, and why they may be.
ALLOWED = [
    ("src/runner/privilege.", "nobody", "the user of that name"),
    ("docs/SANDBOX.md", "nobody", "the same"),
    ("tests/e2e/test_health.py", "nobody", "an instance of that name"),
    ("src/core/ceiling.", "told", "a value that statistics show"),
    ("docs/HTTP.md", "told", "the same value, in an example"),
    ("src/pool/admin.h", "told", "the same value, in an example"),
    ("tests/unit/test-ceiling.c", "told", "the same value"),
    ("src/daemon/turn-away.c", "says", "its text is a fixed number of bytes, which tests know"),
    ("src/engine/engine-cli.c", "says", "the same sentence"),
    ("tests/e2e/test_start.py", "says", "the same sentence"),
    ("tests/system/test_restart.py", "says", "the same sentence"),
    ("tests/bench/", "stands", "a model's answer of a fixed length"),
    ("tests/sim/sim-answer.c", "said", "the simulated model speaks to a person"),
]

PROSE = (".md", ".scd", ".xml", ".catalog", ".in", ".service", ".policy", ".conf", ".container", ".socket", ".yaml",
         ".env.example", "Dockerfile", "requirements.txt")

C = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)
PYTHON = re.compile(r"#[^\n]*|\"\"\".*?\"\"\"|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.S)
CODE_IN_TEXT = re.compile(r"`[^`\n]*`")
FIELD_IN_STRING = re.compile(r"\{[^{}\n]*\}")


def blank(m):
    return " " * len(m.group())


def texts(path, text):
    """(offset, text) of what people read in a file."""
    is_python = path.endswith(".py") or re.match(r"#!.*\bpython", text)
    if not is_python and not path.endswith((".c", ".h")):
        yield 0, text
        return
    for m in (PYTHON if is_python else C).finditer(text):
        piece = m.group()
        if piece[0] in "\"'" and not re.search(r"\s", piece):
            continue
        yield m.start(), FIELD_IN_STRING.sub(blank, piece) if is_python and piece[0] != "#" else piece


def refused(path, text):
    """(offset, words, what is written instead) for each."""
    for start, piece in texts(path, text):
        piece = CODE_IN_TEXT.sub(blank, piece)
        piece = re.sub(r"\n \*", "\n  ", piece)
        for pattern, better in REFUSED:
            for m in pattern.finditer(piece):
                word = m.group().lower()
                if not any(path.startswith(p) and word == w for p, w, _ in ALLOWED):
                    yield start + m.start(), m.group(), better
