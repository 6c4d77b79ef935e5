"""Where each pattern of orchestration is used, drawn from the definitions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.workflow_diagram import mermaid_of

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One pattern.

    Attributes:
        name: what the field calls it.
        meaning: when to use it, in a sentence.
        workflow, states: one place where it is used.
    """

    name: str
    meaning: str
    workflow: str
    states: tuple[str, ...]


PATTERNS = (
    Pattern(
        name="Sequential",
        meaning="Each step needs what the one before it made.",
        workflow="flight_metrics",
        states=("CombineFlights", "ComputeMetrics", "LoadMetrics", "PublishMetrics"),
    ),
    Pattern(
        name="Fan-out, fan-in",
        meaning="Parts that do not need each other run side by side; the next step waits for all of them.",
        workflow="flight_metrics",
        states=("FindFlightFiles", "CleanInputs", "CombineFlights"),
    ),
    Pattern(
        name="Fan-out over items",
        meaning="The same for each item of a list as long as it happens to be, so many at once.",
        workflow="load_batch",
        states=(
            "PlanBatch",
            "IsAnythingToLoad",
            "LoadEach",
            "SummariseBatch",
            "IsBatchOver",
            "IsBatchComplete",
            "NotifyIncomplete",
            "BatchIncomplete",
        ),
    ),
    Pattern(
        name="Conditional",
        meaning="What a step found out decides the way.",
        workflow="load_file",
        states=(
            "ValidateFile",
            "IsFileValid",
            "RequestApproval",
            "KeepGoodRows",
            "IsFileSmall",
            "QuarantineFile",
        ),
    ),
    Pattern(
        name="First run, later run",
        meaning="What exists already decides whether to make everything or to add what is new.",
        workflow="nyc_taxi",
        states=("ShowTables", "GetTables", "IsFirstRun", "PlanTaxiFirstRun", "ShowMonths"),
    ),
    Pattern(
        name="Start, wait, check",
        meaning="What takes long is started and looked at after growing waits, up to a limit.",
        workflow="load_file",
        states=("StartGlueJob", "CheckGlueJob", "IsGlueJobDone", "WaitForGlueJob", "DidGlueJobSucceed"),
    ),
    Pattern(
        name="Retry with backoff",
        meaning="What may pass is tried again after growing waits with jitter; the rest is caught at once.",
        workflow="load_file",
        states=("CopyToRedshift", "NotifySucceeded", "NotifyFailed"),
    ),
    Pattern(
        name="Error, log, notice, dead letter",
        meaning="A failure is logged and told of, and kept in a queue even if nobody could be told.",
        workflow="load_file",
        states=("CopyToRedshift", "NotifyFailed", "KeepDeadLetter", "RunFailed"),
    ),
    Pattern(
        name="Callback",
        meaning="The run waits for a person, who answers with the task's token, or does not in time.",
        workflow="load_file",
        states=("RequestApproval", "AreRowsSetAside", "GiveReason", "QuarantineFile", "NotifyExpired"),
    ),
)
"""Every name of a state is looked up when the page is made: one that is gone fails `make docs`."""


def patterns_section() -> str:
    """Return the part of docs/workflows.md about the patterns."""
    parts = ["## Patterns\n", "| pattern | when | where |", "| --- | --- | --- |"]
    for pattern in PATTERNS:
        where = f"[{pattern.workflow}](#{pattern.workflow}): {', '.join(pattern.states)}"
        parts.append(f"| {pattern.name} | {pattern.meaning} | {where} |")
    parts.append("")
    for pattern in PATTERNS:
        path = ROOT / "workflows" / f"{pattern.workflow}.asl.json"
        states: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["States"]
        drawn = mermaid_of({name: states[name] for name in pattern.states})
        parts += [
            f"### {pattern.name}\n",
            f"{pattern.meaning} In {pattern.workflow}:\n",
            f"```mermaid\n{drawn}```\n",
        ]
        parts += _retries(pattern, states)
    return "\n".join(parts)


def _retries(pattern: Pattern, states: dict[str, Any]) -> list[str]:
    if "Retry" not in pattern.name:
        return []
    rows = [
        f"| {', '.join(rule['ErrorEquals'])} | {rule['MaxAttempts']} | {rule['IntervalSeconds']} s, then "
        f"{rule['BackoffRate']:g} times as long each, at most {rule['MaxDelaySeconds']} s |"
        for rule in states[pattern.states[0]]["Retry"]
    ]
    return [
        f"{pattern.states[0]} is tried again after:\n",
        "| errors | times | waits |",
        "| --- | --- | --- |",
        *rows,
        "",
    ]
