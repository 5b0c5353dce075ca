# SPDX-License-Identifier: MIT
"""Every text file in cases/."""
from pathlib import Path

import pytest

import case
import conversation

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def test_there_are_cases():
    assert CASES


@pytest.mark.parametrize("path", CASES, ids=[p.stem for p in CASES])
def test_case(path, sim, tmp_path):
    fault = None
    try:
        conversation.run(case.parse(path.read_text()), sim, tmp_path)
    except (conversation.Mismatch, case.CaseError) as e:
        fault = f"{path.name}: {e}"
    if fault:
        pytest.fail(fault, pytrace=False)
