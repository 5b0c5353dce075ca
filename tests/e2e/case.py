# SPDX-License-Identifier: MIT
"""Reads a case, which is one text file; README.md describes its form."""
import json
import re
from dataclasses import dataclass, field

SECTION = re.compile(r"\[(settings|sim|rows|request|upstream|arrived|answer|log)((?: [^\]]*)?)\]")
WORD = re.compile(r'"[^"]*"|\S+')
METHOD = re.compile(r"[A-Z]+")
PLACEHOLDER = re.compile(r"\{(\d+|[A-Z][A-Z0-9_]*)\}")
REPEAT = re.compile(r"\{\{repeat:([^{}]+):(\d+)\}\}")
BYTE = re.compile(r"\{\{x:([0-9a-f]{2})\}\}")

MODEL = "gemini-3.8-flash"  # what a short form asks for if it names none


class CaseError(Exception):
    pass


@dataclass
class Section:
    kind: str
    options: dict
    text: str
    line: int  # of its head, for messages
    form: list = ()  # of a request that is not spelled out: the words of its short form


@dataclass
class Step:
    request: Section
    upstream: list = field(default_factory=list)
    arrived: list = field(default_factory=list)  # (index in upstream, section)
    answer: Section = None
    log: list = field(default_factory=list)
    sim: Section = None  # a new script, given before the request


@dataclass
class Case:
    title: str
    settings: dict
    unset: list
    rows: list  # of lists of columns; one empty row if there is no table
    steps: list


def options(words):
    """`from=127.0.0.2 unix` → {"from": "127.0.0.2", "unix": True}"""
    out = {}
    for word in words:
        name, eq, v = word.partition("=")
        out[name] = v if eq else True
    return out


def sections(text):
    """Splits a file; the lines before the first section are its title and story."""
    story, found = [], []
    for n, line in enumerate(text.split("\n"), 1):
        if m := SECTION.fullmatch(line):
            form, words = short_form(m.group(1), WORD.findall(m.group(2)))
            found.append(Section(m.group(1), options(words), "", n, form))
        elif found:
            found[-1].text += line + "\n"
        else:
            story.append(line)
    for s in found:
        s.text = s.text.strip("\n")
        if s.form:
            spell_out(s)
    return story, found


# --- the short form of a request ---


def short_form(kind, words):
    """(the words of the form, the options behind them): `chat "Hi"`, `native "Hi"`, `messages "Hi"` or `GET /stats`."""
    n = 0
    if kind == "request" and words and words[0] in SPOKEN:
        n = 2 if words[1:] and words[1].startswith('"') else 1
    elif kind == "request" and words and METHOD.fullmatch(words[0]):
        n = 2
    return words[:n], words[n:]


def spell_out(s):
    """Replaces the short form of a request by the long one. The lines beneath the head are the body."""
    name, *more = s.form
    token = s.options.pop("token", None)
    if name in SPOKEN:
        prompt = more[0].strip('"') if more else None
        if (prompt is None) == (not s.text):
            raise CaseError(f"line {s.line}: [request {name}] has a prompt or a body")
        head, body = SPOKEN[name](s.options, prompt, token or "TOKEN")
    else:
        if not more:
            raise CaseError(f"line {s.line}: [request {name}] has no target")
        head, body = f"{name} {more[0]}" + (f"\nAuthorization: Bearer {{{token}}}" if token else ""), None
    s.text = f"{head}\n\n{s.text or body}" if s.text or body else head


def chat(options, prompt, token):
    body = {"model": options.pop("model", MODEL), "messages": [{"role": "user", "content": prompt}]}
    if options.pop("stream", False):
        body["stream"] = True
    head = f"POST /v1/chat/completions\nAuthorization: Bearer {{{token}}}\nContent-Type: application/json"
    return head, json.dumps(body, ensure_ascii=False)


def native(options, prompt, token):
    method = "streamGenerateContent?alt=sse" if options.pop("stream", False) else "generateContent"
    method = options.pop("method", method)
    head = f"POST /v1beta/models/{options.pop('model', MODEL)}:{method}\nx-goog-api-key: {{{token}}}"
    return head, json.dumps({"contents": [{"parts": [{"text": prompt}]}]}, ensure_ascii=False, separators=(",", ":"))


