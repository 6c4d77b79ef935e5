"""The defects of one file, collected: exact counts, and details of the first bad rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.validation.report import MOST_COUNTERS, Defect, quoted

if TYPE_CHECKING:
    from collections.abc import Collection


class Unreadable(Exception):
    """The rest of the file cannot be read; the message says why and what to do."""


class Findings:
    """Counts every defect and keeps the details of the first bad rows.

    Attributes:
        rows: rows read.
        bad_rows: rows with at least one defect.
        counts: how often each `column:rule` was broken.
        columns: the names found in the file.
    """

    def __init__(self, first_bad_rows: int) -> None:
        self.rows = 0
        self.bad_rows = 0
        self.counts: dict[str, int] = {}
        self.columns: tuple[str, ...] = ()
        self._most = first_bad_rows
        self._kept: dict[int, list[Defect]] = {}

    def count(self, column: str | None, rule: str, times: int) -> None:
        """Count a rule as broken that many times in the column."""
        key = f"{column or '*'}:{rule}"
        if key not in self.counts and len(self.counts) >= MOST_COUNTERS:
            key = f"*:{rule}"
        self.counts[key] = self.counts.get(key, 0) + times

    def wants(self, row: int) -> bool:
        """Return whether the details of this row belong in the report."""
        if row in self._kept:
            return True
        return self._most > 0 and (len(self._kept) < self._most or row < max(self._kept))

    def detail(
        self, row: int, line: int | None, column: str | None, rule: str, value: object, message: str
    ) -> None:
        """Keep a defect's details if its row is one of the first bad rows; counting is apart."""
        if not self.wants(row):
            return
        defect = Defect(line=line, row=row, column=column, rule=rule, value=quoted(value), message=message)
        self._kept.setdefault(row, []).append(defect)
        if len(self._kept) > self._most:
            del self._kept[max(self._kept)]

    def wanted(self, rows: Collection[int]) -> list[int]:
        """Return which of the rows belong in the report, in order."""
        return [row for row in sorted(rows)[: self._most] if self.wants(row)]

    @property
    def defects(self) -> tuple[Defect, ...]:
        """The defects of the first bad rows, in the file's order."""
        return tuple(defect for row in sorted(self._kept) for defect in self._kept[row])
