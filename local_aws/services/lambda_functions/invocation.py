"""One invocation, from the event to the answer and its log lines."""

from __future__ import annotations

import base64
import json
import threading
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moto.core.exceptions import JsonRESTError

from local_aws.runtime import ACCOUNT
from local_aws.services.cloudwatch import recorder as metrics
from local_aws.services.identity.principal import ROLE, role_session, session_credentials, trace_of
from local_aws.services.lambda_functions import function_log
from local_aws.services.lambda_functions.pool import Sandbox, WorkerPool
from local_aws.services.lambda_functions.source_code import SourceTree, UploadedCode
from local_aws.services.lambda_functions.worker import Answer, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local_aws.runtime import Runtime
    from local_aws.services.lambda_functions.backend import Function

ANSWER_LIMIT = 6_291_556  # bytes, as AWS counts: 6 MiB and 100 bytes
# A page in a browser asks two things at once, and a dropped file starts a run while somebody watches.
_PREPARED = 2
_LOG_TAIL = 4096  # bytes that LogType=Tail returns
# AWS allows 10 s before the first event; a laptop busy with other imports gets more.
_PREPARE_TIMEOUT = 60.0
_KEYS_LAST = 12 * 3600.0  # seconds; an invocation lasts 900 at most, and what it signed may outlive it
# A burst waits here instead of being throttled, as the account limit of 1,000 would let it pass on AWS.
_QUEUE_TIMEOUT = 900.0


