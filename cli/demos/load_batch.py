"""Load a backlog of 40 files: small ones together, a bad one rejected, one that failed again by itself."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from cli.output import outcome
from cli.sample_data.load_batch import Sample, write_all

if TYPE_CHECKING:
    from cli.demos.stage import DemoStage

FOLDER = "batch/orders/"

KEPT = ("loaded", "rejected", "failed", "loaded_before", "rows", "loads_of_several_files", "seconds")
"""What the report tells of a summary."""


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Load the backlog, load what failed of it again, and show that nothing is loaded twice."""
    samples = write_all(stage.folder)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda each: stage.upload(each.path, FOLDER + each.path.name), samples))
    stopped = _stopped_run(stage)
    asked = {"prefix": FOLDER, "pipeline": "orders", "most_files_together": "10"}
    first = stage.follow(stage.start("load_batch", **asked))
    again = stage.follow(stage.api.post(f"/runs/{first['name']}/redrive")["run"])
    third = stage.follow(stage.start("load_batch", **asked))
    summaries = [_summary(stage, run["name"]) for run in (first, again, third)]
    report: dict[str, Any] = {
        "stopped_run": stopped,
        "batches": [
            {name: run[name] for name in ("name", "outcome", "error")}
            | {name: summary[name] for name in KEPT}
            for run, summary in zip((first, again, third), summaries, strict=True)
        ],
        "files": {_name(file["file"]): file["outcome"] for file in summaries[0]["files"]},
        "worked_on_again": [_name(file["file"]) for file in summaries[1]["files"]],
        "rows": _rows(stage),
        "expected_rows": _expected_rows(samples),
        "notices": [notice["subject"] for notice in stage.notices(5)],
    }
    report["ok"] = _as_it_should(samples, report)
    _print(stage, report, summaries[0])
    return report


def _stopped_run(stage: DemoStage) -> str:
    """Start a run for the large file and stop it, as somebody might: the batch meets it and says so."""
    key = f"{FOLDER}orders_large.csv"
    run = str(stage.api.post("/pipelines/orders/runs", {"key": key})["run"])
    stage.api.post(f"/runs/{run}/stop", {"reason": "stopped by hand before the batch"})
    return run


def _summary(stage: DemoStage, run: str) -> dict[str, Any]:
    body = stage.client("s3").get_object(Bucket=stage.bucket("artifacts"), Key=f"batches/{run}/summary.json")[
        "Body"
    ]
    found: dict[str, Any] = json.loads(body.read())
    return found


def _rows(stage: DemoStage) -> dict[str, int]:
    ((warehouse, orders),) = stage.sql("SELECT count(*), count(DISTINCT order_id) FROM orders")
    return {
        "warehouse": int(warehouse),
        "different_orders": int(orders),
        "catalogue": int(stage.athena("SELECT count(*) FROM orders")[0][0] or 0),
        "tokens": int(stage.sql("SELECT count(*) FROM decant_loads")[0][0]),
    }


def _expected_rows(samples: list[Sample]) -> dict[str, int]:
    """Return what there should be: in the warehouse one row for each order, in the catalogue all rows."""
    good = [each for each in samples if each.kind != "bad"]
    rows = sum(each.rows for each in good)
    # Neighbours share an order, but for the two at the bad file's sides: its orders stand in no other.
    shared = sum(each.kind == "small" for each in good) - 2
    return {
        "warehouse": rows - shared,
        "different_orders": rows - shared,
        "catalogue": rows,
        "tokens": len(good),
    }


def _as_it_should(samples: list[Sample], report: dict[str, Any]) -> bool:
    first, again, third = report["batches"]
    small = sum(each.kind == "small" for each in samples)
    return bool(
        (first["outcome"], first["error"]) == ("failed", "BatchIncomplete")
        and (first["loaded"], first["rejected"], first["failed"]) == (small, 1, 1)
        and (again["outcome"], again["loaded"]) == ("succeeded", 1)
        and report["worked_on_again"] == ["orders_large.csv"]
        and (third["outcome"], third["loaded"], third["loaded_before"]) == ("succeeded", 0, small + 1)
        and report["rows"] == report["expected_rows"]
        and len(report["notices"]) == 5  # noqa: PLR2004 - three batches, the bad file, the large file
    )


def _name(address: str) -> str:
    return address.rsplit("/", 1)[-1]


def _print(stage: DemoStage, report: dict[str, Any], summary: dict[str, Any]) -> None:
    words = ("the backlog", "what failed, again", "the backlog once more")
    rows = [
        (what, outcome(batch["outcome"]), *(batch[name] for name in KEPT[:-1]), float(batch["seconds"]))
        for what, batch in zip(words, report["batches"], strict=True)
    ]
    headings = ("", "outcome", "loaded", "rejected", "failed", "before", "rows", "shared loads", "seconds")
    stage.show(headings, rows, "\nThree batches")
    stage.say(f"\nThe first one: {summary['headline']}")
    for file in summary["files"]:
        if file["outcome"] != "loaded":
            stage.say(f"  {_name(file['file'])} {file['outcome']}: {file['reason']}", "yellow")
    stage.say(f"Worked on again: {', '.join(report['worked_on_again'])}, and nothing else")
    counted = [
        (name.replace("_", " "), number, report["expected_rows"][name])
        for name, number in report["rows"].items()
    ]
    stage.show(("", "there are", "there should be"), counted, "\nRows")
    stage.show(("notices sent",), [(subject,) for subject in report["notices"]])
