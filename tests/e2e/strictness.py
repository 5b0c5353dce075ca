# SPDX-License-Identifier: MIT
"""Holds every test against tests/strict: each body that went upstream, and each answer of chat and
embeddings to a client.

http1 reports what it sends and reads, the simulator its log before it is emptied. A body that a client sent to a path of
Gemini's and that arrived byte for byte is the client's own: gemgated owes it nothing but to pass it on. All other bodies
are gemgated's work. A test marked `unjudged` is not watched.
"""
import contextlib
import hashlib
import json
import re

from strict import completions, judge, messages, responses

REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.[01]\r\n")
LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)\s*\r\n", re.I)
JUDGES = {"/v1/messages": messages.judged, "/v1/messages/count_tokens": messages.counted,
          "/v1/chat/completions": judge.downstream, "/v1/embeddings": judge.embeddings,
          "/v1/completions": completions.downstream, "/v1/responses": responses.downstream, "/v1/images/generations": judge.images,
          "/v1/audio/speech": judge.speech, "/v1/audio/transcriptions": judge.transcriptions}
FAULTS_MAX = 20  # of one test
NOT_ASCII = bytes(range(128, 256))
HEAD_MAX, BODY_MAX = 1 << 20, 64 << 20


class Watch:
    """One test."""

    def __init__(self):
        self.native = set()  # digests of the bodies that clients sent to Gemini's paths
        self.judged = set()  # digests of what went upstream
        self.faults = []

    def find(self, where, faults):
        for fault in faults:
            if len(self.faults) < FAULTS_MAX:
                self.faults.append(f"{fault}\n    in {where}")

    def upstream(self, entries):
        for e in entries:
            digest = digest_of(e["path"], e["body"])
            if digest in self.judged or e.get("body_cut"):
                continue
            self.judged.add(digest)
            if digest_of(e["body"]) not in self.native:
                self.find(f"upstream {e['path']} {e['body'][:300]}", judge.upstream(e["path"], e["body"]))


watched = None  # the Watch of the test that runs


@contextlib.contextmanager
def watch(sim):
    """Fails the test whose body of the `with` this is, if a rule was broken in it."""
    global watched
    watched = Watch()
    try:
        yield
        sim.harvest()
        assert not watched.faults, "\n".join(["tests/strict:", *watched.faults])
    finally:
        watched = None


def harvest(log):
    """`log`: the lines of gemini-sim's log."""
    if watched:
        watched.upstream(map(json.loads, log.splitlines()))


def digest_of(*texts):
    """Of the ASCII in it: what is not UTF-8 is something else in a log."""
    h = hashlib.sha1()
    for text in texts:
        text = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        h.update(text.translate(None, NOT_ASCII) + b"\0")
    return h.digest()


class Wire:
    """What one connection has sent, cut into requests; an answer belongs to the first of them that has none yet."""

    def __init__(self):
        self.sent, self.need, self.open, self.lost = bytearray(), 0, [], False
        self.last = None  # the answer that was taken

    def send(self, data):
        if not watched or self.lost:
            return
        self.sent += data
        while len(self.sent) > self.need and self.take():
            pass

    def lose(self):
        """From here on it is not known which answer is whose."""
        self.lost, self.open = True, []
        self.sent.clear()

    def take(self):
        """Takes one request from what was sent; False if it is not whole."""
        end = self.sent.find(b"\r\n\r\n") + 4
        head = bytes(self.sent[:end])
        if end < 4:
            if len(self.sent) > HEAD_MAX:
                self.lose()
            return False
        first, length = REQUEST.match(head), LENGTH.search(head)
        self.need = end + (int(length.group(1)) if length else 0)
        if not first or b"chunked" in head.lower() or self.need > BODY_MAX:
            self.lose()
            return False
        if len(self.sent) < self.need:
            self.need -= 1  # the last byte makes it whole
            return False
        target, body = first.group(2).decode("latin-1"), bytes(self.sent[end : self.need])
        self.open.append((target, body if first.group(1) == b"POST" else None))
        if judge.method(target):
            watched.native.add(digest_of(body))
        del self.sent[: self.need]
        self.need = 0
        return True

    def answered(self, answer, chunks):
        """`chunks`: all of its body, if that came in chunks."""
        if not watched or not self.open or not answer or answer.status < 200 or answer is self.last:
            return
        self.last = answer
        target, body = self.open.pop(0)
        if body is None:
            return
        # A page of the HTTP library's has no request id.
        judged = JUDGES.get(target.partition("?")[0])
        if not judged or answer.header("x-request-id") is None:
            return
        try:
            request = json.loads(body)
        except (ValueError, RecursionError):
            request = None
        text = (chunks or answer.body).decode("utf-8", "replace")
        kind = answer.header("Content-Type") or ""
        if kind.startswith("text/event-stream") and not answer.complete:
            text = text[: text.rfind("\n\n") + 2]
        watched.find(f"answer {answer.status} {text[:300]}", judged(answer.status, kind, text, answer.complete, request))
