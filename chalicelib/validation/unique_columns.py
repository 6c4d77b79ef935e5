"""The same search for values that come twice, on whole columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.validation.unique import Unique

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator


class UniqueColumn(Unique):
    """Finds the repeats in one column of pyarrow blocks."""

    waiting_keys = 1 << 16

    def growing(self, keys: array[int]) -> bool:
        """Return whether each key is larger than the one before."""
        column = _column(keys)
        return bool(pc.all(pc.less(column[:-1], column[1:]), min_count=0).as_py())

    def span(self, keys: array[int]) -> tuple[int, int]:
        """Return the smallest and the largest key."""
        found = pc.min_max(_column(keys)).as_py()
        return found["min"], found["max"]

    def repeated(self, waiting: list[array[int]], earlier: Iterator[array[int]]) -> set[int] | None:
        """Return the waiting keys that come in earlier runs, or None when no key comes twice at all."""
        mine = pc.unique(pa.chunked_array(list(map(_column, waiting))))
        found: set[int] = set()
        for run in earlier:
            column = _column(run)
            found.update(column.filter(pc.is_in(column, value_set=mine)).to_pylist())
        return None if not found and len(mine) == sum(map(len, waiting)) else found


def _column(keys: array[int]) -> pa.Int64Array:
    return pa.Int64Array.from_buffers(pa.int64(), len(keys), [None, pa.py_buffer(keys)])
