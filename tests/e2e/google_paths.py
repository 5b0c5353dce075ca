# SPDX-License-Identifier: MIT
"""Reads google-paths.txt, which has a case for each of Google's paths."""
from dataclasses import dataclass, field
from pathlib import Path

FILE = Path(__file__).with_name("google-paths.txt")


@dataclass
class Step:
    sent: list  # lines: METHOD TARGET, headers, "", the body
    asked: list = field(default_factory=list)  # of Google, if it is something else
    answer: list = field(default_factory=list)  # Google's
    got: list = field(default_factory=list)  # by the client, if it is something else


@dataclass
class Case:
    row: str
    steps: list


def cases():
    out, last = [], ""
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            last = ""
            continue
        if line.startswith("["):
            out.append(Case(line[1:-1], []))
            continue
        kind, text = line[0], line[2:]
        assert kind in ">^<=" and line[1:2] in ("", " "), f"{FILE.name}:{number}: {line}"
        if kind == ">" and last != ">":
            out[-1].steps.append(Step([]))
        step = out[-1].steps[-1]
        {">": step.sent, "^": step.asked, "<": step.answer, "=": step.got}[kind].append(text)
        last = kind
    return out


def parts(lines):
    """METHOD, TARGET, headers, body of a request."""
    head, body = lines, []
    if "" in lines:
        at = lines.index("")
        head, body = lines[:at], lines[at + 1 :]
    method, target = head[0].split(" ")
    return method, target, [tuple(h.split(": ", 1)) for h in head[1:]], "\n".join(body)
