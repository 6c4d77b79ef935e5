"""Everything behind the Lambda API that runs: workers, the event queue, the queue pollers."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, cast

from moto.awslambda.models import lambda_backends

from local_aws.runtime import ACCOUNT, REGION
from local_aws.services.lambda_functions.dispatcher import Dispatcher
from local_aws.services.lambda_functions.event_queue import EventQueue
from local_aws.services.lambda_functions.invocation import Invoker, Outcome
from local_aws.services.lambda_functions.pool import PoolIsClosedError
from local_aws.services.lambda_functions.queue_poller import QueuePoller

if TYPE_CHECKING:
    from local_aws.runtime import Runtime
    from local_aws.services.lambda_functions.backend import Function

_ARN = re.compile(r"arn:aws[\w-]*:lambda:(?P<region>[^:]+):(?P<account>[^:]+):function:.+")

log = logging.getLogger(__name__)


class Engine:
    """Runs the functions of one embedded AWS."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.invoker = Invoker(runtime)
        self._dispatcher = Dispatcher(runtime, self.invoker, self.find)
        self._poller = QueuePoller(runtime, self.invoke)
        self._to_prepare: Function | None = None
        self._is_preparing = False
        self._prepare_lock = threading.Lock()
        self._queue = EventQueue(runtime.path("async_invocations.sqlite"))

    def start(self) -> None:
        """Warm a worker and deliver what is queued."""
        self.invoker.pool.warm_soon()
        if functions := list(lambda_backends[ACCOUNT][REGION].list_functions()):
            self.prepare_soon(functions[-1])
        self._dispatcher.start(self._queue)
        self._poller.start()

    def stop(self) -> None:
        """End the workers; queued events stay on disk."""
        self._poller.stop()
        self._dispatcher.stop()
        self.invoker.pool.close()
        self._dispatcher.join()
        self._queue.close()

    def find(self, name_or_arn: str) -> Function:
        """Return a deployed function.

        Raises:
            UnknownFunctionException: there is none of that name.
        """
        arn = _ARN.fullmatch(name_or_arn)
        account, region = (arn["account"], arn["region"]) if arn else (ACCOUNT, REGION)
        return cast("Function", lambda_backends[account][region].get_function(name_or_arn))

    def prepare_soon(self, function: Function) -> None:
        """Import a new or changed function's module in the background; of many, the last one counts."""
        with self._prepare_lock:
            self._to_prepare = function
            if self._is_preparing:
                return
            self._is_preparing = True
        threading.Thread(target=self._prepare, name="prepare-worker", daemon=True).start()

    def _prepare(self) -> None:
        while function := self._next_to_prepare():
            try:
                every = lambda_backends[function.account_id][function.region].list_functions()
                self.invoker.prepare(function, list(every))
            except PoolIsClosedError:
                return

    def _next_to_prepare(self) -> Function | None:
        with self._prepare_lock:
            function, self._to_prepare = self._to_prepare, None
            self._is_preparing = function is not None
            return function

    def invoke(self, name_or_arn: str, event: bytes | str) -> Outcome:
        """Run a function and return what it came to, without the cost of an HTTP request."""
        return self.invoker.invoke(
            self.find(name_or_arn), event.encode() if isinstance(event, str) else event
        )

    def invoke_async(self, name_or_arn: str, event: bytes | str) -> str:
        """Queue an event; once this returns its request id, a crash cannot lose the event.

        Raises:
            UnknownFunctionException: there is no function of that name.
        """
        arn = self.find(name_or_arn).function_arn
        queued = self._queue.put(arn, event.encode() if isinstance(event, str) else event)
        self._dispatcher.add(queued)
        return queued.id
