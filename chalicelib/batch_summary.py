"""How a batch ended: each of its files, the counts, and what people are told."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

FileOutcome = Literal["loaded", "rejected", "failed", "running"]

NAMED = 20
"""Files of each kind that a notice names; the summary in S3 names all."""


@dataclass(frozen=True, kw_only=True)
class FileEnd:
    """How one file of a batch ended.

    Attributes:
        file: its address.
        token: names its content.
        outcome: `loaded`, `rejected`, `failed`, or `running` while its own run is under way.
        rows: rows that it brought; 0 unless loaded.
        run: the run that tells more, or None.
        reason: why it was not loaded.
    """

    file: str
    token: str
    outcome: FileOutcome
    rows: int = 0
    run: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A batch's files and what surrounds them.

    Attributes:
        ends: how each file ended.
        again: the items that another attempt works on.
        already: files that had been loaded before.
        waiting: small files that wait for more.
        groups: loads that several files shared.
        seconds: what the attempt took.
        why_alone: why small files were not put together, or None.
    """

    ends: Sequence[FileEnd]
    again: Sequence[dict[str, Any]]
    already: int
    waiting: int
    groups: int
    seconds: float
    why_alone: str | None

    @property
    def counts(self) -> Counter[str]:
        """How many files ended each way."""
        return Counter(end.outcome for end in self.ends)

    @property
    def rows(self) -> int:
        """Rows that the loaded files brought."""
        return sum(end.rows for end in self.ends)

    @property
    def headline(self) -> str:
        """The whole in one line."""
        counts = self.counts
        rest = [f"{counts[outcome]:,} {outcome}" for outcome in ("rejected", "failed") if counts[outcome]]
        rest += [f"{number:,} {what}" for number, what in self._beside if number]
        loaded = f"{counts['loaded']:,} of {len(self.ends):,} files loaded"
        return ", ".join([loaded if self.ends else "nothing new to load", *rest])

    @property
    def facts(self) -> dict[str, int | str]:
        """What a notice shows by name."""
        counts = self.counts
        facts: dict[str, int | str] = {
            "Loaded": counts["loaded"],
            "Rejected": counts["rejected"],
            "Failed": counts["failed"],
            "Loaded before": self.already,
            "Waiting": self.waiting,
            "Rows": self.rows,
            "Loads of several files": self.groups,
            "Seconds": f"{self.seconds:.1f}",
        }
        return facts | ({"Why not together": self.why_alone} if self.why_alone else {})

    @property
    def lines(self) -> list[str]:
        """The files that were not loaded, and why: the first of each kind."""
        lines: list[str] = []
        for outcome, heading in (("failed", "Failed:"), ("rejected", "Rejected, now in quarantine:")):
            ends = [end for end in self.ends if end.outcome == outcome]
            lines += [heading] if ends else []
            lines += [f"  {end.file}: {end.reason}" for end in ends[:NAMED]]
            lines += [f"  ... and {len(ends) - NAMED:,} more"] if len(ends) > NAMED else []
        return lines

    @property
    def cause(self) -> str:
        """Why the batch is incomplete: the count and the first failures by name."""
        failed = [end for end in self.ends if end.outcome == "failed"]
        names = "; ".join(f"{end.file}: {end.reason}" for end in failed[:3])
        more = f"; and {len(failed) - 3:,} more" if len(failed) > 3 else ""  # noqa: PLR2004 - as named above
        return f"{self.headline}. {names}{more}" if failed else ""

    def to_document(self) -> dict[str, Any]:
        """Return all of it as JSON-safe values."""
        return {
            **{name.lower().replace(" ", "_"): value for name, value in self.facts.items()},
            "headline": self.headline,
            "files": [asdict(end) for end in self.ends],
            "again": list(self.again),
        }

    @property
    def _beside(self) -> tuple[tuple[int, str], ...]:
        return (self.already, "loaded before"), (self.waiting, "waiting for more")
