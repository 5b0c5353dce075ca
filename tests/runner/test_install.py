# SPDX-License-Identifier: MIT
"""packaging/install-gemini-cli; that what it installs works is what every other test here shows."""
import os
import stat
import subprocess

import pytest

from runnerhouse import AS_NOBODY, INSTALL, PREFIX


def install(*argv, before=(), **env):
    return subprocess.run([*before, INSTALL, *argv], env={**os.environ, **env}, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_check_what_is_there():
    p = install("--check", f"--prefix={PREFIX}")
    assert (p.returncode, p.stderr) == (0, "") and p.stdout.startswith(f"{PREFIX}: Gemini CLI 0.61.0, Node.js 22.")


def test_check_what_is_not(tmp_path):
    p = install("--check", f"--prefix={tmp_path}/none")
    assert p.returncode == 1 and "it does not exist" in p.stderr and p.stderr.count("\n") == 1


def test_check_another_version(tmp_path):
    (tmp_path / "gemgate-cli").write_text("gemini-cli 0.60.0, node 20.0.0, layout 1\n")
    p = install("--check", f"--prefix={tmp_path}")
    assert p.returncode == 1 and "it is gemini-cli 0.60.0" in p.stderr


def test_check_damaged(tmp_path):
    """The stamp alone is not believed."""
    (tmp_path / "gemgate-cli").write_text((PREFIX / "gemgate-cli").read_text())
    assert install("--check", f"--prefix={tmp_path}").returncode == 1


def test_somebody_elses_directory(tmp_path):
    (tmp_path / "file").write_text("x")
    p = install(f"--prefix={tmp_path}")
    assert p.returncode == 77 and "something else" in p.stderr and os.listdir(tmp_path) == ["file"]


def test_no_npm(tmp_path):
    for tool in ("bash", "cat", "dirname", "env", "uname", "rm", "mv", "mkdir", "mktemp", "ls"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    p = install("--prefix=/nonexistent/x", PATH=str(tmp_path))
    assert p.returncode == 69 and "npm is required" in p.stderr and p.stderr.count("\n") == 1


def test_not_permitted():
    p = install("--prefix=/opt/gemgate-test/x", before=AS_NOBODY)
    assert p.returncode == 77 and "as root" in p.stderr


@pytest.mark.parametrize("argument", ["--prefix=here", "--prefix=/", "--no-such", "more"])
def test_usage(argument):
    p = install(argument)
    assert p.returncode == 64 and p.stderr.count("\n") == 1


def test_nobody_else_may_write():
    for folder, folders, files in os.walk(PREFIX):
        for name in [".", *files]:
            st = os.lstat(os.path.join(folder, name))
            assert stat.S_ISLNK(st.st_mode) or not st.st_mode & 0o022, (folder, name)
            assert os.geteuid() != 0 or st.st_uid == 0


def test_one_copy_of_the_bundle():
    bundle = PREFIX / "lib/node_modules/@google/gemini-cli/bundle"
    assert len(list(bundle.glob("gemini-*.js"))) == 1 and (bundle / "gemini.js").exists()


def test_fails_whole(tmp_path):
    """npm that cannot fetch: what was there stays, and nothing lies beside it."""
    prefix = tmp_path / "cli"
    prefix.mkdir()
    (prefix / "gemgate-cli").write_text("gemini-cli 0.60.0\n")
    p = install(f"--prefix={prefix}", npm_config_registry="http://127.0.0.1:9", npm_config_fetch_retries="0")
    assert p.returncode == 70 and "npm could not fetch" in p.stderr
    assert os.listdir(tmp_path) == ["cli"] and os.listdir(prefix) == ["gemgate-cli"]
