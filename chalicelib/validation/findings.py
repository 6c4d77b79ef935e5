"""The defects of one file, collected: exact counts, and details of the first bad rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.validation.report import MOST_COUNTERS, Defect, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from chalicelib.validation.bad_rows import BadRows
    from chalicelib.validation.unique import Batch


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

    def __init__(self, first_bad_rows: int, set_aside: BadRows | None = None) -> None:
        self.rows = 0
        self.bad_rows = 0
        self.counts: dict[str, int] = {}
        self.columns: tuple[str, ...] = ()
        self._most = first_bad_rows
        self._set_aside = set_aside
        self._kept: dict[int, list[Defect]] = {}

    def count(self, column: str | None, rule: str, times: int) -> None:
        """Count a rule as broken that many times in the column."""
        key = f"{column or '*'}:{rule}"
        if key not in self.counts and len(self.counts) >= MOST_COUNTERS:
            key = f"*:{rule}"
        self.counts[key] = self.counts.get(key, 0) + times

    def mark(self, batch: Batch, rows: Iterable[int]) -> None:
        """Count rows of a batch as bad, each once, and keep them when they are to be set aside."""
        new = set(rows) - batch.marked
        batch.marked |= new
        self.bad_rows += len(new)
        kept = self._set_aside
        if kept is None or not kept.open:
            return
        if self.bad_rows > kept.most:
            kept.give_up()
            return
        for row in new:
            kept.keep(row, batch.raw(row))

    def wants(self, row: int) -> bool:
        """Return whether the details of this row are kept anywhere."""
        return (self._set_aside is not None and self._set_aside.open) or self._reports(row)

    def _reports(self, row: int) -> bool:
        if row in self._kept:
            return True
        return self._most > 0 and (len(self._kept) < self._most or row < max(self._kept))

    def detail(
        self, row: int, line: int | None, column: str | None, rule: str, value: object, message: str
    ) -> None:
        """Keep a defect's details if its row is one of the first bad rows or set aside; counting is apart."""
        if not self.wants(row):
            return
        defect = Defect(line=line, row=row, column=column, rule=rule, value=quoted(value), message=message)
        if self._set_aside is not None:
            self._set_aside.note(defect)
        if not self._reports(row):
            return
        self._kept.setdefault(row, []).append(defect)
        if len(self._kept) > self._most:
            del self._kept[max(self._kept)]

    def wanted(self, rows: Collection[int]) -> list[int]:
        """Return which of the rows have their details kept, in order."""
        if self._set_aside is not None and self._set_aside.open:
            return sorted(rows)
        return [row for row in sorted(rows)[: self._most] if self._reports(row)]

    @property
    def defects(self) -> tuple[Defect, ...]:
        """The defects of the first bad rows, in the file's order."""
        return tuple(defect for row in sorted(self._kept) for defect in self._kept[row])
