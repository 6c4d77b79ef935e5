"""Starts, finds, stops and restarts executions."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import HistoryEventType

from local_aws.services.step_functions.alarms import Alarms
from local_aws.services.step_functions.errors import (
    ExecutionAlreadyExists,
    ExecutionDoesNotExist,
    ExecutionNotRedrivable,
)
from local_aws.services.step_functions.execution import Running
from local_aws.services.step_functions.execution_logs import ExecutionLogs
from local_aws.services.step_functions.journal import Journal
from local_aws.services.step_functions.names import check_name, checked_input
from local_aws.services.step_functions.record import EXPRESS, Record
from local_aws.services.step_functions.status_events import StatusEvents
from local_aws.services.step_functions.threads import Threads
from local_aws.services.step_functions.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.runtime import Runtime
    from local_aws.services.step_functions.map_runs import MapRun


class Engine:
    """Every execution of one embedded AWS: the running ones in memory, the others in the journal."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.journal = Journal(runtime.path("executions.sqlite"))
        self.alarms = Alarms()
        self.threads = Threads()
        self.tokens = Tokens()
        self.logs = ExecutionLogs()
        self.status_events = StatusEvents()
        self.map_runs: dict[str, MapRun] = {}  # those that have not ended
        self.frozen = False
        self._running: dict[str, Running] = {}
        self._names = threading.Lock()  # one name is checked and taken at a time

    def start(self) -> None:
        """Start the threads; executions go on once every service has started, because they call them."""
        self.journal.start()
        self.alarms.start()
        self.logs.start()
        self.status_events.start()
        self.runtime.on_start(self._resume)  # the list grows while it is worked off, so this comes last

    def _resume(self) -> None:
        """Go on with the executions that the last process left behind."""
        self.runtime.on_stop(self._freeze)  # registered last, so it comes before any service stops
        for record in self.journal.running():
            if record.arn not in self._running:
                self._go_on(record)

    def _freeze(self) -> None:
        """Store nothing more: what fails from now on fails because services stop."""
        self.frozen = True

    def stop(self) -> None:
        """Leave every execution where it is; the next start goes on from there."""
        self._freeze()
        self.alarms.stop()
        self.status_events.stop()
        self.logs.stop()
        self.journal.close()

    def begin(self, machine: Any, name: str | None, document: str, **origin: Any) -> Record:
        """Start an execution, or return the running one of that name and input.

        Args:
            machine: the state machine or one of its versions.
            name: the execution's name, or None for a UUID.
            document: the input, JSON as text.
            origin: further fields of the record.

        Raises:
            ExecutionAlreadyExists: the name belongs to another input or to a closed execution.

        """
        checked_input(document)
        if name is not None:
            check_name(name)
        record = _record(machine, name or str(uuid.uuid4()), document, origin)
        return self.launch(record).record

    def launch(
        self,
        record: Record,
        on_end: Callable[[Running], None] | None = None,
        checkpoint: dict[str, Any] | None = None,
    ) -> Running:
        """Start a new execution as recorded, and call `on_end` when it has ended."""
        with self._names:
            running = self._running.get(record.arn)
            if running and record.kind != EXPRESS and _same(running.record.input, record.input):
                return running
            if running or self.journal.find(record.arn):
                raise ExecutionAlreadyExists(f"Execution Already Exists: '{record.arn}'")
            self.journal.begin(record)
            running = self._running[record.arn] = Running(self, record, checkpoint)
            running.on_end = on_end
        self.status_events.changed(record)
        running.start()
        return running

    def find(self, arn: str) -> Record:
        """Return an execution.

        Raises:
            ExecutionDoesNotExist: there is none with this ARN.

        """
        running = self._running.get(arn)
        record = running.record if running else self.journal.find(arn)
        if record is None:
            raise ExecutionDoesNotExist(f"Execution Does Not Exist: '{arn}'")
        return record

    def wait(self, arn: str, timeout: float | None = None) -> Record:
        """Return an execution once it has ended, or after `timeout` seconds."""
        running = self._running.get(arn)
        if running:
            running.done.wait(timeout)
        return self.find(arn)

    def stop_execution(self, arn: str, error: str | None, cause: str | None) -> Record:
        """End an execution as ABORTED; a closed one stays as it is."""
        running = self._running.get(arn)
        if running:
            running.stop(error, cause)
        return self.find(arn)

    def redrive(self, arn: str) -> Record:
        """Restart an execution from the last state that it entered at its top level.

        Raises:
            ExecutionNotRedrivable: it is running, succeeded, or closed for more than 14 days.

        """
        with self._names:
            record = self.find(arn)
            if record.redrive_status() != "REDRIVABLE":
                reason = record.why_not_redrivable() or "Execution belongs to a Map Run: redrive its parent"
                raise ExecutionNotRedrivable(reason)
            checkpoint = self.journal.checkpoint(record.id)
            entry = (
                {key: (checkpoint or {})[key] for key in ("state", "input", "variables", "event")}
                if checkpoint
                else None
            )
            record.status, record.stop, record.output, record.error, record.cause = (
                "RUNNING",
                None,
                None,
                None,
                None,
            )
            record.redrive_count += 1
            record.redrive_date = time.time()
            running = Running(self, record, entry, self.journal.last_event(record.id))
            self.journal.settle(record)
            self._running[arn] = running
        running.environment.event_manager.add_event(
            running.context,
            HistoryEventType.ExecutionRedriven,
            {"executionRedrivenEventDetails": {"redriveCount": record.redrive_count}},
        )
        self.status_events.changed(record)
        running.start()
        return record

    def closed(self, running: Running) -> None:
        """Drop an ended execution from memory; it is stored."""
        self._running.pop(running.record.arn, None)
        self.status_events.changed(running.record)

    def running_of(self, arn: str) -> Running | None:
        """Return a running execution, or None."""
        return self._running.get(arn)

    def _go_on(self, record: Record) -> None:
        if record.map_run_arn:  # its parent starts the Map Run again
            record.status, record.stop, record.cause = "ABORTED", time.time(), "The Map Run was restarted"
            self.journal.settle(record)
            return
        checkpoint = self.journal.checkpoint(record.id)
        last_event = self.journal.last_event(record.id)
        running = Running(self, record, checkpoint, last_event, goes_on=True)
        self._running[record.arn] = running
        running.start()


def _record(machine: Any, name: str, document: str, origin: dict[str, Any]) -> Record:
    machine_arn = getattr(machine, "source_arn", machine.arn)
    _, partition, _, region, account, _, machine_name = machine_arn.split(":")
    kind = "express" if machine.type == EXPRESS else "execution"
    suffix = f":{uuid.uuid4()}" if machine.type == EXPRESS else ""
    fields: dict[str, Any] = {
        "arn": f"arn:{partition}:states:{region}:{account}:{kind}:{machine_name}:{name}{suffix}",
        "account": account,
        "region": region,
        "machine_arn": machine_arn,
        "machine_name": machine_name,
        "name": name,
        "kind": machine.type,
        "role_arn": machine.roleArn,
        "definition": machine.definition,
        "input": document,
        "logging": machine.loggingConfiguration,
        "version_arn": machine.arn if machine.arn != machine_arn else None,
    }
    return Record(**(fields | origin))


def _same(one: str, other: str) -> bool:
    return one == other or json.dumps(json.loads(one), sort_keys=True) == json.dumps(
        json.loads(other), sort_keys=True
    )
