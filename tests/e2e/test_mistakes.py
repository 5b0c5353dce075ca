# SPDX-License-Identifier: MIT
"""The mistakes of operators and of their clients, and the whole message about each: by --check-config, at a start, at a
reload, and in an answer."""
import json
import os
import subprocess

import pytest

import house
import process
from house import SECRETS, run_daemon
from test_reload import Configured

GEMGATECTL = house.GEMGATED.parent / "gemgatectl"
KEY = "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
TOKEN = "a-token-of-this-test"
GOOD = {"API_KEYS": f'["{KEY}"]', "ALLOWED_TOKENS": TOKEN, "GEMINI_BASE_URL": "http://127.0.0.1:9", "LOG_FORMAT": "text"}
LIST = 'must be a JSON array (["…", "…"]) or entries separated by commas'
LISTEN = "must be ADDRESS:PORT, [IPv6]:PORT or unix:/PATH, without host names; several separated by commas"
GOOGLE = "https://generativelanguage.googleapis.com"
PROXY = "must be none or http://HOST:PORT, or https:// or socks5://, if needed with USER:PASSWORD and @ before it"
EXPOSED = "because LISTEN goes beyond loopback"

# name, settings (None takes one out), status of --check-config, messages; @ is the setting's place in the env file
CHECKED = [
    ("unknown-setting", {"ALOWED_IPS": '["*"]'}, 78, ["x.env:5: ALOWED_IPS: must be the name of a setting, such as ALLOWED_IPS"]),
    ("no-setting", {"SOME_OTHER": "1"}, 0, ["warning: x.env:5: SOME_OTHER is not a setting"]),
    ("json-comma", {"API_KEYS": f'["{KEY}",]'}, 78, [f"API_KEYS: {LIST}: unexpected character, at character 44@"]),
    ("json-quotes", {"API_KEYS": f"['{KEY}']"}, 78, [f"API_KEYS: {LIST}: a string is within double quotes, at character 2@"]),
    ("json-unfinished", {"API_KEYS": f'["{KEY}"'}, 78, [f"API_KEYS: {LIST}: unexpected end of data, at character 43@"]),
    ("zone", {"QUOTA_RESET_TIMEZONE": "America/Los_Angels"}, 78,
     ["QUOTA_RESET_TIMEZONE: America/Los_Angels: must be a time zone that is installed here (package tzdata)@"]),
    ("cidr", {"ALLOWED_IPS": "10.0.0.0/33"}, 78, ["ALLOWED_IPS: 10.0.0.0/33: must be addresses, CIDRs or *@"]),
    ("host-bits", {"ALLOWED_IPS": "10.0.0.5/8"}, 0,
     ["warning: ALLOWED_IPS: 10.0.0.5/8: means 10.0.0.0/8: should be written like this, or as 10.0.0.5 for one address@"]),
    ("key-with-blank", {"API_KEYS": '["a key"]'}, 78,
     ["API_KEYS: entry 1: must be 1 to 512 printable ASCII characters without blanks@"]),
    ("key-shortened", {"API_KEYS": '["AIza…"]'}, 78, ["API_KEYS: entry 1: must be the whole key, without … at its end@"]),
    ("key-twice", {"API_KEYS": f'["{KEY}","{KEY}"]'}, 0, ["warning: API_KEYS: AIza****5p6Q: is given twice and counts once@"]),
    ("key-with-name", {"API_KEYS": f"work={KEY}"}, 78, ["API_KEYS: entry 1: must be NAME = KEY, with blanks around the =@"]),
    ("key-as-model", {"DEFAULT_MODEL": KEY}, 78, ["DEFAULT_MODEL: AIza" + 35 * "*" + ": must not hold an API key@"]),
    ("token-as-level", {"LOG_LEVEL": TOKEN}, 78, ["LOG_LEVEL: " + 20 * "*" + ": must be DEBUG, INFO, WARNING or ERROR@"]),
    ("state-directory", {"STATE_URL": "sqlite:/nonexistent/state.db"}, 0,
     ["warning: STATE_URL: sqlite:/nonexistent/state.db: must be in a directory that exists@"]),
    ("redis", {"STATE_URL": "redis://localhost"}, 78, ["STATE_URL: redis://localhost: must be auto, memory: or sqlite:/PATH@"]),
    ("log-directory", {"LOG_DIR": "/nonexistent"}, 0, ["warning: LOG_DIR: /nonexistent: must be a directory that exists@"]),
    ("ca-file", {"UPSTREAM_CA_FILE": "/nonexistent"}, 78, ["UPSTREAM_CA_FILE: /nonexistent: must be a file that exists@"]),
    ("ca-directory", {"UPSTREAM_CA_FILE": "/etc/ssl"}, 78,
     ["UPSTREAM_CA_FILE: /etc/ssl: must be a regular file of certificates, of at most 8M@"]),
    ("ca-text", {"UPSTREAM_CA_FILE": "/etc/passwd"}, 78,
     ["UPSTREAM_CA_FILE: /etc/passwd: must be a file of certificates in PEM@"]),
    ("ca-path", {"UPSTREAM_CA_FILE": "ca.pem"}, 78, ["UPSTREAM_CA_FILE: ca.pem: must be the absolute path of a file@"]),
    ("url-version", {"GEMINI_BASE_URL": "https://generativelanguage.googleapis.com/v1beta"}, 0,
     ["GEMINI_BASE_URL: https://generativelanguage.googleapis.com/v1beta: is taken as "
      "https://generativelanguage.googleapis.com: gemgate adds the API's version itself@"]),
    ("url-http", {"GEMINI_BASE_URL": "http://example.com"}, 78,
     ["GEMINI_BASE_URL: http://example.com: must be https, because http shows the keys to the network between@"]),
    ("no-token", {"LISTEN": "0.0.0.0:8080", "ALLOWED_TOKENS": None}, 78,
     [f"ALLOWED_TOKENS: none: must be at least one token, {EXPOSED}"]),
    ("weak-token", {"LISTEN": "0.0.0.0:8080", "ALLOWED_TOKENS": "fifteen-letters"}, 78,
     [f"ALLOWED_TOKENS: fifteen…: must have at least 16 characters, {EXPOSED}@"]),
    ("guessable-token", {"ALLOWED_TOKENS": "x"}, 0,
     ["warning: ALLOWED_TOKENS: entry 1 (…): is easy to guess: should have at least 8 characters@"]),
    ("token-is-key", {"ALLOWED_TOKENS": KEY}, 78,
     ["ALLOWED_TOKENS: AIza****5p6Q: must differ from the API keys, because a client with this token could use the key "
      "elsewhere@"]),
    ("token-like-a-key", {"ALLOWED_TOKENS": "AIza" + KEY[::-1]}, 0,
     ["warning: ALLOWED_TOKENS: AIza****azIA: looks like a Gemini API key: should be in API_KEYS, and a token be a text of your "
      "own@"]),
    ("duration", {"DRAIN_TIMEOUT": "30seconds!"}, 78, ["DRAIN_TIMEOUT: 30seconds!: must be a duration from 0 to 1h@"]),
    ("limits-member", {"MODEL_LIMITS": '{"gemini-flash-latest":{"rpmm":10}}'}, 78,
     ["MODEL_LIMITS: rpmm: must be rpm, tpm, rpd or projects@"]),
    ("limits-json", {"MODEL_LIMITS": '{"gemini-flash-latest":{"rpm":10}'}, 78,
     ['MODEL_LIMITS: {"gemini-flash-latest":{"rpm":10}: must be valid JSON: unexpected end of data, at character 34@']),
    ("no-cli", {"ENGINE": "cli", "CLI_PATH": "/nope"}, 0, ["warning: CLI_PATH: /nope: must be a program that is installed here@"]),
    ("listen-name", {"LISTEN": "localhost:8080"}, 78, [f"LISTEN: localhost:8080: {LISTEN}@"]),
    ("listen-no-port", {"LISTEN": "127.0.0.1"}, 78, [f"LISTEN: 127.0.0.1: {LISTEN}@"]),
    ("proxy", {"HTTPS_PROXY": "http://me:hunter2@proxy.example:3128", "GEMINI_BASE_URL": GOOGLE}, 0,
     ["Gemini is reached through the proxy http://proxy.example:3128 (HTTPS_PROXY)"]),
    ("proxy-of-http", {"HTTP_PROXY": "http://proxy.example:3128"}, 0,
     ["warning: x.env:5: HTTP_PROXY is not used: the proxy to Gemini is UPSTREAM_PROXY or HTTPS_PROXY"]),
    ("proxy-setting", {"HTTPS_PROXI": "http://proxy.example:3128"}, 78,
     ["x.env:5: HTTPS_PROXI: must be the name of a setting, such as HTTPS_PROXY"]),
    ("proxy-scheme", {"HTTPS_PROXY": "socks4://proxy.example:1080"}, 78, [f"HTTPS_PROXY: socks4://…: {PROXY}@"]),
    ("proxy-without-port", {"UPSTREAM_PROXY": "proxy.example"}, 78, [f"UPSTREAM_PROXY: {PROXY}@"]),
    ("compose", {"PUBLISH": "0.0.0.0:8080"}, 0, []),
    ("open-quote", {"LOG_LEVEL": '"INFO'}, 78, ["x.env:5: must have a closing quote"]),
    ("no-value", {"LOG_LEVEL": None, "LOG LEVEL": "INFO"}, 78, ["x.env:5: must be NAME=value"]),
]
WRONG = [row for row in CHECKED if row[2] == 78]


