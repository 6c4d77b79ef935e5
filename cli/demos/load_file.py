"""Load the sample files and show what happened to each."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from cli import local_stage
from cli.demos.stage import POLL_SECONDS, offending
from cli.errors import Failure
from cli.output import console, outcome, print_table, table
from cli.sample_data.load_file import Sample, write_all

if TYPE_CHECKING:
    from pathlib import Path

    from cli.demos.stage import DemoStage
    from cli.listing import Listing

PATIENCE_SECONDS = 180
"""After so long the demo says which files have not ended."""


@dataclass
class Dropped:
    """A sample on its way."""

    sample: Sample
    bucket: str
    key: str
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether its run has ended."""
        return str(self.run.get("outcome", "running")) != "running"

    @property
    def way(self) -> str | None:
        """How the file was transformed: in Lambda, by Glue, or not at all."""
        states = {step["state"] for step in self.run.get("steps") or []}
        return "glue" if "StartGlueJob" in states else "lambda" if "TransformFile" in states else None

    @property
    def as_it_should(self) -> bool:
        """Whether it ended as the sample says."""
        ended_so = self.run.get("outcome") == self.sample.outcome and self.way == self.sample.way
        return ended_so and self.quarantined == self.sample.bad_rows

    @property
    def loaded(self) -> int:
        """How many of its rows were loaded."""
        return self.sample.rows - self.quarantined if self.run.get("outcome") == "succeeded" else 0

    @property
    def quarantined(self) -> int:
        """How many of its rows went to quarantine while the others were loaded."""
        report = (self.run.get("output") or {}).get("validate_file", {})
        return int(report.get("bad_rows", 0)) if report.get("tolerated") else 0


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Load the sample files and show what happened to each."""
    return _Demo(stage).run(stage.folder)


class _Demo:
    """One demonstration on one stage."""

    def __init__(self, stage: DemoStage) -> None:
        self._stage = stage
        self._api = stage.api
        self._bucket = stage.bucket("landing")

    def run(self, folder: Path) -> dict[str, Any]:
        """Drop the samples, wait for their runs, repeat one event, count the rows."""
        dropped = [self._drop(sample) for sample in write_all(folder)]
        self._follow(dropped)
        repeated = self._repeat_event(next(each for each in dropped if each.sample.pipeline == "orders"))
        tables = self._count(dropped)
        notices = self._stage.notices(len(dropped))
        report: dict[str, Any] = {
            "files": [_described(each) for each in dropped],
            "repeated_event": repeated,
            "tables": tables,
            "notices": [notice["subject"] for notice in notices],
            "reasons": _rows_shown(notices, "rejected"),
            "quarantined": _rows_shown(notices, "succeeded"),
        }
        report["ok"] = (
            all(each.as_it_should for each in dropped)
            and not repeated["second_run"]
            and all(found["rows"] == found["expected"] for found in tables)
            and len(report["notices"]) == len(dropped)
        )
        if self._stage.live:
            _print(dropped, report)
        return report

    def _drop(self, sample: Sample) -> Dropped:
        prefix = self._api.get(f"/pipelines/{sample.pipeline}")["landing_prefix"]
        key = prefix + sample.path.name
        self._stage.client("s3").upload_file(str(sample.path), self._bucket, key)
        return Dropped(sample=sample, bucket=self._bucket, key=key)

    def _follow(self, dropped: list[Dropped]) -> None:
        from rich.live import Live  # noqa: PLC0415 - only for a terminal

        deadline = time.monotonic() + PATIENCE_SECONDS
        show = self._stage.live and console.is_terminal
        with Live(_progress(dropped), console=console, auto_refresh=False, transient=True) as screen:
            while not all(each.ended for each in dropped) and time.monotonic() < deadline:
                self._look(dropped)
                if show:
                    screen.update(_progress(dropped), refresh=True)
                time.sleep(POLL_SECONDS)

    def _look(self, dropped: list[Dropped]) -> None:
        for each in dropped:
            if each.ended:
                continue
            for found in self._api.get("/runs", pipeline=each.sample.pipeline)["runs"]:
                run = self._api.get(f"/runs/{found['name']}")
                if run["input"]["file"]["key"] == each.key:
                    each.run = run

    def _repeat_event(self, dropped: Dropped) -> dict[str, Any]:
        """Deliver the file's S3 event once more, as S3 sometimes does."""
        before = self._run_count(dropped.sample.pipeline)
        file = dropped.run["input"]["file"]
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": file["bucket"]},
                "object": {
                    "key": quote_plus(file["key"]),
                    "eTag": file["etag"],
                    "versionId": file["version"],
                    "size": file["size"],
                },
            },
        }
        answer = self._stage.client("lambda").invoke(
            FunctionName=f"decant-{local_stage.STAGE}-file_landed", Payload=json.dumps({"Records": [record]})
        )
        names = json.loads(answer["Payload"].read())
        after = self._run_count(dropped.sample.pipeline)
        return {
            "file": file["key"],
            "run": names[0],
            "second_run": after != before or names != [dropped.run["name"]],
        }

    def _run_count(self, pipeline: str) -> int:
        return len(self._api.get("/runs", pipeline=pipeline, limit=100)["runs"])

    def _count(self, dropped: list[Dropped]) -> list[dict[str, Any]]:
        expected: dict[str, int] = {}
        for each in dropped:
            name = self._api.get(f"/pipelines/{each.sample.pipeline}")["table"]
            if name and each.sample.outcome == "succeeded":
                expected[name] = expected.get(name, 0) + each.sample.rows - each.sample.bad_rows
        counted = []
        for name, rows in expected.items():
            statement = f"SELECT count(*) FROM {name}"  # nosec B608  # noqa: S608 - a table of ours, from the pipeline
            try:
                found = self._stage.sql(statement)
            except Failure:  # no file made the table: that is what the demo then shows
                found = [[0]]
            counted.append({"statement": statement, "rows": found[0][0], "expected": rows})
        return counted


