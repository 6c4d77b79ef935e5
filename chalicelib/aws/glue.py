"""Glue in our verbs: start and describe a job run, put a table and a partition."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.aws.client import call, client
from chalicelib.errors import GlueIsBusy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.access import Access

RUNS_LOOKED_THROUGH = 1000
"""Job runs, newest first, among which a run that was already started is looked for."""

KEPT_SECONDS = 60.0
"""How long a warm function trusts what it saw of a table: a burst of files asks once, not once a file."""

_seen: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
"""When to look again, by database, table and columns."""

RUNS_IN_EXPRESSION, DELETED_AT_ONCE = 20, 25
"""Runs that an expression of 2,048 characters names, and partitions that one request may delete."""

LIVE = frozenset({"STARTING", "RUNNING", "WAITING"})
"""The states of a job run that has not ended."""

PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


@dataclass(frozen=True, kw_only=True)
class JobRun:
    """One run of a Glue job.

    Attributes:
        id: Glue's id of the run.
        state: Glue's word: STARTING, RUNNING, SUCCEEDED, FAILED, STOPPED, TIMEOUT, ERROR, EXPIRED, WAITING.
        error: Glue's message, or an empty text.
        started_at: seconds since 1970, UTC.
    """

    id: str
    state: str
    error: str
    started_at: float


class StageJobs:
    """The job runs of this stage's own jobs, whoever started them."""

    def live(self, job: str, argument: str) -> list[tuple[str, str]]:
        """Return the job runs that have not ended and carry an argument: their ids and its values.

        The newest 200 are looked through. A job that is not this stage's has none.
        """
        glue = client("glue")
        try:
            found = call(glue.get_job_runs, JobName=job, MaxResults=200)["JobRuns"]
        except glue.exceptions.EntityNotFoundException:
            return []
        return [
            (run["Id"], run["Arguments"][argument])
            for run in found
            if run["JobRunState"] in LIVE and argument in run.get("Arguments", {})
        ]

    def stop(self, job: str, run_id: str) -> None:
        """Ask Glue to stop a job run."""
        call(client("glue").batch_stop_job_run, JobName=job, JobRunIds=[run_id])


class TableIsGoneError(Exception):
    """The table was dropped since it was last seen; it can be put again."""


