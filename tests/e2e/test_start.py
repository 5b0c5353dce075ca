# SPDX-License-Identifier: MIT
"""Starting: exit statuses, where settings come from, sockets."""
import json
import os
import shutil
import signal
import socket

import pytest

import http1
import process
import wait
from house import GEMGATED, MASKS, ROOT, SECRETS, Daemon, defaults, leaked, run_daemon

USAGE = [["--nonsense"], ["argument"], ["--config-dir"], ["--check-config", "x"]]


@pytest.mark.parametrize("argv", USAGE, ids=" ".join)
def test_usage(argv, tmp_path):
    status, out, err = run_daemon(tmp_path, *argv)
    assert status == 64
    assert out == "" and err != ""


@pytest.mark.parametrize("argv", [["--help"], ["--version"]], ids=" ".join)
def test_tells(argv, tmp_path):
    status, out, err = run_daemon(tmp_path, *argv)
    assert (status, err) == (0, "")
    assert "gemgated" in out


def test_help_names_every_setting(tmp_path):
    _, out, _ = run_daemon(tmp_path, "--help")
    for name in ("API_KEYS", "ALLOWED_TOKENS", "ADMIN_TOKENS", "ALLOWED_IPS", "TRUSTED_PROXIES", "LISTEN", "GEMINI_BASE_URL",
                 "DEFAULT_MODEL", "MODEL_ALIASES", "LOG_LEVEL", "LOG_FORMAT", "QUOTA_RESET_TIMEZONE", "CONNECT_TIMEOUT",
                 "FIRST_BYTE_TIMEOUT", "STREAM_IDLE_TIMEOUT", "REQUEST_DEADLINE", "DRAIN_TIMEOUT", "MAX_BODY",
                 "MAX_CONNECTIONS", "MAX_INFLIGHT_BYTES"):
        assert name in out, name


# setting, value, text that must not be shown
WRONG = [
    ("LISTEN", "nonsense", None),
    ("LISTEN", "127.0.0.1", None),
    ("LISTEN", "127.0.0.1:65536", None),
    ("LISTEN", "unix:", None),
    ("ALLOWED_IPS", '["10.0.0.0/33"]', None),
    ("ALLOWED_IPS", "localhost", None),
    ("TRUSTED_PROXIES", "nonsense", None),
    ("GEMINI_BASE_URL", "http://example.com", None),
    ("GEMINI_BASE_URL", "ftp://127.0.0.1", None),
    ("GEMINI_BASE_URL", "nonsense", None),
    ("CONNECT_TIMEOUT", "ten", None),
    ("FIRST_BYTE_TIMEOUT", "-1s", None),
    ("STREAM_IDLE_TIMEOUT", "5 fortnights", None),
    ("DRAIN_TIMEOUT", "1x", None),
    ("MAX_BODY", "-1", None),
    ("MAX_BODY", "32Q", None),
    ("MAX_CONNECTIONS", "0", None),
    ("MAX_INFLIGHT_BYTES", "1e3", None),
    ("LOG_LEVEL", "LOUD", None),
    ("LOG_FORMAT", "xml", None),
    ("LOG_BODIES", "perhaps", None),
    ("QUOTA_RESET_TIMEZONE", "Mars/Olympus", None),
    ("QUOTA_RESET_TIMEZONE", "../../etc/passwd", None),
    ("DEFAULT_MODEL", "../x", None),
    ("MODEL_ALIASES", "[]", None),
    ("MODEL_ALIASES", '{"a": "../x"}', None),
    ("STATE_URL", "nonsense:", None),
    ("API_KEYS", '["unfinished', "unfinished"),
    ("API_KEYS", '["a key with blanks"]', "a key with blanks"),
    ("API_KEYS", '[{"name": "nokey"}]', None),
    ("API_KEYS", '[{"key": "abcdefghijklmnopqrstuvwxyz", "nmae": "typo"}]', "abcdefghijklmnopqrstuvwxyz"),
    ("ALLOWED_TOKENS", '["token with blanks"]', "token with blanks"),
    ("ADMIN_TOKENS", "[5]", None),
]


