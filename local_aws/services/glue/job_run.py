"""One run of a Glue job: what GetJobRun says about it, kept on disk at every change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

ALIVE = frozenset({"STARTING", "RUNNING", "STOPPING"})
MOMENTS = ("StartedOn", "LastModifiedOn", "CompletedOn")


class LocalJobRun:
    """A job run, in the shape of AWS's own JobRun document; moments are seconds since 1970.

    The file `run.json` in the run's directory is written before a change can be seen, so that no state
    which a client was told is lost when the process is killed.
    """

    def __init__(self, document: dict[str, Any], directory: Path, account: str, region: str) -> None:
        self.document = document
        self.directory = directory
        self.account = account
        self.region = region

    @property
    def job_run_id(self) -> str:
        """The run's id, under the name that moto pages by."""
        return str(self.document["Id"])

    @property
    def job_name(self) -> str:
        """The name of the run's job."""
        return str(self.document["JobName"])

    @property
    def status(self) -> str:
        """STARTING, RUNNING, STOPPING, STOPPED, SUCCEEDED, FAILED or TIMEOUT."""
        return str(self.document["JobRunState"])

    @property
    def alive(self) -> bool:
        """Whether the run has not ended."""
        return self.status in ALIVE

    def change(self, state: str, error: str | None = None) -> None:
        """Enter `state` now, on disk first."""
        now = datetime.now(UTC).timestamp()
        changed = self.document | {"JobRunState": state, "LastModifiedOn": now}
        if state not in ALIVE:
            changed |= {"CompletedOn": now}
        if state != "STARTING":
            changed |= {"ExecutionTime": max(0, round(now - changed["StartedOn"]))}
        if error:
            changed |= {"ErrorMessage": error}
        self._write(changed)
        self.document = changed

    def _write(self, document: dict[str, Any]) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        record = {"account": self.account, "region": self.region, "run": document}
        unfinished = self.directory / "run.json.new"
        unfinished.write_text(json.dumps(record))
        unfinished.replace(self.directory / "run.json")

    @classmethod
    def read(cls, path: Path) -> LocalJobRun:
        """Read a run back from its `run.json`."""
        record = json.loads(path.read_text())
        return cls(record["run"], path.parent, record["account"], record["region"])

    def as_dict(self) -> dict[str, Any]:
        """Return the JobRun document with its moments as datetimes."""
        document = dict(self.document)
        for name in MOMENTS:
            if name in document:
                document[name] = datetime.fromtimestamp(document[name], UTC)
        return document
