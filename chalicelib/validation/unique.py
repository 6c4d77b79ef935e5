"""Values that come twice, found in bounded memory: 8 bytes a value, on disk beyond four million."""

from __future__ import annotations

import tempfile
from array import array
from itertools import islice
from operator import lt
from typing import IO, TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.validation.findings import Findings

RUN = 1 << 20
"""Keys in one run."""

IN_MEMORY = 4
"""Runs kept in memory; older ones go to a temporary file."""


class Batch(Protocol):
    """Rows that were checked together.

    Attributes:
        bad: the numbers of its rows that are known as bad.
        marked: those of them that were counted.
    """

    bad: set[int]
    marked: set[int]

    def place(self, index: int) -> tuple[int, int | None]:
        """Return the row and the line of the batch's row with this index."""

    def text(self, index: int, column: str) -> str:
        """Return a cell as the file has it."""

    def raw(self, row: int) -> bytes:
        """Return a row as the file has it, by its number, without its line end."""


class Keys:
    """Every 64-bit key seen so far, in runs that know their smallest and largest key."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, array[int] | int]] = []
        self._spilled = 0
        self._file: IO[bytes] | None = None
        self.largest: int | None = None

    def add(self, keys: array[int], smallest: int, largest: int) -> None:
        """Add keys to the last run, or start another."""
        self.largest = largest if self.largest is None else max(self.largest, largest)
        if self._runs:
            low, high, last = self._runs[-1]
            if isinstance(last, array) and len(last) + len(keys) <= RUN:
                last.extend(keys)
                self._runs[-1] = min(low, smallest), max(high, largest), last
                return
        self._runs.append((smallest, largest, keys))
        if len(self._runs) - self._spilled > IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="decant-unique-")  # noqa: SIM115  lives as long as the keys
        low, high, oldest = self._runs[self._spilled]
        assert isinstance(oldest, array)
        oldest.tofile(self._file)
        self._runs[self._spilled] = low, high, len(oldest)
        self._spilled += 1

    def overlapping(self, smallest: int, largest: int) -> Iterator[array[int]]:
        """Yield the runs that may hold keys between the two."""
        offset = 0
        for low, high, run in self._runs:
            count = run if isinstance(run, int) else 0
            if low <= largest and smallest <= high:
                yield run if isinstance(run, array) else self._read(offset, count)
            offset += count * 8

    def _read(self, offset: int, count: int) -> array[int]:
        assert self._file is not None
        self._file.seek(offset)
        keys = array("q")
        keys.fromfile(self._file, count)
        self._file.seek(0, 2)
        return keys

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()


class Unique:
    """Finds the repeats in one column.

    Keys that grow from row to row cannot repeat, which costs one comparison each. Other keys wait until there
    are enough of them to be worth a walk through all earlier ones.
    """

    waiting_keys = 1 << 17
    """Keys that wait; with their batches they set the memory, with the file's rows the time."""

    def __init__(self, column: str, findings: Findings) -> None:
        self._column = column
        self._findings = findings
        self._keys = Keys()
        self._waiting: list[tuple[array[int], Sequence[int] | None, Batch]] = []
        self._count = 0
        self._largest: int | None = None

    def add(self, keys: array[int], indexes: Sequence[int] | None, batch: Batch) -> None:
        """Look at a batch's keys; `indexes` gives each key's row in the batch where some rows have none."""
        if not keys:
            return
        if (self._largest is None or keys[0] > self._largest) and self.growing(keys):
            self._largest = keys[-1]
            self._keys.add(keys, keys[0], keys[-1])
            return
        _, largest = self.span(keys)
        self._largest = largest if self._largest is None else max(self._largest, largest)
        self._waiting.append((keys, indexes, batch))
        self._count += len(keys)
        if self._count >= self.waiting_keys:
            self._resolve()

    def finish(self) -> None:
        """Look at the keys that still wait."""
        self._resolve()
        self._keys.close()

    def growing(self, keys: array[int]) -> bool:
        """Return whether each key is larger than the one before."""
        values = keys.tolist()
        return all(map(lt, values, islice(values, 1, None)))

    def span(self, keys: array[int]) -> tuple[int, int]:
        """Return the smallest and the largest key."""
        return min(keys), max(keys)

    def repeated(self, waiting: list[array[int]], earlier: Iterator[array[int]]) -> set[int] | None:
        """Return the waiting keys that come in earlier runs, or None when no key comes twice at all."""
        distinct = set().union(*waiting)
        found: set[int] = set()
        for run in earlier:
            found.update(distinct.intersection(run))
        return None if not found and len(distinct) == self._count else found

    def _resolve(self) -> None:
        if not self._waiting:
            return
        spans = [self.span(keys) for keys, _, _ in self._waiting]
        smallest, largest = min(low for low, _ in spans), max(high for _, high in spans)
        waiting = [keys for keys, _, _ in self._waiting]
        seen = self.repeated(waiting, self._keys.overlapping(smallest, largest))
        for keys, indexes, batch in self._waiting:
            if seen is not None:
                for position, key in enumerate(keys):
                    if key in seen:
                        self._report(batch, indexes[position] if indexes is not None else position)
                    seen.add(key)
        for keys, span in zip(waiting, spans, strict=True):
            self._keys.add(keys, *span)
        self._waiting, self._count = [], 0

    def _report(self, batch: Batch, index: int) -> None:
        row, line = batch.place(index)
        self._findings.count(self._column, "unique", 1)
        batch.bad.add(row)
        self._findings.mark(batch, (row,))
        if self._findings.wants(row):
            text = batch.text(index, self._column)
            message = f"{text[:60]!r} came in an earlier row; each value may come once"
            self._findings.detail(row, line, self._column, "unique", text, message)
