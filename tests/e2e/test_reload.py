# SPDX-License-Identifier: MIT
"""Reloading: a good configuration under load, a wrong one that changes nothing, keys and tokens that come and go."""
import concurrent.futures
import json
import os
import pty
import select
import signal
import socket
import threading

import pytest

import http1
import process
import wait
from house import GEMGATED, MASKS, SECRETS, Daemon, defaults

HI = {"model": "gemini-3.8-flash", "messages": [{"role": "user", "content": "Hi"}]}
STREAM = HI | {"stream": True}


class Configured(Daemon):
    """A gemgated whose settings are in a directory, so that a reload can find others there."""

    def __init__(self, folder, sim, environment=None, address="127.0.0.1"):
        self.folder = folder / "etc"
        self.folder.mkdir()
        self.settings = {"ALLOWED_IPS": "*", "GEMINI_BASE_URL": sim.url, "LOG_FORMAT": "json"}
        self.keys("KEY1", "KEY2")
        self.tokens("TOKEN")
        self.write("admin-tokens", SECRETS["ADMIN"])
        self.set()
        names = ["API_KEYS", "ALLOWED_TOKENS", "ADMIN_TOKENS", "GEMINI_BASE_URL", "LOG_FORMAT"]
        listener = process.listen_tcp(address)
        port = listener.getsockname()[1]
        argv = ["--config-dir", str(self.folder)]
        super().__init__(folder, sim, environment, unset=names, sockets=[listener], argv=argv)
        self.address = ("127.0.0.1", port)
        self.reloads = 0
        assert self.ask("GET", "/health").status == 200

    def write(self, name, text):
        (self.folder / name).write_text(text + "\n")

    def set(self, **settings):
        """Into gemgate.env, beside what is there; None takes it out."""
        self.settings |= settings
        lines = [f"{k}={v}" for k, v in self.settings.items() if v is not None]
        self.write("gemgate.env", "\n".join(lines))

    def keys(self, *keys):
        """Names of secrets, or objects with such a name."""
        reveal = lambda k: k | {"key": SECRETS[k["key"]]} if isinstance(k, dict) else SECRETS[k]
        self.write("api-keys", json.dumps([reveal(k) for k in keys]))

    def tokens(self, *tokens):
        self.write("allowed-tokens", "\n".join(SECRETS[t] for t in tokens))

    def reload(self):
        """SIGHUP; the log line of what came of it."""
        self.reloads += 1
        self.process.signal(signal.SIGHUP)
        told = lambda e: e["message"].startswith(("configuration reloaded", "configuration not reloaded"))
        return wait.until(
            "the word of the reload", lambda: (lines := [e for e in self.log() if told(e)])[self.reloads - 1 :] and lines[-1]
        )

    def expect(self, added, removed, kept):
        message = self.reload()["message"]
        keys = "key" if added == 1 else "keys"
        message, _, _ = message.partition("; changed: ")
        assert message == f"configuration reloaded: {added} {keys} added, {removed} removed, {kept} kept"

    def refuse(self, *pieces):
        line = self.reload()
        assert line["message"].startswith("configuration not reloaded, nothing has changed: "), line
        for piece in pieces:
            assert piece in line["message"], line
        return line["message"]

    def stats(self):
        return json.loads(self.ask("GET", "/stats", token="ADMIN").body)["api_key_stats"]


@pytest.fixture
def daemon(sim, tmp_path):
    with Configured(tmp_path, sim) as d:
        yield d


def ask(daemon, body, token="TOKEN"):
    """Sends a chat request and leaves the connection open."""
    c = daemon.connect()
    c.send(http1.compose("POST", "/v1/chat/completions", [("Authorization", f"Bearer {SECRETS[token]}")],
                         json.dumps(body).encode()))
    return c


# --- keys ---


def test_nothing_has_changed(daemon):
    daemon.expect(0, 0, 2)
    assert daemon.chat().status == 200


