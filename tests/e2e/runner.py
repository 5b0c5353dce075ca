#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A gemgate-runner without a Gemini CLI behind it, for what the real one would take long or never do.

It asks upstream as the CLI does, and passes the answer on. What else it does is said by words in the prompt:

    crash        hangs up without a result, after it has asked
    retire       the first time (a file says so), hangs up before it asks
    mute         never says anything; hang: asks nothing and says nothing
    nocall       success without a request upstream
    broken       says an error that nobody upstream said
    half         hangs up after half of the answer
    twice, many  asks two times, or until it is refused
    odd          lines that mean nothing between the others
    big          a hundred pieces of 60 KB
    other        asks for other methods, models and routes, and says what came of it
"""
import http.client
import json
import os
import re
import socket
import sys

GUARD = "\u200b"
sock = socket.socket(fileno=0)
lines = sock.makefile("r", encoding="utf-8", newline="\n")
options = dict(a[2:].split("=", 1) for a in sys.argv[1:])


def say(**event):
    sock.sendall(json.dumps(event).encode() + b"\n")


def guard(text):
    return GUARD + re.sub(r"([@$])", r"\1" + GUARD, text) + GUARD


class Upstream(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(options["upstream"])


def ask(token, body, target="/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", **headers):
    c = Upstream("localhost")
    c.request("POST", target, json.dumps(body), {"x-goog-api-key": token, "Content-Type": "application/json", **headers})
    return c.getresponse()


def body_of(job):
    contents = [{"role": t["role"], "parts": [{"text": guard(t["text"])}]} for t in job.get("history", [])]
    context = {"text": "<session_context>\nhere\n</session_context>"}
    contents.append({"role": "user", "parts": [{"text": "\n" + guard(job["prompt"])}]})
    contents[0]["parts"].insert(0, context)
    return {
        "contents": contents,
        "systemInstruction": {"role": "user", "parts": [{"text": guard(job.get("system", "Be brief."))}]},
        "tools": [{"functionDeclarations": []}],
        "generationConfig": {"temperature": 1, "topP": 0.95, "thinkingConfig": {"includeThoughts": True}},
    }


def others(token, job):
    """What a job's token must not open, and what it does: a line each."""
    body, told = body_of(job), []
    for target, key in [
        ("/v1beta/models/another-model:generateContent", token),
        ("/v1beta/models/x:countTokens", token),
        ("/v1beta/models/x:embedContent", token),
        ("/v1/chat/completions", token),
        ("/stats", token),
        ("/health", token),
        ("/v1beta/models/x:generateContent", "wrong"),
        ("/v1beta/models/x:generateContent", os.environ.get("CLIENT_TOKEN", "tok")),
    ]:
        sent = {"contents": body["contents"]} if "countTokens" in target else body
        told.append(f"{target} {ask(key, sent, target).status}")
    return "\n".join(told)


def main():
    start = json.loads(lines.readline())["start"]
    say(event="ready", isolation="process", version="0.0.0")
    line = lines.readline()
    if not line:
        return
    job = json.loads(line)["job"]
    words = set(job["prompt"].split())
    result = {"event": "result", "status": "success", "message": "", "messages": 1, "exit_code": 0, "signal": 0,
              "skipped": 0, "stderr": "a warning " + start["token"], "argv": ["gemini", "-o", "stream-json"]}
    if "retire" in words:
        mark = os.path.join(os.environ["TMPDIR"], "retired")
        if not os.path.exists(mark):
            open(mark, "w").close()
            return
    if words & {"mute", "hang"}:
        if "mute" in words:
            ask(start["token"], body_of(job)).read()
        lines.readline()
        return
    if "nocall" in words:
        return say(**result | {"messages": 0})
    if "broken" in words:
        return say(**result | {"status": "error", "message": "[API Error: no such thing]", "messages": 0, "exit_code": 1})
    if "big" in words:
        ask(start["token"], body_of(job)).read()
        for i in range(100):
            say(event="text", text=f"{i:05d}" * 12000)
        return say(**result)
    if "other" in words:
        say(event="text", text=others(start["token"], job))
        return say(**result)
    for _ in range({"twice": 1, "many": 20}.get(next(iter(words & {"twice", "many"}), ""), 0)):
        ask(start["token"], body_of(job)).read()
    answer = ask(start["token"], body_of(job))
    if "crash" in words:
        answer.read()
        return
    if answer.status != 200:
        said = answer.read().decode()
        return say(**result | {"status": "error", "message": f"[API Error: {said}]", "messages": 0, "exit_code": 1})
    pieces, failed = 0, None
    for raw in answer:
        if not raw.startswith(b"data: "):
            continue
        event = json.loads(raw[6:])
        failed = failed or event.get("error")
        for part in (event.get("candidates") or [{}])[0].get("content", {}).get("parts", []):
            if "odd" in words:
                sock.sendall(b'no json\n{"event":"news"}\n[]\n\n{"event":"text","text":7}\n')
            if part.get("text") and not part.get("thought"):
                pieces += 1
                say(event="text", text=part["text"])
            if "half" in words:
                return
    say(**result | ({"messages": pieces} if pieces and not failed else
                    {"messages": pieces, "status": "error", "message": "[API Error: terminated]"}))


main()
