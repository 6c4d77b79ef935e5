"""How long work takes, and where each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a function does in one call.

    Attributes:
        seconds: of a warm call, whatever the file's size.
        bytes_per_second: what it reads of the file in a second, or None when it does not read it.
        puts, gets: S3 requests that write or list, and that read.
        source: where the figures come from.
    """

    seconds: float
    bytes_per_second: float | None = None
    puts: int = 0
    gets: int = 0
    source: str

    def duration(self, size: int) -> float:
        """Return the seconds for a file of `size` bytes."""
        return self.seconds + (size / self.bytes_per_second if self.bytes_per_second else 0.0)


MEASURED = "benchmarks/results.json, files of 1 MB and 100 MB on one core"

VALIDATION = {
    "csv": Work(seconds=0.2, bytes_per_second=80 * MB, gets=2, source=f"{MEASURED}, suite validation"),
    "json": Work(seconds=0.2, bytes_per_second=63 * MB, gets=2, source=f"{MEASURED}, suite validation"),
    "ndjson": Work(seconds=0.2, bytes_per_second=51 * MB, gets=2, source=f"{MEASURED}, suite validation"),
}
TRANSFORM = {
    "csv": Work(
        seconds=0.45, bytes_per_second=40 * MB, puts=1, gets=2, source=f"{MEASURED}, suite transform"
    ),
    "ndjson": Work(
        seconds=0.45, bytes_per_second=12 * MB, puts=1, gets=2, source=f"{MEASURED}, suite transform"
    ),
}
"""Validation and transform by format. Parquet counts as CSV, a JSON transform as NDJSON."""

FUNCTIONS = {
    "start_glue_job": Work(seconds=0.3, gets=1, source="assumed: three calls of AWS's APIs"),
    "check_glue_job": Work(seconds=0.2, gets=1, source="assumed: two calls of AWS's APIs"),
    "catalogue": Work(seconds=0.4, puts=2, gets=2, source="assumed: a listing, a footer, a partition"),
    "copy_to_redshift": Work(
        seconds=3.0,
        bytes_per_second=50 * MB,
        gets=2,
        source="assumed: one transaction with a COPY at 50 MB/s",
    ),
    "quarantine_file": Work(seconds=0.4, puts=2, gets=1, source="assumed: a report and a copy"),
    "notify": Work(seconds=0.2, source="assumed: one call of AWS's APIs"),
}
"""The project's other steps by name; a cold start adds 0.5 s to 2 s to the first call."""

UNKNOWN_FUNCTION = Work(seconds=0.3, source="assumed: a function that nothing is known of; see --duration")

UNKNOWN_READER = Work(
    seconds=0.45,
    bytes_per_second=40 * MB,
    puts=1,
    gets=2,
    source="assumed: it reads the whole size at the pace of the transform step, since it has memory for data",
)

READERS_MEMORY_MB = 1024
"""A function of the project with so much memory is taken for one that reads the data."""

DEFAULT_MEMORY_MB = 128
"""Lambda's default, for a function that this project does not hold."""

GLUE_START_SECONDS = 60.0
GLUE_START_SOURCE = (
    "assumed: about a minute; since Glue 2.0 it is short, says "
    "https://docs.aws.amazon.com/glue/latest/dg/reduced-start-times-spark-etl-jobs.html"
)
SPARK_SECONDS = 9.0
SPARK_SOURCE = (
    "docs/decisions.md: a trivial Spark job; 2.7 MB/s of CSV for each core, 4 cores a DPU, one DPU drives"
)
SPARK_BYTES_PER_DPU_SECOND = 10.7 * MB
PYTHON_SHELL_START_SECONDS = 20.0
PYTHON_SHELL_BYTES_PER_SECOND = 40 * MB
PYTHON_SHELL_SOURCE = "assumed: start 20 s; as fast as the transform step"
CRAWLER_DPUS = 2.0
CRAWLER_SECONDS = 90.0
CRAWLER_SOURCE = (
    "assumed: 2 DPU, as in the examples of https://aws.amazon.com/glue/pricing/; 90 s; billed 10 minutes"
)

ATHENA_SECONDS = 3.0
ATHENA_BYTES_PER_SECOND = 200 * MB
ATHENA_SOURCE = "assumed: 3 s and 200 MB/s; a query scans the size given, uncompressed; DDL scans nothing"

UNKNOWN_QUERY = "assumed: it scans the size given; its text is not in the definition; see --scan"

CALL_SECONDS = 0.1
CALL_SOURCE = "assumed: one call of an AWS API"

TRANSITION_SECONDS = 0.02
"""Between two states; only the wall clock of a Standard run, and an Express run's duration, feel it."""

OUTSIDE_SECONDS = 60.0
OUTSIDE_SOURCE = "assumed: whatever a loop or a callback waits for takes 60 s; see --job-seconds"

ITEM_BYTES = 1000
ITEM_SOURCE = "assumed: 1 KB in the result for each item of a Map"