def names(rows):
    return {"argnames": "row", "argvalues": rows, "ids": [row[0] for row in rows]}


def write(path, settings):
    """The place of each setting, as messages have it."""
    lines = [f"{name}={value}" for name, value in settings.items() if value is not None]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return {line.partition("=")[0]: f" ({path.name}:{i})" for i, line in enumerate(lines, 1)}


def expected(messages, places):
    def place(message):
        setting, _, _ = message.removeprefix("warning: ").partition(": ")
        return message.removesuffix("@") + places[setting] if message.endswith("@") else message

    return [place(m) for m in messages]


def messages_of(out, err):
    lines = [line.removeprefix("gemgated: ") for line in (err + out).splitlines()]
    return [line for line in lines if line != "x.env: read" and not line.startswith("the configuration is good: ")]


@pytest.mark.parametrize(**names(CHECKED))
def test_check(row, tmp_path):
    _, settings, status, messages = row
    places = write(tmp_path / "x.env", GOOD | settings)
    got, out, err = run_daemon(tmp_path, "--env-file=x.env", "--check-config")
    assert messages_of(out, err) == expected(messages, places)
    assert got == status
    assert KEY not in out + err and TOKEN not in out + err
    if status == 0:
        assert "gemgated: the configuration is good: 1 key, 1 client token, 0 admin tokens\n" in out + err