def _rows_shown(notices: list[dict[str, Any]], outcome: str) -> list[str]:
    """Return the offending rows in the notices of runs that ended so."""
    told = (notice for notice in notices if f"] {outcome}: " in notice["subject"])
    return [line for notice in told for line in offending(notice)]


def _progress(dropped: list[Dropped]) -> Listing:
    rows = []
    for each in dropped:
        steps = each.run.get("steps") or []
        now = steps[-1]["state"] if steps and not each.ended else ""
        rows.append((each.sample.path.name, outcome(each.run.get("outcome", "landed")), now))
    return table(("file", "", "step"), rows)


def _described(each: Dropped) -> dict[str, Any]:
    return {
        "file": each.key,
        "run": each.run.get("name"),
        "outcome": each.run.get("outcome", "running"),
        "way": each.way,
        "rows": each.sample.rows,
        "quarantined": each.quarantined,
        "seconds": each.run.get("seconds"),
        "cause": each.run.get("cause"),
        "ok": each.as_it_should,
    }


def _print(dropped: list[Dropped], report: dict[str, Any]) -> None:
    ways = {"lambda": "Lambda", "glue": "Glue", None: ""}
    print_table(
        ("file", "rows", "loaded", "outcome", "by", "seconds"),
        [
            (
                each.key,
                each.sample.rows,
                each.loaded,
                outcome(each.run.get("outcome", "running")),
                ways[each.way],
                each.run.get("seconds"),
            )
            for each in dropped
        ],
        title="What happened to each file",
    )
    for each in dropped:
        if each.run.get("cause"):
            console.print(f"\n{each.sample.path.name}: {each.run['error']}", style="yellow")
            reasons = report["reasons"] if each.run["outcome"] == "rejected" else [each.run["cause"]]
            console.print("\n".join(f"  {reason}" for reason in reasons), markup=False, soft_wrap=True)
        elif each.quarantined:
            loaded = f"{each.loaded:,} rows loaded, {each.quarantined:,} quarantined"
            console.print(f"\n{each.sample.path.name}: {loaded}", style="yellow")
            lines = "\n".join(f"  {line}" for line in report["quarantined"])
            console.print(lines, markup=False, soft_wrap=True)
    repeated = report["repeated_event"]
    words = "made a second run" if repeated["second_run"] else "met the run that exists: no second one"
    console.print(f"\nS3 event of {repeated['file']} delivered again: {words}", markup=False, soft_wrap=True)
    rows = [(found["statement"], found["rows"], found["expected"]) for found in report["tables"]]
    print_table(("in the warehouse", "rows", "good rows in the files"), rows, title="")
    print_table(("notices sent",), [(subject,) for subject in report["notices"]], title="")
