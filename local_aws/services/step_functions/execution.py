"""One execution while it runs."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventHistoryContext
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError, ProgramStopped
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from local_aws.services.step_functions import definitions
from local_aws.services.step_functions.environment import LocalEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.services.step_functions.alarms import Alarm
    from local_aws.services.step_functions.engine import Engine
    from local_aws.services.step_functions.record import Record

COMPACT = (",", ":")

log = logging.getLogger(__name__)


class Parked(BaseException):
    """A top-level Wait state has begun; the execution needs no thread for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Running:
    """An execution that has not ended.

    Args:
        checkpoint: the top-level state to go on from, as `entered` stored it, or None to begin at StartAt.
        goes_on: the checkpoint's state was under way in a process that was killed, so it is not entered
            a second time; otherwise (a redrive) it is.

    """

    def __init__(
        self,
        engine: Engine,
        record: Record,
        checkpoint: dict[str, Any] | None = None,
        last_event: int = 0,
        *,
        goes_on: bool = False,
    ) -> None:
        self.engine = engine
        self.record = record
        self.done = threading.Event()
        self.on_end: Callable[[Running], None] | None = None
        self.context = EventHistoryContext.of_program_start()
        self.checkpoint = checkpoint or {}
        self._skip_entry = goes_on and checkpoint is not None
        self._closing = threading.Lock()
        self._alarms: list[Alarm] = []
        self.environment = LocalEnvironment.of(self, last_event)
        self._program = definitions.program(record.definition)
        self.environment.next_state_name = self._program.start_at.start_at_name
        if checkpoint:
            self._restore(checkpoint)

    def _restore(self, checkpoint: dict[str, Any]) -> None:
        self.environment.next_state_name = checkpoint["state"]
        self.environment.states.reset(json.loads(checkpoint["input"]))
        for name, value in checkpoint["variables"].items():
            self.environment.variable_store.set(name, value)
        self.environment.variable_store.reset_tracing()
        self.context.source_event_id = checkpoint["event"]

    def start(self) -> None:
        """Begin, or go on, in a thread."""
        environment = self.environment
        if environment.event_manager.last == 0:
            details = {
                "input": self.record.input,
                "inputDetails": {"truncated": False},
                "roleArn": self.record.role_arn,
            }
            environment.event_manager.add_event(
                self.context,
                HistoryEventType.ExecutionStarted,
                {"executionStartedEventDetails": details},
                update_source_event_id=False,
            )
        timeout = self._program.timeout_seconds
        if timeout:
            begun = self.record.redrive_date or self.record.start
            left = begun + timeout.timeout_seconds - time.time()
            self._alarms.append(self.engine.alarms.after(left, self.time_out))
        self.engine.threads.run(self._walk)

    def skips_entry(self) -> bool:
        """Return whether the state about to be entered had been entered before; True only once."""
        skips, self._skip_entry = self._skip_entry, False
        return skips

    def entered(self, details: dict[str, Any], event: int) -> None:
        """Remember the top-level state that was entered, to go on from it after a crash or by a redrive."""
        self.checkpoint = {
            "state": details["name"],
            "input": details["input"],
            "variables": dict(self.environment.variable_store._inner_scope),  # noqa: SLF001 - no other way to read them
            "event": event,
        }

    def remember(self, **facts: Any) -> None:
        """Store facts about the current top-level state before going on."""
        if self.engine.frozen:
            return
        self.checkpoint |= facts
        self.engine.journal.note_checkpoint(self.record.id, json.dumps(self.checkpoint, default=str))

    def forget(self, *names: str) -> None:
        """Drop facts about the current top-level state."""
        if any(name in self.checkpoint for name in names):
            self.checkpoint = {key: value for key, value in self.checkpoint.items() if key not in names}
            self.remember()

    def note(self, event: dict[str, Any], *, entering: bool) -> None:
        """Add an event to the stored history and to the log."""
        if self.engine.frozen:
            return
        checkpoint = json.dumps(self.checkpoint, default=str) if entering else None
        self.engine.journal.note(self.record.id, (event["id"], json.dumps(event, default=str)), checkpoint)
        self.engine.logs.note(self.record, event)

    def stop(self, error: str | None, cause: str | None) -> None:
        """End the execution as ABORTED."""
        self.environment.set_stop(stop_date=datetime.now(UTC), cause=cause, error=error)
        self._close()

    def time_out(self) -> None:
        """End the execution as TIMED_OUT."""
        if self.environment.is_running():
            self.environment.set_timed_out()
            self.engine.threads.run(self._close)

    def exhaust(self) -> None:
        """End the execution as FAILED, because its history is as long as AWS allows."""
        cause = "The execution reached the maximum number of history events (25000)."
        self._fail({"error": "States.Runtime", "cause": cause})
        self._close()

    def _walk(self) -> None:
        """Evaluate state after state until the execution ends or waits."""
        environment = self.environment
        try:
            while environment.is_running() and not self.engine.frozen:
                state = self._program._get_state(environment.next_state_name)  # noqa: SLF001 - Program.eval would start a thread
                state.eval(environment)
                environment.stack.clear()
                environment.heap.clear()
        except Parked as parked:
            self._park(parked.seconds)
            return
        except FailureEventException as failure:
            self._fail(failure.get_execution_failed_event_details())
        except Exception as error:
            log.exception("%s failed inside the interpreter", self.record.arn)
            self._fail({"error": "States.Runtime", "cause": f"{type(error).__name__}({error})"})
        self._close()

    def _fail(self, error: Any) -> None:
        if self.environment.is_running():  # a stop or a timeout came first
            self.environment.set_error(error)

    def _park(self, seconds: float) -> None:
        self.environment.stack.clear()
        self._skip_entry = True
        self._alarms.append(self.engine.alarms.after(seconds, lambda: self.engine.threads.run(self._walk)))

    def _close(self) -> None:
        """Write how the execution ended; the first of several callers does."""
        with self._closing:
            if self.done.is_set() or self.environment.is_running() or self.engine.frozen:
                return
            for alarm in self._alarms:
                alarm.cancel()
            ended = dataclasses.replace(self.record, stop=time.time())
            history = self.environment.event_manager
            with self.engine.journal.writing():  # the last event and the status become visible together
                kind, details = self._ending(ended)
                history.add_event(self.context, kind, details)
                history.closed = True
                ended.events = history.last
                self.engine.journal.settle(ended)
            self.record = ended
            self.engine.closed(self)
            self.done.set()
        if self.on_end:
            self.on_end(self)

    def _ending(self, record: Record) -> tuple[HistoryEventType, dict[str, Any]]:
        state = self.environment.program_state()
        if isinstance(state, ProgramEnded):
            record.status, record.output = (
                "SUCCEEDED",
                to_json_str(self.environment.states.get_input(), COMPACT),
            )
            details = {"output": record.output, "outputDetails": {"truncated": False}}
            return HistoryEventType.ExecutionSucceeded, {"executionSucceededEventDetails": details}
        if isinstance(state, ProgramError):
            error = state.error or {}
            record.status, record.error, record.cause = "FAILED", error.get("error"), error.get("cause")
            return HistoryEventType.ExecutionFailed, {"executionFailedEventDetails": _given(record)}
        if isinstance(state, ProgramStopped):
            record.status, record.error, record.cause = "ABORTED", state.error, state.cause
            self.context.source_event_id = 0
            return HistoryEventType.ExecutionAborted, {"executionAbortedEventDetails": _given(record)}
        record.status = "TIMED_OUT"
        return HistoryEventType.ExecutionTimedOut, {"executionTimedOutEventDetails": {}}


def _given(record: Record) -> dict[str, str]:
    return {
        key: value for key, value in (("error", record.error), ("cause", record.cause)) if value is not None
    }
