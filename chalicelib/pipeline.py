"""A pipeline: a workflow with the names filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, get_args

from chalicelib.access import role_arn
from chalicelib.errors import InvalidPipeline, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.access import Access, Warehouse
    from chalicelib.expected_by import ExpectedBy

ColumnType = Literal["integer", "decimal", "float", "boolean", "date", "timestamp", "text"]
Format = Literal["csv", "json", "ndjson", "parquet"]
Mode = Literal["append", "upsert", "overwrite"]
Contract = Literal["evolve", "freeze"]
ExtraColumns = Literal["reject", "keep"]
Flag = Literal["rows_quarantined", "schema_evolved", "unusual_row_count"]
ParameterType = Literal["date", "integer", "text"]

RESERVED = "processing_date"
"""The column that Decant adds to every table."""

MOST_DIGITS = 38
"""Digits of the largest decimal that Redshift, Athena and Parquet all hold."""

MOST_TOLERATED = 100_000
"""Bad rows that a pipeline may tolerate in one file: validation keeps each of them on disk until the end."""

SHORTEST_APPROVAL = 60
LONGEST_APPROVAL = 7 * 86_400
"""Seconds that a run may wait for a person; the workflow's own limit is a day more."""

SHORTEST_LIMIT = 60
"""Seconds below which `longest_run` says nothing."""

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,126}")
"""What a column, table or schema may be called: Redshift allows 127 bytes; quotes are never needed."""

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

WITH_RECEIPT = "load_partner_file"
"""The workflow that ends with a receipt in the source bucket."""

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
        _identifier("column name", self.name)
        _one_of(f"column {self.name}: type", self.type, ColumnType)
        if self.type == "decimal" and not 0 <= self.scale <= self.precision <= MOST_DIGITS:
            raise InvalidPipeline(
                f"column {self.name}: precision {self.precision}, scale {self.scale}: "
                f"write 0 <= scale <= precision <= {MOST_DIGITS}"
            )
        if self.allowed is not None and not self.allowed:
            raise InvalidPipeline(f"column {self.name}: allowed=() accepts no value: leave it out or fill it")
        if self.longest is not None and (self.type != "text" or self.longest < 1):
            raise InvalidPipeline(
                f"column {self.name}: longest={self.longest}: it is for texts, and at least 1"
            )


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
        warehouse: the warehouse of another account that holds it, or None for the stage's own.
    """

    schema: str = "public"
    name: str
    mode: Mode = "append"
    keys: tuple[str, ...] = ()
    contract: Contract = "freeze"
    warehouse: Warehouse | None = None

    def __post_init__(self) -> None:
        for what in (self.schema, self.name, *self.keys):
            _identifier("table", what)
        _one_of(f"table {self.name}: mode", self.mode, Mode)
        _one_of(f"table {self.name}: contract", self.contract, Contract)
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
        access: the role for a job of another account; `name` is then the job's whole name there.
    """

    name: str
    first_wait: int = 15
    growth: float = 1.5
    longest_wait: int = 120
    deadline: int = 4 * 3600
    access: Access | None = None

    def __post_init__(self) -> None:
        if not (0 < self.first_wait <= self.longest_wait <= self.deadline and self.growth > 1):
            raise InvalidPipeline(
                f"Glue job {self.name}: write 0 < first_wait <= longest_wait <= deadline and growth > 1"
            )


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a pipeline starts by itself: at one minute of every day or every hour, in UTC.

    Attributes:
        minute: 0 to 59.
        hour: 0 to 23, or None for every hour.
    """

    minute: int
    hour: int | None = None

    def __post_init__(self) -> None:
        if not (0 <= self.minute < 60 and (self.hour is None or 0 <= self.hour < 24)):  # noqa: PLR2004 - a clock
            raise InvalidPipeline(f"schedule {self.hour}:{self.minute}: write minute=0..59, hour=0..23")

    @property
    def expression(self) -> str:
        """The schedule as EventBridge writes it."""
        return f"cron({self.minute} {'*' if self.hour is None else self.hour} * * ? *)"

    def latest(self, moment: datetime) -> datetime:
        """Return the last tick at or before `moment`, in UTC."""
        tick = moment.astimezone(UTC).replace(minute=self.minute, second=0, microsecond=0)
        if self.hour is not None:
            tick = tick.replace(hour=self.hour)
        every = timedelta(hours=1) if self.hour is None else timedelta(days=1)
        return tick if tick <= moment else tick - every

    def next(self, moment: datetime) -> datetime:
        """Return the first tick after `moment`, in UTC."""
        return self.latest(moment) + (timedelta(hours=1) if self.hour is None else timedelta(days=1))


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a run of a `BatchPipeline` is told.

    Attributes:
        name: lower-case identifier.
        type: `date` (ISO 8601), `integer` or `text`.
        description: what it means, for people.
        default: used when it is not given, and accepted whatever the type (such as `latest`); None makes it
            required.
        pattern: what a text must match as a whole; the default holds nothing that SQL or a path misreads.
    """

    name: str
    type: ParameterType
    description: str
    default: str | None = None
    pattern: str = r"[A-Za-z0-9][A-Za-z0-9_.=/-]{0,199}"

    def __post_init__(self) -> None:
        _identifier("parameter", self.name)
        _one_of(f"parameter {self.name}: type", self.type, ParameterType)

    def read(self, given: str | None) -> str:
        """Return the value to use.

        Raises:
            InvalidRequest: it is missing or not of its type.
        """
        value = self.default if given is None else given
        if value is None:
            raise InvalidRequest(f"parameter {self.name}: a value is required: {self.description}")
        if value != self.default and not self._fits(value):
            raise InvalidRequest(f"parameter {self.name} {value[:100]!r}: {self._remedy}")
        return value

    def _fits(self, value: str) -> bool:
        if self.type == "date":
            return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None and is_date(value)
        if self.type == "integer":
            return re.fullmatch(r"-?[0-9]{1,18}", value) is not None
        return re.fullmatch(self.pattern, value) is not None

    @property
    def _remedy(self) -> str:
        kinds = {"date": "write a date as 2026-01-31", "integer": "write a whole number"}
        other = f", or {self.default}" if self.default and not self._fits(self.default) else ""
        return kinds.get(self.type, f"it must match {self.pattern}") + other