@pytest.mark.parametrize("check", [False, True], ids=["start", "check"])
@pytest.mark.parametrize("name,value,hidden", WRONG, ids=[f"{n}={v}" for n, v, _ in WRONG])
def test_wrong_value(name, value, hidden, check, tmp_path):
    env = defaults(None) | {"LISTEN": "127.0.0.1:0", name: value}
    status, out, err = run_daemon(tmp_path, *(["--check-config"] if check else []), env=env)
    assert status == 78, err
    lines = [line for line in err.splitlines() if line.startswith(f"gemgated: {name}: ")]
    assert len(lines) == 1, err
    assert out == ""
    assert not leaked(err)
    if hidden:
        assert hidden not in err


def test_good_configuration(tmp_path):
    status, _, err = run_daemon(tmp_path, "--check-config", env=defaults(None))
    assert status == 0, err
    assert not leaked(err)


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "127.0.0.1:0,0.0.0.0:0"])
def test_beyond_loopback_needs_a_token(listen, tmp_path):
    env = defaults(None) | {"LISTEN": listen}
    del env["ALLOWED_TOKENS"]
    status, _, err = run_daemon(tmp_path, env=env)
    assert status == 78, err
    assert "ALLOWED_TOKENS" in err


def test_passed_socket_beyond_loopback_needs_a_token(tmp_path):
    env = defaults(None)
    del env["ALLOWED_TOKENS"]
    s = process.listen_tcp("0.0.0.0")
    p = process.Process([GEMGATED], env, tmp_path, [s])
    assert p.wait() == 78
    assert "ALLOWED_TOKENS" in p.said()


def test_port_taken(tmp_path):
    with process.listen_tcp() as s:
        env = defaults(None) | {"LISTEN": "127.0.0.1:%d" % s.getsockname()[1]}
        status, out, err = run_daemon(tmp_path, env=env)
    assert status == 69, err
    assert "LISTEN" in json.loads(out.splitlines()[-1])["message"] and not err


def test_passed_file_is_no_socket(tmp_path):
    with open(tmp_path / "file", "w") as f:
        p = process.Process([GEMGATED], defaults(None), tmp_path, [f])
        assert p.wait() == 69


@pytest.mark.parametrize("passed", [0, 1])
def test_passed_descriptor_is_not_open(passed, tmp_path):
    """A wrapper has closed some of them: their numbers are those of other files soon, and never sockets to listen on."""
    program = ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=3 exec "$0"', GEMGATED]
    p = process.Process(program, defaults(None), tmp_path, [process.listen_tcp()] * passed)
    assert p.wait() == 69
    p.check()
    assert p.said() == f"gemgated: LISTEN_FDS: descriptor {3 + passed}: must be an open socket\n"


def test_standard_output_is_closed(tmp_path):
    """What is opened next would get its number, and the log would be written there."""
    settings = defaults(None) | {"STATE_URL": f"sqlite:{tmp_path}/state.db", "LISTEN": "127.0.0.1:0"}
    p = process.Process(["sh", "-c", 'exec "$0" 0<&- 1>&- 2>&-', GEMGATED], settings, tmp_path)
    wait.until("the state", lambda: (tmp_path / "state.db").exists() or p.ended())
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    assert (tmp_path / "state.db").read_bytes()[:15] == b"SQLite format 3"


def test_duplicate_keys_are_one(start):
    d = start(API_KEYS=json.dumps([SECRETS["KEY1"], SECRETS["KEY1"]]))
    assert json.loads(d.ask("GET", "/health").body)["keys"] == {"usable": 1, "total": 1}
    said = [line for line in d.process.said().splitlines() if MASKS["MASK1"] in line]
    assert len(said) == 1


# --- where settings come from; later wins: env file, environment, directory, credentials ---


def n_keys(d):
    return json.loads(d.ask("GET", "/health").body)["keys"]["total"]


