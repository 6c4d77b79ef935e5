"""A pipeline: a workflow with the names filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from chalicelib.errors import InvalidPipeline

ColumnType = Literal["integer", "decimal", "float", "boolean", "date", "timestamp", "text"]
Format = Literal["csv", "json", "ndjson", "parquet"]

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,126}")
"""What a column, table or schema may be called: Redshift allows 127 bytes; quotes are never needed."""

PIPELINE_NAME = re.compile(r"[a-z][a-z0-9_]{0,46}")
"""A pipeline's name: with 24 digits and an attempt it makes a run's name of at most 80 characters."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A declared column and what its values must keep to.

    Attributes:
        name: lower-case identifier; the file's header must hold exactly this name.
        type: one of `ColumnType`. A decimal needs `precision` and `scale`.
        required: an empty value breaks the rule `required`.
        minimum, maximum: inclusive limits, written in the column's own type (dates as ISO text).
        allowed: the only values accepted, or None for any.
        unique: no value may come twice in one file (empty values do not count).
        longest: the most characters that a text may have.
        precision, scale: digits in all and after the point, of a decimal.
    """

    name: str
    type: ColumnType
    required: bool = False
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    allowed: tuple[str | int, ...] | None = None
    unique: bool = False
    longest: int | None = None
    precision: int = 18
    scale: int = 2

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.name):
            raise InvalidPipeline(f"column name {self.name!r}: use lower-case letters, digits and _ only")


@dataclass(frozen=True, kw_only=True)
class CSV:
    """How a pipeline's CSV files are written. A `.gz` key is decompressed."""

    format: Literal["csv"] = "csv"
    delimiter: str = ","
    quote: str = '"'


@dataclass(frozen=True, kw_only=True)
class JSON:
    """A JSON file: one array of objects, or one object, which is one row."""

    format: Literal["json"] = "json"


@dataclass(frozen=True, kw_only=True)
class NDJSON:
    """One JSON object on each line."""

    format: Literal["ndjson"] = "ndjson"


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """Parquet files."""

    format: Literal["parquet"] = "parquet"


@dataclass(frozen=True, kw_only=True)
class Table:
    """The Redshift table that a pipeline fills.

    Attributes:
        schema, name: lower-case identifiers.
        mode: `append` adds rows, `upsert` replaces the rows with the same keys, `overwrite` replaces all.
        keys: the columns that identify a row; needed by `upsert`.
        contract: `freeze` fails on a column the table lacks, `evolve` adds it.
    """

    schema: str = "public"
    name: str
    mode: Literal["append", "upsert", "overwrite"] = "append"
    keys: tuple[str, ...] = ()
    contract: Literal["evolve", "freeze"] = "freeze"

    def __post_init__(self) -> None:
        for what in (self.schema, self.name, *self.keys):
            if not IDENTIFIER.fullmatch(what):
                raise InvalidPipeline(f"table {what!r}: use lower-case letters, digits and _ only")
        if self.mode == "upsert" and not self.keys:
            raise InvalidPipeline(f"table {self.name!r}: mode 'upsert' needs keys=(...)")


@dataclass(frozen=True, kw_only=True)
class GlueJob:
    """The Glue job that transforms a pipeline's large files, and how patiently it is awaited.

    Attributes:
        name: the job's name without the stage, such as `process_csv`.
        first_wait, longest_wait: seconds before the first check, and the most between two checks.
        growth: each wait is this many times the one before.
        deadline: seconds after which the run fails with GlueJobTimedOut.
    """

    name: str
    first_wait: int = 15
    growth: float = 1.5
    longest_wait: int = 120
    deadline: int = 4 * 3600


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A workflow with the names filled in.

    Attributes:
        name: lower-case identifier of at most 47 characters.
        description: one sentence for people.
        landing_prefix: keys under it start runs; it ends in `/` and starts with `incoming/`.
        source: how the files are written: CSV(), JSON(), NDJSON() or Parquet().
        columns: every declared column, in the table's order.
        extra_columns: `reject` a file with an undeclared column, or `keep` the column as text.
        fewest_rows, most_rows: a file with fewer or more rows is rejected.
        largest_for_lambda: bytes; a larger file goes to the Glue job.
        glue_job: the job for large files, or None when large files are to be rejected.
        table: the Redshift table to fill, or None.
        workflow: the definition in workflows/ that runs it.
    """

    name: str
    description: str
    landing_prefix: str
    source: CSV | JSON | NDJSON | Parquet
    columns: tuple[Column, ...]
    extra_columns: Literal["reject", "keep"] = "reject"
    fewest_rows: int = 1
    most_rows: int | None = None
    largest_for_lambda: int = 64 * 1024 * 1024
    glue_job: GlueJob | None = None
    table: Table | None = None
    workflow: str = field(default="load_file")

    def __post_init__(self) -> None:
        if not PIPELINE_NAME.fullmatch(self.name):
            raise InvalidPipeline(f"pipeline name {self.name!r}: use [a-z][a-z0-9_]*, at most 47 characters")
        if not re.fullmatch(r"incoming/([A-Za-z0-9_.-]+/)+", self.landing_prefix):
            raise InvalidPipeline(
                f"{self.name}: landing_prefix {self.landing_prefix!r}: write 'incoming/<folder>/'"
            )
        names = [column.name for column in self.columns]
        if not names or len(set(names)) != len(names):
            raise InvalidPipeline(f"{self.name}: columns: declare at least one, each name once")
        if self.table:
            for key in self.table.keys:
                if key not in names:
                    raise InvalidPipeline(f"{self.name}: table key {key!r} is not a declared column")

    @property
    def format(self) -> Format:
        """The format of the pipeline's files."""
        return self.source.format
