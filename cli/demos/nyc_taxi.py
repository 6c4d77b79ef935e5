"""Convert two months of taxi trips, run again, add a month, and ask the analysts' questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.sql import queries
from cli.local_stage import STAGE
from cli.output import outcome
from cli.sample_data.nyc_taxi import write_all

if TYPE_CHECKING:
    from pathlib import Path

    from cli.demos.stage import DemoStage
    from cli.sample_data.nyc_taxi import Sample

DATABASE = f"decant_{STAGE}_nyc_taxi"

QUESTIONS = {
    "trips_by_borough": ("Trips and revenue by borough", ("borough", "trips", "revenue")),
    "busiest_hours": ("The busiest hours", ("hour", "trips")),
    "tip_share": ("What card payers tip", ("month", "trips", "per cent of the fare")),
}


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Show a first run, one that finds nothing new, one that adds a month, and one that must fail."""
    zones, first, second, third = write_all(stage.folder)
    for sample in (zones, first, second):
        stage.upload(sample.path, sample.key)
    runs = [_run(stage, "1: two months have landed", [first, second])]
    before = _files(stage)
    runs.append(_run(stage, "2: nothing is new", [first, second]))
    unchanged = _files(stage) == before
    stage.upload(third.path, third.key)
    runs.append(_run(stage, "3: a month has landed", [first, second, third]))
    kept = before.items() <= _files(stage).items()
    stage.upload(_renamed_column(third), third.key.replace("2025-03", "2025-04"))
    runs.append(_run(stage, "4: other columns", [first, second, third], "failed"))
    answers = {name: stage.athena(queries("nyc_taxi")[name].substitute(), DATABASE) for name in QUESTIONS}
    notices = [notice["subject"] for notice in stage.notices(len(runs))]
    report: dict[str, Any] = {"runs": runs, "answers": answers, "notices": notices}
    report["ok"] = (
        all(run["ok"] for run in runs)
        and unchanged
        and kept
        and all(answers.values())
        and len(notices) == len(runs)
    )
    _print(stage, report)
    return report


def _run(stage: DemoStage, what: str, expected: list[Sample], ends: str = "succeeded") -> dict[str, Any]:
    """Start a run, wait for it, and compare what the table holds with what it should hold."""
    stage.say(f"\nRun {what}", style="bold")
    run = stage.follow(stage.start("nyc_taxi"))
    rows = stage.athena(queries("nyc_taxi")["count_trips"].substitute(), DATABASE)
    trips = {str(month): int(count or 0) for month, count in rows}
    wanted = {sample.key.split("/")[3]: sample.rows for sample in expected}
    return {
        "what": what,
        "run": run["name"],
        "outcome": run["outcome"],
        "seconds": run["seconds"],
        "cause": run["cause"],
        "trips": trips,
        "ok": run["outcome"] == ends and trips == wanted,
    }


def _renamed_column(sample: Sample) -> Path:
    """Write the sample again with another name for one of its columns."""
    path = sample.path.with_name("renamed.csv")
    path.write_text(sample.path.read_text(encoding="utf-8").replace("tip_amount", "gratuity", 1), "utf-8")
    return path


def _files(stage: DemoStage) -> dict[str, str]:
    """Return where the catalogue says that each month lies."""
    found = stage.client("glue").get_partitions(DatabaseName=DATABASE, TableName="yellow_trips")
    return {each["Values"][0]: each["StorageDescriptor"]["Location"] for each in found["Partitions"]}


def _print(stage: DemoStage, report: dict[str, Any]) -> None:
    months = sorted({month for run in report["runs"] for month in run["trips"]})
    rows = [
        (run["what"], outcome(run["outcome"]), run["seconds"], *(run["trips"].get(m, "") for m in months))
        for run in report["runs"]
    ]
    stage.show(("run", "outcome", "seconds", *months), rows, "Trips in the table after each run")
    for run in report["runs"]:
        if run["cause"]:
            stage.say(f"\nRun {run['what']}: {run['cause']}", style="yellow")
    for name, (title, columns) in QUESTIONS.items():
        stage.show(columns, [tuple(row) for row in report["answers"][name]], title)
    stage.show(("notices sent",), [(subject,) for subject in report["notices"]])
