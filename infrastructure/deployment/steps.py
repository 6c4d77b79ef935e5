"""Named, timed steps, done one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infrastructure.deployment.failures import EXPECTED, DeploymentFailedError, explained

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infrastructure.deployment.target import Target


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing to do; doing it again is harmless.

    Attributes:
        name: what it does, such as `infrastructure stack`.
        do: does it and returns what there is to say.
        remedy: what helps when it fails.
    """

    name: str
    do: Callable[[], str]
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Done:
    """A step that is done, with what it said and the seconds that it took."""

    name: str
    said: str
    seconds: float


def take(
    steps: Iterable[Step],
    target: Target,
    *,
    again: str,
    begin: Callable[[str], None],
    tell: Callable[[Done], None],
) -> list[Done]:
    """Take the steps in order.

    Args:
        steps: what to do.
        target: the stage.
        again: the command that goes on after a failure.
        begin: is told a step's name before it is taken.
        tell: is told each step that is done.

    Raises:
        DeploymentFailedError: a step failed; the message names it, says why and how to go on.
    """
    done = []
    for step in steps:
        begin(step.name)
        started = time.monotonic()
        try:
            said = step.do()
        except EXPECTED as error:
            remedy = getattr(error, "remedy", "")
            helps = [] if remedy else [step.remedy]
            message = f"{step.name}: {explained(error, target)}"
            raise DeploymentFailedError(message, "\n".join([*helps, f"then go on with: {again}"])) from error
        done.append(Done(name=step.name, said=said, seconds=time.monotonic() - started))
        tell(done[-1])
    return done
