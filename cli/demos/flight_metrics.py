"""flight_metrics at work: three dates by backfill, one of them corrected, and one that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.backfill import Backfill, report_of
from cli.sample_data.flight_metrics import CORRECTED, DAYS, WRONG_CLOCK, write_all

if TYPE_CHECKING:
    from pathlib import Path

    from cli.demos.stage import DemoStage

PIPELINE = "flight_metrics"
FOLDER = "batch/flights/"
MISSING = "2026-11-04"

BY_CARRIER = (
    "SELECT carrier, flights, cancelled, on_time_rate, mean_delay, p95_delay "
    "FROM flight_delays_by_month WHERE grain = 'carrier' ORDER BY carrier"
)
BY_BAND = (
    "SELECT delay_band, flights, answers, mean_score, correlation FROM flight_feedback_by_month "
    "ORDER BY CASE WHEN delay_band = 'all' THEN 1 ELSE 0 END, mean_score DESC"
)


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Measure three dates, correct one, and ask for one that is not there."""
    samples = write_all(stage.folder)
    for sample in samples:
        if not sample.corrected:
            stage.upload(sample.path, FOLDER + sample.key)
    stage.say("Three dates, by backfill", style="bold")
    first = _backfill(stage)
    stage.show_runs([stage.api.get(f"/runs/{each['run']}") for each in first["dates"]], "")
    before = _carriers(stage, f"{WRONG_CLOCK[0]}'s clock was wrong on {CORRECTED}")
    rows = _rows(stage)
    again = _backfill(stage)
    unchanged = stage.follow(stage.start(PIPELINE, date="latest"))
    stage.say(f"The backfill again: {_runs(again)}; the newest date again: {_loaded(unchanged)}")
    (corrected,) = [sample for sample in samples if sample.corrected]
    after_correction = _correct(stage, corrected.path, FOLDER + corrected.key)
    after = _carriers(stage, f"with the corrected file of {CORRECTED}")
    _feedback(stage)
    missing = stage.follow(stage.start(PIPELINE, date=MISSING))
    stage.say(f"{missing['error']}: {missing['cause']}", style="yellow")
    notices = [notice["subject"] for notice in stage.notices(expected=6)]
    stage.show(("notices sent",), [(subject,) for subject in notices])
    facts = {
        "every_date_succeeded": first["ok"] and len(first["dates"]) == len(DAYS),
        "again_did_nothing": all(each["earlier"] for each in again["dates"])
        and bool(unchanged["output"]["load_metrics"]["already"]),
        "correction_replaced": after_correction["outcome"] == "succeeded"
        and not after_correction["output"]["load_metrics"]["already"]
        and [row for row in before if row not in after]
        == [row for row in before if row[0] == WRONG_CLOCK[0]],
        "no_row_twice": rows == _rows(stage) and rows[0] == rows[1],
        "missing_date_is_red": (missing["outcome"], missing["error"]) == ("failed", "MissingInput"),
        "everyone_was_told": len(notices) == 6,  # noqa: PLR2004 - three dates, one again, one corrected, one missing
    }
    return {"ok": all(facts.values()), **facts, "by_carrier": after, "notices": notices}


def _backfill(stage: DemoStage) -> dict[str, Any]:
    work = Backfill(api=stage.api, pipeline=PIPELINE, parameter="date", request="demo", at_once=3)
    return report_of(PIPELINE, work.run(list(DAYS)))


def _correct(stage: DemoStage, path: Path, key: str) -> dict[str, Any]:
    stage.upload(path, key)
    return stage.follow(stage.start(PIPELINE, date=CORRECTED.isoformat()))


def _carriers(stage: DemoStage, title: str) -> list[list[Any]]:
    rows = stage.sql(BY_CARRIER)
    shown = [
        (carrier, flights, cancelled, f"{on_time:.1%}", f"{mean:.1f}", f"{p95:.1f}")
        for carrier, flights, cancelled, on_time, mean, p95 in rows
    ]
    columns = ("carrier", "flights", "cancelled", "on time", "mean delay, min", "p95 delay, min")
    stage.show(columns, shown, f"\nNovember by carrier, {title}")
    return rows


def _feedback(stage: DemoStage) -> None:
    rows = [
        (band, flights, answers, f"{score:.2f}", "" if correlation is None else f"{correlation:.2f}")
        for band, flights, answers, score, correlation in stage.sql(BY_BAND)
    ]
    columns = ("delay", "flights", "answers", "mean score", "correlation")
    stage.show(columns, rows, "\nWhat passengers say of it")


def _rows(stage: DemoStage) -> tuple[int, int]:
    """Return how many rows and how many different flights the table has."""
    ((rows, flights),) = stage.sql("SELECT count(*), count(DISTINCT flight_id) FROM flights")
    return rows, flights


def _runs(report: dict[str, Any]) -> str:
    started = [each for each in report["dates"] if not each["earlier"]]
    return f"{len(started)} new runs" if started else "no new run"


def _loaded(run: dict[str, Any]) -> str:
    already = ((run["output"] or {}).get("load_metrics") or {}).get("already")
    return "nothing was loaded again" if already else "LOADED AGAIN"
