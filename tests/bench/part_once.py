# SPDX-License-Identifier: MIT
"""What is not a matter of load: another key after a failure, the first answer of a daemon that a client's connection starts,
an idle daemon, and a reload under load."""

import contextlib
import fcntl
import http.client
import os
import pathlib
import signal
import socket
import statistics
import threading
import time

import bounds
import load
from ask import Ask
from bench import Bench
from figures import DIRECT, OURS, Figure
from servers import KEYS, START_TIMEOUT, Gemgated, ServerError
from stage import FAILURES, PLAIN, PLURAL, SMALL, failing_model, refused_model
from usage import fields, rss_anon_kib, tasks, wakeups

# After a start and its one request, until what they have begun is done: also the connection to Gemini, which a daemon keeps
# for a minute.
SETTLE = 65.0
RELOAD_EVERY = 0.5
RELOAD_KEYS = 1000  # that come with each second reload, and go with the others


class Asker:
    """One connection that is kept, by hand: each answer with its status and how long it took in ms."""

    def __init__(self, target: load.Target):
        self.target = target
        self.socket = socket.create_connection(("127.0.0.1", target.port), 30)

    def ask(self, ask: Ask, status: int) -> float:
        request = ask.request(self.target.port)
        begun = time.perf_counter()
        self.socket.sendall(request)
        answer = http.client.HTTPResponse(self.socket)
        answer.begin()
        content = answer.read()
        took = 1000 * (time.perf_counter() - begun)
        if answer.status != status:
            raise ServerError(f"{self.target.name} answers {answer.status} to {ask.path}, not {status}: {content[:300]}")
        return took

    def close(self) -> None:
        self.socket.close()


def failover(bench: Bench) -> None:
    for upstream in bench.upstreams:
        stage = bench.stage(upstream)
        section = f"Another key after a failure, {PLURAL[upstream]}"
        direct = stage.targets[DIRECT]
        for status in FAILURES:
            bench.progress(f"{upstream}, failover after {status}")
            # Its state is new: a model that has failed in another stage is known as such.
            with stage.fresh(OURS) as ours, contextlib.closing(Asker(ours)) as client, \
                    contextlib.closing(Asker(direct)) as alone:
                bench_reset(bench)
                normal, failed, good, bad = [], [], [], []
                for i in range(bench.plan.failovers):
                    ask = ours.ask("chat", failing_model(status, i))
                    normal.append(client.ask(ask, 200))
                    failed.append(client.ask(ask, 200))
                    good.append(alone.ask(direct.ask("native", SMALL), 200))
                    bad.append(alone.ask(direct.ask("native", refused_model(status)), int(status)))
            upstreams = statistics.median(good) + statistics.median(bad)
            row, key = f"after {status}", f"failover.{upstream}.{status}"
            for name, unit, values in (
                    ("normal", "ms, an answer without a failure", normal), ("whole", "ms, an answer after one", failed),
                    ("own", "ms, without the upstream's time", [took - upstreams for took in failed])):
                bench.figures.add(section, Figure(f"{key}.{name}", row, unit, {OURS: values}, 3, compared=False))


def bench_reset(bench: Bench) -> None:
    """The script from its beginning: each model fails once more."""
    status, answer = bench.house.sim.get("POST", "/sim/reset", b"", {})
    if status not in (200, 204):
        raise ServerError(f"gemini-sim answers {status} to a reset: {answer[:300]}")


def cold(bench: Bench) -> None:
    stage = bench.stage(PLAIN)
    directory = bench.house.folder("cold")
    daemon = Gemgated(directory, bench.house.program, stage.upstream_url, settings=stage.settings())
    took = []
    for i in range(bench.plan.cold_starts):
        bench.progress(f"first answer through a cold socket, {i + 1} of {bench.plan.cold_starts}")
        took.append(cold_start(daemon, stage.targets[OURS].ask("chat", SMALL)))
    section = "First answer through a cold socket"
    row = "systemd passes the socket on which a client waits"
    bench.figures.add(section, Figure("cold.first", row, "ms", {OURS: took}, compared=False))
    bench.figures.add(section, Figure("cold.worst", row, "ms, the longest", {OURS: [max(took)]}, compared=False))


