"""What every Task must have: a Retry that knows throttles, a time limit, a Catch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infrastructure.definition import Level, State, entries, errors, is_callback
from infrastructure.workflow_lint.finding import Problem, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITS = {"TimeoutSeconds", "TimeoutSecondsPath"}
HEARTBEATS = {"HeartbeatSeconds", "HeartbeatSecondsPath"}

ANY_FAILURE = {"States.ALL", "States.TaskFailed"}
"""The names that match a throttle along with everything else."""

LAMBDA_THROTTLE = "Lambda.TooManyRequestsException"

THROTTLE = re.compile(
    r"[A-Z]\w*\.\w*(Throttl|TooManyRequests|RateExceeded|SlowDown|LimitExceeded|ThroughputExceeded"
    r"|ConcurrentRunsExceeded|SdkClientException|RequestLimit)\w*"
)
"""How services name a call that came too fast, after their own prefix."""


def tasks(level: Level) -> Iterator[tuple[str, State]]:
    """Yield each Task of a level."""
    return ((name, state) for name, state in level.states.items() if state.get("Type") == "Task")


def without_retry(level: Level) -> Iterator[Problem]:
    """Every Task has a Retry."""
    for name, state in tasks(level):
        if not entries(state, "Retry"):
            yield name, "add Retry for the errors that a later attempt may not meet"


def without_throttle_retry(level: Level) -> Iterator[Problem]:
    """Find a Task whose Retry does not match the service's answer to too many calls."""
    for name, state in tasks(level):
        retried = [
            error
            for entry in entries(state, "Retry")
            if entry.get("MaxAttempts") != 0
            for error in errors(entry)
        ]
        if entries(state, "Retry") and not any(_matches_throttle(error, state) for error in retried):
            example = LAMBDA_THROTTLE if calls_lambda(state) else f"{_service(state)}.ThrottlingException"
            yield name, f"add {example} to a Retry: a burst would fail the run at the first refused call"


def without_timeout(level: Level) -> Iterator[Problem]:
    """Every Task has a time limit: without one it waits for a year."""
    for name, state in tasks(level):
        if is_callback(state):
            if not (WAITS | HEARTBEATS) & set(state):
                yield (
                    name,
                    "add HeartbeatSeconds or TimeoutSeconds; a lost answer is awaited for a year",
                )
        elif not WAITS & set(state):
            yield name, "add TimeoutSeconds; without it a lost task hangs for a year"


def without_catch(level: Level) -> Iterator[Problem]:
    """Every Task has a Catch, its own or one around it."""
    caught = any(entries(outer.states[name], "Catch") for outer, name in level.around())
    for name, state in tasks(level):
        if not caught and not entries(state, "Catch"):
            yield name, "add Catch for States.ALL that notifies and ends in a Fail state"


def retry_without_longest_wait(level: Level) -> Iterator[Problem]:
    """Every Retry has a longest wait."""
    for name, state in level.states.items():
        for position, entry in enumerate(entries(state, "Retry")):
            if entry.get("MaxAttempts") != 0 and "MaxDelaySeconds" not in entry:
                yield name, f"Retry[{position}]: add MaxDelaySeconds; doubling waits grow to hours"


def retry_without_jitter(level: Level) -> Iterator[Problem]:
    """Every Retry has full jitter."""
    for name, state in level.states.items():
        for position, entry in enumerate(entries(state, "Retry")):
            if entry.get("MaxAttempts") != 0 and entry.get("JitterStrategy") != "FULL":
                remedy = 'add "JitterStrategy": "FULL"; a burst would come back as a burst'
                yield name, f"Retry[{position}]: {remedy}"


def calls_lambda(state: State) -> bool:
    """Say whether a Task invokes a function: by its ARN, by a placeholder for one, or by `lambda:invoke`."""
    resource = str(state.get("Resource", ""))
    return ":lambda:" in resource or not resource.startswith("arn:")


def _matches_throttle(error: str, state: State) -> bool:
    if error in ANY_FAILURE:
        return True
    return error == LAMBDA_THROTTLE if calls_lambda(state) else bool(THROTTLE.fullmatch(error))


def _service(state: State) -> str:
    """Return the service's name as its error names begin, such as `Glue`, as near as the ARN tells."""
    words = str(state.get("Resource", "")).removeprefix("arn:aws:states:::").split(":")
    word = words[1] if words[0] == "aws-sdk" and len(words) > 1 else words[0]
    return word[:1].upper() + word[1:] if word.isalnum() else "<Service>"


RULES = (
    Rule("task-without-retry", "Every Task has a Retry.", without_retry),
    Rule(
        "retry-without-throttles",
        "Some Retry of every Task matches the service's throttle.",
        without_throttle_retry,
    ),
    Rule("task-without-timeout", "Every Task has a time limit.", without_timeout),
    Rule("task-without-catch", "Every Task is caught, by itself or by a state around it.", without_catch),
    Rule("retry-without-longest-wait", "Every Retry has MaxDelaySeconds.", retry_without_longest_wait),
    Rule("retry-without-jitter", "Every Retry has full jitter.", retry_without_jitter),
)
