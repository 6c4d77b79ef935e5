"""Whether a file is what its pipeline expects, in one pass and bounded memory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

from chalicelib.errors import StorageIsUnreachable
from chalicelib.validation.bad_rows import MOST_BYTES, BadRows
from chalicelib.validation.findings import Findings, Unreadable
from chalicelib.validation.report import Defect, Report
from chalicelib.validation.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa

    from chalicelib.pipeline import Pipeline

__all__ = ["BadRows", "Defect", "Report", "typed_batches", "validate"]

READERS = {
    "csv": ("csv_file", "check_csv"),
    "json": ("json_file", "check_json"),
    "ndjson": ("json_file", "check_ndjson"),
    "parquet": ("parquet_file", "check_parquet"),
}
"""Each format's module and function, imported when a file asks for it."""


def validate(
    stream: BinaryIO,
    pipeline: Pipeline,
    *,
    key: str,
    size: int,
    first_bad_rows: int = 20,
    bad_rows: BadRows | None = None,
) -> Report:
    """Read the file once and report on it; whatever is wrong with the file ends in the report.

    Args:
        stream: has `read(n)`; for Parquet also `seek` and `tell`.
        pipeline: its source, columns and limits are the rules.
        key: the file's key; one that ends in `.gz` is decompressed.
        size: bytes as stored.
        first_bad_rows: how many bad rows the report describes.
        bad_rows: gets every bad row, for a pipeline that tolerates some.

    Raises:
        StorageIsUnreachable: when the stream ended before `size` bytes: nothing is known about the file then.
        InvalidPipeline: when a column's limits are impossible.
    """
    findings = Findings(first_bad_rows, bad_rows)
    source = Source(stream, key)
    reason, complete = None, True
    try:
        _reader(pipeline.format)(source, pipeline, findings)
    except Unreadable as stop:
        reason, complete = str(stop), False
    if complete and source.stored < size:
        raise StorageIsUnreachable(
            f"{key}: the stream ended after {source.stored:,} of {size:,} bytes: try again"
        )
    reason = reason or _reason(findings, pipeline, bad_rows)
    return Report(
        valid=reason is None,
        format=pipeline.format,
        rows=findings.rows,
        bad_rows=findings.bad_rows,
        bytes=source.stored,
        columns=findings.columns,
        defects=findings.defects,
        defect_counts=dict(sorted(findings.counts.items())),
        reason=reason,
        compressed=source.compressed,
        complete=complete,
        tolerated=reason is None and findings.bad_rows > 0,
    )


def typed_batches(stream: BinaryIO, pipeline: Pipeline, *, key: str) -> Iterator[pa.RecordBatch]:
    """Yield the file's declared columns, in the declared order and types, part by part.

    Raises:
        InvalidFile: when `validate` would have rejected the file; parts before the bad one were yielded.
    """
    from chalicelib.validation.typed import declared_batches  # noqa: PLC0415  validation may do without pyarrow

    yield from declared_batches(stream, pipeline, key)


def _reader(form: str) -> Callable[[Source, Pipeline, Findings], None]:
    module, function = READERS[form]
    reader: Callable[[Source, Pipeline, Findings], None] = getattr(
        import_module(f"chalicelib.validation.{module}"), function
    )
    return reader


def _reason(findings: Findings, pipeline: Pipeline, bad_rows: BadRows | None) -> str | None:
    if findings.bad_rows and (limit := _not_tolerated(findings, pipeline, bad_rows)) is not None:
        rows = f"{findings.bad_rows:,} of {findings.rows:,} rows are bad{limit}"
        if not findings.defects:
            return rows
        first = findings.defects[0]
        return f"{rows}; the first: {first.place}: {first.message}"
    good = findings.rows - findings.bad_rows
    if good < pipeline.fewest_rows:
        many = f"only {good:,} rows" if good else "no rows"
        if findings.bad_rows:
            many = f"{many.removesuffix(' rows')} good rows"
        return f"the file has {many}; pipeline {pipeline.name} takes at least {pipeline.fewest_rows:,}"
    return _too_many(findings, pipeline)


def _not_tolerated(findings: Findings, pipeline: Pipeline, bad_rows: BadRows | None) -> str | None:
    """Return the limit that the bad rows break, as the end of a sentence; None when they break none."""
    limit = pipeline.tolerate
    if limit is None or bad_rows is None:
        return ""
    if bad_rows.too_large:
        return f"; together they have more than {MOST_BYTES >> 20} MB"
    if not limit.allows(findings.bad_rows, findings.rows):
        return f"; pipeline {pipeline.name} tolerates {limit.rows:,} and {limit.share * 100:g} % of a file"
    return None


def _too_many(findings: Findings, pipeline: Pipeline) -> str | None:
    if pipeline.most_rows is not None and findings.rows > pipeline.most_rows:
        most = f"pipeline {pipeline.name} takes at most {pipeline.most_rows:,}"
        return f"the file has {findings.rows:,} rows; {most}"
    return None