def cold_start(daemon: Gemgated, ask: Ask) -> float:
    """ms from the start of the process to the end of the answer; the request waits in the socket already."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), START_TIMEOUT) as client:
            client.sendall(ask.request(port))
            passed = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 100)
            log = os.open(daemon.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            environment = {name: v for name, v in daemon.environment().items() if name != "LISTEN"} | {"LISTEN_FDS": "1"}
            begun = time.perf_counter()
            # $LISTEN_PID is known in the child only.
            pid = os.posix_spawn("/bin/sh", ["sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *daemon.argv()],
                                 environment, file_actions=[(os.POSIX_SPAWN_DUP2, passed, 3),
                                                            (os.POSIX_SPAWN_DUP2, log, 1),
                                                            (os.POSIX_SPAWN_DUP2, log, 2)])
            try:
                answer = http.client.HTTPResponse(client)
                answer.begin()
                answer.read()
                took = 1000 * (time.perf_counter() - begun)
            finally:
                os.close(passed)
                os.close(log)
                os.kill(pid, signal.SIGTERM)
                os.waitpid(pid, 0)
            if answer.status != 200:
                raise ServerError(f"gemgated answers {answer.status} through a cold socket:\n{daemon.said()}")
    return took


def idle(bench: Bench) -> None:
    stage = bench.stage(PLAIN)
    seconds = bench.plan.idle_seconds
    settle = SETTLE if not bench.plan.quick else 0.5
    memory, after, woken, remarks = {}, {}, {}, []
    for name in stage.fresh_names():
        with stage.fresh(name) as target:
            pids = target.server.pids
            bench.progress(f"{name}, idle for {seconds} s")
            target.server.pause(settle)
            before, by_thread = wakeups(pids), threads(pids)
            target.server.pause(seconds)
            woken[name] = [(wakeups(pids) - before) * 60 / seconds]
            if name == OURS and woken[name][0] > 0:
                more = {thread: n - by_thread.get(thread, 0) for thread, n in threads(pids).items()}
                remarks.append("gemgated's threads that woke up: " +
                               ", ".join(f"{thread} {n} times" for thread, n in more.items() if n) + ".")
            memory[name] = [rss_anon_kib(pids) / 1024]
            if bench.answers(stage, stage.targets[name], "chat"):
                load.requests(target, target.ask("chat", SMALL), 16, bench.plan.seconds)
                target.server.pause(1)
                after[name] = [rss_anon_kib(pids) / 1024]
    bench.wrong += bounds.excess({"idle.memory": memory[OURS][0]})
    section = "Idle"
    row = f"idle for {seconds} s, {settle:g} s after the first request"
    bench.figures.add(section, Figure("idle.memory", row, "MiB of RssAnon", memory, 2, compared=False))
    bench.figures.add(section, Figure("idle.wakeups", row, "wake-ups a minute", woken, 0, compared=False))
    bench.figures.add(section, Figure("idle.after", "after a load over 16 connections", "MiB of RssAnon", after, 2,
                                      compared=False))
    for remark in remarks:
        bench.figures.remark(section, remark)


def threads(pids: list[int]) -> dict[str, int]:
    """How often each thread has waited, by its name."""
    out: dict[str, int] = {}
    for task in tasks(pids):
        name = (task / "comm").read_text().strip()
        out[name] = out.get(name, 0) + fields(f"{task}/status", ("voluntary_ctxt_switches",))["voluntary_ctxt_switches"]
    return out


class Reloader:
    """Changes the keys and sends SIGHUP, again and again, until it is stopped. A reload ends when systemd would be
    notified of it."""

    def __init__(self, daemon: Gemgated, notify: socket.socket):
        self.daemon, self.notify = daemon, notify
        self.took: list[float] = []
        self.stopped = threading.Event()
        self.failure: Exception | None = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def await_ready(self) -> None:
        while "READY=1" not in self.notify.recv(4096).decode().splitlines():
            pass

    def run(self) -> None:
        more = [f"reload-key-{i:04}-0123456789abcdef" for i in range(RELOAD_KEYS)]
        try:
            while not self.stopped.wait(RELOAD_EVERY):
                keys = KEYS + (more if len(self.took) % 2 == 0 else [])
                (self.daemon.config / "api-keys").write_text("\n".join(keys) + "\n")
                begun = time.perf_counter()
                os.kill(self.daemon.pid, signal.SIGHUP)
                self.await_ready()
                self.took.append(1000 * (time.perf_counter() - begun))
        except (OSError, ServerError) as e:
            self.failure = e

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()
        if self.failure:
            raise ServerError(f"a reload: {self.failure}")


def reload_under_load(bench: Bench) -> None:
    stage = bench.stage(PLAIN)
    path = str(bench.house.directory / "notify")
    rows: dict[str, dict] = {}
    pathlib.Path(path).unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(30)
        with stage.fresh(OURS, {"NOTIFY_SOCKET": path}) as target:
            # Its own keys come from a file, which a reload reads again.
            reloader = Reloader(target.server, notify)
            reloader.await_ready()
            for what in ("without", "with"):
                bench.progress(f"{bench.plan.reload_rate} requests a second {what} reloads")
                with reloader if what == "with" else contextlib.nullcontext():
                    rows[what] = load.rate(bench.house.builddir, target, target.ask("chat", SMALL),
                                           16, bench.plan.reload_rate, bench.plan.reload_seconds)
                bench.note_errors(f"{what} reloads", OURS, rows[what])
    if not reloader.took:
        bench.wrong.append("no reload was completed under load")
        return
    section = "A reload under load"
    for what, result in rows.items():
        row = f"{bench.plan.reload_rate} requests a second, {what} reloads"
        for percentile, unit in (("p50", "p50, µs"), ("p99", "p99, µs"), ("max", "longest, µs")):
            bench.figures.add(section, Figure(f"reload.{what}.{percentile}", row, unit,
                                              {OURS: [result["whole_us"][percentile]]}, 0, compared=False))
        bench.figures.add(section, Figure(f"reload.{what}.errors", row, "errors", {OURS: [result["errors"]]}, 0,
                                          compared=False))
    bench.figures.add(section, Figure("reload.took", f"a reload of {RELOAD_KEYS:,} keys more or less", "ms",
                                      {OURS: reloader.took}, compared=False))
    bench.figures.remark(section, f"{len(reloader.took)} reloads, one each {RELOAD_EVERY * 1000:.0f} ms.")
