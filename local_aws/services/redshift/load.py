"""One COPY's data on its way: chunks of CSV, and which record a refusal was about."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.services.redshift.failures import LoadError, WarehouseError, reason
from local_aws.services.redshift.readers import BadRecordError, batches
from local_aws.services.redshift.rows import as_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_aws.services.redshift.columns import Column, Table
    from local_aws.services.redshift.commands import Copy
    from local_aws.services.redshift.objects import Objects

REMEMBERED_CHUNKS = 2  # PostgreSQL is behind us by what a socket holds, which is less than one chunk
_LINE = re.compile(r"COPY [^,]*, line (\d+)")
_COLUMN = re.compile(r"column (.+?)(?:: |$)")
_VALUE = re.compile(r"column .+?: \"(.*)\"", re.DOTALL)


@dataclass(frozen=True)
class Chunk:
    """Some rows that were sent: what they are and where they came from."""

    file: str
    first_record: int  # of the file, counted from 1 and with its header
    first_line: int  # of the CSV text that PostgreSQL counts
    data: bytes


class Load:
    """What one COPY reads. Iterating gives CSV, a bounded amount at a time."""

    def __init__(self, copy: Copy, table: Table, objects: Objects) -> None:
        self._copy = copy
        self._table = table
        self._objects = objects
        self._recent: deque[Chunk] = deque(maxlen=REMEMBERED_CHUNKS)
        self.error: LoadError | None = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the rows.

        Raises:
            WarehouseError: the source can't be read; `error` holds the record, when one is to blame.
        """
        copy = self._copy
        sources = self._objects.sources(
            copy.source, manifest="MANIFEST" in copy.switches, columnar=copy.format == "parquet"
        )
        line = 1
        for source in sources:
            record = 1 + copy.skip
            try:
                for batch in batches(self._objects, source, copy, self._table.columns):
                    data = as_csv(batch, self._table.columns, copy)
                    self._recent.append(Chunk(source.address, record, line, data))
                    record += batch.num_rows
                    line += data.count(b"\n")
                    yield data
            except BadRecordError as error:
                raise self._refused(source.address, error.line or record, error) from error

    def failure(self) -> WarehouseError:
        """Return what the client is told about a record that was refused."""
        assert self.error is not None
        e = self.error
        where = f"file {e.file}, line {e.line}" + (f", column {e.column}" if e.column else "")
        return WarehouseError(
            f"Load into table '{self._table.name}' failed.  "
            "Check 'stl_load_errors' system table for details.",
            detail=f"{where}: {e.reason} (code {e.code})"
            + (f", value '{e.raw_value[:256]}'" if e.raw_value else ""),
        )

    def blame(self, named: dict[str, str]) -> bool:
        """Find the record that PostgreSQL's error is about; return False when it is about none."""
        where = named.get("W", "")
        found = _LINE.search(where)
        if not found:
            return False
        column, value = self._column(named, where)
        file, line, row = self._record(int(found[1]))
        if column is not None and row is not None:
            value = row[self._table.columns.index(column)] if value is None else value
        shown = value or ""
        code, words = reason(named, shown, column.type if column else "")
        self.error = LoadError(
            file=file,
            line=line,
            column=column.name if column else "",
            type=column.type if column else "",
            length=str(column.length or "") if column else "",
            raw_line="|".join(row or ())[:1024],
            raw_value=shown[:1024],
            code=code,
            reason=words,
        )
        return True

    def _column(self, named: dict[str, str], where: str) -> tuple[Column | None, str | None]:
        found = _COLUMN.search(where)
        name = found[1] if found else named.get("c", "")
        limit = re.match(r"rs_bytes_\d+_(.*)", named.get("n", ""))
        if limit:
            name = limit[1]
        value = _VALUE.search(where)
        column = next((c for c in self._table.columns if c.name == name), None)
        return column, value[1] if value else None

    def _record(self, line: int) -> tuple[str, int, list[str] | None]:
        for chunk in reversed(self._recent):
            if chunk.first_line <= line:
                rows = csv.reader(io.StringIO(chunk.data.decode("utf-8", "replace"), newline=""))
                for offset, row in enumerate(rows):
                    if chunk.first_line + rows.line_num - 1 >= line:
                        return chunk.file, chunk.first_record + offset, row
        return self._recent[0].file if self._recent else "", line, None

    def _refused(self, file: str, line: int, error: BadRecordError) -> WarehouseError:
        self.error = LoadError(
            file, line, error.column, "", "", error.raw[:1024], "", error.code, error.reason
        )
        return self.failure()
