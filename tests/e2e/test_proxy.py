# SPDX-License-Identifier: MIT
"""The way to Gemini through proxies: real ones from Debian, and servers that fail in each way."""
import base64
import contextlib
import json
import re
import signal
import socket
import subprocess

import pytest

import house
import http1
import road
import wait
from house import SECRETS
from jobs import chat_with, gone, records, run, settings as cli_settings  # noqa: F401
from road import NAME, PASSWORD, PLAIN, USER
from test_trace import ask, lines_of

LOGIN = f"{USER}:{PASSWORD}@"
NO_ENVIRONMENT = {"LOG_LEVEL": "DEBUG", "API_KEYS": json.dumps([{"key": SECRETS["KEY1"], "name": "k1"}])}


@pytest.fixture
def through(sim, roads, tmp_path_factory):
    """through(NAME="value", …) starts a daemon whose Gemini is behind proxies."""
    running = []

    def one(**settings):
        argv = settings.pop("argv", ())
        env = NO_ENVIRONMENT | {"GEMINI_BASE_URL": roads.google.url, "UPSTREAM_CA_FILE": str(roads.cert)} | settings
        d = house.Daemon(tmp_path_factory.mktemp("gemgated"), sim, env, program=roads.program, argv=argv)
        running.append(d)
        return d

    yield one
    for d in running:
        if d.process.status is None:
            d.process.stop()
        d.process.check()
        said = d.process.said()
        assert not house.leaked(said)
        assert "hunter2" not in said and USER not in said, "the user of a proxy in the daemon's output"


def told(d):
    """The line about the way to Gemini."""
    return [line["message"] for line in d.log() if line["message"].startswith("Gemini is reached ")]


# --- real proxies ---


