"""Jobs and crawls of the embedded Glue, as the tests start and await them."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ENDED = {"SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED"}


def until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Return the first true answer of `condition`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
    return answer


@dataclass
class GlueJobs:
    """One test's own bucket, jobs and runs."""

    aws: Any

    def __post_init__(self) -> None:
        self.s3, self.glue, self.logs = (self.aws.client(name) for name in ("s3", "glue", "logs"))
        self.bucket = f"glue-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, key: str, body: str | bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def job(self, script: str, *, kind: str = "pythonshell", **options: Any) -> str:
        name = f"job-{uuid.uuid4().hex[:12]}"
        location = self.put(f"{name}.py", script)
        command = {"Name": kind, "ScriptLocation": location, "PythonVersion": "3"}
        self.glue.create_job(Name=name, Role="glue", Command=command, **options)
        return name

    def start(self, job: str, **options: Any) -> str:
        return self.glue.start_job_run(JobName=job, **options)["JobRunId"]

    def run(self, job: str, run_id: str) -> dict[str, Any]:
        return self.glue.get_job_run(JobName=job, RunId=run_id)["JobRun"]

    def ended(self, job: str, run_id: str, seconds: float = 120) -> dict[str, Any]:
        until(lambda: self.run(job, run_id)["JobRunState"] in ENDED, seconds)
        return self.run(job, run_id)

    def in_state(self, job: str, run_id: str, state: str) -> None:
        until(lambda: self.run(job, run_id)["JobRunState"] == state)

    def printed(self, run: dict[str, Any], stream: str = "output") -> str:
        group = f"{run['LogGroupName']}/{stream}"
        events = self.logs.get_log_events(logGroupName=group, logStreamName=run["Id"], startFromHead=True)
        return "\n".join(event["message"] for event in events["events"])