@pytest.mark.parametrize(**names(WRONG))
def test_start(row, tmp_path):
    _, settings, status, messages = row
    places = write(tmp_path / "x.env", GOOD | settings)
    got, out, err = run_daemon(tmp_path, "--env-file=x.env")
    assert messages_of(out, err) == expected(messages, places)
    assert got == status


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    class NoGemini:
        url = "http://127.0.0.1:9"

    folder = tmp_path_factory.mktemp("reload")
    with Configured(folder, NoGemini) as d:
        yield d


@pytest.mark.parametrize(**names(WRONG))
def test_reload(row, configured):
    """The first message is in the answer to the reload, too; and nothing has changed."""
    _, settings, _, messages = row
    env = configured.folder / "gemgate.env"
    for name in ("api-keys", "allowed-tokens"):
        (configured.folder / name).unlink(missing_ok=True)
    places = write(env, GOOD | settings)
    places = {name: place.replace(env.name, str(env)) for name, place in places.items()}
    want = expected([m.replace("x.env", str(env)) for m in messages], places)
    assert configured.reload()["message"] == f"configuration not reloaded, nothing has changed: {want[0]}"
    assert configured.ask("GET", "/v1/models", token="TOKEN").status != 401


# --- files ---

FILES = [
    ("keys", "api-keys", f"# ours\n{KEY}\na key\n", 78,
     ["API_KEYS: entry 2: must be 1 to 512 printable ASCII characters without blanks (etc/api-keys:3)"]),
    ("keys-json", "api-keys", f'[\n"{KEY}"\n"x"]\n', 78,
     [f"API_KEYS: {LIST}: a comma or the end is expected, at character 1 of line 3 (etc/api-keys:3)"]),
    ("keys-quotes", "api-keys", f'{KEY}\n"x"\n', 78,
     ["API_KEYS: entry 2: must be without quotes and brackets, or be in a JSON array (etc/api-keys:2)"]),
    ("keys-name", "api-keys", f"{KEY} = work\n", 78,
     ["API_KEYS: entry 1 (****): name: must not be a key or token (etc/api-keys:1)"]),
    ("tokens-member", "allowed-tokens", '{"token": "a-token-of-this-test", "nmae": "x"}\n', 78,
     ["ALLOWED_TOKENS: entry 1 (a-token-…): unknown member nmae: must be {token, name?} (etc/allowed-tokens:1)"]),
    ("good", "api-keys", f'# ours\n{{"key": "{KEY}", "name": "work"}} # the first\nhome = another-key # spare\n', 0, []),
]