def test_tinyproxy(roads, through):
    proxy = roads.tinyproxy()
    d = through(UPSTREAM_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert d.chat().status == 200 and d.chat().status == 200
    assert len(roads.google.connections) == 1  # kept
    assert f"CONNECT {NAME}:" in proxy.said()
    assert told(d) == [f"Gemini is reached through the proxy http://127.0.0.1:{proxy.port} (UPSTREAM_PROXY)"]


def test_tinyproxy_with_password(roads, through):
    proxy = roads.tinyproxy(f"BasicAuth {USER} {PLAIN}")
    assert through(UPSTREAM_PROXY=f"127.0.0.1:{proxy.port}").chat().status == 503
    assert through(UPSTREAM_PROXY=f"http://{USER}:{PLAIN}@127.0.0.1:{proxy.port}/").chat().status == 200
    assert through(UPSTREAM_PROXY=f"http://{LOGIN}127.0.0.1:{proxy.port}").chat().status == 200


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_microsocks(roads, through, scheme):
    """The proxy resolves the name, with either scheme."""
    proxy = roads.microsocks()
    d = through(UPSTREAM_PROXY=f"{scheme}://127.0.0.1:{proxy.port}")
    assert d.chat().status == 200
    assert NAME in proxy.said()


def test_microsocks_with_password(roads, through):
    proxy = roads.microsocks("-u", USER, "-P", PLAIN)
    assert through(UPSTREAM_PROXY=f"socks5://{LOGIN}127.0.0.1:{proxy.port}").chat().status == 200


def test_https_proxy(roads, through):
    proxy = roads.connect(tls=True)
    d = through(UPSTREAM_PROXY=f"https://{LOGIN}127.0.0.1:{proxy.port}")
    assert d.chat().status == 200
    assert proxy.tunnels[0][0] == base64.b64encode(f"{USER}:{PLAIN}".encode()).decode()


def test_stream_and_upload(roads, through):
    """The head of the proxy's own answer is not taken for Google's."""
    proxy = roads.connect()
    d = through(UPSTREAM_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert b"data: [DONE]" in d.chat(stream=True).body
    start = [("X-Goog-Upload-Protocol", "resumable"), ("X-Goog-Upload-Command", "start"),
             ("X-Goog-Upload-Header-Content-Length", "5")]  # fmt: skip
    answer = d.ask("POST", "/upload/v1beta/files", start, {"file": {"display_name": "a"}})
    assert answer.status == 200, answer.body
    assert not [name for name, _ in answer.headers if name.lower() == "x-proxy"]


# --- which proxy ---


def test_environment(roads, through, tmp_path):
    """HTTPS_PROXY before ALL_PROXY, lower case before upper case, both from the env file as well; the password is in no
    environment afterwards."""
    proxy = roads.tinyproxy(f"BasicAuth {USER} {PLAIN}")
    good, bad = f"http://{LOGIN}127.0.0.1:{proxy.port}", f"http://{LOGIN}127.0.0.1:{road.free_port()}"
    for settings, status, name in (
        ({"HTTPS_PROXY": good, "ALL_PROXY": bad}, 200, "HTTPS_PROXY"),
        ({"https_proxy": good, "HTTPS_PROXY": bad}, 200, "HTTPS_PROXY"),
        ({"ALL_PROXY": good, "http_proxy": bad}, 200, "ALL_PROXY"),
        ({"all_proxy": good, "no_proxy": "example.com,.test.example"}, 200, "ALL_PROXY"),
        ({"UPSTREAM_PROXY": good, "https_proxy": bad, "NO_PROXY": "*"}, 200, "UPSTREAM_PROXY"),
        ({"HTTPS_PROXY": good, "NO_PROXY": "localhost,.test"}, 503, f"NO_PROXY covers {NAME}"),
        ({"UPSTREAM_PROXY": "none", "HTTPS_PROXY": good}, 503, "UPSTREAM_PROXY is none"),
        ({}, 503, None),
    ):
        d = through(**settings)
        assert d.chat().status == status, settings
        assert name is None and not told(d) or name in told(d)[0]
        with open(f"/proc/{d.process.pid}/environ", "rb") as f:
            assert b"hunter2" not in f.read()
    file = tmp_path / "env"
    file.write_text(f"https_proxy={good}\nHTTP_PROXY={bad}\n")
    d = through(argv=["--env-file", file])
    assert d.chat().status == 200 and "(HTTPS_PROXY)" in told(d)[0]
    assert [line for line in d.log() if "HTTP_PROXY is not used" in line["message"]]


def test_loopback(start, sim):
    """The keys would be readable there."""
    d = start(UPSTREAM_PROXY="http://127.0.0.1:9", API_KEYS=json.dumps([{"key": SECRETS["KEY1"], "proxy": "127.0.0.1:9"}]))
    assert d.chat().status == 200
    assert told(d) == ["Gemini is reached directly: 127.0.0.1 is this machine, and no proxy leads there"]


def test_projects(roads, through):
    """A key's proxy, its project's, and the one of all others; each has its own connections."""
    a, b, c = roads.connect(), roads.connect(), roads.connect()
    keys = [
        {"key": SECRETS["KEY1"], "name": "k1", "proxy": f"http://127.0.0.1:{a.port}"},
        {"key": SECRETS["KEY2"], "name": "k2", "project": "two"},
        {"key": SECRETS["KEY3"], "name": "k3"},
    ]
    d = through(API_KEYS=json.dumps(keys), UPSTREAM_PROXY=f"127.0.0.1:{c.port}",
                PROJECT_PROXIES=json.dumps({"two": f"127.0.0.1:{b.port}", "unused": "none"}))  # fmt: skip
    for _ in range(6):
        assert d.chat().status == 200
    for proxy, key in ((a, "KEY1"), (b, "KEY2"), (c, "KEY3")):
        ports = {port for _, port in proxy.tunnels}
        assert len(ports) == 1
        assert [keys for port, keys in roads.google.keys() if port in ports] == [{key}]


def test_tests_of_keys(roads, through, tmp_path):
    """Each goes its key's own road, which it names without the user."""
    a, b = roads.connect(), road.free_port()
    keys = [
        {"key": SECRETS["KEY1"], "name": "k1", "proxy": f"http://{LOGIN}127.0.0.1:{a.port}"},
        {"key": SECRETS["KEY2"], "name": "k2", "project": "two"},
    ]
    control = tmp_path / "bus"
    d = through(API_KEYS=json.dumps(keys), CONTROL_SOCKET=str(control), PROJECT_PROXIES=json.dumps({"two": f"{LOGIN}127.0.0.1:{b}"}))
    d.wait_log("the control socket", lambda line: "administration on unix:" in line["message"])
    done = subprocess.run([house.BUILD / "src" / "gemgatectl", f"--socket={control}", "test", "--json"], capture_output=True, text=True)
    assert not done.stderr, done.stderr
    rows = json.loads(done.stdout)["keys"]
    assert [(r["key"], r["verdict"], r["road"]) for r in rows] == [
        ("k1", "works", f"http://127.0.0.1:{a.port}"), ("k2", "unreachable", f"http://127.0.0.1:{b}")]
    assert done.returncode == 1 and rows[1]["text"].startswith(f"unreachable: proxy 127.0.0.1:{b}: connection refused")
    assert len(a.tunnels) == 1 and [keys for _, keys in roads.google.keys()] == [{"KEY1"}]


# Where the proxy is set, and the settings for it. `{}` is the proxy, with its user and password.
ROADS_OF_JOBS = {
    "setting": {"UPSTREAM_PROXY": "{}"},
    "environment": {"HTTPS_PROXY": "{}", "http_proxy": "{}"},
    "key": {"API_KEYS": json.dumps([{"key": SECRETS["KEY1"], "name": "k1", "proxy": "{}"}]), "https_proxy": "127.0.0.1:9"},
    "project": {
        "API_KEYS": json.dumps([{"key": SECRETS["KEY1"], "name": "k1", "project": "p"}]),
        "PROJECT_PROXIES": json.dumps({"p": "{}"}),
        "UPSTREAM_PROXY": "127.0.0.1:9",
    },
}


@pytest.mark.parametrize("how", ROADS_OF_JOBS)
def test_jobs_of_the_cli(roads, through, cli_settings, records, how):  # noqa: F811
    """What the Gemini CLI asks for comes to gemgated, which sends it through the proxy of the key. The process of the job gets
    neither the proxy nor its password, and its own way to gemgated is the unix socket."""
    proxy = roads.connect()
    url = f"http://{LOGIN}127.0.0.1:{proxy.port}"
    d = through(**cli_settings | {"ENGINE": "cli"} | {k: v.replace("{}", url) for k, v in ROADS_OF_JOBS[how].items()})
    assert d.chat().status == 200  # ENGINE=cli
    assert d.ask("POST", "/v1/chat/completions", body=chat_with()).status == 200
    assert run(d, "Hi").status == 200
    assert len(proxy.tunnels) == len(roads.google.connections) == 1  # one connection, kept from job to job
    assert [keys for _, keys in roads.google.keys()] == [{"KEY1"}]
    assert proxy.heads[0].startswith(f"CONNECT {NAME}:")
    gone(records)
    assert len(records()) == 3
    for r in records():
        given = json.dumps([r.find("environment"), r.find("argv"), r.find("start"), r.find("job")])
        assert "proxy" not in given.lower() and str(proxy.port) not in given and PLAIN not in given and USER not in given


def test_failure_of_a_job(roads, through, cli_settings):  # noqa: F811
    """A proxy that cannot be reached fails a job as it fails a request without the CLI, and the job's answer has the cause."""
    d = through(**cli_settings | {"UPSTREAM_PROXY": f"http://{LOGIN}127.0.0.1:{road.free_port()}"})
    plain, job = d.chat(), d.ask("POST", "/v1/chat/completions", body=chat_with())
    assert plain.status == job.status == 503
    assert "proxy" in json.loads(job.body)["error"]["message"]


def test_users_do_not_mix(roads, through):
    """Providers choose the way out by the user."""
    proxy = roads.connect()
    users = {f"KEY{i}": f"session-{i}" for i in (1, 2, 3)}
    keys = [{"key": SECRETS[k], "name": k, "proxy": f"http://{u}:x@127.0.0.1:{proxy.port}"} for k, u in users.items()]
    d = through(API_KEYS=json.dumps(keys))
    for _ in range(9):
        assert d.chat().status == 200
    assert len(proxy.tunnels) == 3
    keys_of = dict(roads.google.keys())
    for user, port in proxy.tunnels:
        name = base64.b64decode(user).decode().split(":")[0]
        assert [users[k] for k in keys_of[port]] == [name]


# --- a reload ---


def test_reload(roads, through, tmp_path):
    """The next call goes through the new proxy; a stream goes on through the old one."""
    old, new = roads.connect(), roads.connect()
    config = tmp_path / "etc"
    config.mkdir()
    (config / "upstream-proxy").write_text(f"# ours\nhttp://{LOGIN}127.0.0.1:{old.port}\n")
    roads.google.sim.script('method=stream : text "a b c d" chunks=200 pace=10ms\n* : text "Hello."')
    d = through(argv=["--config-dir", config])
    body = json.dumps({"model": "gemini-3.8-flash", "stream": True, "messages": [{"role": "user", "content": "Hi"}]})
    c = d.connect()
    c.send(http1.compose("POST", "/v1/chat/completions", [("Authorization", f"Bearer {SECRETS['TOKEN']}")], body.encode()))
    c.read_until(b'"content":"a')  # a dial that is under way would be dropped, and another one begun
    (config / "upstream-proxy").write_text(f"http://127.0.0.1:{new.port}\n")
    d.interrupt(signal.SIGHUP)
    d.wait_log("the reload", lambda line: "configuration reloaded" in line["message"])
    assert d.chat().status == 200
    assert (len(old.tunnels), len(new.tunnels)) == (1, 1)
    c.read_until(b"data: [DONE]")
    c.close()
    assert len(told(d)) == 2


# --- proxies that fail ---

SOCKS_REFUSES = {b"\x05\xff": "it wants a user and a password", b"\x04\x00": "it is not a SOCKS5 proxy"}


def answering(answer):
    def serve(c):
        c.recv(65536)
        c.sendall(answer)

    return serve


def silent(c):
    while c.recv(65536):
        pass


def endless(status):
    """An answer whose body does not end, as fast as it is read."""

    def serve(c):
        c.recv(65536)
        c.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 99999999999\r\n\r\n".encode())
        while True:
            c.sendall(b"x" * 65536)

    return serve


def dead_end(status):
    return f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>".encode()


# What: (the proxy's URL, how it answers, the cause behind `proxy ADDRESS: `)
FAILURES = {
    "no name": ("http://{login}proxy.invalid:3128", None, "its name could not be resolved"),
    "refused": ("http://{login}127.0.0.1:{port}", None, "connection refused"),
    "socks refused": ("socks5://{login}127.0.0.1:{port}", None, "connection refused"),
    "silent": ("http://{login}127.0.0.1:{port}", silent, "it did not answer within CONNECT_TIMEOUT"),
    "socks silent": ("socks5://{login}127.0.0.1:{port}", silent, "it did not answer within CONNECT_TIMEOUT"),
    "https silent": ("https://{login}127.0.0.1:{port}", silent, "it did not answer within CONNECT_TIMEOUT"),
    "wants a password": ("http://127.0.0.1:{port}", answering(dead_end(407)), r"it wants a user and a password \(407\)"),
    "wrong password": ("http://{login}127.0.0.1:{port}", answering(dead_end(407)),
                       r"it refuses the user or the password \(407\)"),
    "forbids": ("http://127.0.0.1:{port}", answering(dead_end(403)), r"it forbids the connection \(403\)"),
    "endless": ("http://127.0.0.1:{port}", endless(407), r"it wants a user and a password \(407\)"),
    "fails": ("http://127.0.0.1:{port}", answering(dead_end(502)), r"it could not connect to Gemini \(502\)"),
    "hangs up": ("http://127.0.0.1:{port}", answering(b""), "it gave no answer: "),
    "no proxy": ("http://127.0.0.1:{port}", answering(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "it gave no answer: "),
    "no tls": ("https://127.0.0.1:{port}", answering(dead_end(400)), "(?!behind it).*(SSL|TLS)"),
    "other tls": ("http://127.0.0.1:{port}", answering(b"HTTP/1.1 200 OK\r\n\r\nnonsense"), "behind it: .*(SSL|TLS)"),
    "hangs behind": ("http://127.0.0.1:{port}", lambda c: (answering(b"HTTP/1.1 200 OK\r\n\r\n")(c), silent(c)),
                     "behind it: no TLS within CONNECT_TIMEOUT "),
    "socks wants": ("socks5://127.0.0.1:{port}", answering(b"\x05\xff"), "it wants a user and a password"),
    "no socks": ("socks5://127.0.0.1:{port}", answering(b"\x04\x00"), "it is not a SOCKS5 proxy"),
}  # fmt: skip


@pytest.mark.parametrize("what", FAILURES)
def test_failure(roads, through, what):
    """Each has its words, is `unreachable`, and is no key's fault."""
    url, serve, words = FAILURES[what]
    port = roads.server(serve).port if serve else road.free_port()
    d = through(UPSTREAM_PROXY=url.format(port=port, login=LOGIN), CONNECT_TIMEOUT="300ms" if "CONNECT_TIMEOUT" in words else "10s")
    answer = ask(d, "mine")
    assert answer.status == 503
    host = "proxy.invalid:3128" if "invalid" in url else f"127.0.0.1:{port}"
    *before, line = lines_of(d, "mine")
    assert re.match(f"proxy {re.escape(host)}: {words}", line["cause"]), line["cause"]
    assert line["verdict"] == "unreachable"
    assert f"Gemini could not be reached: proxy {host}: " in json.loads(answer.body)["error"]["message"]
    assert '"healthy_keys": 1' in json.dumps(json.loads(d.ask("GET", "/stats", token="ADMIN").body))
    assert PLAIN not in answer.body.decode() and USER not in answer.body.decode()


def test_real_refusals(roads, through):
    """The same with real proxies."""
    tiny, socks = roads.tinyproxy(f"BasicAuth {USER} {PLAIN}"), roads.microsocks("-u", USER, "-P", PLAIN)
    for url, words in (
        (f"http://127.0.0.1:{tiny.port}", "it wants a user and a password (407)"),
        (f"http://{USER}:wrong@127.0.0.1:{tiny.port}", "it refuses the user or the password (40"),
        (f"socks5://127.0.0.1:{socks.port}", "it wants a user and a password"),
        (f"socks5://{USER}:wrong@127.0.0.1:{socks.port}", "it refuses the user or the password"),
    ):
        d = through(UPSTREAM_PROXY=url)
        assert ask(d, "mine").status == 503
        *_, line = lines_of(d, "mine")
        assert words in line["cause"], line["cause"]


def test_name_behind_it(sim, roads, through):
    """Real proxies that cannot reach Gemini."""
    for proxy, scheme in ((roads.tinyproxy(), "http"), (roads.microsocks(), "socks5")):
        d = through(UPSTREAM_PROXY=f"{scheme}://127.0.0.1:{proxy.port}", GEMINI_BASE_URL="https://gemini.invalid")
        assert ask(d, "mine").status == 503
        *_, line = lines_of(d, "mine")
        assert line["cause"].startswith(f"proxy 127.0.0.1:{proxy.port}: it"), line["cause"]


def test_others_serve(roads, through):
    """A project whose proxy fails does not hold up requests: another one serves them, and is asked first from then on."""
    good = roads.connect()
    keys = [
        {"key": SECRETS["KEY1"], "name": "k1", "proxy": f"http://127.0.0.1:{road.free_port()}"},
        {"key": SECRETS["KEY2"], "name": "k2", "proxy": f"http://127.0.0.1:{good.port}"},
    ]
    d = through(API_KEYS=json.dumps(keys))
    for i in range(4):
        assert ask(d, f"mine{i}").status == 200
    tries = [lines_of(d, f"mine{i}")[-1]["attempts"] for i in range(4)]
    assert sum(tries) == 5, tries


# --- wrong settings ---

WRONG = {
    "scheme": ({"UPSTREAM_PROXY": f"socks4://{LOGIN}10.0.0.1:1"}, "UPSTREAM_PROXY: socks4://…: must be none or "),
    "port": ({"UPSTREAM_PROXY": f"http://{LOGIN}10.0.0.1:99999"}, "UPSTREAM_PROXY: http://…: must be none or "),
    "environment": ({"https_proxy": "http://a b"}, "HTTPS_PROXY: http://…: must be none or "),
    "project": ({"PROJECT_PROXIES": json.dumps({"p": f"ftp://{LOGIN}h"})}, "PROJECT_PROXIES: p: must be none or "),
    "json": ({"PROJECT_PROXIES": '{"p": "' + LOGIN}, "PROJECT_PROXIES: must be valid JSON"),
    "key": ({"API_KEYS": json.dumps([{"key": SECRETS["KEY1"], "proxy": f"{LOGIN}:1"}])},
            "API_KEYS: entry 1 (AIza****0001): proxy: must be none or "),
    "two of keys": ({"API_KEYS": json.dumps([{"key": SECRETS["KEY1"], "project": "p", "proxy": f"http://{LOGIN}h:1"},
                                             {"key": SECRETS["KEY2"], "project": "p", "proxy": "http://h:2"}])},
                    "API_KEYS: p: must have one proxy, not both http://h:1 and http://h:2"),
    "key and project": ({"API_KEYS": json.dumps([{"key": SECRETS["KEY1"], "project": "p", "proxy": f"http://{LOGIN}h:1"}]),
                         "PROJECT_PROXIES": '{"p": "http://h:1"}'},
                        "PROJECT_PROXIES: p: must have one proxy, not both http://h:1 and http://h:1 with another user"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_settings(sim, tmp_path, what):
    settings, message = WRONG[what]
    env = house.defaults(sim) | {"GEMINI_BASE_URL": "https://gemini.invalid"} | settings
    status, out, err = house.run_daemon(tmp_path, "--check-config", env=env)
    assert status == 78
    assert message in out + err
    assert "hunter2" not in out + err and USER not in out + err


def test_check_config(sim, tmp_path):
    """It names what would be used."""
    env = house.defaults(sim) | {"GEMINI_BASE_URL": "https://gemini.invalid", "HTTPS_PROXY": f"http://{LOGIN}[::1]:3128"}
    status, out, err = house.run_daemon(tmp_path, "--check-config", env=env)
    assert status == 0
    assert "Gemini is reached through the proxy http://[::1]:3128 (HTTPS_PROXY)" in out + err


def test_credential(roads, through, tmp_path):
    """As systemd passes them."""
    proxy, other = roads.connect(), roads.connect()
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "upstream-proxy").write_text(f"http://{LOGIN}127.0.0.1:{proxy.port}\n")
    (folder / "project-proxies").write_text(json.dumps({"two": f"http://127.0.0.1:{other.port}"}) + "\n")
    keys = [{"key": SECRETS["KEY1"]}, {"key": SECRETS["KEY2"], "project": "two"}]
    d = through(CREDENTIALS_DIRECTORY=str(folder), API_KEYS=json.dumps(keys))
    assert d.chat().status == 200 and d.chat().status == 200
    assert len(proxy.tunnels) == len(other.tunnels) == 1
