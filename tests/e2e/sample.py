# SPDX-License-Identifier: MIT
"""The inputs of a test that starts the real Gemini CLI, which computes for two seconds: one of a kind each day, and every one in
`./tests/run long cli`."""
import pytest


def sample(inputs, *daily):
    """For parametrize(): `inputs` is a list of values, or a dict from the id of an input to its values. Those that `daily` does
    not name are for the long run."""
    rows = inputs if isinstance(inputs, dict) else {value: (value,) for value in inputs}
    assert set(daily) <= set(rows), f"no such input: {set(daily) - set(rows)}"
    return [
        pytest.param(*(values if isinstance(values, tuple) else (values,)), id=name, marks=() if name in daily else pytest.mark.long)
        for name, values in rows.items()
    ]