@pytest.mark.parametrize(**names(FILES))
def test_file(row, tmp_path):
    _, name, text, status, messages = row
    (tmp_path / "etc").mkdir(mode=0o750)
    write(tmp_path / "etc" / "gemgate.env", GOOD)
    (tmp_path / "etc" / name).write_text(text)
    got, out, err = run_daemon(tmp_path, "--config-dir=etc", "--check-config")
    said = [m for m in messages_of(out, err) if not m.endswith(": read") and "only root can read it" not in m]
    assert said == messages
    assert got == status


# Lists as long as a mistake can make them: the file, a line of it, and the number of lines; then there are ten times as many.
LONG = {
    "tokens": ("allowed-tokens", "a-token-of-this-test-{}", 2000),
    "too-many-tokens": ("allowed-tokens", "a-token-of-this-test-{}", 6000),
    "tokens-with-names": ("allowed-tokens", "name-{0} = a-token-of-this-test-{0}", 2000),
    "copies-of-a-token": ("allowed-tokens", "a-token-of-this-test", 6000),
    "keys": ("api-keys", "another-key-of-this-test-{}", 6000),
    "copies-of-a-key": ("api-keys", KEY, 6000),
    "copies-of-keys": ("api-keys", "another-key-of-this-test-{0}\nanother-key-of-this-test-{0}", 3000),
}


@pytest.mark.parametrize("what", LONG)
def test_long_list(what, tmp_path):
    """Ten times the list takes at most twelve times the CPU, plus some for the clock's ticks."""
    name, line, n = LONG[what]

    def cpu(n):
        folder = tmp_path / str(n)
        folder.mkdir(mode=0o750)
        (folder / name).write_text("".join(line.format(i) + "\n" for i in range(n)))
        (folder / name).chmod(0o600)
        argv = [house.GEMGATED, f"--config-dir={folder}", "--check-config"]
        p = subprocess.Popen(argv, env=process.SANITIZERS, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)  # fmt: skip
        _, _, used = os.wait4(p.pid, 0)
        p.returncode = 0
        return used.ru_utime + used.ru_stime

    few, many = min(cpu(n) for n in (n, n + 1, n + 2)), min(cpu(n) for n in (10 * n, 10 * n + 1))
    assert many <= 12 * few + 0.03