def test_keys_that_stay_keep_what_is_known(sim, daemon):
    sim.script(f'key={SECRETS["KEY1"]}: error invalid_key')
    for _ in range(3):
        assert daemon.chat().status == 200
    before = daemon.stats()
    assert before[MASKS["MASK1"]]["models"]["gemini-3.8-flash"]["state"] == "dead"
    daemon.keys("KEY3", {"key": "KEY1", "name": "one"}, "KEY2")
    daemon.expect(1, 0, 2)
    after = daemon.stats()
    assert list(after) == [MASKS[f"MASK{i}"] for i in (3, 1, 2)]
    assert after[MASKS["MASK1"]]["name"] == "one"
    for mask in before:
        for name in ("total_requests", "daily_requests", "last_used", "models"):
            assert after[mask][name] == before[mask][name], (mask, name)
    assert after[MASKS["MASK3"]]["total_requests"] == 0


def test_new_key_is_used_and_old_one_not(sim, daemon):
    assert daemon.chat().status == 200
    daemon.keys("KEY3")
    daemon.expect(1, 2, 0)
    for _ in range(3):
        assert daemon.chat().status == 200
    assert [r.key for r in sim.requests()] == [SECRETS["KEY1"]] + [SECRETS["KEY3"]] * 3


def test_totals_stay(sim, daemon):
    """A key that goes takes its own counters along, and nothing from the totals."""
    for _ in range(4):
        assert daemon.chat().status == 200
    daemon.keys("KEY1")
    daemon.expect(0, 1, 1)
    stats = json.loads(daemon.ask("GET", "/stats", token="ADMIN").body)
    assert stats["global_summary"]["total_requests_all_time"] == stats["global_summary"]["total_requests_today"] == 4
    assert sum(k["total_requests"] for k in stats["api_key_stats"].values()) == 2
    advice = json.loads(daemon.ask("GET", "/api-key-recommendations", token="ADMIN").body)
    assert advice["current_system_status"]["today_total_requests"] == 4


def test_no_keys_and_keys_again(daemon):
    daemon.keys()
    daemon.expect(0, 2, 0)
    assert json.loads(daemon.ask("GET", "/health").body)["status"] == "no_keys"
    assert daemon.chat().status == 503
    daemon.keys("KEY4")
    daemon.expect(1, 0, 0)
    assert daemon.chat().status == 200


def test_keys_go_while_streams_run(sim, daemon):
    """Streams of removed keys end normally, and their results do no harm."""
    sim.script('*: text "a b c d e f" chunks=6 pace=60ms')
    streams = [ask(daemon, STREAM) for _ in range(6)]
    for c in streams:
        c.read_until(b'"content"')
    daemon.keys("KEY3", "KEY2")
    daemon.expect(1, 1, 1)
    daemon.keys("KEY1")  # is a new key now, beside what is left of the old one
    daemon.expect(1, 2, 0)
    more = ask(daemon, STREAM)
    for c in streams + [more]:
        if not c.answer:
            c.read_head()
        answer = c.read_body("POST")
        assert answer.status == 200 and answer.complete
        c.close()
    assert list(daemon.stats()) == [MASKS["MASK1"]]
    assert daemon.stats()[MASKS["MASK1"]]["total_requests"] == 1


def test_a_retry_after_its_key_went(sim, daemon):
    """An attempt fails after its key was removed: another one is tried, of the present keys."""
    sim.script(f'key={SECRETS["KEY1"]}: error invalid_key delay=400ms')
    c = ask(daemon, HI)
    wait.until("the first attempt", lambda: sim.count() == 1)
    daemon.keys("KEY4")
    daemon.expect(1, 2, 0)
    assert c.read().status == 200
    c.close()
    assert [r.key for r in sim.requests()] == [SECRETS["KEY1"], SECRETS["KEY4"]]


def test_disabled_by_the_configuration(sim, daemon):
    daemon.keys({"key": "KEY1", "disabled": True}, "KEY2")
    daemon.expect(0, 0, 2)
    for _ in range(3):
        assert daemon.chat().status == 200
    assert {r.key for r in sim.requests()} == {SECRETS["KEY2"]}
    daemon.keys("KEY1", "KEY2")
    daemon.expect(0, 0, 2)
    assert daemon.chat().status == 200
    assert sim.requests()[-1].key == SECRETS["KEY1"]


