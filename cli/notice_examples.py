"""The examples in docs/notices.md, written by the code that writes the notices."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from chalicelib.notices import Notice, notice
from chalicelib.notices.formats import texts

MADE = re.compile(r"(<!-- made: (?P<name>\w+) (?P<format>\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

NOW = datetime(2026, 1, 31, 5, 3, 12, tzinfo=UTC)
RUN = "orders-0f2b6c8d9e4a1b3c5d7e9f01"
CONSOLE = "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/api/console"
FILE = {
    "bucket": "decant-prod-landing-123456789012",
    "key": "incoming/orders/january.csv",
    "etag": "9b2cf535f27731c974343645a3985328",
    "version": None,
    "size": 48_230,
}


def page(text: str) -> str:
    """Return a page with every example in it as the code makes it today."""
    return MADE.sub(_example, text)


def examples() -> dict[str, Notice]:
    """Return the notices that are shown, by name."""
    report = {"rows": 200, "good_rows": 200, "bad_rows": 0, "flags": [], "defects": []}
    defects = [
        _defect(8, "gift", "type", "'maybe' is no boolean: write true or false"),
        _defect(41, "country", "allowed", "'XX' is none of DE, ES, FR, GB, PT, US"),
    ]
    bad = {**report, "bad_rows": 14, "reason": "14 of 200 rows are bad", "defects": defects}
    place = f"s3://decant-prod-quarantine-123456789012/orders/{RUN}"
    cause = (
        "Glue job decant-prod-process_csv, run jr_51c0: FAILED. Java heap space\n"
        "Its log ends: java.lang.OutOfMemoryError: Java heap space"
    )
    return {
        "failed": _notice(
            "failed", {"error": {"Error": "GlueJobFailed", "Cause": cause}, "validate_file": report}
        ),
        "rejected": _notice(
            "rejected",
            {
                "validate_file": bad,
                "quarantine_file": {"file": f"{place}/file/january.csv", "report": f"{place}/report.json"},
            },
        ),
        "waiting": _notice(
            "waiting",
            {
                "validate_file": bad,
                "why": ["14 rows are bad, more than 10"],
                "expires": "2026-02-01T05:03:12.000Z",
            },
        ),
    }


def _notice(outcome: str, details: dict[str, Any]) -> Notice:
    event = {"run": RUN, "pipeline": "orders", "file": FILE, "started": "2026-01-31T05:00:00.000Z"}
    return notice({**event, "outcome": outcome, "details": details}, NOW).at(CONSOLE)


def _defect(line: int, column: str, rule: str, message: str) -> dict[str, Any]:
    return {"row": line - 1, "line": line, "column": column, "rule": rule, "message": message}


def _example(found: re.Match[str]) -> str:
    shown, form = examples()[found["name"]], found["format"]
    if form == "text":
        block = f"```text\nSubject: {shown.subject}\n\n{shown.body}```\n"
    else:
        document = json.loads(texts(shown)["https" if form == "card" else "sqs"])
        block = f"```json\n{json.dumps(document, indent=2, ensure_ascii=False)}\n```\n"
    return f"{found[1]}\n{block}\n{found[4]}"