class Glue:
    """The jobs and the Data Catalog of this stage, or the jobs of another account.

    Args:
        access: the role of the other account, or None.
        session: who assumes it, such as a run's name.
    """

    def __init__(self, access: Access | None = None, session: str = "") -> None:
        self._who = (access, session) if access else ()

    @property
    def _glue(self) -> Any:
        return client("glue", *self._who)

    def start_job_run(self, job: str, arguments: Mapping[str, str]) -> JobRun:
        """Start a job run.

        Raises:
            GlueIsBusy: the job already runs as often at once as it may.
        """
        glue = self._glue
        try:
            run_id = call(glue.start_job_run, JobName=job, Arguments=dict(arguments))["JobRunId"]
        except (
            glue.exceptions.ConcurrentRunsExceededException,
            glue.exceptions.ResourceNumberLimitExceededException,
        ) as error:
            raise GlueIsBusy(f"Glue job {job}: {error}") from error
        return self.job_run(job, run_id)

    def find_job_run(self, job: str, argument: str, value: str) -> JobRun | None:
        """Return the newest job run that was started with this argument's value, or None."""
        pages = self._glue.get_paginator("get_job_runs")
        limits = {"MaxItems": RUNS_LOOKED_THROUGH, "PageSize": 200}
        for page in pages.paginate(JobName=job, PaginationConfig=limits):
            for found in page["JobRuns"]:
                if found.get("Arguments", {}).get(argument) == value:
                    return _job_run(found)
        return None

    def job_run(self, job: str, run_id: str) -> JobRun:
        """Return how a job run stands."""
        return _job_run(call(self._glue.get_job_run, JobName=job, RunId=run_id)["JobRun"])

    def stop_job_run(self, job: str, run_id: str) -> None:
        """Ask Glue to stop a job run."""
        call(self._glue.batch_stop_job_run, JobName=job, JobRunIds=[run_id])

    def put_table(
        self,
        database: str,
        table: str,
        columns: Sequence[tuple[str, str]],
        partition_keys: Sequence[tuple[str, str]],
        location: str,
    ) -> None:
        """Create the table, or change it when its columns differ. Columns are (name, Hive type).

        A table that was seen to have these columns is not looked at again for `KEPT_SECONDS`.
        """
        seen = (database, table, tuple(columns))
        if _seen.get(seen, 0.0) > time.monotonic():
            return
        self._put_table(database, table, columns, partition_keys, location)
        _seen[seen] = time.monotonic() + KEPT_SECONDS

    def _put_table(
        self,
        database: str,
        table: str,
        columns: Sequence[tuple[str, str]],
        partition_keys: Sequence[tuple[str, str]],
        location: str,
    ) -> None:
        glue = self._glue
        wanted = {
            "Name": table,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet", "EXTERNAL": "TRUE"},
            "PartitionKeys": _columns(partition_keys),
            "StorageDescriptor": {"Columns": _columns(columns), "Location": location, **PARQUET},
        }
        try:
            found = call(glue.get_table, DatabaseName=database, Name=table)["Table"]
        except glue.exceptions.EntityNotFoundException:
            try:
                call(glue.create_table, DatabaseName=database, TableInput=wanted)
            except glue.exceptions.AlreadyExistsException:  # another run was first
                found = call(glue.get_table, DatabaseName=database, Name=table)["Table"]
            else:
                return
        known = [(column["Name"], column["Type"]) for column in found["StorageDescriptor"]["Columns"]]
        gone = [column for column in known if column[0] not in dict(columns)]
        if known != [*columns, *gone]:
            wanted["StorageDescriptor"]["Columns"] = _columns([*columns, *gone])  # type: ignore[index]
            call(glue.update_table, DatabaseName=database, TableInput=wanted)

    def put_partition(
        self,
        database: str,
        table: str,
        values: Sequence[str],
        columns: Sequence[tuple[str, str]],
        location: str,
    ) -> None:
        """Register a partition; one that is there already is left as it is.

        Raises:
            TableIsGoneError: somebody dropped the table.
        """
        self._new_partition(database, table, _partition(values, columns, location))

    def point_partition(
        self,
        database: str,
        table: str,
        values: Sequence[str],
        columns: Sequence[tuple[str, str]],
        location: str,
    ) -> None:
        """Register a partition, or lead the one that is there to the new place.

        Raises:
            TableIsGoneError: somebody dropped the table.
        """
        partition = _partition(values, columns, location)
        if not self._new_partition(database, table, partition):
            call(
                self._glue.update_partition,
                DatabaseName=database,
                TableName=table,
                PartitionValueList=list(values),
                PartitionInput=partition,
            )

    def drop_runs(self, database: str, table: str, runs: Sequence[str]) -> None:
        """Take the partitions of these runs out of the table, whatever their date; their files stay."""
        glue = client("glue")
        for first in range(0, len(runs), RUNS_IN_EXPRESSION):
            some = ", ".join(f"'{run}'" for run in runs[first : first + RUNS_IN_EXPRESSION])
            pages = glue.get_paginator("get_partitions").paginate(
                DatabaseName=database, TableName=table, Expression=f"run IN ({some})"
            )
            try:
                found = [partition["Values"] for page in pages for partition in page["Partitions"]]
            except glue.exceptions.EntityNotFoundException:
                return  # there is no table yet
            for place in range(0, len(found), DELETED_AT_ONCE):
                call(
                    glue.batch_delete_partition,
                    DatabaseName=database,
                    TableName=table,
                    PartitionsToDelete=[
                        {"Values": values} for values in found[place : place + DELETED_AT_ONCE]
                    ],
                )

    def _new_partition(self, database: str, table: str, partition: dict[str, Any]) -> bool:
        """Tell whether the partition was not there."""
        glue = self._glue
        try:
            call(glue.create_partition, DatabaseName=database, TableName=table, PartitionInput=partition)
        except glue.exceptions.AlreadyExistsException:
            return False
        except glue.exceptions.EntityNotFoundException as error:
            for seen in [seen for seen in _seen if seen[:2] == (database, table)]:
                del _seen[seen]
            raise TableIsGoneError(f"{database}.{table}: {error}") from error
        return True


def _partition(values: Sequence[str], columns: Sequence[tuple[str, str]], location: str) -> dict[str, Any]:
    return {
        "Values": list(values),
        "StorageDescriptor": {"Columns": _columns(columns), "Location": location, **PARQUET},
    }


def _columns(columns: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind} for name, kind in columns]


def _job_run(found: dict[str, Any]) -> JobRun:
    return JobRun(
        id=found["Id"],
        state=found["JobRunState"],
        error=found.get("ErrorMessage", ""),
        started_at=found["StartedOn"].timestamp(),
    )