# --- what is wrong changes nothing ---

WRONG = [
    ({"LOG_LEVEL": "LOUD"}, ["LOG_LEVEL: LOUD: "]),
    ({"GEMINI_BASE_URL": "http://example.com"}, ["GEMINI_BASE_URL"]),
    ({"LISTEN": "nonsense"}, ["LISTEN: nonsense"]),  # it would be refused at the next start
    ({"FIRST_BYTE_TIMEOUT": "ten", "MAX_BODY": "1Q"}, ["FIRST_BYTE_TIMEOUT: ten: "]),  # the first of two
    ({"QUOTA_RESET_TIMEZONE": "Mars/Olympus"}, ["QUOTA_RESET_TIMEZONE"]),
]


@pytest.mark.parametrize("settings,pieces", WRONG, ids=[next(iter(s)) for s, _ in WRONG])
def test_wrong_value_changes_nothing(sim, daemon, settings, pieces):
    before = dict(daemon.settings)
    daemon.tokens("TOKEN2")
    daemon.keys("KEY3")
    daemon.set(**settings)
    daemon.refuse(*pieces)
    assert daemon.chat().status == 200
    assert daemon.ask("GET", "/v1/models", token="TOKEN2").status == 401
    assert list(daemon.stats()) == [MASKS["MASK1"], MASKS["MASK2"]]
    faults = [e for e in daemon.log() if e["level"] == "error"]
    assert len(faults) >= len(settings) + 1  # each fault, and that it was refused

    daemon.settings = before
    daemon.set()
    daemon.expect(1, 2, 0)
    assert daemon.ask("GET", "/v1/models", token="TOKEN2").status == 200


def test_wrong_key_file(daemon):
    daemon.write("api-keys", '["unfinished')
    assert "unfinished" not in daemon.refuse("API_KEYS")
    (daemon.folder / "api-keys").unlink()
    (daemon.folder / "api-keys").mkdir()
    daemon.refuse("api-keys")
    assert daemon.chat().status == 200


def test_broken_env_file(daemon):
    daemon.write("gemgate.env", "LOG_LEVEL=INFO\nnonsense\n")
    daemon.refuse("gemgate.env", "2")
    assert daemon.chat().status == 200


def test_no_token_beyond_loopback(sim, tmp_path):
    """No setting applies to a socket that was passed in."""
    with Configured(tmp_path, sim, address="0.0.0.0") as d:
        d.tokens()
        d.refuse("ALLOWED_TOKENS", "beyond loopback")
        d.write("allowed-tokens", "fifteen-letters")
        port = d.address[1]
        d.refuse(f"ALLOWED_TOKENS: fifteen…: must have at least 16 characters, because 0.0.0.0:{port} is beyond loopback")
        assert d.chat().status == 200


# --- everything else ---


def test_last_token_goes(sim, tmp_path):
    """As at a start: a warning, each time."""
    warning = "ALLOWED_TOKENS: no token is set, so every request of a client gets a 401"
    with Configured(tmp_path, sim) as d:
        warnings = lambda: [e["message"] for e in d.log() if e["level"] == "warning"].count(warning)
        d.tokens()
        d.expect(0, 0, 2)
        assert warnings() == 0  # there is the admin's
        d.write("admin-tokens", "")
        d.expect(0, 0, 2)
        assert warnings() == 1
        d.tokens("TOKEN")
        d.expect(0, 0, 2)
        assert warnings() == 1
        assert d.chat().status == 200


def test_tokens_change(sim, daemon):
    """A stream of a removed token goes on, and its log line names the token."""
    sim.script('*: text "a b c" chunks=3 pace=100ms')
    with ask(daemon, STREAM) as c:
        c.read_until(b'"content"')
        daemon.tokens("TOKEN2")
        daemon.expect(0, 0, 2)
        assert daemon.chat().status == 401
        assert daemon.ask("GET", "/v1/models", token="TOKEN2").status == 200
        assert c.read_body("POST").complete
    line = daemon.wait_log("the stream's line", lambda e: e.get("model") and e["status"] == 200)
    assert line["token"] == MASKS["TOKENMASK"]


