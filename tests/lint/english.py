# SPDX-License-Identifier: MIT
"""The words that plain English does without; see "Plain English" in docs/ARCHITECTURE.md.

Looked for in comments, in messages (string literals), and in every line of a text that people read. Quotes of code
between `backticks` and names such as on_heard() are let pass.
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

# Folders and files that are clean, and stay so. The rest follows.
CLEAN = (
    "README.md",
    "src/base/",
    "src/bus/",
    "src/config/",
    "src/core/",
    "src/ctl/",
    "src/daemon/",
    "src/engine/",
    "src/io/",
    "src/runner/",
    "dbus/",
    "docs/CONFIG.md",
    "docs/DBUS.md",
    "docs/DEBUGGING.md",
    "docs/DIALECTS.md",
    "docs/HTTP.md",
    "docs/LOGS.md",
    "docs/PERFORMANCE.md",
    "docs/ROUTING.md",
    "docs/STATE.md",
    "docs/man/",
    "packaging/",
    "units/",
)
NOT_YET = (
    "src/daemon/manager-bus.c",
    "src/daemon/manager-state.c",
    "src/daemon/state-writer.",
    "src/io/curl-glue.",
    "src/io/sqlite-",
    "src/io/store",
)

# Path, the words as they are there, and why they may be.
ALLOWED = [
    ("src/runner/privilege.", "nobody", "the user of that name"),
    ("src/core/ceiling.", "told", "a value that statistics show"),
    ("docs/HTTP.md", "told", "the same value, in an example"),
    ("src/daemon/turn-away.c", "says", "its text is a fixed number of bytes, which tests know"),
    ("src/engine/engine-cli.c", "says", "the same sentence"),
]

PROSE = (".md", ".scd", ".xml", ".catalog", ".in", ".service", ".policy", ".conf", ".container", ".socket", ".yaml")

LITERAL = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.S)
CODE_IN_TEXT = re.compile(r"`[^`\n]*`")


def is_clean(path):
    return path.startswith(CLEAN) and not path.startswith(NOT_YET)


def texts(path, text, is_c):
    """(offset, text) of what people read in a file."""
    if not is_c:
        yield 0, text
        return
    for m in LITERAL.finditer(text):
        if m.group()[0] != "'":
            yield m.start(), m.group()


def refused(path, text, is_c):
    """(offset, words, what is written instead) for each."""
    for start, piece in texts(path, text, is_c):
        piece = CODE_IN_TEXT.sub(lambda m: " " * len(m.group()), piece)
        piece = re.sub(r"\n \*", "\n  ", piece)
        for pattern, better in REFUSED:
            for m in pattern.finditer(piece):
                word = m.group().lower()
                if not any(path.startswith(p) and word == w for p, w, _ in ALLOWED):
                    yield start + m.start(), m.group(), better
