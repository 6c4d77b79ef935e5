"""What a batch must keep to before it is published; the queries are in sql/nightly_batch/checks.sql."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check.

    Attributes:
        name: its query, which returns how many are bad and of how many.
        bad: what is the matter with the bad ones, after a number: "rows have a negative amount".
        limit: the run's parameter that says how many percent may be bad, or None for none at all.
    """

    name: str
    bad: str
    limit: str | None = None


CHECKS = (
    Check(name="rows_match_summary", bad="rows are missing or too many"),
    Check(name="no_duplicate_ids", bad="rows repeat a sale's id"),
    Check(name="no_negative_amounts", bad="rows have a negative amount"),
    Check(name="no_future_sales", bad="rows were sold in the future"),
    Check(name="few_missing", bad="rows lack their region or customer", limit="most_missing"),
    Check(name="few_rejected", bad="rows were rejected", limit="most_rejected"),
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found: `bad` of `total`, where `percent` of them may be bad."""

    name: str
    words: str
    bad: int
    total: int
    percent: int

    @property
    def passed(self) -> bool:
        """Whether no more are bad than may be."""
        return self.bad * 100 <= self.percent * self.total

    @property
    def sentence(self) -> str:
        """The finding for people."""
        allowed = f"at most {self.percent}%" if self.percent else "none"
        return f"{self.name}: {self.bad:,} of {self.total:,} {self.words} (allowed: {allowed})"


def judge(counted: Mapping[str, tuple[int, int]], parameters: Mapping[str, str]) -> list[Finding]:
    """Compare what the queries counted, bad and total by check, with what is allowed."""
    return [
        Finding(
            name=check.name,
            words=check.bad,
            bad=counted[check.name][0],
            total=counted[check.name][1],
            percent=int(parameters[check.limit]) if check.limit else 0,
        )
        for check in CHECKS
    ]
