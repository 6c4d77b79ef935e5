"""Which branch a Choice takes, and which errors a Retry or Catch rule matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import (
    StatesErrorNameType,
)
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.callback.callback import HeartbeatTimeoutError
from moto.stepfunctions.parser.asl.parse import preprocessor

from local_aws.services.step_functions.mending import mend

if TYPE_CHECKING:
    from local_aws.services.step_functions.environment import LocalEnvironment

# States.ALL catches neither of these on AWS: they end the execution.
UNCAUGHT_BY_ALL = frozenset({"States.Runtime", "States.DataLimitExceeded"})
UNCAUGHT_BY_TASK_FAILED = UNCAUGHT_BY_ALL | {"States.Timeout"}


class MatchingChoice(StateChoice):
    """A Choice state whose failure to match has AWS's error name."""

    def _eval_state(self, env: LocalEnvironment) -> None:
        for rule in self.choices_decl.rules:
            rule.eval(env)
            if env.stack.pop() is True:
                env.stack.append(rule.next_stmt.name)
                return
        if self.default_state is not None:
            env.stack.append(self.default_state.state_name)
            return
        name = StatesErrorName(typ=StatesErrorNameType.StatesNoChoiceMatched)
        cause = f"No choice rule of the state '{self.name}' matched its input, and it has no Default"
        details = {"executionFailedEventDetails": {"error": name.error_name, "cause": cause}}
        raise FailureEventException(FailureEvent(env, name, HistoryEventType.ExecutionFailed, details))


class HeartbeatTimeoutName(StatesErrorName):
    """The error of a missing heartbeat: a States.Timeout that States.HeartbeatTimeout matches as well."""

    def __init__(self) -> None:
        super().__init__(typ=StatesErrorNameType.StatesTimeout)


def install() -> None:
    """Mend Choice states and the matching of errors."""
    mend(preprocessor, "StateChoice", MatchingChoice)
    mend(ErrorEqualsDecl, "_eval_body", _matches)
    # A Fail state's ErrorPath, a Parallel branch and SendTaskFailure pass on names such as States.Timeout.
    mend(CustomErrorName, "__init__", ErrorName.__init__)
    from_error = StateTask._from_error  # noqa: SLF001 - wrapped below

    def named(self: StateTask, env: LocalEnvironment, ex: Exception) -> FailureEvent:
        failure: FailureEvent = from_error(self, env, ex)
        if isinstance(ex, HeartbeatTimeoutError):
            failure.error_name = HeartbeatTimeoutName()
        return failure

    mend(StateTask, "_from_error", named)


def _matches(self: ErrorEqualsDecl, env: LocalEnvironment) -> None:
    error = env.stack.pop()
    name = error.error_name if error is not None else None
    wanted = {rule.error_name for rule in self.error_names}
    env.stack.append(
        name in wanted
        or ("States.ALL" in wanted and name not in UNCAUGHT_BY_ALL)
        or ("States.TaskFailed" in wanted and name not in UNCAUGHT_BY_TASK_FAILED)
        or ("States.HeartbeatTimeout" in wanted and isinstance(error, HeartbeatTimeoutName))
    )
