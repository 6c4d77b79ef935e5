"""Which tests one worker runs: those that share what their fixtures start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import APART, TOGETHER, group_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/acceptance/test_notices.py::test_a[x::y]", "tests/acceptance/"),
        ("tests/acceptance/test_kill.py::test_a", "tests/acceptance/test_kill.py"),
        ("tests/workflows/test_load_file.py::test_a[b]", "tests/workflows/"),
        ("tests/integration/test_provision.py::test_a", "tests/integration/test_provision.py"),
    ],
)
def test_tests_that_share_a_stage_or_a_module_stay_together(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_every_name_in_the_distribution_is_there() -> None:
    assert [name for name in (*TOGETHER, *APART) if not (ROOT / name).exists()] == []
