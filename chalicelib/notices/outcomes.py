"""The words for each outcome of a run: what happened, what happens next, what to type."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from chalicelib.flags import MEANINGS
from chalicelib.notices import commands
from chalicelib.notices.notice import UNKNOWN, Rows, Severity, aligned
from chalicelib.upstream import Upstream, decoded

ROWS_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the notice of a run says beside its facts; `Notice` explains the names."""

    headline: str
    severity: Severity
    lines: tuple[str, ...] = ()
    next: str = ""
    commands: tuple[tuple[str, str], ...] = ()
    rows: Rows = UNKNOWN
    error: dict[str, Any] | None = None
    offending: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    cause: str | None = None


def told(event: dict[str, Any]) -> Told:
    """Return the words for a run's outcome."""
    return _WORDS[event["outcome"]](event, event["details"])


def _succeeded(event: dict[str, Any], details: dict[str, Any]) -> Told:
    if "headline" in details:
        return Told(headline=details["headline"], severity="info", lines=_done(details))
    report, catalogue, load = details["validate_file"], details["catalogue"], details.get("copy_to_redshift")
    bad, unusual = report["bad_rows"], [flag for flag in report["flags"] if flag != "rows_quarantined"]
    lines = [f"Catalogue: {catalogue['database']}.{catalogue['table']}, {catalogue['rows']:,} rows"]
    if load:
        again = ", which an earlier attempt had loaded" if load["already"] else ""
        lines.append(f"Warehouse: {load['table']}, {load['rows']:,} rows{again}")
    lines += [f"Unusual:   {MEANINGS[flag]}" for flag in unusual if flag in MEANINGS]
    good = report["good_rows"]
    headline = f"The file was loaded: {good:,} rows" + (f" loaded, {bad:,} quarantined." if bad else ".")
    if bad:
        lines += ["", *_shown(report), "", f"All of them: {report['reject_file']}"]
    return Told(
        headline=headline,
        severity="warning" if bad or unusual else "info",
        lines=tuple(lines),
        next="correct the rows that were set aside and put them back." if bad else "",
        commands=commands.quarantined_rows(event["run"])
        if bad
        else commands.closer(event["run"], logs=False),
        rows=Rows(read=good + bad, loaded=good, rejected=bad),
        offending=_first(report),
        cause="loaded " + ", ".join(sorted([*report["flags"], *_broken(report)])),
    )


def _rejected(event: dict[str, Any], details: dict[str, Any]) -> Told:
    report, quarantine = details["validate_file"], details.get("quarantine_file")
    places = (
        (f"The file is now at {quarantine['file']}", f"The whole report:  {quarantine['report']}")
        if quarantine
        else ()
    )
    return Told(
        headline=f"The file was rejected: {report['reason']}",
        severity="warning",
        lines=(
            *_shown(report),
            *([""] if report["defects"] else []),
            *places,
        ),
        next="nothing of it was loaded; correct the file and put it back.",
        commands=commands.rejected(event["run"]),
        rows=Rows(read=report.get("rows"), loaded=0, rejected=report.get("bad_rows")),
        offending=_first(report),
        cause=", ".join([_without_numbers(str(report["reason"])), *_broken(report)]),
    )


def _failed(event: dict[str, Any], details: dict[str, Any]) -> Told:
    error = decoded(details["error"])
    if "headline" in details:  # a batch that did a part of its work and says which
        headline, lines = f"{error.error}: {details['headline']}.", _done(details)
    else:
        headline, lines = f"The run failed: {error.error}.", error.lines
    kept = "the load is one transaction and " if "file" in event else ""
    half = f"{kept}nothing is half-loaded; " if "file" in event else ""
    return Told(
        headline=headline,
        severity="error",
        lines=lines,
        next=f"{half}nothing tries again by itself: mend the cause, then redrive the run.",
        commands=commands.failed(event["run"]),
        rows=_read(details),
        error=_error(error),
        cause=f"{error.error}: {_without_numbers(error.message)}",
    )