def test_a_body_that_was_begun_keeps_its_limit(sim, daemon):
    """Between headers and body: the request ends under the configuration that it began with."""
    body = json.dumps(HI | {"messages": [{"role": "user", "content": "x" * 4000}]}).encode()
    request = http1.compose("POST", "/v1/chat/completions", [("Authorization", f"Bearer {SECRETS['TOKEN']}")], body)
    with daemon.connect() as c:
        c.send(request[:-2000])
        assert daemon.chat().status == 200  # by now the headers were read
        daemon.set(MAX_BODY="1K")
        daemon.expect(0, 0, 2)
        assert daemon.chat("x" * 4000).status == 413
        c.send(request[-2000:])
        assert c.read().status == 200


def test_alias_changes(sim, daemon):
    daemon.set(MODEL_ALIASES='{"fast": "gemini-3.7-flash"}', DEFAULT_MODEL="gemini-3.6-flash")
    daemon.expect(0, 0, 2)
    assert daemon.chat(model="fast").status == 200
    assert daemon.ask("POST", "/v1/chat/completions", body={"messages": HI["messages"]}).status == 200
    assert [r.target.split("/")[-1] for r in sim.requests()] == [
        "gemini-3.7-flash:generateContent",
        "gemini-3.6-flash:generateContent",
    ]


def test_alias_patterns_change(sim, daemon):
    """A reload takes patterns and listed names, a wrong one changes nothing."""
    def ids():
        return {m["id"] for m in json.loads(daemon.ask("GET", "/v1/models").body)["data"]}

    daemon.set(MODEL_ALIASES='{"gpt-*": {"model": "gemini-3.7-flash", "list": ["gpt-9"]}}')
    daemon.expect(0, 0, 2)
    assert daemon.chat(model="gpt-5").status == 200
    assert "gpt-9" in ids() and "gpt-*" not in ids()
    daemon.set(MODEL_ALIASES='{"gpt-*": {"model": "gemini-3.6-flash", "lists": ["gpt-9"]}}')
    daemon.refuse("MODEL_ALIASES: gpt-*: must have no members but `model` and `list`")
    assert daemon.chat(model="gpt-5").status == 200
    daemon.set(MODEL_ALIASES='{"gpt-*": "gemini-3.7-flash", "gpt-5*": "gemini-3.6-flash"}')
    daemon.expect(0, 0, 2)
    assert daemon.chat(model="gpt-5").status == 200
    assert "gpt-9" not in ids()
    assert [r.target.split("/")[-1].split(":")[0] for r in sim.requests() if r.method == "POST"] == [
        "gemini-3.7-flash", "gemini-3.7-flash", "gemini-3.6-flash",
    ]


def test_addresses_change(daemon):
    daemon.set(ALLOWED_IPS="127.0.0.1")
    daemon.expect(0, 0, 2)
    assert daemon.ask("GET", "/v1/models", source="127.0.0.2").status == 403
    daemon.set(ALLOWED_IPS="127.0.0.0/8")
    daemon.expect(0, 0, 2)
    assert daemon.ask("GET", "/v1/models", source="127.0.0.2").status == 200


def test_log_level_and_format(daemon):
    daemon.set(LOG_LEVEL="WARNING")
    daemon.process.signal(signal.SIGHUP)
    wait.until("silence about requests", lambda: _is_silent(daemon))
    daemon.set(LOG_LEVEL="INFO", LOG_FORMAT="text")
    daemon.process.signal(signal.SIGHUP)
    wait.until("a line that is no JSON", lambda: "gemgated: configuration reloaded" in daemon.process.said())


def _is_silent(daemon):
    before = len(daemon.log())
    assert daemon.chat().status == 200
    return len(daemon.log()) == before


