# SPDX-License-Identifier: MIT
"""packaging/release, from a tag in a clone of this checkout: `./tests/run long release`. RELEASE_ROOT keeps Debian's roots."""
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from house import ROOT

pytestmark = pytest.mark.long
ROOTS = Path(os.environ.get("RELEASE_ROOT", ROOT / "build-test/release"))
DEBS = {"amd64": 62, "arm64": 183}  # the machine in ELF's head


def run(*argv, cwd, check=True, **env):
    result = subprocess.run([str(a) for a in argv], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True,
                            stdin=subprocess.DEVNULL)
    assert not check or result.returncode == 0, f"{argv}: {result.returncode}\n{result.stderr}"
    return result


@pytest.fixture(scope="session")
def clone(tmp_path_factory):
    """What this checkout has now, with a commit that is tagged."""
    folder = tmp_path_factory.mktemp("clone")
    run("packaging/clean-tree", folder, cwd=ROOT)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "release"], ["tag", "-a", "-m", "", version()],
                    ["tag", "v9.9.9"]):
        run(*git, *command, cwd=folder)
    return folder


def version():
    text = (ROOT / "meson.build").read_text()
    return "v" + text.partition("version: '")[2].partition("'")[0]


@pytest.fixture(scope="session")
def release(clone):
    ROOTS.mkdir(parents=True, exist_ok=True)
    run("packaging/release", version(), cwd=clone, RELEASE_ROOT=str(ROOTS))
    return clone / f"release-{version()}"


@pytest.mark.parametrize("tag, why", [
    ("v0.0.0", "v0.0.0: must be a tag"),
    ("HEAD", "HEAD: must be a tag"),
    ("v9.9.9", "v9.9.9: must be " + version()),
])
def test_wrong_tag(clone, tag, why):
    result = run("packaging/release", tag, cwd=clone, check=False)
    assert result.returncode == 65 and why in result.stderr, result


def test_changed_checkout(clone):
    page = clone / "README.md"
    text = page.read_text()
    page.write_text(text + "\nchanged\n")
    try:
        result = run("packaging/release", version(), cwd=clone, check=False)
    finally:
        page.write_text(text)
    assert result.returncode == 65 and "changes that are not in" in result.stderr, result


def test_what_is_in_it(release):
    number = version()[1:]
    names = {f"gemgate-{number}-image-amd64.tar.gz", "SHA256SUMS", *(f"gemgate_{number}-1_{arch}.deb" for arch in DEBS)}
    assert {f.name for f in release.iterdir()} == names
    sums = dict(reversed(line.split("  ")) for line in (release / "SHA256SUMS").read_text().splitlines())
    assert sums == {f: hashlib.sha256((release / f).read_bytes()).hexdigest() for f in names - {"SHA256SUMS"}}


@pytest.mark.parametrize("arch", DEBS)
def test_package(release, arch, tmp_path):
    (deb,) = release.glob(f"*_{arch}.deb")
    assert run("dpkg-deb", "-f", deb, "Architecture", cwd=release).stdout == arch + "\n"
    run("dpkg-deb", "-x", deb, tmp_path, cwd=release)
    for program in ("bin/gemgated", "bin/gemgatectl", "lib/gemgate/gemgate-runner"):
        head = (tmp_path / "usr" / program).read_bytes()[:20]
        assert head[:4] == b"\x7fELF" and head[18] == DEBS[arch], program


def test_packages_have_the_same_files(release):
    def files(arch):
        (deb,) = release.glob(f"*_{arch}.deb")
        return sorted(line.split()[-1] for line in run("dpkg-deb", "-c", deb, cwd=release).stdout.splitlines())

    assert files("amd64") == files("arm64")


def test_image(release):
    (archive,) = release.glob("*image*.tar.gz")
    with gzip.open(archive) as f, tarfile.open(fileobj=f) as tar:
        (manifest,) = json.load(tar.extractfile("manifest.json"))
        config = json.load(tar.extractfile(manifest["Config"]))
    assert {t.rpartition("/")[2] for t in manifest["RepoTags"]} == {f"gemgate:{version()[1:]}"}
    assert config["config"]["Entrypoint"] == ["/usr/bin/gemgated"] and config["config"]["User"] == "10001:10001"
    assert config["config"]["Labels"]["org.opencontainers.image.version"] == version()[1:]


def test_a_second_build_is_equal(release, clone):
    run("packaging/release", version(), "again", cwd=clone, RELEASE_ROOT=str(ROOTS), RELEASE_PARTS="amd64")
    (deb,) = release.glob("*_amd64.deb")
    assert (clone / "again" / deb.name).read_bytes() == deb.read_bytes()


@pytest.fixture(scope="session")
def root(release, tmp_path_factory):
    """The root that has built the packages."""
    folder = tmp_path_factory.mktemp("root")
    run("tar", "-C", folder, "--exclude=./dev/*", "-xf", ROOTS / "cross.tar", cwd="/")
    yield folder
    shutil.rmtree(folder)


# In namespaces that end with the command.
INSIDE = ["unshare", "--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--propagation", "private", "sh", "-euc",
          'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; mkdir -p "$0/source"; mount --bind "$1" "$0/source"; root=$0; shift; '
          'exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"']


def inside(root, clone, *argv):
    return run(*INSIDE, root, clone, *argv, cwd="/").stdout


def test_arm64_programs_run(release, clone, root):
    (deb,) = release.glob("*_arm64.deb")
    run("dpkg-deb", "-x", deb, root / "opt/arm64", cwd=release)
    out = inside(root, clone, "qemu-aarch64-static", "/opt/arm64/usr/bin/gemgated", "--version")
    assert out == f"gemgated {version()[1:]}\n"


def test_arm64_unit_tests(release, clone, root):
    """Compiled for arm64 and run by qemu: every unit test but those that an emulator cannot run (tests/unit/meson.build), and
    every fuzzer's corpus."""
    script = """cd /source
    dpkg --install /opt/libwslay-dev_*_arm64.deb
    /usr/share/meson/debcrossgen --arch arm64 -o /tmp/cross
    sed -i "/^\\[binaries\\]/a exe_wrapper = 'qemu-aarch64-static'" /tmp/cross
    meson setup /tmp/build --cross-file /tmp/cross -Dbuildtype=debugoptimized -Dunit=enabled
    ninja -C /tmp/build
    meson test -C /tmp/build --no-rebuild --suite unit --suite fuzz --no-suite native --timeout-multiplier 20 --print-errorlogs"""
    out = inside(root, clone, "bash", "-euc", script)
    assert "Fail:               0" in out and "Timeout:            0" in out, out[-4000:]