def keys(n):
    return [f"key-of-twenty-characters-{n}-{i}" for i in range(n)]


def test_env_file_of_the_folder(start, tmp_path):
    """./.env is read if nothing else is there; quotes, export, comments and CRLF are understood."""
    d = start(unset=["API_KEYS"])
    assert n_keys(d) == 0
    folder = tmp_path / "with-env"
    folder.mkdir()
    text = f'# keys\nexport API_KEYS={json.dumps(keys(2))}\nDEFAULT_MODEL="gemini-x"\n'
    (folder / ".env").write_bytes(text.replace("\n", "\r\n").encode())
    with Daemon(folder, None, {}, unset=["API_KEYS"]) as d:
        assert n_keys(d) == 2


def test_sources_in_order(tmp_path, start):
    folder = tmp_path / "conf"
    credentials = tmp_path / "credentials"
    folder.mkdir()
    credentials.mkdir()
    argv = ["--config-dir", str(folder)]
    (folder / "gemgate.env").write_text("API_KEYS=" + json.dumps(keys(2)) + "\n")
    assert n_keys(start(unset=["API_KEYS"], argv=argv)) == 2
    assert n_keys(start(API_KEYS=json.dumps(keys(3)), argv=argv)) == 3
    (folder / "api-keys").write_text("\n".join(keys(4)) + "\n")
    assert n_keys(start(API_KEYS=json.dumps(keys(3)), argv=argv)) == 4
    (credentials / "api-keys").write_text("\n".join(keys(5)) + "\n")
    assert n_keys(start(API_KEYS=json.dumps(keys(3)), argv=argv, CREDENTIALS_DIRECTORY=str(credentials))) == 5


def test_env_file_that_is_named(tmp_path, start):
    path = tmp_path / "settings"
    path.write_text("API_KEYS=" + json.dumps(keys(2)) + "\n")
    assert n_keys(start(unset=["API_KEYS"], argv=["--env-file", str(path)])) == 2
    status, _, err = run_daemon(tmp_path, "--env-file", str(tmp_path / "missing"), env=defaults(None))
    assert status == 78, err


def test_tokens_from_files(tmp_path, start):
    (tmp_path / "allowed-tokens").write_text(SECRETS["TOKEN2"] + "\n")
    (tmp_path / "admin-tokens").write_text(SECRETS["ADMIN"] + "\n")
    d = start(unset=["ALLOWED_TOKENS", "ADMIN_TOKENS"], argv=["--config-dir", str(tmp_path)])
    assert d.ask("GET", "/stats", token="ADMIN").status == 200
    assert d.ask("GET", "/stats", token="TOKEN2").status == 403
    assert d.ask("GET", "/stats", token="TOKEN").status == 401


def test_example_is_refused_by_name(tmp_path):
    """A copied .env.example that was not filled in is an error, so that its known token never works."""
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    status, _, err = run_daemon(tmp_path)
    assert status == 78, err
    assert "gemgated: API_KEYS: " in err or "gemgated: ALLOWED_TOKENS: " in err


# --- sockets ---


def test_listens_itself(tmp_path):
    """LISTEN, with a port that was free a moment ago, TCP and unix at once."""
    with process.listen_tcp() as s:
        port = s.getsockname()[1]
    path = tmp_path / "own.sock"
    with Daemon(tmp_path, settings={"LISTEN": f"127.0.0.1:{port}, unix:{path}"}, sockets=[]) as d:
        for where in (("127.0.0.1", port), str(path)):
            wait.until("the socket", lambda: _reaches(where))
            with http1.Connection(where) as c:
                c.send(http1.compose("GET", "/health"))
                assert c.read().status == 200
        mode = os.stat(path).st_mode & 0o777
        assert mode == 0o660, oct(mode)
        assert d.process.status is None


def _reaches(where):
    try:
        with socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET) as s:
            s.connect(where)
        return True
    except OSError:
        return False