def test_published_by_compose(tmp_path):
    """compose.yaml sets LISTEN in the container, whatever PUBLISH opens."""
    write(tmp_path / ".env", GOOD | {"PUBLISH": "0.0.0.0:8080", "ALLOWED_TOKENS": None})
    got, out, err = run_daemon(tmp_path, "--check-config", env={"LISTEN": "0.0.0.0:8080"})
    why = f"ALLOWED_TOKENS: none: must be at least one token, {EXPOSED}"
    assert (got, messages_of(out, err)) == (78, [why, "./.env: read"])


@pytest.mark.parametrize("token", ["ALLOWED_TOKENS", "ADMIN_TOKENS", None])
def test_keys_and_no_token(token, tmp_path):
    """Good, but of no use yet; without keys there is a warning of the same kind about them."""
    write(tmp_path / "x.env", GOOD | {"ALLOWED_TOKENS": None} | ({token: TOKEN} if token else {}))
    got, out, err = run_daemon(tmp_path, "--env-file=x.env", "--check-config")
    warning = "warning: ALLOWED_TOKENS: no token is set, so every request of a client gets a 401"
    assert (got, messages_of(out, err)) == (0, [] if token else [warning])


def test_no_env_file(tmp_path):
    got, out, err = run_daemon(tmp_path, "--env-file=/nonexistent")
    assert (got, out, err) == (78, "", "gemgated: --env-file: /nonexistent: must be a file that exists\n")


def test_env_file_may_not_be_read(tmp_path):
    write(tmp_path / "x.env", GOOD)
    (tmp_path / "x.env").chmod(0)
    stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    p = process.Process([*stranger, house.GEMGATED, "--env-file=x.env"], {}, tmp_path)
    status = p.wait()
    p.check()
    why = "Permission denied: must be readable by the user or the group that gemgated runs as (0640 root:gemgate)"
    assert (status, p.said()) == (77, f"gemgated: x.env: {why}\n")


ARGUMENTS = [
    ("--bogus", "must be an option of gemgated"),
    ("-x", "must be an option of gemgated"),
    ("--chekc-config", "must be an option of gemgated, such as --check-config"),
    ("--env-flie=/etc/x.env", "must be an option of gemgated, such as --env-file"),
    ("--conf-dir=/etc", "must be an option of gemgated, such as --config-dir"),
    ("--listen=:80", "must be an option of gemgated"),
    ("--health=yes", "must have no value"),
    ("extra", "unexpected argument"),
]


@pytest.mark.parametrize("argument,why", ARGUMENTS)
def test_argument(argument, why, tmp_path):
    got, out, err = run_daemon(tmp_path, argument)
    assert (got, out, err) == (64, "", f"gemgated: {argument}: {why}; see --help\n")


TYPED = [
    ("verb", ["kyes"], "kyes: must be a verb, such as keys; gemgatectl help lists them"),
    ("verb-of-help", ["help", "relaod"], "relaod: must be a verb, such as reload; gemgatectl help lists them"),
    ("no-verb", ["restart"], "restart: must be a verb; gemgatectl help lists them"),
    ("option", ["keys", "--jsno"], "--jsno: must be an option of gemgatectl, such as --json; see --help"),
    ("option-with-value", ["--sokcet=/run/x"], "--sokcet: must be an option of gemgatectl, such as --socket; see --help"),
    ("no-option", ["--verbose"], "--verbose: must be an option of gemgatectl; see --help"),
    ("letter", ["-jx", "keys"], "-x: must be an option of gemgatectl; see --help"),
    ("no-value", ["keys", "--host"], "--host: must have a value; see --help"),
    ("no-value-of-letter", ["keys", "-M"], "-M: must have a value; see --help"),
    ("value", ["--json=yes", "keys"], "--json: must have no value; see --help"),
    ("arguments", ["reload", "now"], "too many arguments: usage: gemgatectl reload"),
]


