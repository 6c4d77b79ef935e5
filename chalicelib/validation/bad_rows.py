"""Every bad row of one file with what is wrong with it, on disk until the file has ended."""

from __future__ import annotations

import json
import tempfile
from array import array
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.validation.report import Defect

MOST_BYTES = 256 << 20
"""Bytes that all bad rows may have together: a Lambda function has 512 MB of disk."""


class BadRows:
    """Keeps bad rows and their defects as they are found, and gives them in the file's order.

    In memory are 16 bytes for each entry; what the entry says is in a temporary file.

    Attributes:
        most: how many rows are kept; with more, nothing is.
        open: False once there were too many.
    """

    def __init__(self, most: int, most_bytes: int = MOST_BYTES) -> None:
        self.most = most
        self.open = True
        self.too_large = False
        self._most_bytes = most_bytes
        self._rows = array("q")
        self._offsets = array("q")
        self._end = 0
        self._spool: IO[bytes] = tempfile.TemporaryFile(prefix="decant-bad-rows-")  # noqa: SIM115  closed by close

    def note(self, defect: Defect) -> None:
        """Keep what is wrong with a row."""
        self._add(
            defect.row,
            {"line": defect.line, "column": defect.column, "rule": defect.rule, "message": defect.message},
        )

    def keep(self, row: int, raw: bytes) -> None:
        """Keep the row as the file has it."""
        self._add(row, _written(raw))

    def give_up(self) -> None:
        """Let go of everything: the file will be rejected as a whole."""
        self.open = False
        self._rows, self._offsets = array("q"), array("q")
        self._spool.close()

    def close(self) -> None:
        """Remove the temporary file."""
        self._spool.close()

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield each bad row: `row`, `line`, `column`, `rule`, `message`, `raw`, in the file's order.

        `also` holds what else is wrong with the row. A row that is not UTF-8 has `encoding`, and its `raw`
        has one character for each byte.
        """
        order = sorted(range(len(self._rows)), key=self._rows.__getitem__)
        for row, entries in groupby(order, key=self._rows.__getitem__):
            yield _document(row, [self._read(entry) for entry in entries])

    def _add(self, row: int, entry: dict[str, Any]) -> None:
        if not self.open:
            return
        data = json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        if self._end + len(data) > self._most_bytes:
            self.too_large = True
            self.give_up()
            return
        self._rows.append(row)
        self._offsets.append(self._end)
        self._end += len(data)
        self._spool.write(data)

    def _read(self, entry: int) -> dict[str, Any]:
        self._spool.seek(self._offsets[entry])
        found: dict[str, Any] = json.loads(self._spool.readline().decode())
        return found


def _written(raw: bytes) -> dict[str, str]:
    try:
        return {"raw": raw.decode()}
    except UnicodeDecodeError:
        return {"raw": raw.decode("latin-1"), "encoding": "latin-1"}


def _document(row: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
    raw = next(entry for entry in entries if "raw" in entry)
    first, *others = [entry for entry in entries if "raw" not in entry]
    also = [{name: other[name] for name in ("column", "rule", "message")} for other in others]
    return {"row": row, **first, **({"also": also} if also else {}), **raw}
