"""A run: one pipeline working on one file or one batch, and its name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from chalicelib.errors import UnknownRun

if TYPE_CHECKING:
    from chalicelib.files import File

Outcome = Literal["running", "succeeded", "rejected", "failed", "expired", "stopped", "timed_out"]

REJECTED = "FileRejected"
"""The error that an execution ends with when its file was quarantined."""

EXPIRED = "ApprovalExpired"
"""The error that an execution ends with when nobody decided in time."""

OUTCOMES: dict[str, Outcome] = {
    "RUNNING": "running",
    "PENDING_REDRIVE": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "ABORTED": "stopped",
    "TIMED_OUT": "timed_out",
}
"""Step Functions' status of an execution, in our words. `ERRORS` tells more of FAILED."""

ERRORS: dict[str, Outcome] = {REJECTED: "rejected", EXPIRED: "expired"}
"""What an execution that FAILED with one of these errors is called; any other is `failed`."""

_NAME = re.compile(
    r"(?P<pipeline>[a-z][a-z0-9_]{0,46})-(?P<digest>[0-9a-f]{24})(-(?P<attempt>[1-9][0-9]{0,3}))?"
)


@dataclass(frozen=True, kw_only=True)
class RunName:
    """A run's name, taken apart.

    Attributes:
        pipeline: the pipeline's name.
        digest: 24 hexadecimal digits (96 bits) of SHA-256 over the identity of the file, tick or request.
        attempt: 1 for the run that it started; a redrive from the start counts up.
    """

    pipeline: str
    digest: str
    attempt: int = 1

    def __str__(self) -> str:
        return self.token if self.attempt == 1 else f"{self.token}-{self.attempt}"

    @property
    def token(self) -> str:
        """What is the same for every attempt at this content; the warehouse keeps it."""
        return f"{self.pipeline}-{self.digest}"

    @property
    def next(self) -> RunName:
        """The name of the attempt after this one."""
        return RunName(pipeline=self.pipeline, digest=self.digest, attempt=self.attempt + 1)

    @property
    def first(self) -> RunName:
        """The name of the first attempt at this content."""
        return RunName(pipeline=self.pipeline, digest=self.digest)

    @classmethod
    def of(cls, pipeline: str, file: File) -> RunName:
        """Derive the name of a file's run: the same pipeline and content always give the same one."""
        return cls.of_identity(pipeline, *file.identity)

    @classmethod
    def of_correction(cls, pipeline: str, file: File) -> RunName:
        """Derive the name of a corrected file's run: the same content always gives the same one."""
        return cls.of_identity(pipeline, "correction", file.bucket, file.key, file.etag)

    @classmethod
    def of_identity(cls, pipeline: str, *identity: str) -> RunName:
        """Derive the name of a run for whatever the texts identify: a tick, a request."""
        digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:24]
        return cls(pipeline=pipeline, digest=digest)

    @classmethod
    def parse(cls, text: str) -> RunName:
        """Take a name apart.

        Raises:
            UnknownRun: no run can be called that.
        """
        found = _NAME.fullmatch(text)
        if not found:
            raise UnknownRun(
                f"run {text[:100]!r}: there is no such run; a name looks like orders-0123456789abcdef01234567"
            )
        return cls(pipeline=found["pipeline"], digest=found["digest"], attempt=int(found["attempt"] or 1))


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one Task state of a run did; times are ISO 8601 in UTC, `seconds` None while it lasts."""

    state: str
    started: str
    ended: str | None
    seconds: float | None
    attempts: int
    error: str | None
    cause: str | None


@dataclass(frozen=True, kw_only=True)
class Rows:
    """How many rows a run read, loaded and rejected; None where it does not count them."""

    read: int | None
    loaded: int | None
    rejected: int | None


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as people see it; times are ISO 8601 in UTC."""

    name: str
    pipeline: str
    outcome: Outcome
    started: str
    ended: str | None
    seconds: float | None
    error: str | None = None
    cause: str | None = None
    input: dict[str, Any] | None = None
    output: dict[str, Any] | None = None
    steps: tuple[Step, ...] | None = None
    redrives: int = 0
    file: str | None = None
    rows: Rows | None = None
    cost: float | None = None


def rows_of(output: dict[str, Any] | None) -> Rows | None:
    """Return how many rows a run read, loaded and rejected, as far as its output says."""
    if output is None:
        return None
    validated = output.get("validate_file") or {}
    ends = ("copy_to_redshift", "catalogue", "load_metrics", "publish_sales", "summarise_batch")
    loaded = next((output[end]["rows"] for end in ends if "rows" in (output.get(end) or {})), None)
    if loaded is None and not validated:
        return None
    return Rows(read=validated.get("rows"), loaded=loaded, rejected=validated.get("bad_rows"))
