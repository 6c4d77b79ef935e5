"""The day in one notice: what ran, what failed and why, and what waits for somebody."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib import approvals, quarantined, sent_notices, service_levels
from chalicelib.history import iso
from chalicelib.notices import by_day, commands, console, folding
from chalicelib.notices.notice import Notice, Rows
from chalicelib.notices.sending import send_at_once

if TYPE_CHECKING:
    from chalicelib.aws.s3 import S3
    from chalicelib.aws.sns import SNS
    from chalicelib.aws.step_functions import StepFunctions
    from chalicelib.sent_notices import SentNotice
    from chalicelib.service_levels import Standing

OUTCOMES = ("succeeded", "rejected", "failed", "expired", "stopped", "timed_out")
"""The ends of runs that are counted, in this order."""

CAUSES_SHOWN = 5

MOST_HELD = 100
"""Entries of quarantine that are counted; more are told of as that many or more."""


@dataclass
class _Day:
    """What one pipeline did."""

    outcomes: Counter[str] = field(default_factory=Counter)
    read: int = 0
    loaded: int = 0
    rejected: int = 0

    def __str__(self) -> str:
        ended = [word for word in OUTCOMES if self.outcomes[word]]
        ends = ", ".join(f"{self.outcomes[word]:,} {word.replace('_', ' ')}" for word in ended)
        rows = (
            f"; rows: {Rows(read=self.read, loaded=self.loaded, rejected=self.rejected)}" if self.read else ""
        )
        return f"{ends}{rows}"


def send_digest(states: StepFunctions, s3: S3, sns: SNS, now: datetime) -> SentNotice | None:
    """Send the digest of the 24 hours before `now`, once for each date, unless there is nothing to say."""
    if sent_notices.exists(s3, _name(now), "digest"):
        return None
    found = digest(states, s3, now)
    return send_at_once(s3, sns, found, now) if found else None


def digest(states: StepFunctions, s3: S3, now: datetime) -> Notice | None:
    """Write the digest, or return None when nothing ran, waits or is late."""
    days: dict[str, _Day] = defaultdict(_Day)
    causes: Counter[tuple[str, str, str]] = Counter()
    for told in {
        (each.name, each.outcome): each for each in by_day.between(s3, now - timedelta(days=1), now)
    }.values():
        if told.outcome not in OUTCOMES:
            continue
        day = days[told.pipeline]
        day.outcomes[told.outcome] += 1
        day.read += told.rows.read or 0
        day.loaded += told.rows.loaded or 0
        day.rejected += told.rows.rejected or 0
        if told.outcome != "succeeded":
            causes[told.pipeline, told.outcome, told.cause] += 1
    waiting = [asked.run for asked in approvals.waiting(s3)]
    held, more = quarantined.page(s3, pipeline=None, everything=False, limit=MOST_HELD, cursor=None)
    late = [
        each for each in service_levels.standings(states, s3, now) if each.standing in {"late", "arrived"}
    ]
    if not (days or waiting or late or held):
        return None
    count = f"{len(held):,}{' or more' if more else ''}"
    top = [
        (number, pipeline, outcome, folding.cause_of(s3, pipeline, outcome, cause))
        for (pipeline, outcome, cause), number in causes.most_common(CAUSES_SHOWN)
    ]
    bad = sum(number for day in days.values() for word, number in day.outcomes.items() if word != "succeeded")
    good = sum(day.outcomes["succeeded"] for day in days.values())
    return Notice(
        name=_name(now),
        pipeline="all",
        outcome="digest",
        severity="warning" if bad or late or waiting else "info",
        title=f"{good:,} runs succeeded, {bad:,} did not, {len(late):,} late, {len(waiting):,} to decide",
        headline=f"The 24 hours until {iso(now)[:16].replace('T', ' ')} UTC.",
        facts={name: str(days[name]) for name in sorted(days)},
        lines=(
            *_section("Why runs did not succeed:", [f"{n:,}x [{p}] {o}: {cause}" for n, p, o, cause in top]),
            *_section("Late:", [_late(each) for each in late]),
            f"Waiting for approval: {len(waiting):,}",
            *[f"  {run}" for run in waiting[:CAUSES_SHOWN]],
            f"Waiting in quarantine: {count}",
        ),
        commands=commands.day(),
        page=console.RUNS,
        details={
            "until": iso(now),
            "pipelines": {
                name: {
                    **day.outcomes,
                    "rows": {"read": day.read, "loaded": day.loaded, "rejected": day.rejected},
                }
                for name, day in sorted(days.items())
            },
            "causes": [{"count": n, "pipeline": p, "outcome": o, "cause": cause} for n, p, o, cause in top],
            "late": [each.pipeline for each in late],
            "waiting": waiting,
            "quarantine": len(held),
        },
    )


def _name(now: datetime) -> str:
    return f"digest-{now.date().isoformat()}"


def _section(heading: str, lines: list[str]) -> list[str]:
    return [heading, *(f"  {line}" for line in lines), ""] if lines else []


def _late(standing: Standing) -> str:
    return (
        f"{standing.pipeline}, expected by {standing.expected_by}: {standing.why or f'came at {standing.at}'}"
    )
