#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What it costs to ask by way of the Gemini CLI, beside Gemini's API and beside the CLI alone. See docs/PERFORMANCE.md.

    tests/bench/cli.py --builddir DIR --cli PREFIX [--quick] [--check]

PREFIX is what packaging/install-gemini-cli has made.
"""

import argparse
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from servers import KEYS, TOKEN, Gemgated, ServerError, Sim

# What the project promises; --check holds a run to it.
WARM_ADDS_MAX = 0.100  # seconds, to Gemini's API
COLD_ADDS_MAX = 0.100  # seconds, to the CLI alone

MODEL = "bench-small"
ANSWER = "A proxy stands between a client and a server and speaks to each in the name of the other."
QUESTION = "Say in one sentence what a proxy is."
SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
    "privacy": {"usageStatisticsEnabled": False}, "telemetry": {"enabled": False},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False, "maxAttempts": 1, "retryFetchErrors": False},
    "model": {"maxSessionTurns": 1, "disableLoopDetection": True}, "tools": {"core": ["none"], "useRipgrep": False},
    "context": {"includeDirectoryTree": False}, "skills": {"enabled": False}, "hooksConfig": {"enabled": False},
    "experimental": {"enableAgents": False}, "advanced": {"autoConfigureMemory": False},
}


class Daemon(Gemgated):
    """Gemgated with a CLI."""

    def __init__(self, directory, builddir, prefix, upstream, warm):
        super().__init__(directory, builddir / "src/gemgated", upstream, "WARNING")
        self.cli = {"CLI_RUNNER": str(builddir / "src/gemgate-runner"), "CLI_PATH": str(prefix / "bin/gemini"),
                    "CLI_WARM": str(warm)}

    def environment(self):
        return super().environment() | self.cli

    def ask(self, path, body):
        """Seconds to the first byte of the answer, and to its end."""
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        begun = time.perf_counter()
        c.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        answer = c.getresponse()
        text = answer.read(1)
        first = time.perf_counter() - begun
        text += answer.read()
        total = time.perf_counter() - begun
        c.close()
        if answer.status != 200 or ANSWER[:7].encode() not in text:
            raise ServerError(f"{path}: {answer.status} {text[:500]}")
        return first, total

    def api(self):
        return self.ask("/v1/chat/completions", {"model": MODEL, "stream": True,
                                                 "messages": [{"role": "user", "content": QUESTION}]})

    def run_gemini(self):
        return self.ask("/run-gemini", {"model": MODEL, "stream": True, "command": QUESTION})

    def dialogue(self):
        messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello."},
                    {"role": "user", "content": QUESTION}]
        return self.ask("/v1/chat/completions", {"model": f"cli/{MODEL}", "stream": True, "messages": messages})

    def nodes(self):
        """The processes of Node.js below this daemon."""
        below, found = {self.child.pid}, []
        stats = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    head, _, rest = pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")
                    stats[int(entry)] = (int(rest.split()[1]), head.partition("(")[2], rest.split())
                except OSError:
                    continue
        for _ in range(8):
            below |= {p for p, (parent, _, _) in stats.items() if parent in below}
        for p in below:
            if p in stats and stats[p][1] in ("node", "MainThread"):
                found.append((p, int(stats[p][2][11]) + int(stats[p][2][12])))
        return found

    def wait_warm(self):
        """Waits until a process that was started in advance is idle: its CPU time does not grow."""
        deadline, seen, since = time.monotonic() + 60, None, 0.0
        while time.monotonic() < deadline:
            now = self.nodes()
            if now != seen:
                seen, since = now, time.monotonic()
            elif len(now) == 1 and now[0][1] > 20 and time.monotonic() - since > 0.5:
                return now[0][0]
            self.pause(0.05)
        raise ServerError("no process of the Gemini CLI was started ahead")

    def cpu_of_jobs(self):
        """Seconds of CPU of the runners that have ended, and of what they waited for."""
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    """Proportional memory of one process."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def bare(prefix, port, directory):
    """The CLI alone, against the simulator: to its first words, and to its end."""
    with tempfile.TemporaryDirectory(dir=directory) as home:
        folder = pathlib.Path(home)
        (folder / ".gemini").mkdir()
        (folder / "work").mkdir()
        (folder / ".gemini/settings.json").write_text(json.dumps(SETTINGS))
        (folder / "system.md").write_text("You answer the user.")
        env = {"PATH": "/nonexistent", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb",
               "COLORTERM": "truecolor", "GEMINI_CLI_NO_RELAUNCH": "1", "GEMINI_API_KEY": KEYS[0],
               "GEMINI_SYSTEM_MD": f"{home}/system.md", "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{port}"}
        argv = [prefix / "bin/node", prefix / "bin/gemini", "-m", MODEL, "-o", "stream-json"]
        begun, first = time.perf_counter(), None
        before = os.times()
        p = subprocess.Popen(argv, env=env, cwd=folder / "work", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
        p.stdin.write(QUESTION.encode())
        p.stdin.close()
        text = b""
        for line in p.stdout:
            text += line
            if b'"assistant"' in line and first is None:
                first = time.perf_counter() - begun
        p.wait()
        total = time.perf_counter() - begun
        after = os.times()
        if first is None:
            raise ServerError(f"the bare CLI: {text[:500]}")
        return first, total, (after.children_user + after.children_system) - (before.children_user + before.children_system)


def median(rounds, i):
    return statistics.median(r[i] for r in rounds)


def row(label, first, total, cpu="", memory=""):
    figures = [f"{1000 * first:.0f}", f"{1000 * total:.0f}", f"{cpu:.2f}" if cpu != "" else "", f"{memory:.0f}" if memory else ""]
    print(f"{label:<38}" + "".join(f"{f:>12}" for f in figures))


def measure(args, directory):
    n_warm, n_cold = (2, 1) if args.quick else (12, 6)
    script = directory / "script"
    script.write_text(f'model {MODEL}\nmodel={MODEL}: text "{ANSWER}"\nmethod=* : text "{ANSWER}"\n')
    sim = Sim(directory, args.builddir / "tests/sim/gemini-sim", script)
    warm = Daemon(directory, args.builddir, args.cli, sim.port, 1)
    with Running(sim), Running(warm):
        warm.api()
        api = [warm.api() for _ in range(n_warm * 4)]
        warm.run_gemini()
        rounds, dialogues, memory = [], [], []
        for _ in range(n_warm):
            memory.append(memory_mib(warm.wait_warm()))
            rounds.append(warm.run_gemini())
        warm.dialogue()
        for _ in range(n_warm):
            warm.wait_warm()
            dialogues.append(warm.dialogue())
        (directory / "cold").mkdir()
        cold = Daemon(directory / "cold", args.builddir, args.cli, sim.port, 0)
        alone, colds = [], []
        with Running(cold):
            cold.api()
            before = cold.cpu_of_jobs()
            for _ in range(n_cold):  # in turn: the machine's mood cancels out
                alone.append(bare(args.cli, sim.port, directory))
                colds.append(cold.run_gemini())
            cpu = (cold.cpu_of_jobs() - before) / n_cold
    print(f"{'':<38}{'first, ms':>12}{'all, ms':>12}{'CPU, s':>12}{'MiB':>12}")
    row("Gemini's API", median(api, 0), median(api, 1))
    row("by way of the CLI, warm", median(rounds, 0), median(rounds, 1), memory=statistics.median(memory))
    row("by way of the CLI, warm, a dialogue", median(dialogues, 0), median(dialogues, 1))
    row("by way of the CLI, cold", median(colds, 0), median(colds, 1), cpu)
    row("the CLI alone", median(alone, 0), median(alone, 1), median(alone, 2))
    late = []
    for i, what in ((0, "the first byte"), (1, "the whole answer")):
        adds = median(rounds, i) - median(api, i)
        if adds > WARM_ADDS_MAX:
            late.append(f"warm, {what} comes {1000 * adds:.0f} ms after the API's; at most {1000 * WARM_ADDS_MAX:.0f}")
        adds = median(colds, i) - median(alone, i)
        if adds > COLD_ADDS_MAX:
            late.append(f"cold, {what} comes {1000 * adds:.0f} ms after the bare CLI's; at most {1000 * COLD_ADDS_MAX:.0f}")
    return late


class Running:
    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.server.start()
        return self.server

    def __exit__(self, *_):
        self.server.stop()


def main():
    p = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    p.add_argument("--builddir", type=pathlib.Path, required=True)
    p.add_argument("--cli", type=pathlib.Path, required=True, metavar="PREFIX")
    p.add_argument("--quick", "--smoke", action="store_true", help="to see that all of it works")
    p.add_argument("--check", action="store_true", help="fail when a bound is missed")
    args = p.parse_args()
    args.builddir, args.cli = args.builddir.resolve(), args.cli.resolve()
    with tempfile.TemporaryDirectory(prefix="gemgate-bench-") as directory:
        try:
            late = measure(args, pathlib.Path(directory))
        except (ServerError, OSError) as e:
            print(f"bench: {e}", file=sys.stderr)
            return 2
    for line in late:
        print(f"bench: {line}")
    return 1 if args.check and late else 0


if __name__ == "__main__":
    sys.exit(main())