@pytest.mark.parametrize("row", TYPED, ids=[row[0] for row in TYPED])
def test_gemgatectl(row):
    _, arguments, message = row
    p = subprocess.run([GEMGATECTL, *arguments], env=process.SANITIZERS, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=60)
    assert (p.returncode, p.stdout, p.stderr) == (64, "", f"gemgatectl: {message}\n")


def test_gemgatectl_check_config(tmp_path):
    """The same messages, and they begin with the program that was called."""
    places = write(tmp_path / "x.env", GOOD | {"LOG_LEVEL": "LOUD"})
    p = subprocess.run([GEMGATECTL, "check-config", "x.env"], env=process.SANITIZERS, stdin=subprocess.DEVNULL,
                       capture_output=True, text=True, timeout=60, cwd=tmp_path)
    why = f"LOG_LEVEL: LOUD: must be DEBUG, INFO, WARNING or ERROR{places['LOG_LEVEL']}"
    assert (p.returncode, p.stdout, p.stderr) == (1, "", f"gemgatectl: {why}\ngemgatectl: x.env: read\n")


# --- what only a start meets ---


def test_weak_token_for_a_passed_socket(tmp_path):
    """LISTEN does not count then."""
    write(tmp_path / "x.env", GOOD | {"ALLOWED_TOKENS": "fifteen-letters"})
    s = process.listen_tcp("0.0.0.0")
    address = "0.0.0.0:%d" % s.getsockname()[1]
    p = process.Process([house.GEMGATED, "--env-file=x.env"], {}, tmp_path, [s])
    status = p.wait()
    p.check()
    why = f"must have at least 16 characters, because {address} is beyond loopback"
    assert (status, p.said()) == (78, f"gemgated: ALLOWED_TOKENS: fifteen…: {why}\n")


def test_address_is_taken(tmp_path):
    with process.listen_tcp() as s:
        address = "127.0.0.1:%d" % s.getsockname()[1]
        write(tmp_path / "x.env", GOOD | {"LISTEN": address})
        got, out, err = run_daemon(tmp_path, "--env-file=x.env")
    why = "must be an address and port that no other program listens on: Address already in use"
    assert (got, messages_of(out, err)) == (69, [f"LISTEN: {address}: {why}"])


def test_address_is_of_another_machine(tmp_path):
    write(tmp_path / "x.env", GOOD | {"LISTEN": "192.0.2.1:8080"})
    got, out, err = run_daemon(tmp_path, "--env-file=x.env")
    why = "must be an address of this machine: Cannot assign requested address"
    assert (got, messages_of(out, err)) == (69, [f"LISTEN: 192.0.2.1:8080: {why}"])


def test_directory_of_the_socket_is_missing(tmp_path):
    write(tmp_path / "x.env", GOOD | {"LISTEN": "unix:/nonexistent/s"})
    got, out, err = run_daemon(tmp_path, "--env-file=x.env")
    why = "must be in a directory that exists: No such file or directory"
    assert (got, messages_of(out, err)) == (69, [f"LISTEN: unix:/nonexistent/s: {why}"])


RUNNING = [
    ("state-directory", {"STATE_URL": "sqlite:/nonexistent/state.db"},
     "STATE_URL: /nonexistent/state.db: cannot be opened (No such file or directory): counters and health are kept in memory "
     "until it can; make its directory"),
    ("log-directory", {"LOG_DIR": "/proc/x"},
     "LOG_DIR: /proc/x: No such file or directory: no log file is written until this is repaired"),
    ("no-cli", {"ENGINE": "cli", "CLI_PATH": "/nope"}, "CLI_PATH: /nope: must be a program that is installed here"),
    ("host-bits", {"ALLOWED_IPS": "127.0.0.1/8"},
     "ALLOWED_IPS: 127.0.0.1/8: means 127.0.0.0/8: should be written like this, or as 127.0.0.1 for one address"),
]


