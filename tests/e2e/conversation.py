# SPDX-License-Identifier: MIT
"""Holds the conversation of a case and compares what came of it."""
import contextlib
import json

import arrived
import case as cases
import http1
import match
import wait
from house import MASKS, SECRETS, Daemon, leaked


class Mismatch(Exception):
    """What pytest shows for a case that fails; `where` is the line in the case file."""


def run(case, sim, folder):
    for i, row in enumerate(case.rows):
        under = folder / str(i)
        under.mkdir()
        try:
            _run_row(case, sim, under, row)
        except (Mismatch, AssertionError) as e:
            said = f"\nrow {i + 1}: {' | '.join(row)}" if row else ""
            raise Mismatch(f"{case.title}{said}\n{e}") from None


def _run_row(case, sim, folder, row):
    names = SECRETS | MASKS | {"SIM": sim.url}
    settings = {name: cases.fill(v, names, row) for name, v in case.settings.items()}
    sim.reset()
    wants_unix = any("unix" in s.request.options for s in case.steps)
    with Daemon(folder, sim, settings, case.unset, unix=wants_unix) as daemon:
        names["HOST"] = daemon.host
        talk = Conversation(daemon, sim, names, row)
        for step in case.steps:
            talk.step(step)
        talk.done()


class Conversation:
    def __init__(self, daemon, sim, names, row):
        self.daemon, self.sim, self.names, self.row = daemon, sim, names, row
        self.connection = None
        self.memory = {}  # what {{id:x}} met
        self.log_at = 0

    def fill(self, text):
        return cases.fill(text, self.names, self.row)

    def done(self):
        if self.connection:
            self.connection.close()

    def step(self, step):
        if step.sim:
            self.sim.script(cases.spread(self.fill(step.sim.text)).decode())
        seen = self.sim.count()
        data, method = self.bytes_of(step.request)
        answer = self.exchange(step, data, method)
        self.compare(step.answer, answer, f"line {step.answer.line}: [answer]")
        self.compare_upstream(step, seen)
        for log in step.log:
            self.compare_log(log)

    # --- the request ---

    def bytes_of(self, section):
        text = cases.spread(self.fill(section.text)).decode("utf-8", "surrogateescape")
        head, blank, body = text.partition("\n\n")
        first = head.split("\n")[0]
        method = first.split(" ")[0]
        if "raw" in section.options:
            return (head.replace("\n", "\r\n") + "\r\n\r\n" + body).encode("utf-8", "surrogateescape"), method
        _, headers, _ = cases.message(head)
        method, _, target = first.partition(" ")
        raw = body.encode("utf-8", "surrogateescape") if blank else None
        return http1.compose(method, target, headers, raw), method

    def connect(self, options):
        if "keep" in options:
            return self.connection
        if self.connection:
            self.connection.close()
        kw = {"where": self.daemon.unix} if "unix" in options else {}
        source = self.fill(options["from"]) if "from" in options else None
        self.connection = self.daemon.connect(source=source, **kw)
        return self.connection

    def exchange(self, step, data, method):
        options = step.request.options

        def once():
            c = self.connect(options)
            c.send(data)
            return c.read(method)

        if "until" in options:
            return wait.until(f"status {options['until']}", lambda: (a := once()) and str(a.status) == options["until"] and a)
        return once()

    # --- the answer ---

    def compare(self, section, answer, where):
        if answer is None:
            if "none" not in section.options:
                raise Mismatch(f"{where}: the connection was closed without an answer")
            return
        raw = answer.head.encode() + b"\n\n" + answer.body
        if names := leaked(raw):
            raise Mismatch(f"{where}: {', '.join(names)} in the answer:\n{raw.decode(errors='replace')}")
        if "none" in section.options:
            raise Mismatch(f"{where}: expected none, got\n{raw.decode(errors='replace')}")
        status, headers, body = cases.message(cases.spread(self.fill(section.text)).decode())
        got = answer.body.decode("utf-8", "replace")
        if str(answer.status) != status:
            raise Mismatch(f"{where}: expected {status}, got {answer.head}\n\n{got}")
        if "page" in section.options and answer.header("x-request-id") is None:
            return
        self.compare_headers(headers, answer, where)
        if answer.complete == ("cut" in section.options):
            raise Mismatch(f"{where}: the body {'ended well' if answer.complete else 'was cut'}:\n{got}")
        if body is not None:
            self.compare_body(section, body, got, where)
        is_stream = (answer.header("Content-Type") or "").startswith("text/event-stream")
        if is_stream and got and not got.endswith(("\n\n", "\r\n\r\n")):
            raise Mismatch(f"{where}: the stream does not end with an empty line:\n{got}")

    def compare_headers(self, headers, answer, where):
        named = {n.lower().lstrip("!") for n, _ in headers}
        for always in ("x-request-id", "X-Process-Time"):
            if always.lower() not in named and answer.header(always) is None:
                raise Mismatch(f"{where}: no {always} in\n{answer.head}")
        for name, v in headers:
            given = [g for n, g in answer.headers if n.lower() == name.lower().lstrip("!")]
            if name.startswith("!"):
                if given:
                    raise Mismatch(f"{where}: {name[1:]} must not be there, but is {given[0]!r}")
            elif len(given) != 1:
                raise Mismatch(f"{where}: {name} is there {len(given)} times:\n{answer.head}")
            elif fault := match.text(v, given[0], self.memory):
                raise Mismatch(f"{where}: header {name}:\n{fault}")

    def compare_body(self, section, body, got, where):
        if "json" in section.options:
            try:
                fault = match.value(json.loads(body), json.loads(got), self.memory)
            except ValueError:
                fault = f"no JSON: {got}"
        else:
            fault = match.text(body.rstrip("\n"), got.rstrip("\n"), self.memory)
        if fault:
            raise Mismatch(f"{where}: body:\n{fault}")

    # --- what went upstream ---

    def compare_upstream(self, step, seen):
        wanted = step.upstream
        if wanted:
            with contextlib.suppress(AssertionError):  # reported below, with what came instead
                self.sim.wait_count(seen + len(wanted))
        requests = self.sim.requests()[seen:]
        if len(requests) != len(wanted):
            told = "\n".join(r.told for r in requests) or "none"
            raise Mismatch(
                f"line {step.request.line}: {len(wanted)} upstream requests expected, {len(requests)} seen:\n{told}"
            )
        for section, request in zip(wanted, requests):
            self.compare_request(section, request, f"line {section.line}: [upstream]")
        for i, section in step.arrived:
            self.compare_arrived(section, requests[i])

    def compare_request(self, section, request, where):
        first, headers, body = cases.message(cases.spread(self.fill(section.text)).decode())
        if fault := match.text(first, f"{request.method} {request.target}", self.memory):
            raise Mismatch(f"{where}:\n{fault}")
        if leaked(request.target):
            raise Mismatch(f"{where}: a secret in the URL {request.target}")
        for name, v in headers:
            given = request.header(name.lstrip("!"))
            if name.startswith("!"):
                if given is not None:
                    raise Mismatch(f"{where}: {name[1:]} must not be there, but is {self.named(given)}")
            elif given is None:
                raise Mismatch(f"{where}: no header {name} in\n{request.told}")
            elif fault := match.text(v, given, self.memory):
                raise Mismatch(f"{where}: header {name}: expected {self.named(v)}, got {self.named(given)}")
        if body is None:
            return
        if "text" in section.options:
            fault = match.text(body, request.body, self.memory)
        else:
            fault = match.value(json.loads(body), json.loads(request.body), self.memory)
        if fault:
            raise Mismatch(f"{where}: body:\n{fault}")

    def compare_arrived(self, section, request):
        try:
            fault = arrived.missing(cases.spread(self.fill(section.text)).decode(), request.body)
        except ValueError as e:
            fault = str(e)
        if fault:
            raise Mismatch(f"line {section.line}: [arrived]: {fault}")

    def named(self, v):
        """{KEY1} is more readable than its bytes."""
        return next((f"{{{n}}}" for n, s in SECRETS.items() if s == v), repr(v))

    # --- the log ---

    def compare_log(self, section):
        for line in self.fill(section.text).split("\n"):
            wanted = json.loads(line) | {"...": "{{any}}"}
            if "never" in section.options:
                hit = next((g for g in self.daemon.log() if match.value(wanted, g) is None), None)
                if hit:
                    raise Mismatch(f"line {section.line}: [log never]: {json.dumps(hit)}")
                continue
            try:
                self.log_at = wait.until("the log line", lambda: self.find_log(wanted))
            except AssertionError:
                told = "\n".join(json.dumps(g) for g in self.daemon.log()[self.log_at :])
                raise Mismatch(f"line {section.line}: [log]: no {line} in\n{told}") from None

    def find_log(self, wanted):
        """The index behind the next line that fits, or None."""
        for i, g in enumerate(self.daemon.log()):
            if i >= self.log_at and match.value(wanted, g, self.memory) is None:
                return i + 1
        return None
