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

UNUSUAL = {
    "schema_evolved": "the file has columns that the pipeline does not declare; they were kept as text",
    "unusual_row_count": "the file has more or fewer rows than this pipeline's files usually have",
}
"""What a flag of validation means to people; rows in quarantine are told of by themselves."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One message: `attributes` are what subscribers may filter by."""

    subject: str
    body: str
    attributes: dict[str, str] = field(default_factory=dict)


def notice(event: dict[str, Any]) -> Notice:
    """Write the notice for a run's end.

    Args:
        event: `outcome` (succeeded, rejected, failed, expired, or waiting for approval), `run`, `pipeline`,
            `started`, `details`, and what it worked on: `file`, or the `parameters` of a batch. A batch
            that succeeded says in `details` what it did: `headline`, `facts` (by name) and, when there is
            more to say, `lines`; so may one that failed in part, beside its `error`.
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
    if "Pipeline" in facts:  # a batch of another pipeline's files
        facts["Files of"] = facts.pop("Pipeline")
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


def _succeeded(event: dict[str, Any], details: dict[str, Any]) -> tuple[str, list[str]]:
    if "headline" in details:
        return _done(details)
    report = details["validate_file"]
    catalogue = details["catalogue"]
    lines = [f"Catalogue: {catalogue['database']}.{catalogue['table']}, {catalogue['rows']:,} rows"]
    load = details.get("copy_to_redshift")
    if load:
        again = ", which an earlier attempt had loaded" if load["already"] else ""
        lines.append(f"Warehouse: {load['table']}, {load['rows']:,} rows{again}")
    lines += [f"Unusual:   {UNUSUAL[flag]}" for flag in report["flags"] if flag in UNUSUAL]
    if not report["bad_rows"]:
        return f"The file was loaded: {report['good_rows']:,} rows.", lines
    bad = f"{report['bad_rows']:,} quarantined"
    return f"The file was loaded: {report['good_rows']:,} rows loaded, {bad}.", [
        *lines,
        "",
        *_offending(report),
        "",
        f"All of them: {report['reject_file']}",
        f"What to do:  decant quarantine show {event['run']}",
    ]


def _rejected(event: dict[str, Any], details: dict[str, Any]) -> tuple[str, list[str]]:
    report, quarantine = details["validate_file"], details["quarantine_file"]
    return f"The file was rejected: {report['reason']}", [
        *_offending(report),
        "",
        f"The file is now at {quarantine['file']}",
        f"The whole report:  {quarantine['report']}",
        "",
        "What to do:  correct the file and put it back; nothing of it was loaded:",
        f"             decant quarantine requeue {event['run']} CORRECTED_FILE",
        f"Look closer: decant runs show {event['run']}",
    ]


def _offending(report: dict[str, Any]) -> list[str]:
    """Return the first offending rows and how many more there are."""
    shown = report["defects"][:ROWS_SHOWN]
    left = report.get("bad_rows", 0) - len({defect.get("row") for defect in shown})
    lines = ["First offending rows:", *map(_defect, shown)] if shown else []
    return [*lines, f"  ... and {left:,} more rows; the report counts all of them."] if left > 0 else lines


def _failed(event: dict[str, Any], details: dict[str, Any]) -> tuple[str, list[str]]:
    error = details["error"]
    if "headline" in details:  # a batch that did a part of its work and says which
        headline, told = _done(details)
        headline = f"{error['Error']}: {headline}."
    else:
        headline = f"The run failed: {error['Error']}."
        told = [readable_cause(error.get("Cause", ""))[:LONGEST_CAUSE]]
    return headline, [
        *told,
        "",
        *(["Nothing is half-loaded: the load is one transaction."] if "file" in event else []),
        f"Look closer: decant runs show {event['run']}",
        f"Try again:   decant runs redrive {event['run']}",
    ]


def _waiting(event: dict[str, Any], details: dict[str, Any]) -> tuple[str, list[str]]:
    report = details["validate_file"]
    bad = f", {report['bad_rows']:,} of them bad" if report["bad_rows"] else ""
    return f"The run waits for approval: {'; '.join(details['why'])}.", [
        f"Rows:     {report['rows']:,}{bad}",
        f"Until:    {details['expires']}; then the run ends as expired",
        "",
        *_offending(report),
        *([""] if report["defects"] else []),
        "Nothing is written before somebody decides.",
        f'Let it go on: decant approvals approve {event["run"]} --reason "..."',
        f'Refuse it:    decant approvals refuse {event["run"]} --reason "..."',
    ]


def _expired(event: dict[str, Any], _details: dict[str, Any]) -> tuple[str, list[str]]:
    return "The run expired: nobody approved or refused it in time.", [
        "Nothing of the file was loaded; it is still where it landed.",
        f"Ask again: decant runs redrive {event['run']}",
    ]


_WORDS = {
    "succeeded": _succeeded,
    "rejected": _rejected,
    "failed": _failed,
    "waiting": _waiting,
    "expired": _expired,
}


def _defect(defect: dict[str, Any]) -> str:
    where = f"line {defect['line']}" if defect.get("line") else f"row {defect.get('row')}"
    column = f", column {defect['column']}" if defect.get("column") else ""
    return f"  {where}{column}: {defect['message']}"


def _subject(text: str) -> str:
    plain = "".join(character if " " <= character <= "~" else "?" for character in text)
    return plain if len(plain) <= LONGEST_SUBJECT else plain[: LONGEST_SUBJECT - 3] + "..."
