"""What a notice tells people to type; every command stands here once."""

from __future__ import annotations

Commands = tuple[tuple[str, str], ...]
"""Pairs of what it is for and what to type."""


def closer(run: str, *, logs: bool = True) -> Commands:
    """Look at a run closer."""
    return (
        ("Look closer", f"decant runs show {run}"),
        *([("Its logs", f"decant logs {run}")] if logs else []),
    )


def failed(run: str) -> Commands:
    """Start a run again that failed, was stopped or timed out."""
    return (*closer(run), ("Try again", f"decant runs redrive {run}"))


def stuck(run: str) -> Commands:
    """Stop a run that takes too long."""
    return (*closer(run), ("Stop it", f"decant runs stop {run}"))


def rejected(run: str) -> Commands:
    """Put a file back from quarantine."""
    return (
        *closer(run, logs=False),
        ("All bad rows", f"decant quarantine show {run}"),
        ("Put it back", f"decant quarantine requeue {run} CORRECTED_FILE"),
    )


def quarantined_rows(run: str) -> Commands:
    """Put rows back that were set aside."""
    return (
        ("What to do", f"decant quarantine show {run}"),
        ("Put them back", f"decant quarantine requeue {run} CORRECTED_ROWS"),
    )


def decide(run: str) -> Commands:
    """Decide about a run that waits."""
    return (
        ("Let it go on", f'decant approvals approve {run} --reason "..."'),
        ("Refuse it", f'decant approvals refuse {run} --reason "..."'),
    )


def ask_again(run: str) -> Commands:
    """Ask again about a run that nobody decided on."""
    return (("Ask again", f"decant runs redrive {run}"),)


def of_pipeline(pipeline: str, outcome: str) -> Commands:
    """List the runs of a pipeline that ended one way, and what can be done about them."""
    listed = (("All of them", f"decant runs list --pipeline {pipeline} --outcome {outcome}"),)
    held = (("In quarantine", f"decant quarantine list --pipeline {pipeline}"),)
    return (*listed, *(held if outcome == "rejected" else ()))


def late(pipeline: str) -> Commands:
    """Look at what is missing or late."""
    return (("Look closer", "decant late"), ("Its runs", f"decant runs list --pipeline {pipeline}"))


def day() -> Commands:
    """Look at what a digest counts."""
    return (
        ("Failed runs", "decant runs list --outcome failed"),
        ("In quarantine", "decant quarantine list"),
        ("Waiting", "decant approvals list"),
        ("Late", "decant late"),
    )
