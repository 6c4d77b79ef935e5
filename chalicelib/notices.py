"""What people are told: a subject and a body that say what happened and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chalicelib.files import File
from chalicelib.history import readable_cause

LONGEST_SUBJECT = 99
"""SNS refuses a subject of 100 characters or more, and anything but printable ASCII."""

ROWS_SHOWN = 10

LONGEST_CAUSE = 2000


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One message: `attributes` are what subscribers may filter by."""

    subject: str
    body: str
    attributes: dict[str, str] = field(default_factory=dict)


def notice(event: dict[str, Any]) -> Notice:
    """Write the notice for a run's end.

    Args:
        event: `outcome` (succeeded, rejected or failed), `run`, `pipeline`, `started`, `details`, and what it
            worked on: `file`, or the `parameters` of a batch. A batch that succeeded says in `details` what
            it did: `headline`, `facts` (by name) and, when there is more to say, `lines`.
    """
    outcome, pipeline = event["outcome"], event["pipeline"]
    what, facts = _of_file(event) if "file" in event else _of_batch(event)
    headline, lines = _WORDS[outcome](event, event["details"])
    facts = {"Pipeline": pipeline, **facts, "Run": event["run"], "Started": event["started"]}
    width = max(map(len, facts)) + 1
    return Notice(
        subject=_subject(f"[{pipeline}] {outcome}: {what}"),
        body="\n".join([headline, "", *_aligned(facts, width), "", *lines, ""]),
        attributes={"pipeline": pipeline, "outcome": outcome},
    )


def _of_file(event: dict[str, Any]) -> tuple[str, dict[str, str]]:
    file = File.from_document(event["file"])
    return file.key.rsplit("/", 1)[-1], {"File": file.uri, "Size": f"{file.size:,} bytes"}


def _of_batch(event: dict[str, Any]) -> tuple[str, dict[str, str]]:
    facts = {name.replace("_", " ").capitalize(): value for name, value in event["parameters"].items()}
    return str(event["details"].get("headline") or event["details"]["error"]["Error"]), facts


def _aligned(facts: dict[str, str], width: int) -> list[str]:
    return [f"{name + ':':<{width}} {value}" for name, value in facts.items()]


def _done(details: dict[str, Any]) -> tuple[str, list[str]]:
    facts = {
        name: f"{value:,}" if isinstance(value, int) else str(value)
        for name, value in details.get("facts", {}).items()
    }
    width = max(map(len, facts), default=0) + 1
    lines = [
        *_aligned(facts, width),
        *([""] if facts and details.get("lines") else []),
        *details.get("lines", ()),
    ]
    return details["headline"], lines


def _succeeded(_event: dict[str, Any], details: dict[str, Any]) -> tuple[str, list[str]]:
    if "headline" in details:
        return _done(details)
    rows = details["validate_file"]["rows"]
    catalogue = details["catalogue"]
    lines = [f"Catalogue: {catalogue['database']}.{catalogue['table']}, {catalogue['rows']:,} rows"]
    load = details.get("copy_to_redshift")
    if load:
        again = ", which an earlier attempt had loaded" if load["already"] else ""
        lines.append(f"Warehouse: {load['table']}, {load['rows']:,} rows{again}")
    return f"The file was loaded: {rows:,} rows.", lines


def _rejected(event: dict[str, Any], details: dict[str, Any]) -> tuple[str, list[str]]:
    report, quarantine = details["validate_file"], details["quarantine_file"]
    lines = [_defect(defect) for defect in report["defects"][:ROWS_SHOWN]]
    left = report.get("bad_rows", 0) - len({defect.get("row") for defect in report["defects"][:ROWS_SHOWN]})
    if lines:
        lines = ["First offending rows:", *lines]
    if left > 0:
        lines.append(f"  ... and {left:,} more rows; the report counts all of them.")
    return f"The file was rejected: {report['reason']}", [
        *lines,
        "",
        f"The file is now at {quarantine['file']}",
        f"The whole report:  {quarantine['report']}",
        "",
        "What to do: correct the file and drop it again; nothing of it was loaded.",
        f"Look closer: decant runs show {event['run']}",
    ]


def _failed(event: dict[str, Any], details: dict[str, Any]) -> tuple[str, list[str]]:
    error = details["error"]
    return f"The run failed: {error['Error']}.", [
        readable_cause(error.get("Cause", ""))[:LONGEST_CAUSE],
        "",
        *(["Nothing is half-loaded: the load is one transaction."] if "file" in event else []),
        f"Look closer: decant runs show {event['run']}",
        f"Try again:   decant runs redrive {event['run']}",
    ]


_WORDS = {"succeeded": _succeeded, "rejected": _rejected, "failed": _failed}


def _defect(defect: dict[str, Any]) -> str:
    where = f"line {defect['line']}" if defect.get("line") else f"row {defect.get('row')}"
    column = f", column {defect['column']}" if defect.get("column") else ""
    return f"  {where}{column}: {defect['message']}"


def _subject(text: str) -> str:
    plain = "".join(character if " " <= character <= "~" else "?" for character in text)
    return plain if len(plain) <= LONGEST_SUBJECT else plain[: LONGEST_SUBJECT - 3] + "..."
