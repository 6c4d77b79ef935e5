"""What was found in a file: the report and its defects."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

LONGEST_VALUE = 100
"""Characters of an offending value that a report quotes."""

MOST_COUNTERS = 200
"""Different `column:rule` counters that a report keeps; what comes after is counted as `*:rule`."""


@dataclass(frozen=True, kw_only=True)
class Defect:
    """One broken rule.

    Attributes:
        line: the physical line where the row starts, counted from 1, or None where a format has no lines.
        row: the row, counted from 1 without the header; 0 stands for the header.
        column: the column's name, or None when the whole row is meant.
        rule: the name of the broken rule.
        value: the value as the file has it, cut at 100 characters.
        message: one sentence.
    """

    line: int | None
    row: int
    column: str | None
    rule: str
    value: str
    message: str

    @property
    def place(self) -> str:
        """Where it is, as people say it."""
        where = f"row {self.row}" if self.line is None else f"line {self.line}"
        return where if self.column is None else f"{where}, column {self.column}"


@dataclass(frozen=True, kw_only=True)
class Report:
    """What validation found in one file.

    Attributes:
        valid: whether the pipeline may load the file.
        format: csv, json, ndjson or parquet.
        rows: rows read, good and bad.
        bad_rows: rows that break at least one rule.
        bytes: bytes read, as stored.
        columns: the names found in the file.
        defects: the defects of the first bad rows, in the file's order.
        defect_counts: how often each `column:rule` was broken.
        tolerated: whether the bad rows are to be set aside and the others loaded.
        reason: why the file is not valid, in one sentence that a person can act on; None for a valid file.
        compressed: whether the file was decompressed.
        complete: whether the file was read to its end. When not, the counts cover what was read.
    """

    valid: bool
    format: str
    rows: int
    bad_rows: int
    bytes: int
    columns: tuple[str, ...] = ()
    defects: tuple[Defect, ...] = ()
    defect_counts: dict[str, int] = field(default_factory=dict)
    reason: str | None = None
    compressed: bool = False
    complete: bool = True
    tolerated: bool = False

    @property
    def good_rows(self) -> int:
        """Rows that keep every rule."""
        return self.rows - self.bad_rows

    def to_document(self) -> dict[str, Any]:
        """Return the report as JSON-safe values."""
        return asdict(self) | {
            "good_rows": self.good_rows,
            "columns": list(self.columns),
            "defects": [asdict(defect) for defect in self.defects],
        }

    def summary(self) -> str:
        """Say in one line how the file did."""
        if self.valid:
            bad = f", {self.bad_rows:,} of them bad" if self.bad_rows else ""
            return f"valid {self.format}: {self.rows:,} rows{bad}, {self.bytes:,} bytes"
        return f"rejected {self.format}: {self.reason}"


def quoted(value: object) -> str:
    """Return the value as a report quotes it: text of at most 100 characters, safe to encode."""
    text = value if isinstance(value, str) else str(value)
    return text[:LONGEST_VALUE].encode("utf-8", "backslashreplace").decode()