def _ended(event: dict[str, Any], details: dict[str, Any]) -> Told:
    """Tell of a run that ended without a word of its own: stopped, or over its workflow's time."""
    error = decoded(details.get("error") or {})
    stopped = event["outcome"] == "stopped"
    headline = "The run was stopped" if stopped else "The run took longer than its workflow allows"
    return Told(
        headline=f"{headline}.",
        severity="warning" if stopped else "error",
        lines=error.lines,
        next="nothing goes on by itself; a redrive goes on where it was.",
        commands=commands.failed(event["run"]),
        error=_error(error),
        cause=f"{event['outcome']} {_without_numbers(error.message)}",
    )


def _stuck(event: dict[str, Any], details: dict[str, Any]) -> Told:
    return Told(
        headline=f"The run has been under way for {details['for']}; its limit is {details['limit']}.",
        severity="error",
        next="it goes on until it ends, is stopped, or its workflow's own limit ends it.",
        commands=commands.stuck(event["run"]),
        cause="stuck",
    )


def _waiting(event: dict[str, Any], details: dict[str, Any]) -> Told:
    report = details["validate_file"]
    return Told(
        headline=f"The run waits for approval: {'; '.join(details['why'])}.",
        severity="action",
        lines=(f"Until: {details['expires']}; then the run ends as expired.", *_shown(report, before=[""])),
        next="nothing is written before somebody decides.",
        commands=commands.decide(event["run"]),
        rows=Rows(read=report["rows"], rejected=report["bad_rows"]),
        offending=_first(report),
    )


def _expired(event: dict[str, Any], _details: dict[str, Any]) -> Told:
    return Told(
        headline="The run expired: nobody approved or refused it in time.",
        severity="warning",
        next="nothing of the file was loaded; it is still where it landed.",
        commands=commands.ask_again(event["run"]),
        cause="expired",
    )


_WORDS = {
    "succeeded": _succeeded,
    "rejected": _rejected,
    "failed": _failed,
    "stopped": _ended,
    "timed_out": _ended,
    "stuck": _stuck,
    "waiting": _waiting,
    "expired": _expired,
}


def _done(details: dict[str, Any]) -> tuple[str, ...]:
    facts = {
        name: f"{value:,}" if isinstance(value, int) else str(value)
        for name, value in details.get("facts", {}).items()
    }
    more = details.get("lines", ())
    return (*aligned(facts), *([""] if facts and more else []), *more)


def _read(details: dict[str, Any]) -> Rows:
    report = details.get("validate_file")
    return Rows(read=report["rows"], loaded=0) if report else UNKNOWN


def _error(error: Upstream) -> dict[str, Any]:
    return {"error": error.error, "service": error.service, "message": error.message}


def _shown(report: dict[str, Any], before: list[str] | None = None) -> list[str]:
    """Return the first offending rows and how many more there are."""
    shown = report["defects"][:ROWS_SHOWN]
    left = report.get("bad_rows", 0) - len({defect.get("row") for defect in shown})
    lines = ["First offending rows:", *map(_defect, shown)] if shown else []
    lines += [f"  ... and {left:,} more rows; the report counts all of them."] if left > 0 else []
    return [*(before or []), *lines] if lines else []


def _first(report: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    names = ("row", "line", "column", "rule", "message")
    return tuple(
        {name: defect.get(name) for name in names} for defect in report.get("defects", ())[:ROWS_SHOWN]
    )


def _broken(report: dict[str, Any]) -> list[str]:
    """Return which rules of which columns are broken: files that break the same ones have one cause."""
    return sorted(
        {f"{defect.get('column')}:{defect.get('rule')}" for defect in report.get("defects", ())[:ROWS_SHOWN]}
    )


def _defect(defect: dict[str, Any]) -> str:
    where = f"line {defect['line']}" if defect.get("line") else f"row {defect.get('row')}"
    column = f", column {defect['column']}" if defect.get("column") else ""
    return f"  {where}{column}: {defect['message']}"


def _without_numbers(text: str) -> str:
    """Return what two texts of one cause share: no addresses, names in quotes, ids, dates or numbers."""
    text = re.sub(r"s3://\S+|arn:\S+|'[^']*'|\"[^\"]*\"|`[^`]*`", "?", text[:2000])
    text = re.sub(r"\b\w*\d\w*(?:-\w*\d\w*)*\b", "#", text)
    return re.sub(r"\s+", " ", text).strip().lower()[:300]
