# SPDX-License-Identifier: MIT
"""What the package is and does when it is installed."""
import os
import pwd
import re
import stat
from collections import Counter
from pathlib import Path

import machine
from house import ROOT, SECRETS
from machine import SERVICE, SOCKET, run

DOCS = Path("/usr/share/doc/gemgate")
MUST_HAVE = {
    "/usr/bin/gemgated",
    "/usr/bin/gemgatectl",
    "/usr/share/dbus-1/system.d/org.gemgate1.conf",
    "/usr/share/dbus-1/system-services/org.gemgate1.service",
    "/usr/share/polkit-1/actions/org.gemgate1.policy",
    "/usr/lib/systemd/catalog/gemgate.catalog",
    "/usr/lib/sysusers.d/gemgate.conf",
    "/usr/lib/tmpfiles.d/gemgate.conf",
    "/usr/share/bash-completion/completions/gemgatectl",
    "/usr/share/man/man1/gemgatectl.1.gz",
    "/usr/share/man/man8/gemgated.8.gz",
    "/usr/share/man/man5/gemgate.conf.5.gz",
    "/usr/share/man/man5/gemgate.env.5.gz",
    "/usr/share/man/man5/org.gemgate1.5.gz",
}
UNITS = {
    "gemgated.service", "gemgated.socket", "gemgated@.service", "gemgated@.socket",
    "gemgated-job.socket", "gemgate-runner.socket", "gemgate-runner@.service", "gemgated-turn-away@.service",
    "gemgated-gave-up@.service",
}


def files():
    return set(run("dpkg", "-L", "gemgate").splitlines())


def test_what_is_in_it():
    have = files()
    assert not MUST_HAVE - have
    assert UNITS <= {Path(f).name for f in have if "/systemd/system/" in f}
    docs = {str(Path(f).relative_to(DOCS)) for f in have if f.startswith(f"{DOCS}/")}
    pages = {"README.md", *(page.name for page in (ROOT / "docs").glob("*.md"))}
    examples = {f"examples/{example.name}" for example in (ROOT / "units/examples").iterdir()}
    assert len(pages) > 15 and len(examples) >= 4
    assert pages | examples <= docs
    assert any("zsh" in f and f.endswith("_gemgatectl") for f in have)
    assert any("fish" in f and f.endswith("gemgatectl.fish") for f in have)
    assert not [f for f in have if "gemini-sim" in f or "/tests/" in f]


def anchors(text):
    """The names that links use for the headings of a page, as GitHub makes them."""
    found = Counter()
    for heading in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M):
        name = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        yield f"{name}-{found[name]}" if found[name] else name
        found[name] += 1


def test_links_between_the_pages_resolve():
    n = 0
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^()\s]+)\)", page.read_text()):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            other = page.parent / path if path else page
            assert other.is_file() and other.is_relative_to(DOCS), (page, target)
            assert not anchor or anchor in anchors(other.read_text()), (page, target)
            n += 1
    assert n > 100


def test_templates(sim):
    """What the installation has put into /etc/gemgate: only comments, which a daemon without a configuration runs with, and
    which leave the settings to gemgate.env."""
    templates = {t.name: t.read_text() for t in Path("/usr/share/gemgate/etc").iterdir()}
    assert machine.found_in_etc == {name: (0o640, "root", "gemgate", text) for name, text in templates.items()}
    assert set(templates) == {"api-keys", "allowed-tokens", "admin-tokens", "gemgate.env"}
    for name, text in templates.items():
        assert not [line for line in text.splitlines() if line and not line.startswith("#")], name
        assert "systemctl reload-or-restart gemgated" in text
        machine.write(machine.ETC / name, text)
    assert machine.health()["status"] == "no_keys"
    out = run("sh", "-c", "gemgatectl check-config 2>&1")
    assert not [line for line in out.splitlines() if "warning" in line and "no key is set" not in line], out
    assert "0 keys, 0 client tokens, 0 admin tokens" in out, out
    # each line of gemgate.env is a setting with its default, once the comment's sign is gone
    settings = re.sub(r"^#([A-Z_]+=)", r"\1", templates["gemgate.env"], flags=re.M)
    assert settings.count("\n") > 80 and settings != templates["gemgate.env"]
    mine = f'{settings}GEMINI_BASE_URL={sim.url}\nAPI_KEYS=["{SECRETS["KEY1"]}"]\nALLOWED_TOKENS=["{SECRETS["TOKEN"]}"]\n'
    machine.write(machine.ETC / "gemgate.env", re.sub(r"^GEMINI_BASE_URL=h.*google.*\n", "", mine, flags=re.M))
    run("gemgatectl", "check-config")
    machine.systemctl("reload", SERVICE)
    assert machine.chat().status == 200


