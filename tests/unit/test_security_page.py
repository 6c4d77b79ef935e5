"""What docs/security.md calls a proof is a test, and each place that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [row for row in PAGE.splitlines() if row.startswith("| ") and "`test_" in row]
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_every_threat_has_its_control_and_a_proof_that_exists(row: str) -> None:
    _, _, control, where, proof, _ = row.split("|")
    assert control.strip()
    for place in re.findall(r"`([^`]+)`", where):
        assert (ROOT / place).exists(), place
    for test in re.findall(r"`(test_\w+)`", proof):
        assert f"def {test}(" in TESTS, test


def test_the_page_has_every_letter_of_stride() -> None:
    for word in ("Spoofing", "Tampering", "Repudiation", "Disclosure", "Denial", "Elevation"):
        assert f"| **{word}**" in PAGE


def test_the_limits_are_those_of_the_code() -> None:
    from chalicelib.endpoints import LONGEST_BODY  # noqa: PLC0415 - beside what it is compared with
    from chalicelib.rest.registration import LONGEST_QUERY  # noqa: PLC0415
    from infrastructure.post_deploy import REQUESTS_AT_ONCE, REQUESTS_PER_SECOND  # noqa: PLC0415

    assert f"{LONGEST_BODY // 1024} KiB" in PAGE
    assert f"{LONGEST_QUERY:,} characters" in PAGE
    assert f"{REQUESTS_PER_SECOND} a second, {REQUESTS_AT_ONCE} at once" in PAGE
