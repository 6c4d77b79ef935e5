"""Approvals: the runs that wait for a person, and that person's answer."""

from __future__ import annotations

from dataclasses import asdict

from chalicelib import answers, approvals, errors, runs
from chalicelib.aws.s3 import S3
from chalicelib.aws.step_functions import StepFunctions
from chalicelib.rest.registration import caller, endpoint


@endpoint("GET", "/approvals", "List the runs that wait for a person's approval", answer=answers.Approvals)
def list_approvals() -> answers.Approvals:
    """List the runs that wait."""
    return answers.Approvals(waiting=[answers.Waiting(**asdict(asked)) for asked in approvals.waiting(S3())])


@endpoint(
    "POST",
    "/runs/{run}/approve",
    "Let a run that waits for approval go on",
    body=answers.Decision,
    answer=answers.RunAnswer,
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def approve_run(run: str, body: answers.Decision) -> answers.RunAnswer:
    """Approve a run."""
    found = runs.describe(StepFunctions(), run)
    approvals.approve(S3(), StepFunctions(), found.name, by=caller(), reason=body.reason)
    return answers.RunAnswer(**asdict(found))


@endpoint(
    "POST",
    "/runs/{run}/refuse",
    "End a run that waits for approval; its file goes to quarantine",
    body=answers.Decision,
    answer=answers.RunAnswer,
    raises=(errors.InvalidRequest, errors.UnknownRun, errors.UnknownPipeline, errors.RunConflict),
)
def refuse_run(run: str, body: answers.Decision) -> answers.RunAnswer:
    """Refuse a run."""
    found = runs.describe(StepFunctions(), run)
    approvals.refuse(S3(), StepFunctions(), found.name, by=caller(), reason=body.reason)
    return answers.RunAnswer(**asdict(found))
