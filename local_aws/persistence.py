"""The state of moto's services on disk, written before a change is acknowledged."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any

import moto
from moto import backends
from moto.core.base_backend import BackendDict
from moto.core.exceptions import JsonRESTError, ServiceException
from moto.core.responses import BaseResponse

from local_aws.journal import MOST_ADDITIONS, Journal
from local_aws.pickling import Blobs, dump, load, service_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from moto.core.base_backend import BaseBackend

# These keep their own state on disk (S3, Step Functions), or have none.
SELF_KEPT = frozenset({"s3", "stepfunctions", "sts", "moto_api", "instance_metadata"})
# Written many times a second: saved at intervals and at the end, so a killed process loses the newest.
AT_INTERVALS = frozenset({"logs", "cloudwatch"})
INTERVAL = 2.0  # seconds, or 20 times as long as the last save took
JOURNAL = "journal"  # the key of the journal's number in a saved state
READS = re.compile(
    "(Batch)?Get|List|Describe|Head|Lookup|Search|Query|Scan|Select|Filter|Check|Validate|Test|Estimate"
    "|Simulate|Decode|Invoke|Publish(Batch)?$|AssumeRole"
    "|(Send|Receive|Delete)Message(Batch)?$|ChangeMessageVisibility"  # SQS keeps messages by itself
)
# These are added to a journal as (backend method, its arguments) instead of saving the whole service:
# a catalogue has a partition for every run, and pickling all of them for each one grows with the runs.
JOURNALLED = {
    ("glue", "CreatePartition"): ("create_partition", ("DatabaseName", "TableName", "PartitionInput")),
    ("glue", "BatchCreatePartition"): (
        "batch_create_partition",
        ("DatabaseName", "TableName", "PartitionInputList"),
    ),
}
ATTEMPTS = 100  # other threads may change a container while it is pickled

log = logging.getLogger(__name__)


class IncompatibleStateError(RuntimeError):
    """The state directory was written by something that this version cannot read."""


class Persistence:
    """Saves each service into one file of `directory` and restores all of them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._blobs = Blobs(directory / "blobs")
        self._services: dict[str, Service] = {}
        self._services_lock = threading.Lock()
        self._ended = threading.Event()
        self._saver = threading.Thread(target=self._save_at_intervals, name="saver", daemon=True)
        self._check_version()

    def restore(self) -> None:
        """Fill every service's memory from its file.

        Raises:
            IncompatibleStateError: a file cannot be read.
        """
        for path in sorted(self._directory.glob("*.state")):
            try:
                states = load(path.read_bytes(), self._blobs)
                number = states.pop(JOURNAL, 0)
                additions = self._service(path.stem).journal.restored(number)
            except Exception as error:
                raise IncompatibleStateError(
                    f"{path} cannot be read ({error}): remove {self._directory.parent} to start afresh"
                ) from error
            for (account, region), attributes in states.items():
                backends.get_backend(path.stem)[account][region].__dict__.update(attributes)
            for account, region, method, arguments in additions:
                with contextlib.suppress(ServiceException, JsonRESTError):  # it is in the saved state already
                    getattr(backends.get_backend(path.stem)[account][region], method)(*arguments)
        self._blobs.sweep()

    def watch(self) -> None:
        """From now on, have every request that changes a service wait until the change is saved."""
        BaseResponse._dispatch = _saving(BaseResponse._dispatch, self)  # noqa: SLF001 - every service passes it
        self._saver.start()

    def save(self, service: str) -> None:
        """Return once the present state of `service`, in moto's spelling, is on disk."""
        self._service(service).save()

    def changed(self, service: str, response: BaseResponse) -> None:
        """Save what a request has just changed in `service`, or note it for the next interval."""
        addition = JOURNALLED.get((service, response._get_action() or ""))  # noqa: SLF001 - as moto dispatches
        if addition:
            method, names = addition
            arguments = [response.parameters.get(name) for name in names]
            self._service(service).add((response.current_account, response.region, method, arguments))
        elif service in AT_INTERVALS:
            self._service(service).touched = True
        elif service not in SELF_KEPT:
            self.save(service)

    def stop(self) -> None:
        """Save every service a last time: threads may have changed some without a request."""
        self._ended.set()
        self._saver.join()
        for found in list(BackendDict._instances):  # noqa: SLF001 - moto's list of the services in use
            service = service_of(found.backend)
            if service not in SELF_KEPT:
                self.save(service)
        for each in self._services.values():
            each.journal.close()

    def _service(self, name: str) -> Service:
        with self._services_lock:
            if name not in self._services:
                self._services[name] = Service(name, self._directory, self._blobs)
            return self._services[name]

    def _save_at_intervals(self) -> None:
        pause = INTERVAL
        while not self._ended.wait(pause):
            began = time.monotonic()
            for name in AT_INTERVALS:
                service = self._service(name)
                if service.touched or name == "logs":
                    service.touched = False
                    service.save()
            pause = max(INTERVAL, 20 * (time.monotonic() - began))

    def _check_version(self) -> None:
        path = self._directory / "version"
        if path.exists() and path.read_text() != moto.__version__:
            raise IncompatibleStateError(
                f"{self._directory.parent} was written with moto {path.read_text()}, and this is moto "
                f"{moto.__version__}: remove the directory to start afresh"
            )
        path.write_text(moto.__version__)


class Service:
    """One service's file, and the journal of what was added since."""

    def __init__(self, name: str, directory: Path, blobs: Blobs) -> None:
        self.touched = False
        self.journal = Journal(directory, name)
        self._name = name
        self._path = directory / f"{name}.state"
        self._blobs = blobs
        self._lock = threading.Lock()
        self._counting = threading.Lock()
        self._asked = 0
        self._saved = 0
        self._written = b""

    def save(self) -> None:
        """Return once a state taken after this call began is on disk.

        Requests that arrive while one save is under way share the next.
        """
        with self._counting:
            self._asked += 1
            ticket = self._asked
        with self._lock:
            if self._saved >= ticket:
                return
            asked = self._asked
            number = self.journal.next_number()
            state = dump({**dict(self._states()), JOURNAL: number}, self._blobs, attempts=ATTEMPTS)
            if state != self._written:
                _replace(self._path, state)
                self._written = state
            self.journal.renew(number)
            self._saved = asked

    def add(self, addition: tuple[Any, ...]) -> None:
        """Return once one addition is on disk; the whole state is saved only now and then."""
        with self._lock:
            if self._path.exists() and self.journal.length < MOST_ADDITIONS:
                self.journal.add(addition)
                return
        self.save()

    def _states(self) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
        for account, region, backend in list(_iterate(self._name)):
            yield (account, region), dict(vars(backend))


def _iterate(service: str) -> Iterator[tuple[str, str, BaseBackend]]:
    found: Any = backends.get_backend(service)
    for account, regions in list(found.items()):
        for region, backend in list(regions.items()):
            yield account, region, backend


def _replace(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _saving(dispatch: Callable[..., Any], persistence: Persistence) -> Callable[..., Any]:
    @functools.wraps(dispatch)
    def saving(response: BaseResponse, *arguments: Any, **options: Any) -> Any:
        answer = dispatch(response, *arguments, **options)
        if answer[0] < 400 and not READS.match(response._get_action() or ""):  # noqa: PLR2004, SLF001 - HTTP
            persistence.changed(service_of(type(response)), response)
        return answer

    return saving