def test_time_out_gets_shorter(sim, daemon):
    """A waiting request keeps its time-out; a later one has the new one, although it is behind it in the queue."""
    sim.script("*: hang")
    with ask(daemon, HI) as long:
        wait.until("the first request", lambda: sim.count() == 1)
        daemon.set(REQUEST_DEADLINE="100ms")
        daemon.expect(0, 0, 2)
        assert daemon.chat().status == 504
        daemon.set(REQUEST_DEADLINE=None, FIRST_BYTE_TIMEOUT="100ms")
        daemon.expect(0, 0, 2)
        assert daemon.chat().status == 504
        long.sock.settimeout(0.01)
        with pytest.raises((AssertionError, socket.timeout)):
            long.read()


def test_another_gemini(sim, daemon):
    """GEMINI_BASE_URL applies to later calls; the list of models is fetched again."""
    assert daemon.ask("GET", "/v1/models").status == 200
    assert daemon.ask("GET", "/v1/models").status == 200
    assert sim.count() == 1
    daemon.set(GEMINI_BASE_URL=sim.url + "/")
    daemon.expect(0, 0, 2)  # the same, written otherwise
    assert daemon.ask("GET", "/v1/models").status == 200
    assert sim.count() == 1
    daemon.set(GEMINI_BASE_URL="http://127.0.0.1:9")
    daemon.expect(0, 0, 2)
    assert daemon.ask("GET", "/v1/models").status == 503
    daemon.set(GEMINI_BASE_URL=sim.url)
    daemon.expect(0, 0, 2)
    assert daemon.ask("GET", "/v1/models").status == 200
    assert sim.count() == 2


def warned(daemon):
    return [e["message"] for e in daemon.log() if "fixed until a restart" in e["message"]]


def test_fixed_until_a_restart_is_named(daemon):
    daemon.set(LISTEN="127.0.0.1:1", MAX_CONNECTIONS="5", QUOTA_RESET_TIMEZONE="UTC", DEFAULT_MODEL="gemini-x")
    daemon.expect(0, 0, 2)
    assert warned(daemon) == [
        "changed, but fixed until a restart: LISTEN, QUOTA_RESET_TIMEZONE, MAX_CONNECTIONS"
    ]
    assert "America/Los_Angeles" in daemon.ask("GET", "/stats", token="ADMIN").body.decode()


def test_environment_and_credentials_are_named(sim, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "admin-tokens").write_text(SECRETS["ADMIN"])
    env = {"DEFAULT_MODEL": "gemini-a", "CREDENTIALS_DIRECTORY": str(credentials)}
    with Configured(tmp_path, sim, env) as d:
        d.expect(0, 0, 2)
        assert warned(d) == []
        d.set(DEFAULT_MODEL="gemini-b")
        (credentials / "admin-tokens").write_text(SECRETS["TOKEN2"])
        d.expect(0, 0, 2)
        assert warned(d) == [
            "changed, but fixed until a restart: the credential admin-tokens, DEFAULT_MODEL in the environment"
        ]
        assert d.ask("GET", "/stats", token="ADMIN").status == 200
        assert d.ask("GET", "/stats", token="TOKEN2").status == 401


# --- how it is asked for ---


def test_under_load(sim, daemon):
    """Forty reloads, good and bad, while clients ask without pause: not one request notices."""
    stop, faults, n = threading.Event(), [], [0] * 4

    def client(i):
        while not stop.is_set():
            try:
                answer = daemon.chat() if i % 2 else daemon.chat(stream=True)
                ok = answer.status == 200 and answer.complete
            except OSError as e:
                answer, ok = e, False
            n[i] += 1
            if not ok:
                faults.append(answer)

    clients = [threading.Thread(target=client, args=(i,)) for i in range(len(n))]
    for t in clients:
        t.start()
    sets = [("KEY1", "KEY2"), ("KEY2", "KEY3"), ("KEY3",), ("KEY4", "KEY1", "KEY2")]
    try:
        for i in range(40):
            daemon.keys(*sets[i % 4])
            daemon.tokens("TOKEN", *(["TOKEN2"] if i % 2 else []))
            daemon.set(LOG_BODIES="no" if i % 5 else "perhaps")
            assert ("not reloaded" in daemon.reload()["message"]) == (i % 5 == 0)
    finally:
        stop.set()
        for t in clients:
            t.join()
    assert not faults, faults[0]
    assert min(n) > 5


