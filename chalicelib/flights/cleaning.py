"""A CSV file, cleaned as a stream: the rows that can be used, and how many of the others for which reason."""

from __future__ import annotations

import codecs
import csv as plain_csv
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from chalicelib.errors import InvalidFile, TooFewRows, WrongColumns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BLOCK = 4 << 20
"""Bytes of CSV in memory at once."""

LONGEST_HEADER = 64 << 10

MOST_ROWS = 2_000_000
"""Rows of one file: their identifiers are held in memory to find those that come twice. The whole world has
about 130,000 flights a day."""

LARGEST_SHARE_DROPPED = 0.5
"""A file of which more than this share is dropped is taken for something else than it should be."""

TIME = "%Y-%m-%dT%H:%M:%SZ"
SHAPE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"

RAGGED = "wrong number of cells"
REPEATED = "came earlier in the file"

Columns = dict[str, pa.Array]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How one kind of file is cleaned.

    Attributes:
        columns: what the header must hold, in any order; others are left out.
        key: the column that no two rows may share.
        reasons: yields (reason, mask) for text columns; a row is dropped for its first mask that is true.
        typed: makes the written columns of the text columns of good rows.
        schema: of the written columns.
    """

    columns: tuple[str, ...]
    key: str
    reasons: Callable[[Columns], Iterator[tuple[str, pa.Array]]]
    typed: Callable[[Columns], list[pa.Array]]
    schema: pa.Schema


@dataclass
class Cleaned:
    """What came of a file: rows read, rows kept, and rows dropped by reason."""

    read: int = 0
    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)

    def drop(self, reason: str, rows: int) -> None:
        """Count rows that were dropped."""
        if rows:
            self.dropped[reason] = self.dropped.get(reason, 0) + rows


def clean(stream: BinaryIO, name: str, recipe: Recipe, sink: BinaryIO, *, fewest: int) -> Cleaned:
    """Write the rows that can be used as Parquet.

    Args:
        stream: the CSV file, which can seek.
        name: what the file is called in messages.
        recipe: how it is cleaned.
        sink: where the Parquet file goes.
        fewest: rows that must be left.

    Raises:
        WrongColumns: the header lacks a column, or there is none.
        InvalidFile: it cannot be read as CSV in UTF-8, or has too many rows.
        TooFewRows: too little of it can be used.
    """
    done = Cleaned()
    seen: set[str] = set()
    with parquet.ParquetWriter(sink, recipe.schema, compression="snappy") as writer:
        for columns in _blocks(stream, name, recipe.columns, done):
            kept = _unrepeated(_sifted(columns, recipe, done), recipe.key, seen, done)
            rows = len(kept[recipe.key])
            if rows:
                writer.write_batch(pa.RecordBatch.from_arrays(recipe.typed(kept), schema=recipe.schema))
            done.kept += rows
            if done.read > MOST_ROWS:
                raise InvalidFile(f"{name}: more than {MOST_ROWS:,} rows: is this the file of one day?")
    _refuse_poor(done, name, fewest)
    return done


def _blocks(stream: BinaryIO, name: str, wanted: Sequence[str], done: Cleaned) -> Iterator[Columns]:
    _check_header(stream, name, wanted)

    def ragged(_: csv.InvalidRow) -> str:
        done.read += 1
        done.drop(RAGGED, 1)
        return "skip"

    try:
        blocks = csv.open_csv(
            pa.PythonFile(_UTF8(stream), mode="r"),
            read_options=csv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=csv.ParseOptions(newlines_in_values=True, invalid_row_handler=ragged),
            convert_options=csv.ConvertOptions(
                include_columns=list(wanted),
                column_types=dict.fromkeys(wanted, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        for block in blocks:
            done.read += block.num_rows
            yield {column: block.column(column) for column in wanted}
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise InvalidFile(f"{name}: it cannot be read as CSV in UTF-8: {error}") from error


class _UTF8(io.RawIOBase):
    """A stream that fails where it is not UTF-8: pyarrow's handler of ragged rows cannot."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._decoder.decode(data, final=not data)
        return data


