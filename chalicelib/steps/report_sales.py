"""Write the business report, one HTML page, beside the data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.aws.athena import Athena
from chalicelib.aws.s3 import S3
from chalicelib.sales.batch import LATEST_REPORT, address, read_document, report_key
from chalicelib.sales.report import Report, page, plain_money

if TYPE_CHECKING:
    from collections.abc import Mapping


def report_sales(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"run": ..., "batch": ..., "analysis": [{"name", "query"}]}`.

    Returns:
        `{"headline", "facts", "lines", "report"}`: what the notice says, and the report's address.
    """
    queries = {each["name"]: each["query"] for each in event["analysis"]}
    return write(S3(), Athena(), event["run"], event["batch"], queries)


def write(s3: S3, athena: Athena, run: str, batch: str, queries: Mapping[str, str]) -> dict[str, Any]:
    """Read what the analysis found, write the page, and sum it up for the notice."""
    report = Report(
        run=run,
        made=datetime.now(UTC),
        summary=read_document(s3, batch, "summary"),
        checks=read_document(s3, batch, "checks"),
        results={name: athena.rows(query) for name, query in queries.items()},
    )
    html = page(report).encode()
    for key in (LATEST_REPORT, report_key(batch)):  # the latter's existence says that the report was made
        s3.put_text(settings.curated_bucket(), key, html, "text/html; charset=utf-8")
    return {**_told(report), "report": address(report_key(batch))}


def _told(report: Report) -> dict[str, Any]:
    summary, totals = report.summary, report.totals
    return {
        "headline": f"{summary['kept']:,} sales were added; {plain_money(totals.revenue)} in all.",
        "facts": {
            "Files": len(summary["files"]),
            "Rows read": summary["read"],
            "Rows kept": summary["kept"],
            "Rows rejected": sum(summary["rejected"].values()),
            "Sales in all": totals.sales,
        },
        "lines": [
            *(f"Rejected, {reason}: {rows:,}" for reason, rows in summary["rejected"].items()),
            "",
            "Revenue by month:",
            *(
                f"  {point.name}  {plain_money(point.revenue):>16}"
                for point in report.points("by_month")[-12:]
            ),
            "",
            *(f"Check passed: {each['name']}" for each in report.checks),
            "",
            f"The report: {address(LATEST_REPORT)}",
        ],
    }
