"""What a demonstration is given: a fresh stage, and the ways to use it as its users do."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.athena import ask
from cli.local_stage import STAGE
from cli.output import console, outcome, print_table
from cli.runs import follow
from cli.service import Service
from cli.stage_client import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.local_stage import LocalStage

POLL_SECONDS = 0.25


@dataclass(frozen=True)
class DemoStage:
    """A fresh stage.

    Attributes:
        running: the stage.
        folder: where sample files may be written; it goes with the stage.
        live: whether to draw and print; not with `--json`.
    """

    running: LocalStage
    folder: Path
    live: bool

    @functools.cached_property
    def api(self) -> Service:
        """The stage's REST API."""
        return Service(self.running.api_url, self.running.api_token)

    @functools.cached_property
    def client(self) -> Callable[[str], Any]:
        """Gives boto3 clients of the stage's AWS."""
        return functools.cache(functools.partial(client, self.running.environment))

    @functools.cached_property
    def account(self) -> str:
        """The account's number."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def bucket(self, kind: str) -> str:
        """Return the name of a bucket: landing, curated, quarantine or artifacts."""
        return f"decant-{STAGE}-{kind}-{self.account}"

    def upload(self, path: Path, key: str) -> None:
        """Put a file into the landing bucket."""
        self.client("s3").upload_file(str(path), self.bucket("landing"), key)

    def start(self, pipeline: str, /, **parameters: str) -> str:
        """Start a run of a batch pipeline and return its name."""
        return str(self.api.post(f"/pipelines/{pipeline}/runs", {"parameters": parameters})["run"])

    def follow(self, run: str) -> dict[str, Any]:
        """Wait for a run's end, drawing its steps, and return it."""
        return follow(self.api, run, live=self.live)

    def sql(self, statement: str) -> list[list[Any]]:
        """Query the warehouse."""
        from cli.sql import query_stage  # noqa: PLC0415 - imports the driver

        return query_stage(statement, self.running.environment)[1]

    def athena(self, statement: str, database: str | None = None) -> list[list[str | None]]:
        """Query the catalogue's tables and return the rows, without the header."""
        return ask(self.client("athena"), statement, stage=STAGE, database=database)[1]

    def notices(self, expected: int, seconds: float = 10) -> list[dict[str, Any]]:
        """Return the notices, once there are as many as expected or the time is over; some may be folded."""
        from cli.notices import kept  # noqa: PLC0415 - imports requests

        deadline = time.monotonic() + seconds
        while True:
            found = kept(self.client("s3"), self.bucket("artifacts"))
            if len(found) >= expected or time.monotonic() > deadline:
                return found
            time.sleep(POLL_SECONDS)

    def say(self, text: str, style: str | None = None) -> None:
        """Print a line, unless the report is printed as JSON."""
        if self.live:
            console.print(text, style=style, markup=False, soft_wrap=True)

    def show(self, columns: tuple[str, ...], rows: list[tuple[Any, ...]], title: str = "") -> None:
        """Print a table, unless the report is printed as JSON."""
        if self.live:
            print_table(columns, rows, title=title)

    def show_runs(self, runs: list[dict[str, Any]], title: str) -> None:
        """Print how runs ended."""
        rows = [(run["name"], outcome(run["outcome"]), run["seconds"], run["error"]) for run in runs]
        self.show(("run", "outcome", "seconds", "error"), rows, title)


def offending(notice: dict[str, Any]) -> Iterator[str]:
    """Yield the offending rows that a notice shows."""
    for line in notice["body"].splitlines():
        if line.startswith("  line "):
            yield line.strip()
