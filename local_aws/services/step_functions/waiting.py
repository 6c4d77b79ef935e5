"""Waits, retries and timeouts: at the right time, interruptible, and without a thread apiece."""

from __future__ import annotations

import copy
import threading
import time
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.asl.component.common.retry.max_attempts_decl import MaxAttemptsOutcome
from moto.stepfunctions.parser.asl.component.common.retry.retrier_decl import RetrierDecl
from moto.stepfunctions.parser.asl.component.common.retry.retrier_outcome import RetrierOutcome
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import EvalTimeoutError
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (  # noqa: E501 - moto's own module path
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from local_aws.services.step_functions.execution import Parked
from local_aws.services.step_functions.mending import mend

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.step_functions.environment import LocalEnvironment

PARKING_SECONDS = 0.05  # below this, giving the thread back costs more than it saves


def install(runtime: Runtime) -> None:
    """Mend the interpreter's waits, retries and timeouts."""
    mend(Program, "eval", _evaluate_in_place)
    mend(ExecutionState, "_evaluate_with_timeout", _evaluate_with_timeout)
    mend(WaitFunction, "_wait_interval", lambda _, env, wait_seconds: _wait(runtime, env, wait_seconds))
    mend(RetrierDecl, "_eval_body", lambda self, env: _retry(runtime, self, env))


def _evaluate_in_place(self: Program, env: LocalEnvironment) -> None:
    """Evaluate a branch or an iteration in the thread it has; only the outermost program has a timeout."""
    env.next_state_name = self.start_at.start_at_name
    EvalComponent.eval(self, env)


def _wait(runtime: Runtime, env: LocalEnvironment, seconds: float) -> None:
    """Wait `seconds` of workflow time, which passes `time_scale` times faster.

    At the top level the execution gives its thread back, and a wait that a killed process had begun
    takes only the time that is left.
    """
    running = env.running
    left = max(0.0, seconds) / runtime.configuration.time_scale
    if env.is_frame():
        env.pause(left)
        return
    until = running.checkpoint.get("until")
    if until is None:
        until = time.time() + left
        if left > PARKING_SECONDS:
            running.remember(until=until)
    left = until - time.time()
    if left > PARKING_SECONDS:
        raise Parked(left)
    env.pause(left)


def _retry(runtime: Runtime, self: RetrierDecl, env: LocalEnvironment) -> None:
    """Decide whether this retrier applies, and wait its interval."""
    self.error_equals.eval(env)
    if not env.stack.pop():
        env.stack.append(RetrierOutcome.Skipped)
        return
    self.max_attempts.eval(env=env)
    if env.stack.pop() == MaxAttemptsOutcome.EXHAUSTED:
        env.stack.append(RetrierOutcome.Failed)
        return
    self.interval_seconds.eval(env=env)
    self.backoff_rate.eval(env=env)
    self.max_delay_seconds.eval(env=env)
    self.jitter_strategy.eval(env=env)
    env.pause(env.stack.pop() / runtime.configuration.time_scale)
    env.stack.append(RetrierOutcome.Executed)


def _evaluate_with_timeout(self: ExecutionState, env: LocalEnvironment) -> None:
    """Evaluate the work of a Task, Map or Parallel state, and leave it behind when its time is over."""
    self.timeout.eval(env=env)
    seconds = env.stack.pop()
    frame = env.open_frame()
    frame.is_top_level = not env.is_frame()
    frame.states.reset(input_value=env.states.get_input())
    frame.stack = copy.copy(env.stack)
    work = Work(self, frame)
    # A waitForTaskToken or .sync task keeps its own time, so it needs no second thread.
    if self.timeout.is_default_value() or _keeps_time(self):
        work.run()
        finished = True
    else:
        finished = work.run_within(seconds, env)
    frame.set_ended()
    env.close_frame(frame)
    if not env.is_running():
        return
    if not finished:
        raise EvalTimeoutError
    if work.error is not None:
        raise work.error
    _take(self, env, frame.stack.pop())


def _keeps_time(state: ExecutionState) -> bool:
    return isinstance(state, StateTaskServiceCallback) and state.resource.condition is not None


class Work:
    """The evaluation of one state, perhaps in another thread."""

    def __init__(self, state: ExecutionState, frame: LocalEnvironment) -> None:
        self._state = state
        self._frame = frame
        self.error: Exception | None = None

    def run(self) -> None:
        """Evaluate the state here."""
        try:
            self._state._eval_execution(self._frame)  # noqa: SLF001 - moto's hook for the work of a state
        except Exception as error:  # noqa: BLE001 - handed to the state, which knows what Retry and Catch say
            self.error = error

    def run_within(self, seconds: float, env: LocalEnvironment) -> bool:
        """Evaluate the state elsewhere; return whether it ended in time or was interrupted."""
        over = threading.Event()

        def run() -> None:
            self.run()
            over.set()

        with env.waking(over.set):
            env.running.engine.threads.run(run)
            return over.wait(seconds)


def _take(self: ExecutionState, env: LocalEnvironment, output: Any) -> None:
    """Put the output of the work where the state says."""
    env.stack.append(output)
    if not self._is_language_query_jsonpath():
        env.states.set_result(output)
    if self.assign_decl:
        self.assign_decl.eval(env=env)
    if self.result_selector:
        self.result_selector.eval(env=env)
    if self.result_path:
        self.result_path.eval(env)
    else:
        env.states.reset(input_value=env.stack.pop())
