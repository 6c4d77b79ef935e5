"""A pipeline that works on each file that lands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from chalicelib.access import role_arn
from chalicelib.errors import InvalidPipeline
from chalicelib.pipeline.checks import RESERVED, check_longest_run, check_pipeline_name, check_word

if TYPE_CHECKING:
    from chalicelib.access import Access
    from chalicelib.expected_by import ExpectedBy
    from chalicelib.pipeline.approval import Approval
    from chalicelib.pipeline.column import Column
    from chalicelib.pipeline.formats import CSV, JSON, NDJSON, Format, Parquet
    from chalicelib.pipeline.glue_job import GlueJob
    from chalicelib.pipeline.table import Table
    from chalicelib.pipeline.tolerance import Tolerance

ExtraColumns = Literal["reject", "keep"]

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

WITH_RECEIPT = "load_partner_file"
"""The workflow that ends with a receipt in the source bucket."""


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
        check_pipeline_name(self.name)
        first = "" if self.source_bucket else "incoming/"
        if not re.fullmatch(rf"{first}([A-Za-z0-9_.-]+/)+", self.landing_prefix):
            raise InvalidPipeline(
                f"{self.name}: landing_prefix {self.landing_prefix!r}: write '{first}<folder>/'"
            )
        self._check_accounts()
        check_longest_run(self.name, self.longest_run)
        check_word(f"{self.name}: extra_columns", self.extra_columns, ExtraColumns)
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