def test_stale_unix_socket_is_replaced(tmp_path):
    path = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
    with Daemon(tmp_path, settings={"LISTEN": f"unix:{path}"}, sockets=[]):
        wait.until("the socket", lambda: _reaches(str(path)))


def test_passed_sockets_come_before_listen(start):
    with process.listen_tcp() as s:
        other = s.getsockname()
    d = start(LISTEN="127.0.0.1:%d" % other[1])
    assert d.ask("GET", "/health").status == 200
    assert not _reaches(other)


@pytest.mark.parametrize("wrong, argv", [
    ({"MAX_BODY": "banana"}, []),
    ({"API_KEYS": "[", "ALLOWED_TOKENS": "[]"}, []),
    # for a daemon that systemd cannot execute, which has a status of systemd's: the settings do not matter
    ({"MAX_BODY": "banana", "MONITOR_EXIT_STATUS": "243"}, ["--turn-away"]),
])
def test_who_waits_is_turned_away_by_a_daemon_that_cannot_start(tmp_path, wrong, argv):
    """Else systemd would start it again at once for the same clients, and the log be full of one line."""
    tcp, unix = process.listen_tcp(), process.listen_unix(tmp_path / "s")
    clients = [http1.Connection(w) for w in [tcp.getsockname()] * 3 + [str(tmp_path / "s")]]
    for c in clients[1:]:
        c.send(http1.compose("POST", "/v1/chat/completions", [], b"{}"))
    p = process.Process([GEMGATED, *argv], defaults(None) | wrong, tmp_path, [tcp, unix])
    assert p.wait() == (0 if argv else 78)
    p.check()
    assert len(p.said().splitlines()) == (0 if argv else 1), p.said()
    for c in clients:
        a = c.read()
        assert a.status == 503 and a.header("connection") == "close"
        assert "its log says why" in json.loads(a.body)["error"]["message"]
        c.close()
    for s in (tcp, unix):  # no process is left
        s.setblocking(False)
        with pytest.raises(BlockingIOError):
            s.accept()
        s.close()


def test_who_waits_stays_if_the_daemon_ran(tmp_path):
    """It has turned its clients away itself; a new client starts the next one, whose fault is in the log."""
    tcp = process.listen_tcp()
    with http1.Connection(tcp.getsockname()):
        p = process.Process([GEMGATED, "--turn-away"], {"MONITOR_EXIT_STATUS": "78"}, tmp_path, [tcp])
        assert p.wait() == 0
        tcp.accept()[0].close()
    tcp.close()


def test_several_sockets_by_name(start, tmp_path):
    path = tmp_path / "passed.sock"
    tcp, tcp6, unix = process.listen_tcp(), process.listen_tcp("::1"), process.listen_unix(path)
    wheres = [tcp.getsockname(), tcp6.getsockname()[:2], str(path)]
    d = start(sockets=[("http", tcp), ("http6", tcp6), ("local", unix)])
    for where in wheres:
        with http1.Connection(where) as c:
            c.send(http1.compose("GET", "/health"))
            assert c.read().status == 200
    for name in ("http", "http6", "local"):
        wait.until(f"{name} is in the log", lambda: f"passed as {name}" in d.process.said())


def test_systemd_socket_activate(tmp_path):
    """The real thing: TCP and unix, started by the first connection, environment and names from systemd's own tool."""
    path = tmp_path / "activated.sock"
    with process.listen_tcp() as s:
        port = s.getsockname()[1]
    env = defaults(None)
    argv = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", f"--listen={path}", "--fdname=http:local"]
    argv += [f"--setenv={name}" for name in (*env, *process.SANITIZERS)]
    p = process.Process([*argv, GEMGATED], env, tmp_path)
    try:
        wait.until("systemd-socket-activate", lambda: _reaches(("127.0.0.1", port)))
        for where in (("127.0.0.1", port), str(path)):
            with http1.Connection(where) as c:
                c.send(http1.compose("GET", "/health"))
                assert c.read().status == 200
    finally:
        p.stop()
    assert "passed as local" in p.said()