def _check_header(stream: BinaryIO, name: str, wanted: Sequence[str]) -> None:
    line = stream.readline(LONGEST_HEADER)
    stream.seek(0)
    try:
        header = next(plain_csv.reader(io.StringIO(line.decode("utf-8-sig"))), [])
    except (UnicodeDecodeError, plain_csv.Error) as error:
        raise InvalidFile(f"{name}: its first line cannot be read as CSV in UTF-8: {error}") from error
    if not header:
        raise WrongColumns(f"{name}: the file is empty: its first line must name {', '.join(wanted)}")
    missing = [column for column in wanted if column not in header]
    twice = [column for column in wanted if header.count(column) > 1]
    if missing or twice:
        problem = f"lacks {', '.join(missing)}" if missing else f"names {', '.join(twice)} twice"
        raise WrongColumns(
            f"{name}: the header {problem}; it has {', '.join(header)[:500]}; "
            f"it must have {', '.join(wanted)}"
        )


def _sifted(columns: Columns, recipe: Recipe, done: Cleaned) -> Columns:
    rows = len(columns[recipe.key])
    bad = pa.repeat(pa.scalar(value=False), rows)
    for reason, mask in recipe.reasons(columns):
        hit = pc.fill_null(mask, fill_value=False)
        done.drop(reason, pc.sum(pc.and_not(hit, bad)).as_py() or 0)
        bad = pc.or_(bad, hit)
    return _filtered(columns, pc.invert(bad))


def _unrepeated(columns: Columns, key: str, seen: set[str], done: Cleaned) -> Columns:
    fresh = []
    for value in columns[key].to_pylist():
        fresh.append(value not in seen)
        seen.add(value)
    done.drop(REPEATED, len(fresh) - sum(fresh))
    return columns if all(fresh) else _filtered(columns, pa.array(fresh, pa.bool_()))


def _filtered(columns: Columns, keep: pa.Array) -> Columns:
    return {name: values.filter(keep) for name, values in columns.items()}


def _refuse_poor(done: Cleaned, name: str, fewest: int) -> None:
    dropped = sum(done.dropped.values())
    why = ", ".join(f"{reason}: {rows:,}" for reason, rows in sorted(done.dropped.items()))
    if dropped > done.read * LARGEST_SHARE_DROPPED:
        raise TooFewRows(
            f"{name}: {dropped:,} of {done.read:,} rows cannot be used ({why}); "
            f"more than {LARGEST_SHARE_DROPPED:.0%} makes a wrong file: correct it and run the date again"
        )
    if done.kept < fewest:
        raise TooFewRows(f"{name}: the file holds no row that can be used: correct it and run the date again")


def times(text: pa.Array) -> pa.Array:
    """Return texts like 2026-11-01T23:40:00Z as times in UTC; null where it is none."""
    shaped = pc.if_else(unlike(text, SHAPE), None, text)
    try:
        return pc.cast(pc.cast(shaped, pa.timestamp("s", "UTC")), pa.timestamp("s"))
    except pa.ArrowInvalid:  # one of them is not in the calendar: find out which, ten times slower
        found = pc.strptime(shaped, format=TIME, unit="s", error_is_null=True)
    # strptime takes 30 February for 2 March: what does not come back as it was is no time.
    same = pc.fill_null(pc.equal(pc.strftime(found, format=TIME), text), fill_value=False)
    return pc.if_else(same, found, None)


def unreadable(text: pa.Array, parsed: pa.Array) -> pa.Array:
    """Return where there is a text that could not be parsed."""
    return pc.and_(pc.is_valid(text), pc.is_null(parsed))


def any_of(masks: list[pa.Array]) -> pa.Array:
    """Return where at least one mask is true; null counts as false."""
    found = pc.fill_null(masks[0], fill_value=False)
    for mask in masks[1:]:
        found = pc.or_(found, pc.fill_null(mask, fill_value=False))
    return found


def missing(columns: Columns, names: Sequence[str]) -> pa.Array:
    """Return where one of the columns has no value."""
    return any_of([pc.is_null(columns[name]) for name in names])


def unlike(text: pa.Array, pattern: str) -> pa.Array:
    """Return where a text does not match a pattern."""
    return pc.invert(pc.match_substring_regex(text, f"^({pattern})$"))
