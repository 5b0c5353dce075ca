# SPDX-License-Identifier: MIT
"""The pages: docs/CONFORMANCE.md is written from the table that tests/e2e/test_conformance.py runs, and all links lead
somewhere."""
import os
import re
import subprocess

import pytest

import conformance

ROOT = conformance.ROOT
PAGES = sorted(p for p in subprocess.run(
    ["find", ".", "-name", "node_modules", "-prune", "-o", "-path", "./build*", "-prune", "-o", "-name", "*.md", "-print"],
    cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())  # fmt: skip
ZH, README = ROOT / "docs/README.zh.md", ROOT / "README.md"


def without_code(text):
    return re.sub(r"^```.*?^```$|^(?: {4}|\t).*$", "", text, flags=re.M | re.S)


def anchors(text):
    """As GitHub makes them of headings."""
    out = []
    for heading in re.findall(r"^#+ +(.+?) *$", re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S), re.M):
        heading = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
        out.append(f"{name}-{out.count(name)}" if name in out else name)
    return out


@pytest.mark.parametrize("page", PAGES)
def test_links(page):
    """Every relative link and every anchor, also within the page; a target that git does not have is none."""
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", without_code(text))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = ROOT / os.path.normpath(os.path.join(os.path.dirname(page), path) if path else page)
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text()), target


def code(text):
    """The blocks, with their languages; and of the lines that are indented those that are commands or settings."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S), re.findall(r"^ {4}([A-Z_]+=.*)$", text, re.M)


def test_both_languages():
    """What is typed is the same in both; in text within it each has its own language."""
    def commands(path):
        blocks, settings = code(path.read_text())
        own = re.compile(r"#.*$|the token it printed|它显示的令牌|\"(?:Hello|你好)\"|ADDRESS-OF-THIS-REPOSITORY|本仓库的地址", re.M)
        return [(language, [line.rstrip() for line in own.sub("", body).splitlines()]) for language, body in blocks], settings

    assert commands(ZH) == commands(README)
    routes = [re.findall(r"^\| (`(?:GET|POST|/)[^|]*)\|", p.read_text(), re.M) for p in (ZH, README)]
    assert routes[0] == routes[1] and len(routes[0]) > 15
    names = [set(re.findall(r"(?:\]\((?:docs/|\.\./)?)([\w/]+\.md)", p.read_text())) for p in (ZH, README)]
    assert names[0] - {"README.md"} == names[1]


def test_the_readme_can_be_read_whole():
    assert all(len(p.read_text().splitlines()) <= 260 for p in (README, ZH))


def test_every_member_has_a_row():
    assert list(conformance.missing()) == []


def test_the_document_is_up_to_date():
    assert conformance.DOCUMENT.read_text() == conformance.document(), "run tests/e2e/conformance.py"


def test_golden_cases():
    """As the document has it: more than 150 in each direction."""
    golden = conformance.ROOT / "tests/golden"
    for suffixes in ((".gemini.json",), (".answer.expected", ".stream.expected")):
        assert sum(p.name.endswith(suffixes) for p in golden.glob("openai-*/*")) > 150