@dataclass(frozen=True, kw_only=True)
class BatchPipeline:
    """A workflow with the names filled in, which works on what has gathered rather than on one file.

    Attributes:
        name: lower-case identifier of at most 47 characters.
        description: one sentence for people.
        workflow: the definition in workflows/ that runs it.
        parameters: what a run may be told; every one is in the run's input, given or default.
        schedule: when it starts by itself, or None. The app's function `<name>_due` has the same schedule.
        reads: the landing prefix that it gathers from, or None. No file pipeline may claim it.
        expected_by: when a run should have succeeded every day, or None; people are told when it is late.
        longest_run: seconds after which people are told that a run is stuck, or None.
    """

    name: str
    description: str
    workflow: str
    parameters: tuple[Parameter, ...] = ()
    schedule: Schedule | None = None
    reads: str | None = None
    expected_by: ExpectedBy | None = None
    longest_run: int | None = None

    def __post_init__(self) -> None:
        if not PIPELINE_NAME.fullmatch(self.name):
            raise InvalidPipeline(f"pipeline name {self.name!r}: use [a-z][a-z0-9_]*, at most 47 characters")
        if self.reads is not None and not re.fullmatch(r"batch/([A-Za-z0-9_.-]+/)+", self.reads):
            raise InvalidPipeline(f"{self.name}: reads {self.reads!r}: write 'batch/<folder>/'")
        names = [parameter.name for parameter in self.parameters]
        if len(set(names)) != len(names):
            raise InvalidPipeline(f"{self.name}: parameters: declare each name once")
        _longest_run(self.name, self.longest_run)

    def read_parameters(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return a value for every declared parameter.

        Raises:
            InvalidRequest: one is unknown, missing or not of its type.
        """
        known = [parameter.name for parameter in self.parameters]
        if unknown := sorted(set(given) - set(known)):
            there = f"there is only {', '.join(known)}" if known else "it takes none"
            raise InvalidRequest(f"parameter {unknown[0][:40]!r} of {self.name}: {there}")
        return {parameter.name: parameter.read(given.get(parameter.name)) for parameter in self.parameters}


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """How many bad rows go to quarantine while the others are loaded; a file with more is rejected.

    Both limits hold. Where the `unique` rule is broken, the first occurrence is a good row.

    Attributes:
        rows: the most bad rows in one file.
        share: the most bad rows as a share of the file's rows: 0.01 is one in a hundred.
    """

    rows: int = MOST_TOLERATED
    share: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.rows <= MOST_TOLERATED and 0 < self.share <= 1):
            raise InvalidPipeline(
                f"Tolerance rows {self.rows}, share {self.share}: "
                f"write 0 < rows <= {MOST_TOLERATED} and 0 < share <= 1"
            )

    def allows(self, bad: int, rows: int) -> bool:
        """Return whether so many bad rows of all rows may be set aside; 0.29 of 100 rows are exactly 29."""
        return bad <= self.rows and bad <= Fraction(str(self.share)) * rows


@dataclass(frozen=True, kw_only=True)
class Approval:
    """When a run asks a person before it writes anything.

    Attributes:
        always: ask for every file.
        flags: ask when validation raises one of these flags.
        bad_rows: ask when more rows than so many are bad, or None.
        expires_after: seconds after which nobody's answer ends the run as expired: a minute to a week.
    """

    always: bool = False
    flags: tuple[Flag, ...] = ()
    bad_rows: int | None = None
    expires_after: int = 24 * 3600

    def __post_init__(self) -> None:
        for flag in self.flags:
            _one_of("Approval: flag", flag, Flag)
        if not (self.always or self.flags or self.bad_rows is not None):
            raise InvalidPipeline("Approval: write always=True, flags=(...) or bad_rows=...: it never asks")
        if self.bad_rows is not None and self.bad_rows < 0:
            raise InvalidPipeline(f"Approval: bad_rows {self.bad_rows}: write 0 or more")
        if not SHORTEST_APPROVAL <= self.expires_after <= LONGEST_APPROVAL:
            raise InvalidPipeline(
                f"Approval: expires_after {self.expires_after}: "
                f"write {SHORTEST_APPROVAL} to {LONGEST_APPROVAL} seconds"
            )


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A workflow with the names filled in, which works on each file that lands.

    Attributes:
        name: lower-case identifier of at most 47 characters.
        description: one sentence for people.
        landing_prefix: keys under it start runs; it ends in `/` and, in the landing bucket, starts with
            `incoming/`.
        source: how the files are written: CSV(), JSON(), NDJSON() or Parquet().
        columns: every declared column, in the table's order.
        extra_columns: `reject` a file with an undeclared column, or `keep` the column as text.
        fewest_rows, most_rows: a file with fewer good rows, or with more rows, is rejected.
        usual_rows: the fewest and the most rows that are usual; another number is flagged, not rejected.
        tolerate: how many bad rows may be set aside, or None when one bad row rejects the file.
        approval: when a person is asked before anything is written, or None for never.
        largest_for_lambda: bytes; a larger file goes to the Glue job.
        glue_job: the job for large files, or None when large files are to be rejected.
        table: the Redshift table to fill, or None.
        source_bucket: another account's bucket that the files are in, or None for the landing bucket.
        source_access: the role to read it with, or None when its bucket policy lets this stage in.
        receipt_role: the ARN of the role with which the workflow writes a receipt there, or None.
        expected_by: when a file should have been loaded every day, or None; people are told when it is late.
        longest_run: seconds after which people are told that a run is stuck; a wait for a person does not
            count. None leaves it to the workflow's own limit.
        workflow: the definition in workflows/ that runs it.
    """

    name: str
    description: str
    landing_prefix: str
    source: CSV | JSON | NDJSON | Parquet
    columns: tuple[Column, ...]
    extra_columns: ExtraColumns = "reject"
    fewest_rows: int = 1
    most_rows: int | None = None
    usual_rows: tuple[int, int] | None = None
    tolerate: Tolerance | None = None
    approval: Approval | None = None
    largest_for_lambda: int = 64 * 1024 * 1024
    glue_job: GlueJob | None = None
    table: Table | None = None
    source_bucket: str | None = None
    source_access: Access | None = None
    receipt_role: str | None = None
    expected_by: ExpectedBy | None = None
    longest_run: int | None = None
    workflow: str = field(default="load_file")

    def __post_init__(self) -> None:
        if not PIPELINE_NAME.fullmatch(self.name):
            raise InvalidPipeline(f"pipeline name {self.name!r}: use [a-z][a-z0-9_]*, at most 47 characters")
        first = "" if self.source_bucket else "incoming/"
        if not re.fullmatch(rf"{first}([A-Za-z0-9_.-]+/)+", self.landing_prefix):
            raise InvalidPipeline(
                f"{self.name}: landing_prefix {self.landing_prefix!r}: write '{first}<folder>/'"
            )
        self._check_accounts()
        _longest_run(self.name, self.longest_run)
        _one_of(f"{self.name}: extra_columns", self.extra_columns, ExtraColumns)
        if not 0 <= self.fewest_rows <= (self.fewest_rows if self.most_rows is None else self.most_rows):
            raise InvalidPipeline(f"{self.name}: write 0 <= fewest_rows <= most_rows")
        if self.usual_rows is not None and not 0 <= self.usual_rows[0] <= self.usual_rows[1]:
            raise InvalidPipeline(f"{self.name}: usual_rows {self.usual_rows}: write (fewest, most)")
        names = [column.name for column in self.columns]
        if not names or len(set(names)) != len(names) or RESERVED in names:
            raise InvalidPipeline(
                f"{self.name}: columns: declare at least one, each name once, and none called {RESERVED}"
            )
        self._check_keys()

    def _check_accounts(self) -> None:
        if self.source_bucket is not None and not BUCKET_NAME.fullmatch(self.source_bucket):
            raise InvalidPipeline(f"{self.name}: source_bucket {self.source_bucket!r}: write a bucket's name")
        if self.source_bucket is None and (self.source_access or self.receipt_role):
            raise InvalidPipeline(f"{self.name}: source_access and receipt_role need a source_bucket")
        if self.receipt_role is not None:
            role_arn(f"{self.name}: receipt_role", self.receipt_role)
        if (self.workflow == WITH_RECEIPT) != (self.receipt_role is not None):
            raise InvalidPipeline(
                f"{self.name}: receipt_role and workflow={WITH_RECEIPT!r}: give both or neither"
            )

    def _check_keys(self) -> None:
        required = {column.name for column in self.columns if column.required}
        for key in self.table.keys if self.table else ():
            if key not in required:
                raise InvalidPipeline(
                    f"{self.name}: table key {key!r}: declare a column of this name with required=True"
                )

    @property
    def format(self) -> Format:
        """The format of the pipeline's files."""
        return self.source.format


def is_date(text: str) -> bool:
    """Tell whether a text is an ISO date that the calendar has."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _identifier(what: str, name: str) -> None:
    if not IDENTIFIER.fullmatch(name):
        raise InvalidPipeline(f"{what} {name!r}: use lower-case letters, digits and _ only")


def _one_of(what: str, value: str, words: object) -> None:
    if value not in get_args(words):
        raise InvalidPipeline(f"{what} {value!r}: write one of {', '.join(get_args(words))}")


def _longest_run(pipeline: str, seconds: int | None) -> None:
    if seconds is not None and seconds < SHORTEST_LIMIT:
        raise InvalidPipeline(
            f"{pipeline}: longest_run={seconds}: write at least {SHORTEST_LIMIT} seconds; "
            "runs are looked at every 15 minutes"
        )
