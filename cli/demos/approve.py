"""Ask a person: one file is approved and loaded, one is refused and goes to quarantine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cli.demos.stage import POLL_SECONDS
from cli.sample_data.approve import Sample, write_all

if TYPE_CHECKING:
    from cli.demos.stage import DemoStage

FOLDER = "incoming/refunds/"
PATIENCE_SECONDS = 60
ANSWERS = {True: ("approve", "looks as usual"), False: ("refuse", "900 refunds in a day: ask the shop first")}


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Drop two files, look at what waits, and decide."""
    samples = write_all(stage.folder)
    for sample in samples:
        stage.upload(sample.path, FOLDER + sample.path.name)
    waiting = _waiting(stage, len(samples))
    _show(stage, waiting)
    loaded_before = _table_exists(stage)
    decided = [_decide(stage, sample, waiting) for sample in samples]
    rows = stage.sql("SELECT count(*) FROM refunds")[0][0]
    notices = stage.notices(2 * len(samples))
    report: dict[str, Any] = {
        "waiting": waiting,
        "loaded_before_approval": loaded_before,
        "runs": [{name: run[name] for name in ("name", "outcome", "error", "cause")} for run in decided],
        "rows": rows,
        "expected_rows": sum(sample.rows for sample in samples if sample.approve),
        "notices": [notice["subject"] for notice in notices],
    }
    report["ok"] = (
        not loaded_before
        and [run["outcome"] for run in decided] == ["succeeded", "rejected"]
        and rows == report["expected_rows"]
        and len(notices) == 2 * len(samples)
    )
    stage.show_runs(decided, "\nAfter the decisions")
    stage.show(("in the warehouse", "rows"), [("SELECT count(*) FROM refunds", rows)])
    stage.show(("notices sent",), [(subject,) for subject in report["notices"]])
    return report


def _waiting(stage: DemoStage, expected: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found: list[dict[str, Any]] = stage.api.get("/approvals")["waiting"]
        if len(found) >= expected or time.monotonic() > deadline:
            return found
        time.sleep(POLL_SECONDS)


def _table_exists(stage: DemoStage) -> bool:
    return bool(stage.sql("SELECT 1 FROM information_schema.tables WHERE table_name = 'refunds'"))


def _decide(stage: DemoStage, sample: Sample, waiting: list[dict[str, Any]]) -> dict[str, Any]:
    run = next(each["run"] for each in waiting if each["file"]["key"].endswith("/" + sample.path.name))
    verb, reason = ANSWERS[sample.approve]
    stage.say(f"\n$ decant approvals {verb} {run} --reason '{reason}'", style="bold")
    stage.api.post(f"/runs/{run}/{verb}", {"reason": reason})
    return stage.follow(run)


def _show(stage: DemoStage, waiting: list[dict[str, Any]]) -> None:
    rows = [(each["run"], each["rows"], each["expires"], "; ".join(each["why"])) for each in waiting]
    stage.show(("run", "rows", "until (UTC)", "why it asks"), rows, "Waiting for approval")
