"""What the interpreter sees of one execution: its state, its history and how it is interrupted."""

from __future__ import annotations

import copy
import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import AWSExecutionDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext, EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramRunning
from moto.stepfunctions.parser.asl.eval.states import ContextObjectData, ExecutionData, StateMachineData

from local_aws.services.step_functions.record import moment
from local_aws.services.step_functions.tokens import NoPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from moto.stepfunctions.parser.asl.eval.variable_store import VariableStore

    from local_aws.services.step_functions.execution import Running

EVENT_LIMIT = 25_000  # AWS ends an execution whose history would grow beyond it


def isoformat(seconds: float) -> str:
    """Return epoch seconds as the context object shows them."""
    return moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_pruned(event_details: Any) -> bool:
    """Say whether an event is of a branch that the failure of another one has just stopped.

    moto evaluates nothing of such a branch any more, and what it then takes for the time limit is whatever
    lay on the branch's stack. AWS records no further event of it.
    """
    limits = (
        each.get("timeoutInSeconds", 0) for each in (event_details or {}).values() if isinstance(each, dict)
    )
    return not all(isinstance(limit, int | float) for limit in limits)


class History(EventManager):
    """An execution's history, numbered here and kept in the journal."""

    def __init__(self, running: Running, last_event: int) -> None:
        super().__init__()
        self._running = running
        self._last = last_event
        self.closed = False

    def add_event(  # noqa: D102 - moto's interface
        self,
        context: EventHistoryContext,
        event_type: Any,
        event_details: Any = None,
        timestamp: Any = None,  # noqa: ARG002 - moto's interface
        update_source_event_id: bool = True,
    ) -> int:
        kind = str(event_type.value)
        entering = context is self._running.context and kind.endswith("StateEntered")
        with self._mutex:
            if self.closed or _is_pruned(event_details) or (entering and self._running.skips_entry()):
                return self._last
            self._last += 1
            event = {
                "timestamp": time.time(),
                "type": kind,
                "id": self._last,
                "previousEventId": context.source_event_id,
                **(event_details or {}),
            }
            context.last_published_event_id = self._last
            if update_source_event_id:
                context.source_event_id = self._last
            if entering:
                self._running.entered(event["stateEnteredEventDetails"], self._last)
            self._running.note(event, entering=entering)
            if self._last == EVENT_LIMIT - 1:
                self._running.engine.threads.run(self._running.exhaust)
            return self._last

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._last


class LocalEnvironment(Environment):
    """The interpreter's environment, or a frame of it, that can be interrupted from outside.

    Attributes:
        running: the execution that this is part of.
        is_top_level: whether this frame holds the work of a state outside any Map or Parallel.

    """

    running: Running
    is_top_level: bool = False
    wakers: set[Callable[[], None]]

    @classmethod
    def of(cls, running: Running, last_event: int) -> Self:
        """Return the outermost environment of an execution."""
        record = running.record
        environment = cls(
            aws_execution_details=AWSExecutionDetails(
                account=record.account, region=record.region, role_arn=record.role_arn
            ),
            execution_type=record.kind,
            context=ContextObjectData(
                Execution=ExecutionData(
                    Id=record.arn,
                    Input=json.loads(record.input),
                    Name=record.name,
                    RoleArn=record.role_arn,
                    StartTime=isoformat(record.start),
                    RedriveCount=record.redrive_count,
                    **({"RedriveTime": isoformat(record.redrive_date)} if record.redrive_date else {}),
                ),
                StateMachine=StateMachineData(Id=record.machine_arn, Name=record.machine_name),
            ),
            event_history_context=running.context,
            cloud_watch_logging_session=None,
            activity_store={},
        )
        environment.running = running
        environment.event_manager = History(running, last_event)
        environment.callback_pool_manager = NoPool()
        return environment

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wakers = set()

    @classmethod
    def as_frame_of(  # noqa: D102 - moto's interface; moto's own makes a plain Environment
        cls, env: Environment, event_history_frame_cache: EventHistoryContext | None = None
    ) -> Environment:
        return cls.as_inner_frame_of(env, env.variable_store, event_history_frame_cache)

    @classmethod
    def as_inner_frame_of(  # noqa: D102 - moto's interface
        cls,
        env: Environment,
        variable_store: VariableStore,
        event_history_frame_cache: EventHistoryContext | None = None,
    ) -> Environment:
        frame = super().as_inner_frame_of(env, variable_store, event_history_frame_cache)
        outer, inner = (
            env.states.context_object.context_object_data,
            frame.states.context_object.context_object_data,
        )
        if "Map" in outer:  # moto forgets the item in a Task, Parallel or Map inside an iteration
            inner["Map"] = copy.copy(outer["Map"])
        frame.running = env.running
        return frame

    def set_ended(self) -> None:  # noqa: D102 - moto's interface
        super().set_ended()
        self._wake()

    def set_error(self, error: Any) -> None:  # noqa: D102 - moto's interface
        super().set_error(error)
        self._wake()

    def set_timed_out(self) -> None:  # noqa: D102 - moto's interface
        super().set_timed_out()
        self._wake()

    def set_stop(self, stop_date: Any, cause: str | None, error: str | None) -> None:  # noqa: D102 - moto's interface
        super().set_stop(stop_date, cause, error)
        self._wake()

    def _wake(self) -> None:
        for wake in tuple(self.wakers):
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call `wake` when this environment stops running, and at once if it has."""
        self.wakers.add(wake)
        try:
            if not self.is_running():
                wake()
            yield
        finally:
            self.wakers.discard(wake)

    def pause(self, seconds: float) -> None:
        """Wait unless interrupted."""
        interrupted = threading.Event()
        with self.waking(interrupted.set):
            interrupted.wait(max(0.0, seconds))

    def is_running(self) -> bool:  # noqa: D102 - moto's interface
        return isinstance(self._program_state, ProgramRunning)
