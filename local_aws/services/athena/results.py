"""Query results in S3, as Athena leaves them: written once, read back by GetQueryResults."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.services.athena.failure import InvalidRequestException
from local_aws.services.athena.objects import split_uri
from local_aws.services.athena.result_text import formatter
from local_aws.services.athena.types import column_info, text_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from local_aws.services.athena.execution import Execution
    from local_aws.services.athena.session import Planned, Session

_ROWS_PER_FETCH = 10_000
_SPOOL_BYTES = 16 * 2**20  # larger results are written by way of a temporary file


def write_rows(session: Session, execution: Execution, planned: Planned) -> None:
    """Run a query and write its CSV; note the columns and counts in the execution."""
    pairs = zip(planned.names, planned.types, strict=True)
    execution.columns = [column_info(name, type_) for name, type_ in pairs]
    writers = [formatter(type_) for type_ in planned.types]
    result = session.connection.execute(planned.text)
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as file:
        file.write(_csv_line(planned.names))
        while rows := result.fetchmany(_ROWS_PER_FETCH):
            execution.output_rows += len(rows)
            lines = (
                _csv_line([None if v is None else w(v) for v, w in zip(row, writers, strict=True)])
                for row in rows
            )
            file.write(b"".join(lines))
        execution.output_bytes = file.tell()
        file.seek(0)
        _put(session.s3, execution.output, file)
    _write_metadata(session.s3, execution, f"{execution.output}.metadata")


def write_text(s3: Any, execution: Execution, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write the tab separated lines of SHOW, DESCRIBE and DDL."""
    execution.columns = [text_column(name) for name in columns]
    lines = ["\t".join(row) + "\n" for row in rows]
    execution.output_rows = len(lines)
    _put(s3, execution.output, "".join(lines).encode())
    _write_metadata(s3, execution, f"{execution.output}.metadata")


def write_manifest(s3: Any, execution: Execution, files: Sequence[str]) -> None:
    """Write the list of data files that CTAS, INSERT or UNLOAD made."""
    execution.manifest = f"{execution.output}-manifest.csv"
    _put(s3, execution.manifest, "".join(f"{file}\n" for file in files).encode())
    _write_metadata(s3, execution, f"{execution.output}.metadata")


def read_rows(s3: Any, execution: Execution) -> list[list[str | None]]:
    """Return a result's rows as text, the header first where there is one.

    Raises:
        InvalidRequestException: somebody deleted the result.
    """
    if execution.kind == "files":
        return []
    try:
        bucket, key = split_uri(execution.output)
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    except ClientError as error:
        raise InvalidRequestException("Could not find results") from error
    if execution.kind == "text":
        return [list(line.split("\t", len(execution.columns) - 1)) for line in body.splitlines()]
    return _csv_rows(body)


def _put(s3: Any, uri: str, body: Any) -> None:
    bucket, key = split_uri(uri)
    s3.put_object(Bucket=bucket, Key=key, Body=body)


def _write_metadata(s3: Any, execution: Execution, uri: str) -> None:
    _put(s3, uri, json.dumps(execution.columns).encode())


def _csv_line(values: Sequence[str | None]) -> bytes:
    """Quote every value; NULL is nothing at all, which tells it from an empty string."""
    quoted = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in values)
    return (",".join(quoted) + "\n").encode()


def _csv_rows(body: str) -> list[list[str | None]]:
    """Read what `_csv_line` wrote; Python's csv module does not tell NULL from an empty string."""
    rows: list[list[str | None]] = []
    row: list[str | None] = []
    at = 0
    while at < len(body):
        value, at = _csv_value(body, at)
        row.append(value)
        if body[at] == "\n":
            rows.append(row)
            row = []
        at += 1
    return rows


def _csv_value(body: str, at: int) -> tuple[str | None, int]:
    if body[at] != '"':
        return None, at
    end = body.index('"', at + 1)
    while body[end + 1] == '"':
        end = body.index('"', end + 2)
    return body[at + 1 : end].replace('""', '"'), end + 1