def messages(options, prompt, token):
    body = {"model": options.pop("model", MODEL), "max_tokens": 100, "messages": [{"role": "user", "content": prompt}]}
    if options.pop("stream", False):
        body["stream"] = True
    head = (f"POST /v1/messages\nx-api-key: {{{token}}}\nanthropic-version: 2023-06-01\n"
            "Content-Type: application/json")
    return head, json.dumps(body, ensure_ascii=False)


SPOKEN = {"chat": chat, "native": native, "messages": messages}


# --- the whole ---


ALLOWED = {
    "settings": set(),
    "sim": set(),
    "rows": set(),
    "request": {"from", "unix", "raw", "keep", "until"},
    "upstream": {"text"},
    "arrived": set(),
    "answer": {"json", "cut", "none", "page"},
    "log": {"never"},
}


def parse(text):
    story, found = sections(text)
    title = next((line.lstrip("# ").rstrip() for line in story if line.strip("# ")), "")
    if not title:
        raise CaseError("the first line must be a comment: what the case shows")
    case = Case(title, {}, [], [[]], [])
    sim = None
    for s in found:
        if unknown := set(s.options) - ALLOWED[s.kind]:
            raise CaseError(f"line {s.line}: [{s.kind}] has no option {', '.join(sorted(unknown))}")
        if s.kind in ("upstream", "arrived", "answer", "log") and not case.steps:
            raise CaseError(f"line {s.line}: [{s.kind}] before the first [request]")
        if s.kind == "settings":
            case.settings, case.unset = settings(s)
        elif s.kind == "sim":
            sim = s
        elif s.kind == "rows":
            case.rows = rows(s)
        elif s.kind == "request":
            case.steps.append(Step(s, sim=sim))
            sim = None
        elif s.kind == "upstream":
            case.steps[-1].upstream.append(s)
        elif s.kind == "arrived":
            if not case.steps[-1].upstream:
                raise CaseError(f"line {s.line}: [arrived] before the [upstream] that it is about")
            case.steps[-1].arrived.append((len(case.steps[-1].upstream) - 1, s))
        elif s.kind == "log":
            case.steps[-1].log.append(s)
        elif case.steps[-1].answer:
            raise CaseError(f"line {s.line}: a second [answer]")
        else:
            case.steps[-1].answer = s
    if not case.steps:
        raise CaseError("no [request]")
    for step in case.steps:
        if not step.answer:
            raise CaseError(f"line {step.request.line}: this [request] has no [answer]")
    return case


def settings(s):
    out, unset = {}, []
    for n, line in enumerate(s.text.split("\n"), s.line + 1):
        name, eq, v = line.partition("=")
        if line.startswith("unset "):
            unset.append(line.removeprefix("unset "))
        elif eq and not line.startswith("#"):
            out[name] = v
        elif line and not line.startswith("#"):
            raise CaseError(f"line {n}: a setting is NAME=VALUE, or unset NAME")
    return out, unset


def rows(s):
    lines = [line for line in s.text.split("\n") if line and not line.startswith("#")]
    out = [[c.strip() for c in re.split(r"\s+\|(?:\s+|$)", line)] for line in lines]
    if len({len(r) for r in out}) != 1:
        raise CaseError(f"line {s.line}: the rows have not the same number of columns")
    return out


def fill(text, names, row=()):
    """Puts in {TOKEN} and the like and, in a table, {1}, {2}…"""

    def put(m):
        if m.group(1).isdigit():
            i = int(m.group(1)) - 1
            return row[i] if i < len(row) else m.group()
        if m.group(1) not in names:
            raise CaseError(f"{m.group()} is not known")
        return names[m.group(1)]

    text = PLACEHOLDER.sub(put, text)
    # a column may hold a placeholder itself
    return PLACEHOLDER.sub(put, text) if row else text


def spread(text):
    """What cannot be written out: {{repeat:a:129}} and {{x:00}}. Returns bytes."""
    text = REPEAT.sub(lambda m: m.group(1) * int(m.group(2)), text)
    out = text.encode()
    return re.sub(rb"\{\{x:([0-9a-f]{2})\}\}", lambda m: bytes([int(m.group(1), 16)]), out)


def message(text):
    """First line, headers, body (None if there is no blank line)."""
    head, blank, body = text.partition("\n\n")
    lines = head.split("\n")
    headers = []
    for line in lines[1:]:
        name, colon, v = line.partition(":")
        if not colon:
            raise CaseError(f"{line!r} is no header")
        headers.append((name, v.strip()))
    return lines[0], headers, body if blank else None
