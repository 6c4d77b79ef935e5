"""What people are told when data is late, and when it has come."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from chalicelib.notices import commands, console
from chalicelib.notices.notice import Notice, took

if TYPE_CHECKING:
    from chalicelib.service_levels import Standing


def late(standing: Standing) -> Notice:
    """Tell that a pipeline's data is not there."""
    return Notice(
        name=standing.name,
        pipeline=standing.pipeline,
        outcome="late",
        severity="error",
        title=f"nothing by {standing.expected_by}",
        headline=f"No data of {standing.pipeline} by {standing.expected_by}: {standing.why}.",
        facts=_facts(standing),
        next="you are told once more when it arrives.",
        commands=commands.late(standing.pipeline),
        page=console.LATE,
        details=asdict(standing),
    )


def arrived(standing: Standing) -> Notice:
    """Tell that the data that was late has come."""
    return Notice(
        name=standing.name,
        pipeline=standing.pipeline,
        outcome="arrived",
        severity="info",
        title=f"{took(standing.seconds_late)} after {standing.expected_by}",
        headline=f"The data of {standing.pipeline} is there, {took(standing.seconds_late)} late.",
        facts={**_facts(standing), "Run": standing.run or "", "Arrived": standing.at or ""},
        commands=commands.closer(standing.run or "", logs=False),
        page=console.of_run(standing.run) if standing.run else console.LATE,
        details=asdict(standing),
    )


def _facts(standing: Standing) -> dict[str, str]:
    return {
        "Pipeline": standing.pipeline,
        "Expected": f"every day by {standing.expected_by}",
        "Deadline": standing.deadline,
    }
