# SPDX-License-Identifier: MIT
"""gemini-sim, and what it saw."""
import http.client
import json
import re
from dataclasses import dataclass

import process
import strictness
import wait
from house import GEMINI_SIM


@dataclass
class Seen:
    """One request as it came in upstream."""

    method: str
    target: str
    headers: dict  # names in lower case
    body: str
    key: str
    answer: dict  # what became of it: status, events, done, hung_up

    def header(self, name):
        return self.headers.get(name.lower())

    @property
    def told(self):
        return f"{self.method} {self.target} x-goog-api-key: …{self.key[-4:]} → {self.answer['status']}"


def plain(target):
    """The same URL without escapes that mean nothing: %70 is p."""
    unescape = lambda m: c if (c := chr(int(m.group(1), 16))).isascii() and (c.isalnum() or c in "-._~") else m.group()
    return re.sub(r"%([0-9A-Fa-f]{2})", unescape, target)


class Simulator:
    def __init__(self, folder, *argv):
        port_file = folder / "port"
        self.process = process.Process([GEMINI_SIM, "--quiet", f"--port-file={port_file}", *argv], {}, folder)

        def port():
            assert not self.process.ended(), f"gemini-sim did not start:\n{self.process.said()}"
            return port_file.exists() and port_file.read_text().strip()

        self.port = int(wait.until("gemini-sim's port", port))
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()

    def control(self, method, path, body=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=wait.DEADLINE)
        try:
            c.request(method, path, body)
            answer = c.getresponse()
            text = answer.read().decode()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
            return text
        finally:
            c.close()

    def harvest(self):
        """What came upstream is held against the rules; before the log is emptied, too."""
        strictness.harvest(self.control("GET", "/sim/log"))

    def reset(self):
        self.harvest()
        self.control("POST", "/sim/reset")

    def script(self, text):
        """Replaces the script."""
        self.control("POST", "/sim/script", text.encode())

    def requests(self):
        out = []
        for line in self.control("GET", "/sim/log").splitlines():
            e = json.loads(line)
            target = e["path"] + ("?" + e["query"] if e["query"] else "")
            out.append(Seen(e["method"], plain(target), e["headers"], e["body"], e["key"], e["answer"]))
        return out

    def clear(self):
        """Forgets what it was asked, and nothing else."""
        self.harvest()
        self.control("DELETE", "/sim/log")

    def count(self):
        return len(self.requests())

    def wait_count(self, n):
        """Waits until it saw so many."""
        wait.until(f"{n} upstream requests", lambda: self.count() >= n)

    def wait_hung_up(self, n=1, **kw):
        return wait.until("the hang-up upstream", lambda: sum(r.answer["hung_up"] for r in self.requests()) >= n, **kw)

    def wait_all_hung_up(self):
        """Of those that came: a job may end before it has asked."""
        wait.until("the hang-ups upstream", lambda: all(r.answer["hung_up"] for r in self.requests()))