def test_many_signals_at_once(daemon):
    for _ in range(50):
        daemon.process.signal(signal.SIGHUP)
    wait.until("a reload", lambda: any("reloaded" in e["message"] for e in daemon.log()))
    assert daemon.chat().status == 200


def test_before_the_start_is_over(sim, tmp_path):
    """A SIGHUP while the configuration is being read is a reload later, not the end."""
    settings = tmp_path / "settings"
    settings.write_text(("#" * 1000 + "\n") * 15000)  # reading it takes a while
    with Daemon(tmp_path, sim, argv=["--env-file", str(settings)]) as d:
        wait.until("its handlers", d.process.settled)
        d.process.signal(signal.SIGHUP)
        d.wait_log("the reload", lambda e: "configuration reloaded" in e["message"])


def test_not_while_draining(sim, tmp_path):
    sim.script('*: text "a b c" chunks=3 pace=300ms')
    d = Configured(tmp_path, sim)
    with ask(d, STREAM) as c:
        c.read_until(b'"content"')
        d.interrupt()
        d.wait_log("the end's beginning", lambda e: "finishing" in e["message"])
        d.refuse("the daemon is ending")
        assert c.read_body("POST").complete
    assert d.process.wait() == 0


@pytest.mark.parametrize("nohup", [False, True], ids=["plain", "nohup"])
def test_the_terminal_goes(nohup, tmp_path):
    """The kernel sends SIGHUP when a terminal is closed: that ends the daemon, unless SIGHUP was ignored."""
    log = tmp_path / "stdout"
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if nohup else signal.SIG_DFL)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT, 0o600), 1)
        os.execve(GEMGATED, [GEMGATED], defaults(None) | {"LISTEN": "127.0.0.1:0"})
    wait.until("the start", lambda: log.exists() and "serves 2 keys" in log.read_text())
    os.close(terminal)
    pidfd = os.pidfd_open(pid)
    try:
        if nohup:
            # More than one: two that are pending together are one signal, the kernel's.
            wait.until("the reload", lambda: os.kill(pid, signal.SIGHUP) or "configuration reloaded" in log.read_text())
            os.kill(pid, signal.SIGTERM)
        assert select.select([pidfd], [], [], wait.DEADLINE)[0], log.read_text()
    finally:
        os.close(pidfd)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert ("The terminal is gone" in log.read_text()) == (not nohup)


def test_systemd_is_told(sim, tmp_path):
    """RELOADING=1 with the moment, then READY=1: also of a reload that was refused."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(wait.DEADLINE)

        def told(want):
            while want not in (message := s.recv(4096).decode()):
                pass
            return message

        with Configured(tmp_path, sim, {"NOTIFY_SOCKET": str(tmp_path / "notify")}) as d:
            told("READY=1")
            for refused in (False, True):
                d.set(LOG_BODIES="perhaps" if refused else "no")
                d.reload()
                message = told("RELOADING=1")
                assert "\nMONOTONIC_USEC=" in message
                told("READY=1")


def test_sockets_that_never_connected(sim, daemon):
    """Later sockets with the number of one whose connect has not completed work."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]  # the backlog is full, so no further connect completes
        for s in fillers:
            s.setblocking(False)
            s.connect_ex(address)
        daemon.set(GEMINI_BASE_URL=f"http://127.0.0.1:{address[1]}", CONNECT_TIMEOUT="100ms")
        daemon.reload()
        with concurrent.futures.ThreadPoolExecutor(4) as clients:
            assert [f.result().status for f in [clients.submit(daemon.chat) for _ in range(4)]] == [503] * 4
        for s in fillers:
            s.close()
    daemon.set(GEMINI_BASE_URL=sim.url, CONNECT_TIMEOUT="10s")
    daemon.reload()
    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        assert [f.result().status for f in [clients.submit(daemon.chat) for _ in range(24)]] == [200] * 24
