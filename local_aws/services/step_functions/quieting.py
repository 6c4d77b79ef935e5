"""What costs time in moto's interpreter without changing what it computes."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.eval import states

from local_aws.services.step_functions.mending import mend


def install() -> None:
    """Copy JSON quickly and don't print every caught error of a workflow."""
    mend(states, "copy", SimpleNamespace(deepcopy=copied))
    mend(EvalComponent, "_log_evaluation_step", lambda *_: None)
    mend(EvalComponent, "_log_failure_event_exception", lambda *_, **__: None)
    mend(EvalComponent, "_log_exception", lambda *_, **__: None)
    # Its messages tell of errors that the workflow handles and the history shows.
    logging.getLogger("moto.stepfunctions.parser").setLevel(logging.CRITICAL)


def copied(value: Any) -> Any:
    """Return a deep copy of a JSON value, about ten times faster than `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copied(item) for item in value]
    return value