class TooManyRequestsError(JsonRESTError):
    """The function's reserved concurrency is in use."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


@dataclass(frozen=True)
class Outcome:
    """What an invocation came to.

    Attributes:
        payload: the JSON document that the function returned, or the error document.
        error: "Unhandled" when the function failed, else None.
        log: what the function wrote, with the START, END and REPORT lines.
    """

    payload: bytes
    error: str | None
    log: str

    @property
    def log_tail(self) -> str:
        """The last 4 KB of the log, in base64, as LogType=Tail returns it."""
        return base64.b64encode(self.log.encode()[-_LOG_TAIL:]).decode()


class Invoker:
    """Runs functions in the worker pool."""

    def __init__(self, runtime: Runtime) -> None:
        configuration = runtime.configuration
        self._runtime = runtime
        self._tree = SourceTree(configuration.project.resolve())
        self.uploads = UploadedCode(configuration.directory.resolve() / "function_code")
        self.pool = WorkerPool(configuration.function_workers, self._start_worker)
        self._running: Counter[str] = Counter()
        self._running_lock = threading.Lock()
        # (function, version of the source tree) whose handler only the uploaded zip has
        self._only_uploaded: set[tuple[str, str, int]] = set()

    def invoke(
        self, function: Function, event: bytes, *, request_id: str = "", client_context: object = None
    ) -> Outcome:
        """Run one invocation to its end.

        Raises:
            TooManyRequestsError: the function's reserved concurrency is in use.
        """
        request_id = request_id or str(uuid.uuid4())
        with self._reserved(function):
            return self._run(function, event, request_id, client_context)

    def prepare(self, function: Function, others: Iterable[Function]) -> None:
        """Import a function's module in some workers now, so that its first events need not wait for that.

        Args:
            function: whose worker it is to be.
            others: the account's functions; those that may share that worker have their modules imported too.
        """
        sandbox = self._sandbox(function)
        for _ in range(_PREPARED):
            with self.pool.lend_blank(sandbox, _PREPARED) as worker:
                if worker is None:
                    return
                if self._ready(worker, function, sandbox).kind == "ready":
                    # What fails here fails again at that function's first event, which tells of it.
                    for handler in self._handlers(others, sandbox):
                        worker.ask(self._to_import(handler, worker, function, sandbox), b"", _PREPARE_TIMEOUT)

    def _handlers(self, functions: Iterable[Function], sandbox: Sandbox) -> Iterable[str]:
        """Return a handler of each module that a worker of a sandbox may be asked for."""
        sharing = (str(each.handler) for each in functions if self._sandbox(each) == sandbox)
        return {handler.rpartition(".")[0]: handler for handler in sharing}.values()

    @contextmanager
    def _reserved(self, function: Function) -> Iterator[None]:
        name = function.function_name
        with self._running_lock:
            limit = function.reserved_concurrency
            if limit is not None and self._running[name] >= int(limit):
                _count(function, Throttles=1)
                raise TooManyRequestsError
            self._running[name] += 1
        try:
            yield
        finally:
            with self._running_lock:
                self._running[name] -= 1

    def _run(self, function: Function, event: bytes, request_id: str, client_context: object) -> Outcome:
        sandbox = self._sandbox(function)
        with self.pool.lend(sandbox, _QUEUE_TIMEOUT) as worker:
            started = time.perf_counter()
            answer = self._ready(worker, function, sandbox)
            prepared = time.perf_counter()
            if answer.kind == "ready":
                header = self._header(function, worker, request_id) | {"client_context": client_context}
                answer = worker.ask(header, event, function.timeout)
            ended = time.perf_counter()
        if answer.kind == "missing" and self._fall_back(function, sandbox):
            return self._run(function, event, request_id, client_context)
        report = function_log.Report(
            request_id=request_id,
            version=str(function.version),
            duration=ended - prepared,
            initialization=prepared - started,
            memory=function.memory_size,
            memory_used=answer.memory_used,
        )
        return self._outcome(function, worker, answer, report)

    def _ready(self, worker: Worker, function: Function, sandbox: Sandbox) -> Answer:
        """Give a blank worker its source tree and environment; one that cannot take them is ended."""
        if worker.sandbox == sandbox:
            return Answer("ready", b"", "")
        header = self._to_import(str(function.handler), worker, function, sandbox)
        answer = worker.ask(header, b"", _PREPARE_TIMEOUT)
        worker.sandbox = sandbox
        if answer.kind != "ready":
            worker.kill()
        self.pool.warm_soon()  # the blank worker is blank no more
        return answer

    def _to_import(
        self, handler: str, worker: Worker, function: Function, sandbox: Sandbox
    ) -> dict[str, object]:
        return {
            "kind": "prepare",
            "source": sandbox.source,
            "handler": handler,
            "environment": dict(sandbox.environment) | self._names(function, worker),
        }

    def _outcome(
        self, function: Function, worker: Worker, answer: Answer, report: function_log.Report
    ) -> Outcome:
        body, ending = _answer_body(answer, function, report.request_id)
        log = report.lines(answer.output, ending)
        function_log.write(function, worker.log_stream, log)
        failed = answer.kind != "succeeded" or body is not answer.body
        _count(function, Invocations=1, Errors=int(failed), Duration=report.duration * 1000)
        return Outcome(body, "Unhandled" if failed else None, log)

    def _header(self, function: Function, worker: Worker, request_id: str) -> dict[str, object]:
        return {
            "kind": "invoke",
            "handler": function.handler,
            "request_id": request_id,
            "function_name": function.function_name,
            "function_version": str(function.version),
            "function_arn": function.function_arn,
            "memory": function.memory_size,
            "timeout": function.timeout,
            "environment": self._names(function, worker),
        }

    def _names(self, function: Function, worker: Worker) -> dict[str, str]:
        """Return the variables that differ between functions that may share a worker."""
        names = _names(function, worker)
        if not self._runtime.configuration.enforce_iam:
            return names
        role = str(function.role)
        if not ROLE.fullmatch(role):
            return names | {"AWS_SESSION_TOKEN": ""}  # nosec B105 - none: long-lived keys have no token
        keys = session_credentials(role_session(role, function.function_name), time.time() + _KEYS_LAST)
        return names | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def _sandbox(self, function: Function) -> Sandbox:
        version = self._tree.version()
        source = str(self._tree.directory)
        if (function.function_arn, function.code_sha_256, version) in self._only_uploaded:
            source, version = str(self.uploads.unpacked(function.code_sha_256)), 0
        environment = (
            self._base_environment(function.account_id)
            | function.environment_vars
            | {"LAMBDA_TASK_ROOT": source}
        )
        return Sandbox(source, version, frozenset(environment.items()))

    def _fall_back(self, function: Function, sandbox: Sandbox) -> bool:
        """Note that only the uploaded zip has this handler; false when the zip is what was tried."""
        if sandbox.source != str(self._tree.directory) or not function.code_sha_256:
            return False
        self._only_uploaded.add((function.function_arn, function.code_sha_256, sandbox.version))
        return True

    def _base_environment(self, account: str = ACCOUNT) -> dict[str, str]:
        return self._runtime.client_environment(account) | {
            # A handler must not find the account of whoever runs this.
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "TZ": ":UTC",
        }

    def _start_worker(self) -> Worker:
        configuration = self._runtime.configuration
        byte_code = configuration.directory.resolve() / "function_byte_code"
        return Worker(configuration.python, self._base_environment(), byte_code)


def _count(function: Function, **values: float) -> None:
    """Add to the metrics that AWS keeps of a function, and of all functions together."""
    for name, value in values.items():
        for dimensions in ({"FunctionName": function.function_name}, {}):
            metrics.note(function.account_id, function.region, ("AWS/Lambda", name), dimensions, value)


def _names(function: Function, worker: Worker) -> dict[str, str]:
    return {
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": worker.log_stream,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "_HANDLER": str(function.handler),
        # AWS's clients send it with every request, which then counts as the function's role's.
        "_X_AMZN_TRACE_ID": f"Root=1-{int(time.time()):x}-{uuid.uuid4().hex[:24]};Sampled=0;"
        + trace_of(str(function.role), function.function_name),
    }


def _answer_body(answer: Answer, function: Function, request_id: str) -> tuple[bytes, str]:
    """Return the payload for the caller, and the log line of a run that did not end by itself."""
    if answer.kind == "timed_out":
        message = f"Task timed out after {function.timeout:.2f} seconds"
        return _failure("Sandbox.Timedout", request_id, message)
    if answer.kind == "exited":
        return _failure("Runtime.ExitError", request_id, _exit_message(answer.exit_code))
    if len(answer.body) > ANSWER_LIMIT:
        size = len(answer.body)
        limit = f"maximum allowed payload size ({ANSWER_LIMIT} bytes)"
        message = f"Response payload size ({size} bytes) exceeded {limit}."
        return json.dumps(
            {"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}
        ).encode(), message
    return answer.body, ""


def _exit_message(code: int | None) -> str:
    if not code:
        return "Runtime exited without providing a reason"
    how = f"exit status {code}" if code > 0 else f"signal: {-code}"
    return f"Runtime exited with error: {how}"


def _failure(error_type: str, request_id: str, message: str) -> tuple[bytes, str]:
    document = {"errorType": error_type, "errorMessage": f"RequestId: {request_id} Error: {message}"}
    return json.dumps(document).encode(), f"{request_id} {message}"