@pytest.mark.parametrize(**names(RUNNING))
def test_serves_with_a_warning(row, start):
    _, settings, message = row
    d = start(**settings)
    line = d.wait_log("the warning", lambda e: e["message"] == message)
    assert line["level"] == "warning"
    assert d.ask("GET", "/health").status == 200


# --- what clients do ---

NO_TOKEN = "A token is needed: `Authorization: Bearer TOKEN`, or `x-api-key`, or `x-goog-api-key`, or `api-key`."
ANSWERED = [
    ("client-on-stats", {}, ("GET", "/stats"), "TOKEN", None, 403, "This needs an admin token (ADMIN_TOKENS)."),
    ("no-admin-tokens", {"ADMIN_TOKENS": ""}, ("GET", "/stats"), "TOKEN", None, 403,
     "Management needs an admin token, and ADMIN_TOKENS is not set."),
    ("no-token", {}, ("GET", "/v1/models"), None, None, 401, NO_TOKEN),
    ("wrong-token", {}, ("GET", "/v1/models"), "TOKEN2", None, 401, "The token is not known here."),
    ("key-as-token", {}, ("GET", "/v1/models"), "KEY1", None, 401,
     "The token is not known here. It looks like a Gemini API key; clients use one of ALLOWED_TOKENS."),
    ("no-json", {}, ("POST", "/v1/chat/completions"), "TOKEN", b'{"model":', 400,
     "The request body is not JSON: unexpected end of data."),
    ("url-without-v1", {}, ("POST", "/chat/completions"), "TOKEN", b"{}", 404,
     "Invalid URL (POST /chat/completions). The right path is /v1/chat/completions: add /v1 to the client's base URL."),
    ("url-with-v1-twice", {}, ("POST", "/v1/v1/chat/completions"), "TOKEN", b"{}", 404,
     "Invalid URL (POST /v1/v1/chat/completions). The right path is /v1/chat/completions: leave /v1 out of the client's base "
     "URL."),
    ("url-of-google", {}, ("POST", "/v1beta/openai/chat/completions"), "TOKEN", b"{}", 404,
     "Invalid URL (POST /v1beta/openai/chat/completions). The right path is /v1/chat/completions: put /v1 in place of "
     "/v1beta/openai in the client's base URL."),
    ("method", {}, ("GET", "/v1/chat/completions"), "TOKEN", None, 405, "This path takes POST, not GET."),
]


@pytest.mark.parametrize(**names(ANSWERED))
def test_answer(row, start):
    _, settings, (method, path), token, body, status, message = row
    a = start(**settings).ask(method, path, body=body, token=token)
    assert (a.status, json.loads(a.body)["error"]["message"]) == (status, message)
    assert not house.leaked(a.body)
    assert SECRETS["KEY1"] not in a.body.decode()


def test_model_that_google_does_not_know(sim, start):
    sim.script("*: error not_found")
    a = start().chat(model="gpt-4o")
    message = json.loads(a.body)["error"]["message"]
    ours, _, googles = message.partition(" Google's answer: ")
    assert (a.status, ours) == (
        404, "Gemini has no such model for this request: use one of GET /v1/models, or have the operator of this gateway add "
        "an alias (MODEL_ALIASES).")
    assert googles.startswith("models/gpt-4o is not found")


def test_gemini_cannot_be_reached(start):
    a = start(GEMINI_BASE_URL="http://127.0.0.1:9").chat()
    message = json.loads(a.body)["error"]["message"]
    assert a.status == 503
    assert message.startswith("Gemini could not be reached: Connection refused ("), message
