# SPDX-License-Identifier: MIT
"""docs/CONFORMANCE.md is written from the table that tests/e2e/test_conformance.py runs."""
import conformance


def test_every_member_has_a_row():
    assert list(conformance.missing()) == []


def test_the_document_is_up_to_date():
    assert conformance.DOCUMENT.read_text() == conformance.document(), "run tests/e2e/conformance.py"


def test_golden_cases():
    """As the document has it: more than 150 in each direction."""
    golden = conformance.ROOT / "tests/golden"
    for suffixes in ((".gemini.json",), (".answer.expected", ".stream.expected")):
        assert sum(p.name.endswith(suffixes) for p in golden.glob("openai-*/*")) > 150