def test_installation_page(sim):
    """docs/INSTALL.md: the first key and the first request, word for word."""
    machine.configure(sim, keys=(), tokens=(), admins=())
    page = (ROOT / "docs/INSTALL.md").read_text()
    commands, request = re.findall(r"```sh\n(.*?)```", page.partition("## The first key")[2].partition("\n## ")[0], re.S)
    assert "api-keys" in commands and "/v1/chat/completions" in request
    assert machine.health()["status"] == "no_keys"
    out = run("bash", "-euc", commands)
    assert "active (running)" in out
    for name in ("api-keys", "allowed-tokens"):
        path = machine.ETC / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o640 and path.group() == "gemgate"
    token = (machine.ETC / "allowed-tokens").read_text().strip()
    a = machine.ask("GET", "/v1/models", [("Authorization", f"Bearer {token}")], token=None)
    assert a.status == 200, a
    out = run("bash", "-euc", request)
    assert '"chat.completion"' in out and "AIza****" in out and token not in out, out


def test_lintian(deb):
    """No error, no warning; each override has a reason."""
    said = run("lintian", "--fail-on", "none", *sorted(deb.parent.glob("gemgate*.changes")), timeout=300)
    assert not [line for line in said.splitlines() if re.match(r"[EW]:", line)], said
    overrides = (ROOT / "packaging/debian/gemgate.lintian-overrides").read_text().splitlines()
    assert overrides[0].startswith("# ") and "" not in overrides


def test_socket_is_enabled_and_the_service_waits(installed):
    assert run("systemctl", "is-enabled", SOCKET).strip() == "enabled"
    assert machine.is_active(SOCKET)
    assert run("systemctl", "is-enabled", SERVICE, check=False).stdout.strip() == "disabled"


def test_installation_was_quiet(installed):
    """Only the output of dpkg itself, and of systemd about a new link and a new user."""
    known = r"\(Reading|Selecting|Preparing|Unpacking|Setting up|Processing triggers|Created symlink|Creating (user|group)|$"
    assert not [line for line in installed.splitlines() if not re.match(known, line)], installed


def test_user_cannot_log_in():
    user = pwd.getpwnam("gemgate")
    assert user.pw_uid < 1000 and user.pw_shell.endswith("nologin")
    assert run("passwd", "--status", "gemgate").split()[1] == "L"


def test_configuration_is_for_root_and_the_group():
    s = machine.ETC.stat()
    assert stat.S_IMODE(s.st_mode) == 0o750 and s.st_uid == 0 and machine.ETC.group() == "gemgate"
    refused = run("cat", machine.ETC / "api-keys", user="stranger", check=False)
    assert refused.returncode != 0 and "Permission denied" in refused.stderr


def test_nothing_is_writable_for_others():
    for name in files():
        path = Path(name)
        if path.is_symlink() or not path.exists():
            continue
        mode = path.stat().st_mode
        assert not mode & stat.S_IWOTH, name
        assert not mode & (stat.S_ISUID | stat.S_ISGID), name


def test_man_pages_are_there_and_whole(installed):
    pages = [f for f in files() if "/man/man" in f and f.endswith(".gz")]
    assert len(pages) >= 4
    for page in pages:
        result = run("man", "--warnings", "-l", "-Tutf8", page, check=False, env={**os.environ, "MANWIDTH": "80"})
        assert result.returncode == 0 and not result.stderr and len(result.stdout) > 500, (page, result.stderr)


def test_rpm(tmp_path, deb):
    """The spec builds, and its package has the same files, except for those of each distribution."""
    build = ROOT / "packaging/build-rpm"
    quick = {**os.environ, "CFLAGS": "-O0 -g0"}  # its code is not tested here
    rpm = run(build, tmp_path / "rpm", timeout=600, env=quick).strip().splitlines()[-1]

    def plain(names):
        for name in names:
            name = name.removesuffix(".gz").replace("/usr/lib/systemd/system/", "/lib/systemd/system/")
            name = name.replace("/zsh/vendor-completions/", "/zsh/site-functions/")
            if not name.startswith(("/usr/share/doc", "/usr/share/licenses", "/usr/share/lintian", "/usr/lib/.build-id")):
                yield name

    ours = set(plain(f for f in files() if not os.path.isdir(f)))
    theirs = set(plain(run("rpm", "-qpl", rpm).splitlines()))
    directories = {"/etc/gemgate", "/usr/lib/gemgate", "/usr/share/gemgate", "/usr/share/gemgate/etc"}
    assert ours == theirs - directories
    rights = run("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}\n]", rpm)
    assert "drwxr-x--- root gemgate /etc/gemgate\n" in rights


def test_both_packages_want_what_the_build_needs():
    """packaging/deps, debian/control and the spec name the same libraries."""
    rows = [line.split() for line in (ROOT / "packaging/deps").read_text().splitlines() if line.startswith("build ")]
    control = (ROOT / "packaging/debian/control").read_text()
    fields = control.partition("Build-Depends:")[2].partition("Standards-Version")[0]
    for _, debian, *_ in rows:
        if debian.startswith("lib") and debian != "libc6-dev":
            assert re.search(rf"^ {re.escape(debian)}\b", fields, re.M), debian
    spec = (ROOT / "packaging/gemgate.spec").read_text()
    wanted = re.findall(r"dependency\('([\w-]+)'(?:, version: '>=([\d.]+)')?", (ROOT / "meson.build").read_text())
    assert len(wanted) >= 5
    for name, version in wanted:
        assert f"pkgconfig({name}) >= {version}" in spec, name
