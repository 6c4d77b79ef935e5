"""Compare what the checks counted with what is allowed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from chalicelib import settings
from chalicelib.aws.athena import Athena
from chalicelib.aws.s3 import S3
from chalicelib.sales.batch import document_key, read_document
from chalicelib.sales.checks import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.sales.checks import Finding

FILES_NAMED = 10


def judge_sales(event: dict[str, Any]) -> dict[str, Any]:
    """Handle `{"batch": ..., "parameters": {...}, "checks": [{"name", "query"}]}`.

    Returns:
        `{"passed", "error", "cause"}`; error and cause are empty when every check passed.
    """
    return judge_batch(S3(), Athena(), event["batch"], event["parameters"], event["checks"])


def judge_batch(
    s3: S3, athena: Athena, batch: str, parameters: Mapping[str, str], checks: list[dict[str, str]]
) -> dict[str, Any]:
    """Read each check's one row, and write the findings down beside the batch."""
    counted = {}
    for check in checks:
        (row,) = athena.rows(check["query"])
        counted[check["name"]] = int(row["bad"] or 0), int(row["total"] or 0)
    findings = judge(counted, parameters)
    document = [{**asdict(each), "passed": each.passed} for each in findings]
    s3.put_json(settings.curated_bucket(), document_key(batch, "checks"), document)
    passed = all(each.passed for each in findings)
    cause = "" if passed else _cause(findings, read_document(s3, batch, "summary"))
    return {"passed": passed, "error": "" if passed else "ChecksFailed", "cause": cause}


def _cause(findings: list[Finding], summary: dict[str, Any]) -> str:
    failed = sum(not each.passed for each in findings)
    reasons = ", ".join(f"{rows:,} {reason}" for reason, rows in summary["rejected"].items())
    rejected = f"{sum(summary['rejected'].values()):,} rejected" + (f" ({reasons})" if reasons else "")
    names = summary["files"]
    more = f" and {len(names) - FILES_NAMED} more" if len(names) > FILES_NAMED else ""
    return "\n".join(
        [
            f"{failed} of {len(findings)} checks failed, so nothing of this batch was published:",
            *(f"  {'passed' if each.passed else 'FAILED'}  {each.sentence}" for each in findings),
            f"Rows: {summary['read']:,} read, {summary['kept']:,} kept, {rejected}",
            f"Files: {', '.join(names[:FILES_NAMED])}{more}",
            "What to do: correct or delete the files, then start again; until then each night meets them.",
        ]
    )
