"""Load the sample files and show what happened to each."""

from __future__ import annotations

import functools
import json
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import click

from cli import local_stage
from cli.errors import Failure
from cli.output import console, json_option, outcome, print_json, print_table, table
from cli.project import root
from cli.sample_files import Sample, write_all
from cli.service import Service
from cli.stage_client import client

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

PATIENCE_SECONDS = 180
"""After so long the demo says which files have not ended."""

POLL_SECONDS = 0.25


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
        return self.run.get("outcome") == self.sample.outcome and self.way == self.sample.way


@click.command()
@json_option
@click.option(
    "--keep", is_flag=True, help="Keep the state; `DECANT_HOME=.decant-demo decant up` goes on with it."
)
def demo(*, as_json: bool, keep: bool) -> None:
    """Load the sample files on a fresh stage; exit code 0 only if every one ended as it should."""
    directory = root() / ".decant-demo"
    shutil.rmtree(directory, ignore_errors=True)
    started = time.monotonic()
    with console.status("starting") as status:
        tell = (lambda _: None) if as_json else functools.partial(_tell, status, started)
        stage = local_stage.start(directory, tell=tell)
    try:
        report = _Demo(stage, live=not as_json).run(directory / "samples")
        report["seconds"] = round(time.monotonic() - started, 1)
    finally:
        stage.stop()
        if not keep:
            shutil.rmtree(directory, ignore_errors=True)
    if as_json:
        print_json(report)
    else:
        verdict = "everything ended as it should" if report["ok"] else "NOT everything ended as it should"
        console.print(f"\n{verdict}, {report['seconds']} s from start to end", style="bold")
    raise SystemExit(0 if report["ok"] else 1)


class _Demo:
    """One demonstration on one stage."""

    def __init__(self, stage: local_stage.LocalStage, *, live: bool) -> None:
        self._stage = stage
        self._live = live
        self._api = Service(stage.api_url, stage.api_token)
        self._client = functools.partial(client, stage.environment)
        account = self._client("sts").get_caller_identity()["Account"]
        self._bucket = f"decant-{local_stage.STAGE}-landing-{account}"

    def run(self, folder: Path) -> dict[str, Any]:
        """Drop the samples, wait for their runs, repeat one event, count the rows."""
        dropped = [self._drop(sample) for sample in write_all(folder)]
        self._follow(dropped)
        repeated = self._repeat_event(next(each for each in dropped if each.sample.pipeline == "orders"))
        tables = self._count(dropped)
        notices = self._notices(len(dropped))
        report: dict[str, Any] = {
            "files": [_described(each) for each in dropped],
            "repeated_event": repeated,
            "tables": tables,
            "notices": [notice["subject"] for notice in notices],
            "reasons": [line for notice in notices for line in _offending(notice)],
        }
        report["ok"] = (
            all(each.as_it_should for each in dropped)
            and not repeated["second_run"]
            and all(found["rows"] == found["expected"] for found in tables)
            and len(report["notices"]) == len(dropped)
        )
        if self._live:
            _print(dropped, report)
        return report

    def _drop(self, sample: Sample) -> Dropped:
        prefix = self._api.get(f"/pipelines/{sample.pipeline}")["landing_prefix"]
        key = prefix + sample.path.name
        self._client("s3").upload_file(str(sample.path), self._bucket, key)
        return Dropped(sample=sample, bucket=self._bucket, key=key)

    def _follow(self, dropped: list[Dropped]) -> None:
        from rich.live import Live  # noqa: PLC0415 - only for a terminal

        deadline = time.monotonic() + PATIENCE_SECONDS
        show = self._live and console.is_terminal
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
        answer = self._client("lambda").invoke(
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
        from cli.sql import query_stage  # noqa: PLC0415 - imports the driver

        expected: dict[str, int] = {}
        for each in dropped:
            name = self._api.get(f"/pipelines/{each.sample.pipeline}")["table"]
            if name and each.sample.outcome == "succeeded":
                expected[name] = expected.get(name, 0) + each.sample.rows
        counted = []
        for name, rows in expected.items():
            statement = f"SELECT count(*) FROM {name}"  # noqa: S608 - a table of ours, from the pipeline
            try:
                _, found, _ = query_stage(statement, self._stage.environment)
            except Failure:  # no file made the table: that is what the demo then shows
                found = [[0]]
            counted.append({"statement": statement, "rows": found[0][0], "expected": rows})
        return counted

    def _notices(self, expected: int) -> list[dict[str, Any]]:
        from cli.notices import outbox  # noqa: PLC0415 - imports requests

        deadline = time.monotonic() + 10
        while True:
            found = outbox(self._stage.endpoint_url)
            if len(found) >= expected or time.monotonic() > deadline:
                return found
            time.sleep(POLL_SECONDS)


def _offending(notice: dict[str, Any]) -> list[str]:
    """Return the offending rows that a notice shows."""
    return [line.strip() for line in notice["message"].splitlines() if line.startswith("  line ")]


def _tell(status: Any, started: float, what: str) -> None:
    status.update(f"{what} ...")
    if not console.is_terminal:
        console.print(f"{time.monotonic() - started:5.1f} s  {what}")


def _progress(dropped: list[Dropped]) -> Table:
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
        "seconds": each.run.get("seconds"),
        "cause": each.run.get("cause"),
        "ok": each.as_it_should,
    }


def _print(dropped: list[Dropped], report: dict[str, Any]) -> None:
    ways = {"lambda": "Lambda", "glue": "Glue", None: ""}
    print_table(
        ("file", "rows", "outcome", "transformed in", "seconds"),
        [
            (
                each.key,
                each.sample.rows,
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
    repeated = report["repeated_event"]
    words = "made a second run" if repeated["second_run"] else "met the run that exists: no second one"
    console.print(f"\nS3 event of {repeated['file']} delivered again: {words}", markup=False, soft_wrap=True)
    rows = [(found["statement"], found["rows"], found["expected"]) for found in report["tables"]]
    print_table(("in the warehouse", "rows", "rows in the files"), rows, title="")
    print_table(("notices sent",), [(subject,) for subject in report["notices"]], title="")
