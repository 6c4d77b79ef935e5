"""Three nights: the first loads what gathered, the second finds nothing, the third meets a broken export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.output import outcome
from cli.sample_data.nightly_batch import Sample, write_all

if TYPE_CHECKING:
    from pathlib import Path

    from cli.demos.stage import DemoStage

PIPELINE = "nightly_batch"

REPORT = "nightly_batch/reports/latest.html"

EXPECTED = ("succeeded", "succeeded", "failed")
"""How the three nights end."""

BY_MONTH = "SELECT month, count(*), sum(amount) FROM sales GROUP BY month ORDER BY month"

PUBLISHED = "SELECT count(*), count(DISTINCT sale_id) FROM sales"


def demonstrate(stage: DemoStage) -> dict[str, Any]:
    """Run three nights and show what each of them changed."""
    samples = write_all(stage.folder)
    nights = [_night(stage, number, samples) for number in (1, 2, 3)]
    months = [(month, int(rows or 0), revenue) for month, rows, revenue in stage.athena(BY_MONTH)]
    notices = stage.notices(len(nights))
    path = stage.running.directory / "sales_report.html"
    made = _download_report(stage, path)
    report = {
        "nights": nights,
        "revenue_by_month": [
            {"month": month, "sales": rows, "revenue": revenue} for month, rows, revenue in months
        ],
        "report": f"s3://{stage.bucket('curated')}/{REPORT}",
        "report_file": str(path),
        "notices": [notice["subject"] for notice in notices],
        "ok": _as_it_should(nights) and len(notices) == len(nights) and bool(months) and made,
    }
    if stage.live:
        _print(stage, nights, months, notices, report)
    return report


def _night(stage: DemoStage, number: int, samples: list[Sample]) -> dict[str, Any]:
    """Put the night's exports there, start the batch, and count what can be queried afterwards."""
    files = [sample for sample in samples if sample.night == number]
    for sample in files:
        stage.upload(sample.path, f"batch/sales/{sample.path.name}")
    stage.say(f"night {number}: {', '.join(sample.path.name for sample in files) or 'no new export'}")
    run = stage.follow(stage.start(PIPELINE))
    rows, ids = stage.athena(PUBLISHED)[0]
    return {
        "night": number,
        "files": [sample.path.name for sample in files],
        "run": run["name"],
        "outcome": run["outcome"],
        "error": run["error"],
        "cause": run["cause"],
        "seconds": run["seconds"],
        "sales": int(rows or 0),
        "distinct_sales": int(ids or 0),
    }


def _download_report(stage: DemoStage, path: Path) -> bool:
    """Write the newest report to a local file; return False when there is none."""
    s3 = stage.client("s3")
    try:
        answer = s3.get_object(Bucket=stage.bucket("curated"), Key=REPORT)
    except s3.exceptions.NoSuchKey:
        return False
    path.write_bytes(answer["Body"].read())
    return True


def _as_it_should(nights: list[dict[str, Any]]) -> bool:
    """Only the first night may change what readers see, and no sale may be there twice."""
    first = nights[0]["sales"]
    return (
        tuple(night["outcome"] for night in nights) == EXPECTED
        and nights[2]["error"] == "ChecksFailed"
        and first > 0
        and all(night["sales"] == night["distinct_sales"] == first for night in nights)
    )


def _print(
    stage: DemoStage,
    nights: list[dict[str, Any]],
    months: list[tuple[str | None, int, str | None]],
    notices: list[dict[str, Any]],
    report: dict[str, Any],
) -> None:
    stage.show(
        ("night", "new exports", "outcome", "sales that readers see", "seconds"),
        [
            (
                night["night"],
                ", ".join(night["files"]) or "-",
                outcome(night["outcome"]),
                f"{night['sales']:,}",
                night["seconds"],
            )
            for night in nights
        ],
        "What happened each night",
    )
    stage.say(f"\nnight 3, {nights[2]['error']}:\n{nights[2]['cause']}\n", "yellow")
    rows = [(month, f"{sales:,}", f"€{float(revenue or 0):,.2f}") for month, sales, revenue in months]
    stage.show(("month", "sales", "revenue"), rows, "Revenue by month, from Athena")
    stage.show(("notices sent",), [(notice["subject"],) for notice in notices])
    stage.say(f"\nthe report: {report['report']}")
    stage.say(f"      here: {report['report_file']} (until this ends; --keep keeps it)")
