#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A gemgate-runner without a Gemini CLI, for what the real one would take long for or never do.

It sends an upstream request as the CLI does, and passes the answer on. Words in the prompt make it do other things:

    crash        hangs up without a result, after it has asked
    retire       hangs up before it asks, but only the first time (noted in a file); retired: each time
    mute         never writes anything; hang: neither asks nor writes
    nocall       success without a request upstream
    broken       reports an error that upstream did not send; killed: that a signal ended the CLI
    lost         gets the whole answer, but reports an error and none of it
    half         hangs up after half of the answer
    twice, many  asks two times, or until it is refused
    count        asks for the number of tokens, and for nothing else
    odd          meaningless lines between the others
    big          a hundred pieces of 60 KB; flood: ten thousand
    long         a line without an end
    other        asks for other methods, models and routes, and reports the results
    after        asks once more when the daemon has hung up

With --as=refuse it reports an error at once, and with --as=gone it ends at once. It records what it got and did in
runner-PID of TMPDIR, one JSON object a line.
"""
import http.client
import json
import os
import socket
import sys
import threading
import time

GUARD = "\u200b"
sock = socket.socket(fileno=0)
lines = sock.makefile("r", encoding="utf-8", newline="\n")
options = dict(a[2:].split("=", 1) for a in sys.argv[1:])
record = open(os.path.join(os.environ["TMPDIR"], f"runner-{os.getpid()}"), "a", encoding="utf-8")


def note(**what):
    record.write(json.dumps(what) + "\n")
    record.flush()


def end_with_the_socket():
    """As the real one does: when the daemon hangs up, everything ends, whatever it was at."""
    lines.readline()
    os._exit(0)


def say(**event):
    sock.sendall(json.dumps(event).encode() + b"\n")


def guard(text):
    return GUARD + text.replace("@", "@" + GUARD).replace("$", "$" + GUARD) + GUARD


def ask(token, body, target="/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"):
    """In one piece: who is refused at the headers is not to be cut in the middle of its body."""
    c = socket.socket(socket.AF_UNIX)
    c.connect(options["upstream"])
    sent = json.dumps(body).encode()
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: {token}\r\nContent-Length: {len(sent)}\r\n\r\n"
    c.sendall(head.encode() + sent)
    answer = http.client.HTTPResponse(c, method="POST")
    answer.begin()
    return answer


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
    ]:
        sent = {"contents": body["contents"]} if "countTokens" in target else body
        told.append(f"{target} {ask(key, sent, target).status}")
    return "\n".join(told)


def main():
    start = json.loads(lines.readline())["start"]
    with os.scandir("/proc/self/fd") as found:
        open_fds = sorted(int(f.name) for f in found if not os.readlink(f.path).startswith("/proc/"))
    with open("/proc/self/status", encoding="ascii") as status:
        masks = {line[:6]: line.split()[1] for line in status if line.startswith(("SigBlk", "SigIgn"))}
    note(began=time.monotonic(), argv=sys.argv, environment=dict(os.environ), start=start, open_fds=open_fds,
         masks=masks, group=os.getpgrp())
    if options.get("as") == "refuse":
        return say(event="result", status="error", message="too large a job", messages=0, exit_code=None, signal=0)
    if options.get("as") == "gone":
        return
    say(event="ready", isolation=options.get("told", "process"), version="0.0.0")
    line = lines.readline()
    if not line:
        return
    job = json.loads(line)["job"]
    note(job=job)
    words = set(job["prompt"].split())
    if "after" not in words:
        threading.Thread(target=end_with_the_socket, daemon=True).start()
    result = {"event": "result", "status": "success", "message": "", "messages": 1, "exit_code": 0, "signal": 0,
              "skipped": 0, "stderr": "a warning " + start["token"], "argv": ["gemini", "-o", "stream-json"]}
    if "retire" in words:
        mark = os.path.join(os.environ["TMPDIR"], "retired")
        if not os.path.exists(mark):
            open(mark, "w").close()
            return
    if "retired" in words:
        return
    if words & {"mute", "hang"}:
        if "mute" in words:
            ask(start["token"], body_of(job)).read()
        threading.Event().wait()
    if "long" in words:
        while True:
            sock.sendall(b" " * 65536)
    if "nocall" in words:
        return say(**result | {"messages": 0})
    if "broken" in words:
        return say(**result | {"status": "error", "message": "[API Error: no such thing]", "messages": 0, "exit_code": 1})
    if "killed" in words:
        return say(**result | {"status": "none", "messages": 0, "exit_code": None, "signal": 9})
    if "lost" in words:
        ask(start["token"], body_of(job)).read()
        return say(**result | {"status": "error", "message": "the terminal is on fire", "messages": 0, "exit_code": 1})
    if "count" in words:
        contents = body_of(job)["contents"]
        ask(start["token"], {"contents": contents}, "/v1beta/models/x:countTokens").read()
        return say(**result | {"status": "error", "message": "only counted", "messages": 0, "exit_code": 1})
    if words & {"big", "flood"}:
        ask(start["token"], body_of(job)).read()
        for i in range(100 if "big" in words else 10000):
            say(event="text", text=f"{i:05d}" * 12000)
            note(said=i)
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
    if "after" in words:
        lines.readline()
        note(after=ask(start["token"], body_of(job)).status)


main()
